//! Graphs that were exported for training, or in another precision than castgate runs: what gives them away, and what to do.

use crate::model::engine::pb::tensor_proto::DataType;
use crate::model::engine::pb::{GraphProto, NodeProto};

use super::ops;
use crate::model::problem::GraphProblem;

const EVAL: &str = "export it in inference mode: `model.eval()` in PyTorch, `training=False` in Keras";

/// Operators of graphs whose numbers were made integers.
const QUANTISED: &[&str] = &[
    "ConvInteger",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "QGemm",
    "QLinearAdd",
    "QLinearConv",
    "QLinearGlobalAveragePool",
    "QLinearMatMul",
    "QuantizeLinear",
];

/// Refuses a node that learns, or that belongs to a quantised graph.
pub(super) fn check(graph: &GraphProto, node: &NodeProto) -> Result<(), GraphProblem> {
    if QUANTISED.contains(&&*node.op_type) {
        let what = format!("is `{}`: the graph is quantised to integers", node.op_type);
        return Err(ops::at(node, format!("{what}; export the float32 model that it was made from")));
    }
    let set = |name: &str| node.attribute.iter().any(|attribute| attribute.name == name && attribute.i != 0);
    let outputs = node.output.iter().filter(|output| !output.is_empty()).count();
    match &*node.op_type {
        "BatchNormalization" if set("training_mode") || outputs > 1 => Err(ops::at(
            node,
            format!("is in training mode: it would judge a part by the pictures before it; {EVAL}"),
        )),
        "Dropout" if node.input.get(2).is_some_and(|name| is_true(graph, name)) => {
            Err(ops::at(node, format!("is in training mode: it would leave things out by chance; {EVAL}")))
        }
        _ => Ok(()),
    }
}

/// Whether a constant says yes.
fn is_true(graph: &GraphProto, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    let initializer = graph.initializer.iter().find(|tensor| tensor.name == name);
    let made = || {
        let node = graph.node.iter().find(|node| node.output.first().is_some_and(|output| output == name))?;
        node.attribute.iter().find(|attribute| attribute.name == "value")?.t.as_ref()
    };
    initializer.or_else(made).is_some_and(|tensor| {
        tensor.raw_data.first().is_some_and(|byte| *byte != 0)
            || tensor.int32_data.first().is_some_and(|value| *value != 0)
    })
}

/// What to do about an input of another type than float32.
pub(super) fn remedy(elem_type: i32) -> &'static str {
    match DataType::try_from(elem_type) {
        Ok(DataType::Float16 | DataType::Bfloat16) => {
            "export it in full precision: `model.float()` in PyTorch, without a mixed precision policy in Keras"
        }
        Ok(DataType::Uint8 | DataType::Int8) => {
            "export the float32 model, without quantisation and without its own scaling of bytes"
        }
        _ => "export the model with float32 input",
    }
}

/// The name of a tensor's type, as people know it.
pub(super) fn type_name(elem_type: i32) -> String {
    match DataType::try_from(elem_type) {
        Ok(DataType::Float) => "float32".to_owned(),
        Ok(DataType::Double) => "float64".to_owned(),
        Ok(other) => other.as_str_name().to_lowercase(),
        Err(_) => format!("of the unknown type {elem_type}"),
    }
}

/// What the numbers of an output come from, through nodes that only pass them on.
pub(in crate::model) fn origin<'a>(graph: &'a GraphProto, output: &str) -> Option<&'a NodeProto> {
    const PASSING: [&str; 7] = ["Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"];
    let mut name = output;
    // A circle ends where there are no more nodes to go through.
    for _ in 0..=graph.node.len() {
        let node = graph.node.iter().find(|node| node.output.iter().any(|output| output == name))?;
        if !PASSING.contains(&&*node.op_type) {
            return Some(node);
        }
        name = node.input.first()?;
    }
    None
}

/// Whether a node gives numbers of any size, which are no probabilities.
pub(in crate::model) fn is_unbounded(graph: &GraphProto, node: &NodeProto) -> bool {
    const LAYERS: [&str; 7] =
        ["BatchNormalization", "Conv", "Gemm", "GlobalAveragePool", "MatMul", "Relu", "Log"];
    let is_layer = |node: &NodeProto| LAYERS.contains(&&*node.op_type);
    // A bias that is added to a layer by a node of its own.
    let biased =
        node.op_type == "Add" && node.input.iter().any(|name| origin(graph, name).is_some_and(is_layer));
    is_layer(node) || biased
}
