//! The operators that castgate runs, in one table, and the ranges of their attributes.
//!
//! These are what image classifiers exported from Keras and PyTorch are made of. Left out on purpose: control flow (Loop,
//! If, Scan), random numbers, recurrent networks, and everything whose output size depends on data or can be huge for a
//! small file (ConstantOfShape, Expand, Tile, Range, OneHot, NonZero).

use crate::model::engine::pb::NodeProto;
use crate::model::engine::pb::attribute_proto::AttributeType;

use super::{quote, tensors};
use crate::model::problem::GraphProblem;

/// How large the output can be when all inputs are constants: the engine computes such nodes while it loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Folding {
    /// At most as large as the first input.
    Same,
    /// At most the sum of all inputs.
    Sum,
    /// At most the product of all inputs.
    Product,
    /// A list of dimensions.
    Dimensions,
    /// Never computed from constants alone in a classifier.
    Never,
}
use Folding::{Dimensions, Never, Product, Same, Sum};

/// One operator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Op {
    name: &'static str,
    /// Least and greatest number of inputs.
    inputs: (usize, usize),
    pub(super) folding: Folding,
}

const fn op(name: &'static str, least: usize, most: usize, folding: Folding) -> Op {
    Op { name, inputs: (least, most), folding }
}

/// Most inputs of a node that takes any number of them.
const MANY: usize = 256;

/// Every operator that is allowed, in the order of the alphabet.
const OPS: &[Op] = &[
    op("Abs", 1, 1, Same),
    op("Add", 2, 2, Product),
    op("AveragePool", 1, 1, Never),
    op("BatchNormalization", 5, 5, Same),
    op("Cast", 1, 1, Same),
    op("Ceil", 1, 1, Same),
    op("Clip", 1, 3, Same),
    op("Concat", 1, MANY, Sum),
    op("Constant", 0, 0, Never),
    op("Conv", 2, 3, Never),
    op("Div", 2, 2, Product),
    op("Dropout", 1, 3, Same),
    op("Elu", 1, 1, Same),
    op("Erf", 1, 1, Same),
    op("Exp", 1, 1, Same),
    op("Flatten", 1, 1, Same),
    op("Floor", 1, 1, Same),
    op("Gather", 2, 2, Product),
    op("Gelu", 1, 1, Same),
    op("Gemm", 2, 3, Product),
    op("GlobalAveragePool", 1, 1, Never),
    op("GlobalMaxPool", 1, 1, Never),
    op("HardSigmoid", 1, 1, Same),
    op("HardSwish", 1, 1, Same),
    op("Identity", 1, 1, Same),
    op("InstanceNormalization", 3, 3, Never),
    op("LRN", 1, 1, Never),
    op("LayerNormalization", 2, 3, Never),
    op("LeakyRelu", 1, 1, Same),
    op("Log", 1, 1, Same),
    op("MatMul", 2, 2, Product),
    op("Max", 1, MANY, Product),
    op("MaxPool", 1, 1, Never),
    op("Min", 1, MANY, Product),
    op("Mul", 2, 2, Product),
    op("Neg", 1, 1, Same),
    op("PRelu", 2, 2, Product),
    op("Pad", 1, 4, Never),
    op("Pow", 2, 2, Product),
    op("Reciprocal", 1, 1, Same),
    op("ReduceMax", 1, 2, Same),
    op("ReduceMean", 1, 2, Same),
    op("ReduceMin", 1, 2, Same),
    op("ReduceSum", 1, 2, Same),
    op("Relu", 1, 1, Same),
    op("Reshape", 2, 2, Same),
    op("Resize", 2, 4, Never),
    op("Selu", 1, 1, Same),
    op("Shape", 1, 1, Dimensions),
    op("Sigmoid", 1, 1, Same),
    op("Slice", 1, 5, Same),
    op("Softmax", 1, 1, Same),
    op("Softplus", 1, 1, Same),
    op("Softsign", 1, 1, Same),
    op("Split", 1, 2, Same),
    op("Sqrt", 1, 1, Same),
    op("Squeeze", 1, 2, Same),
    op("Sub", 2, 2, Product),
    op("Sum", 1, MANY, Product),
    op("Tanh", 1, 1, Same),
    op("Transpose", 1, 1, Same),
    op("Unsqueeze", 1, 2, Same),
];

/// Ranges of the integer attributes that decide on sizes; the others are left to the engine.
const ATTRIBUTE_RANGES: &[(&str, i64, i64)] = &[
    ("kernel_shape", 1, 1024),
    ("strides", 1, 1024),
    ("dilations", 1, 1024),
    ("pads", 0, 1024),
    ("group", 1, 65_536),
    ("axis", -8, 8),
    ("axes", -8, 8),
    ("perm", 0, 7),
    ("size", 1, 1024),
    ("split", 0, 1 << 24),
    ("num_outputs", 1, 64),
    ("value_int", i64::MIN, i64::MAX),
    ("value_ints", i64::MIN, i64::MAX),
];

/// Most outputs of a node (Split has the most).
const OUTPUTS: usize = 64;
/// Most numbers in a list attribute that is not a constant.
pub(super) const LIST: usize = 64;

/// Checks operator, numbers of inputs and outputs, and attributes of one node.
pub(super) fn check(node: &NodeProto) -> Result<&'static Op, GraphProblem> {
    let known = OPS.iter().find(|op| op.name == node.op_type);
    let Some(op) = known.filter(|_| matches!(&*node.domain, "" | "ai.onnx")) else {
        let of = if node.domain.is_empty() { String::new() } else { format!(" of {}", quote(&node.domain)) };
        let what = quote(&node.op_type);
        return Err(GraphProblem::new(format!(
            "{} uses the operator {what}{of}, which castgate does not run; export the model for inference, without it",
            label(node)
        )));
    };
    let (least, most) = op.inputs;
    if !(least..=most).contains(&node.input.len()) {
        let has = node.input.len();
        return Err(at(node, format!("has {has} inputs, and {} takes {least} to {most}", op.name)));
    }
    if node.output.is_empty() || node.output.len() > OUTPUTS {
        return Err(at(node, format!("has {} outputs, and 1 to {OUTPUTS} are possible", node.output.len())));
    }
    for attribute in &node.attribute {
        check_attribute(node, attribute)?;
    }
    Ok(op)
}

fn check_attribute(
    node: &NodeProto,
    attribute: &crate::model::engine::pb::AttributeProto,
) -> Result<(), GraphProblem> {
    let name = quote(&attribute.name);
    let nested = attribute.g.is_some() || !attribute.graphs.is_empty() || !attribute.tensors.is_empty();
    let sparse = attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty();
    if nested || sparse || AttributeType::try_from(attribute.r#type).is_err() {
        let what = "holds a graph, a sparse tensor or a type that castgate does not run";
        return Err(at(node, format!("attribute {name} {what}")));
    }
    if attribute.ints.len().max(attribute.floats.len()).max(attribute.strings.len()) > LIST {
        return Err(at(node, format!("attribute {name} has more than {LIST} items")));
    }
    if attribute.f.is_nan() || attribute.floats.iter().any(|f| f.is_nan()) {
        return Err(at(node, format!("attribute {name} is NaN")));
    }
    if let Some(tensor) = &attribute.t {
        tensors::check(tensor).map_err(|problem| at(node, format!("attribute {name}: {problem}")))?;
    }
    let range = ATTRIBUTE_RANGES.iter().find(|(known, _, _)| *known == attribute.name);
    let Some(&(_, least, most)) = range else { return Ok(()) };
    let single = (attribute.r#type == AttributeType::Int as i32).then_some(&attribute.i);
    match attribute.ints.iter().chain(single).find(|value| !(least..=most).contains(*value)) {
        Some(value) => Err(at(node, format!("attribute {name} is {value}, outside {least} to {most}"))),
        None => Ok(()),
    }
}

/// How a node is named in messages: by its name, else by its output.
pub(super) fn label(node: &NodeProto) -> String {
    let name = if node.name.is_empty() { node.output.first().map_or("", |o| o) } else { &node.name };
    format!("node {}", quote(name))
}

/// A problem of one node.
pub(super) fn at(node: &NodeProto, what: String) -> GraphProblem {
    GraphProblem::new(format!("{} ({}) {what}", label(node), quote(&node.op_type)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_operator_once() {
        assert!(OPS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn the_engine_knows_every_operator_of_the_table() {
        for op in OPS {
            assert!(crate::model::engine::knows(op.name), "{}", op.name);
        }
    }
}
