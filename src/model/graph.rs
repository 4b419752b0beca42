//! A look at the ONNX graph before the inference engine sees it: operators, constants, wiring, input and output.
//!
//! The engine trusts its input in places (sizes, indices, allocation) where castgate may not. What passes here is
//! bounded: every size that a constant decides is known. Must not run anything.

mod ops;
mod tensors;

use std::collections::{HashMap, HashSet};
use std::fmt;

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, ValueInfoProto, type_proto,
};

use crate::config::manifest::{Input, Layout, Manifest};

use self::ops::Folding;
use super::wire;

/// What is wrong with a graph, as one sentence without the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    /// castgate refuses it; the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// The inference engine said so.
    #[error("{0}")]
    Engine(String),
}

impl Problem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }
}

/// Operator sets that the engine knows.
const OPERATOR_SETS: std::ops::RangeInclusive<i64> = 9..=23;
/// Most elements of a constant that the engine computes from smaller ones while it loads.
const FOLDED_ELEMENTS: u64 = 16 << 20;
/// Most elements of all such constants together.
const FOLDED_TOTAL: u64 = 2 * tensors::ELEMENTS;
/// Greatest size that a constant may give to a dimension.
const DIMENSION: i64 = 1 << 24;
/// Greatest factor and greatest padding in pixels that a constant may ask for.
const ENLARGEMENT: i64 = 1024;

/// Reads a graph and checks all of it against the limits and the manifest.
///
/// In the graph that comes back the image input has the shape of the manifest with a batch of 1; the first output is the
/// manifest's and the second, if there is one, what its sigmoid or softmax was made from; everything that castgate does
/// not need (notes, intermediate shapes, training information) is gone.
///
/// # Errors
/// The first problem in the order of the file, always the same for the same file.
pub(super) fn read(bytes: &[u8], manifest: &Manifest) -> Result<ModelProto, Problem> {
    wire::survey(bytes)?;
    let mut model = ModelProto::decode(bytes).map_err(|error| {
        Problem::new(format!("the file is not ONNX, or it is damaged: {error}; copy or export it again"))
    })?;
    if !model.functions.is_empty() {
        return Err(Problem::new("the file defines functions of its own; export the model without them"));
    }
    check_operator_set(&model)?;
    model.training_info.clear();
    model.metadata_props.clear();
    let graph = model
        .graph
        .as_mut()
        .ok_or_else(|| Problem::new("the file holds no graph; export the model again"))?;
    graph.value_info.clear();
    graph.quantization_annotation.clear();
    let image = image_input(graph, &manifest.input)?;
    let output = chosen_output(graph, manifest)?;
    check_wiring(graph, &image, &output)?;
    graph.output.retain(|candidate| candidate.name == output);
    graph.output.truncate(1);
    let last = graph.node.iter().find(|node| node.output.first() == Some(&output));
    if let Some(raw) =
        last.filter(|node| matches!(&*node.op_type, "Sigmoid" | "Softmax")).map(|node| &node.input[0])
    {
        graph.output.push(ValueInfoProto { name: raw.clone(), ..ValueInfoProto::default() });
    }
    Ok(model)
}

fn check_operator_set(model: &ModelProto) -> Result<(), Problem> {
    let set = model.opset_import.iter().find(|set| matches!(&*set.domain, "" | "ai.onnx"));
    let (least, most) = OPERATOR_SETS.into_inner();
    match set.map(|set| set.version) {
        Some(version) if OPERATOR_SETS.contains(&version) => Ok(()),
        Some(version) => Err(Problem::new(format!(
            "the file uses operator set {version}; castgate reads {least} to {most}: export it with operator set 17"
        ))),
        None => Err(Problem::new("the file names no operator set; it is damaged or no ONNX model")),
    }
}

/// Finds the one input that is a picture, checks it and fixes its shape. Returns its name.
fn image_input(graph: &mut GraphProto, wanted: &Input) -> Result<String, Problem> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| &*tensor.name).collect();
    let mut images = graph.input.iter_mut().filter(|input| !constants.contains(&*input.name));
    let Some(image) = images.next() else {
        return Err(Problem::new("the graph has no input; export the model for inference"));
    };
    if let Some(second) = images.next() {
        let (first, second) = (quote(&image.name), quote(&second.name));
        return Err(Problem::new(format!(
            "the graph has more than one input ({first}, {second}); castgate gives it one picture"
        )));
    }
    let shape = [1, wanted.height, wanted.width, wanted.colour.channels()];
    let shape = match wanted.layout {
        Layout::Nhwc => shape,
        Layout::Nchw => [shape[0], shape[3], shape[1], shape[2]],
    };
    fix_shape(image, shape)?;
    Ok(image.name.clone())
}

fn fix_shape(image: &mut ValueInfoProto, wanted: [usize; 4]) -> Result<(), Problem> {
    let name = quote(&image.name);
    let Some(type_proto::Value::TensorType(tensor)) = image.r#type.as_mut().and_then(|t| t.value.as_mut())
    else {
        return Err(Problem::new(format!("input {name} has no tensor type; export the model again")));
    };
    if tensor.elem_type != DataType::Float as i32 {
        return Err(Problem::new(format!(
            "input {name} is not float32; export the model with float32 input"
        )));
    }
    if let Some(shape) = &tensor.shape {
        let dims: Vec<Option<i64>> = shape.dim.iter().map(known).collect();
        let fits = |wanted: [usize; 4]| {
            dims.len() == 4
                && dims.iter().zip(wanted).all(|(dim, size)| dim.is_none_or(|dim| dim == size as i64))
        };
        if !fits(wanted) {
            let [batch, a, b, c] = wanted;
            let swapped = fits([batch, b, c, a]) || fits([batch, c, a, b]);
            let advice = match dims.first() {
                Some(Some(many)) if *many > 1 => "export it with a batch of 1 or a free one",
                _ if swapped => "the manifest's `input.layout` looks wrong",
                _ => "correct the manifest's `input` or take the model that belongs to it",
            };
            let found = dims.iter().map(|dim| dim.map_or("?".to_owned(), |dim| dim.to_string()));
            let found = found.collect::<Vec<_>>().join("x");
            return Err(Problem::new(format!(
                "input {name} has the shape {found} and the manifest says {batch}x{a}x{b}x{c}; {advice}"
            )));
        }
    }
    let dim =
        wanted.map(|size| Dimension { value: Some(Dim::DimValue(size as i64)), ..Dimension::default() });
    tensor.shape = Some(TensorShapeProto { dim: dim.to_vec() });
    Ok(())
}

/// A dimension's size where the graph gives one; exporters write 0 or -1 for a free dimension, too.
fn known(dimension: &Dimension) -> Option<i64> {
    match dimension.value {
        Some(Dim::DimValue(size)) if size > 0 => Some(size),
        _ => None,
    }
}

/// The output that the manifest names, or the only one.
fn chosen_output(graph: &GraphProto, manifest: &Manifest) -> Result<String, Problem> {
    let names: Vec<&str> = graph.output.iter().map(|output| &*output.name).collect();
    let listed = || names.iter().take(8).map(|name| quote(name).to_string()).collect::<Vec<_>>().join(", ");
    match (&manifest.output.name, &names[..]) {
        (_, []) => Err(Problem::new("the graph has no output; export the model again")),
        (Some(name), _) if names.contains(&&**name) => Ok(name.clone()),
        (Some(name), _) => {
            let (name, listed) = (quote(name), listed());
            Err(Problem::new(format!("the manifest's `output.name` is {name} and the graph has {listed}")))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => {
            let listed = listed();
            Err(Problem::new(format!(
                "the graph has several outputs ({listed}); say which one in the manifest's `output.name`"
            )))
        }
    }
}

/// What is known of a value in the graph.
#[derive(Clone, Copy)]
enum Value<'a> {
    /// It depends on the picture.
    Image,
    /// It does not; it has at most `elements`, and is `tensor` if it was not computed.
    Constant { elements: u64, tensor: Option<&'a TensorProto> },
}

/// Checks every constant and node, in the order of the file, which ONNX wants to be the order of computation.
fn check_wiring(graph: &GraphProto, image: &str, output: &str) -> Result<(), Problem> {
    if !graph.sparse_initializer.is_empty() {
        return Err(Problem::new("the graph has sparse tensors; export the model with dense ones"));
    }
    if graph.node.is_empty() {
        return Err(Problem::new("the graph is empty; export the model again"));
    }
    let mut values = HashMap::from([(image, Value::Image)]);
    for tensor in &graph.initializer {
        let elements = tensors::check(tensor)?;
        if values.insert(&tensor.name, Value::Constant { elements, tensor: Some(tensor) }).is_some() {
            return Err(Problem::new(format!("the name {} is given twice", quote(&tensor.name))));
        }
    }
    let mut folded = 0;
    for node in &graph.node {
        let op = ops::check(node)?;
        let inputs = inputs_of(graph, node, &values)?;
        check_sizes(node, &inputs)?;
        let value = value_of(node, op.folding, &inputs)?;
        if let Value::Constant { elements, .. } = value {
            folded += elements;
        }
        if folded > FOLDED_TOTAL {
            let what = format!("makes constants of more than {FOLDED_TOTAL} values with those before it");
            return Err(ops::at(node, format!("{what}; export the model with constants folded")));
        }
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if values.insert(name, value).is_some() {
                return Err(ops::at(node, format!("makes {}, which exists already", quote(name))));
            }
        }
    }
    match values.get(output) {
        Some(Value::Image) => Ok(()),
        Some(_) => Err(Problem::new(format!("output {} does not depend on the picture", quote(output)))),
        None => Err(Problem::new(format!("nothing in the graph makes the output {}", quote(output)))),
    }
}

/// The values that a node uses; optional inputs that it leaves out are `None`.
fn inputs_of<'a>(
    graph: &GraphProto,
    node: &NodeProto,
    values: &HashMap<&str, Value<'a>>,
) -> Result<Vec<Option<Value<'a>>>, Problem> {
    let find = |name: &String| {
        if name.is_empty() {
            return Ok(None);
        }
        if let Some(value) = values.get(&**name) {
            return Ok(Some(*value));
        }
        let name = quote(name);
        let made_later = graph.node.iter().any(|other| other.output.iter().any(|output| name.0 == output));
        let what = if made_later {
            "before it is made: the nodes are out of order or go round in a circle"
        } else {
            "which nothing makes: a constant is missing"
        };
        Err(ops::at(node, format!("uses {name}, {what}")))
    };
    node.input.iter().map(find).collect()
}

/// Checks the constants that decide how large a node's output is.
fn check_sizes(node: &NodeProto, inputs: &[Option<Value<'_>>]) -> Result<(), Problem> {
    let (from, least, most) = match &*node.op_type {
        "Pad" => (1..2, 0, ENLARGEMENT),
        "Resize" => (1..4, 0, ENLARGEMENT),
        "Reshape" => (1..2, -1, DIMENSION),
        _ => return Ok(()),
    };
    let only_constants = inputs.iter().flatten().all(|value| matches!(value, Value::Constant { .. }));
    for input in inputs.get(from.start..from.end.min(inputs.len())).unwrap_or_default().iter().flatten() {
        let tensor = match input {
            Value::Constant { tensor: Some(tensor), .. } => tensor,
            _ if node.op_type == "Reshape" && !only_constants => continue,
            _ => {
                return Err(ops::at(
                    node,
                    "has a size that is computed; export the model with fixed sizes".to_owned(),
                ));
            }
        };
        let integers = tensors::integers(tensor).unwrap_or_default();
        let floats = tensors::floats(tensor).unwrap_or_default();
        let integer = integers.iter().find(|value| !(least..=most).contains(*value)).map(ToString::to_string);
        let range = least as f32..=most as f32;
        let float = floats.iter().find(|value| !range.contains(*value)).map(ToString::to_string);
        if let Some(value) = integer.or(float) {
            return Err(ops::at(
                node,
                format!("asks for a size, scale or padding of {value}, outside {least} to {most}"),
            ));
        }
    }
    Ok(())
}

fn value_of<'a>(
    node: &'a NodeProto,
    folding: Folding,
    inputs: &[Option<Value<'a>>],
) -> Result<Value<'a>, Problem> {
    if node.op_type == "Constant" {
        let tensor = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
        let elements = tensor.map_or(Ok(ops::LIST as u64), tensors::check)?;
        return Ok(Value::Constant { elements, tensor });
    }
    if folding == Folding::Dimensions {
        return Ok(Value::Constant { elements: tensors::RANK as u64, tensor: None });
    }
    let mut sizes = Vec::with_capacity(inputs.len());
    for value in inputs.iter().flatten() {
        match value {
            Value::Image => return Ok(Value::Image),
            Value::Constant { elements, .. } => sizes.push(*elements),
        }
    }
    let elements = match folding {
        Folding::Same => sizes.first().copied(),
        Folding::Sum => sizes.iter().try_fold(0u64, |sum, &size| sum.checked_add(size)),
        Folding::Product => sizes.iter().try_fold(1u64, |product, &size| product.checked_mul(size.max(1))),
        Folding::Never | Folding::Dimensions => {
            return Err(ops::at(
                node,
                "does not depend on the picture; export the model with constants folded".to_owned(),
            ));
        }
    };
    let limit = sizes.iter().copied().fold(FOLDED_ELEMENTS, u64::max);
    match elements.filter(|&elements| elements <= limit) {
        Some(elements) => Ok(Value::Constant { elements, tensor: None }),
        None => Err(ops::at(
            node,
            format!(
                "makes a constant of possibly more than {FOLDED_ELEMENTS} values; export the model with constants folded"
            ),
        )),
    }
}

/// A name from the file, made fit for a message: printable and not too long.
struct Quoted<'a>(&'a str);

fn quote(name: &str) -> Quoted<'_> {
    Quoted(name)
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 64;
        f.write_str("`")?;
        for character in self.0.chars().take(LONGEST) {
            write!(f, "{}", character.escape_debug())?;
        }
        f.write_str(if self.0.chars().nth(LONGEST).is_some() { "...`" } else { "`" })
    }
}
