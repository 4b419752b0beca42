//! Constants and nodes of a graph: is everything made before it is used, and how large can it get?

use std::collections::HashMap;

use crate::model::engine::pb::{GraphProto, NodeProto, TensorProto};

use super::ops::{self, Folding};
use super::{mode, quote, tensors};
use crate::model::problem::GraphProblem;

/// Most elements of a constant that the engine computes from smaller ones while it loads.
const FOLDED_ELEMENTS: u64 = 16 << 20;
/// Most elements of all such constants together.
const FOLDED_TOTAL: u64 = 2 * tensors::ELEMENTS;
/// Greatest size that a constant may give to a dimension.
const DIMENSION: i64 = 1 << 24;
/// Greatest factor and greatest padding in pixels that a constant may ask for.
const ENLARGEMENT: i64 = 1024;

/// What is known of a value in the graph.
#[derive(Clone, Copy)]
enum Value<'a> {
    /// It depends on the picture.
    Image,
    /// It does not; it has at most `elements`, and is `tensor` if it was not computed.
    Constant { elements: u64, tensor: Option<&'a TensorProto> },
}

/// Checks every constant and node, in the order of the file, which ONNX wants to be the order of computation.
pub(super) fn check(graph: &GraphProto, image: &str, output: &str) -> Result<(), GraphProblem> {
    if !graph.sparse_initializer.is_empty() {
        return Err(GraphProblem::new("the graph has sparse tensors; export the model with dense ones"));
    }
    if graph.node.is_empty() {
        return Err(GraphProblem::new("the graph is empty; export the model again"));
    }
    let mut values = HashMap::from([(image, Value::Image)]);
    for tensor in &graph.initializer {
        let elements = tensors::check(tensor)?;
        if values.insert(&tensor.name, Value::Constant { elements, tensor: Some(tensor) }).is_some() {
            return Err(GraphProblem::new(format!("the name {} is given twice", quote(&tensor.name))));
        }
    }
    let mut folded = 0;
    for node in &graph.node {
        mode::check(graph, node)?;
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
        Some(_) => Err(GraphProblem::new(format!("output {} does not depend on the picture", quote(output)))),
        None => Err(GraphProblem::new(format!("nothing in the graph makes the output {}", quote(output)))),
    }
}

/// The values that a node uses; optional inputs that it leaves out are `None`.
fn inputs_of<'a>(
    graph: &GraphProto,
    node: &NodeProto,
    values: &HashMap<&str, Value<'a>>,
) -> Result<Vec<Option<Value<'a>>>, GraphProblem> {
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
fn check_sizes(node: &NodeProto, inputs: &[Option<Value<'_>>]) -> Result<(), GraphProblem> {
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
) -> Result<Value<'a>, GraphProblem> {
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
