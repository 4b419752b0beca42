//! A look at the ONNX graph before the inference engine sees it: operators, constants, wiring, input and output.
//!
//! The engine trusts its input in places (sizes, indices, allocation) where castgate may not. What passes here is
//! bounded: every size that a constant decides is known. Must not run anything.

mod mode;
mod ops;
mod tensors;
mod wiring;

pub(super) use mode::{is_unbounded, origin};

use std::collections::HashSet;
use std::fmt;

use crate::model::engine::pb::tensor_proto::DataType;
use crate::model::engine::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use crate::model::engine::pb::{GraphProto, ModelProto, TensorShapeProto, ValueInfoProto, type_proto};
use prost::Message;

use crate::config::manifest::{Input, Layout, Manifest, OutputKind};

use super::problem::GraphProblem;
use super::wire;

/// Operator sets that the engine knows.
const OPERATOR_SETS: std::ops::RangeInclusive<i64> = 9..=23;

/// Reads a graph and checks all of it against the limits and the manifest.
///
/// In the graph that comes back the image input has the shape of the manifest with a batch of `batch`; the first output is the
/// manifest's and the second, if there is one, what its sigmoid or softmax was made from; everything that castgate does
/// not need (notes, intermediate shapes, training information) is gone.
///
/// # Errors
/// The first problem in the order of the file, always the same for the same file.
pub(super) fn read(bytes: &[u8], manifest: &Manifest, batch: usize) -> Result<ModelProto, GraphProblem> {
    let mut model = decode(bytes)?;
    if !model.functions.is_empty() {
        return Err(GraphProblem::new(
            "the file defines functions of its own; export the model without them",
        ));
    }
    check_operator_set(&model)?;
    model.training_info.clear();
    model.metadata_props.clear();
    let graph = model
        .graph
        .as_mut()
        .ok_or_else(|| GraphProblem::new("the file holds no graph; export the model again"))?;
    graph.value_info.clear();
    graph.quantization_annotation.clear();
    let image = image_input(graph, &manifest.input, batch)?;
    let output = chosen_output(graph, manifest)?;
    wiring::check(graph, &image, &output)?;
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

/// Number of weights: the float32 constants of a graph.
pub(super) fn parameters(model: &ModelProto) -> u64 {
    let weights = model.graph.iter().flat_map(|graph| &graph.initializer);
    let weights = weights.filter(|tensor| tensor.data_type == DataType::Float as i32);
    weights.map(|tensor| tensor.dims.iter().map(|dim| dim.unsigned_abs()).product::<u64>()).sum()
}

/// Whether what the graph ends with gives what the manifest says; asked of a graph that was checked and has answered.
///
/// # Errors
/// When numbers of any size are taken for probabilities, or probabilities for such numbers.
pub(super) fn check_end(model: &ModelProto, kind: OutputKind) -> Result<(), GraphProblem> {
    let Some(graph) = &model.graph else { return Ok(()) };
    let Some(node) = graph.output.first().and_then(|output| mode::origin(graph, &output.name)) else {
        return Ok(());
    };
    let last = quote(&node.op_type);
    let squashed = matches!(&*node.op_type, "Sigmoid" | "Softmax" | "HardSigmoid");
    let bare = matches!(kind, OutputKind::Logit | OutputKind::Logits);
    if bare && squashed {
        return Err(GraphProblem::new(format!(
            "the graph ends with {last}, so its numbers are probabilities already; write `output.kind: sigmoid` or `softmax`"
        )));
    }
    if !bare && mode::is_unbounded(graph, node) {
        let right = if kind == OutputKind::Sigmoid { "logit" } else { "logits" };
        return Err(GraphProblem::new(format!(
            "the graph ends with {last} and not with a sigmoid or softmax, so its numbers are no probabilities; write \
             `output.kind: {right}`, or export it with its last activation"
        )));
    }
    Ok(())
}

/// Decodes a file that would not unfold to more than an image classifier needs.
///
/// # Errors
/// When it would, or is no ONNX file.
pub(super) fn decode(bytes: &[u8]) -> Result<ModelProto, GraphProblem> {
    wire::survey(bytes)?;
    ModelProto::decode(bytes).map_err(|error| {
        GraphProblem::new(format!("the file is not ONNX, or it is damaged: {error}; copy or export it again"))
    })
}

/// The type of an input or output, as people know it.
pub(super) fn type_of(value: &ValueInfoProto) -> String {
    match value.r#type.as_ref().and_then(|t| t.value.as_ref()) {
        Some(type_proto::Value::TensorType(tensor)) => mode::type_name(tensor.elem_type),
        _ => "of no tensor type".to_owned(),
    }
}

fn check_operator_set(model: &ModelProto) -> Result<(), GraphProblem> {
    let set = model.opset_import.iter().find(|set| matches!(&*set.domain, "" | "ai.onnx"));
    let (least, most) = OPERATOR_SETS.into_inner();
    match set.map(|set| set.version) {
        Some(version) if OPERATOR_SETS.contains(&version) => Ok(()),
        Some(version) => Err(GraphProblem::new(format!(
            "the file uses operator set {version}; castgate reads {least} to {most}: export it with operator set 17"
        ))),
        None => Err(GraphProblem::new("the file names no operator set; it is damaged or no ONNX model")),
    }
}

/// Finds the one input that is a picture, checks it and fixes its shape. Returns its name.
fn image_input(graph: &mut GraphProto, wanted: &Input, batch: usize) -> Result<String, GraphProblem> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| &*tensor.name).collect();
    let mut images = graph.input.iter_mut().filter(|input| !constants.contains(&*input.name));
    let Some(image) = images.next() else {
        return Err(GraphProblem::new("the graph has no input; export the model for inference"));
    };
    if let Some(second) = images.next() {
        let (first, second) = (quote(&image.name), quote(&second.name));
        return Err(GraphProblem::new(format!(
            "the graph has more than one input ({first}, {second}); castgate gives it one picture: export it with the picture as its only input"
        )));
    }
    let shape = [batch, wanted.height, wanted.width, wanted.colour.channels()];
    let shape = match wanted.layout {
        Layout::Nhwc => shape,
        Layout::Nchw => [shape[0], shape[3], shape[1], shape[2]],
    };
    fix_shape(image, shape)?;
    Ok(image.name.clone())
}

fn fix_shape(image: &mut ValueInfoProto, wanted: [usize; 4]) -> Result<(), GraphProblem> {
    let name = quote(&image.name);
    let Some(type_proto::Value::TensorType(tensor)) = image.r#type.as_mut().and_then(|t| t.value.as_mut())
    else {
        return Err(GraphProblem::new(format!("input {name} has no tensor type; export the model again")));
    };
    if tensor.elem_type != DataType::Float as i32 {
        return Err(GraphProblem::new(format!(
            "input {name} is {}, not float32; {}",
            mode::type_name(tensor.elem_type),
            mode::remedy(tensor.elem_type)
        )));
    }
    if let Some(shape) = &tensor.shape {
        let dims: Vec<Option<i64>> = shape.dim.iter().map(known).collect();
        let fits = |[batch, picture @ ..]: [usize; 4]| {
            let same = |(dim, size): (&Option<i64>, usize)| dim.is_none_or(|dim| dim == size as i64);
            // A graph that is written down for one picture is tried with more.
            dims.len() == 4
                && (dims[0] == Some(1) || same((&dims[0], batch)))
                && dims[1..].iter().zip(picture).all(same)
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
            return Err(GraphProblem::new(format!(
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
fn chosen_output(graph: &GraphProto, manifest: &Manifest) -> Result<String, GraphProblem> {
    let names: Vec<&str> = graph.output.iter().map(|output| &*output.name).collect();
    let listed = || names.iter().take(8).map(|name| quote(name).to_string()).collect::<Vec<_>>().join(", ");
    match (&manifest.output.name, &names[..]) {
        (_, []) => Err(GraphProblem::new("the graph has no output; export the model again")),
        (Some(name), _) if names.contains(&&**name) => Ok(name.clone()),
        (Some(name), _) => {
            let (name, listed) = (quote(name), listed());
            Err(GraphProblem::new(format!(
                "the manifest's `output.name` is {name} and the graph has {listed}"
            )))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => {
            let listed = listed();
            Err(GraphProblem::new(format!(
                "the graph has several outputs ({listed}); say which one in the manifest's `output.name`"
            )))
        }
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
