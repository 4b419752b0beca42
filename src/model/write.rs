//! Writing a trained network as ONNX, with fixed sizes for one picture, as [`super::open`] wants it.
//!
//! Owns the layout of the file: input `image` (1 x 1 x height x width, normalised), output `score` (1 x 1, probability of DEFECT). Must not
//! know how the network was trained.

use crate::model::engine::pb::attribute_proto::AttributeType;
use crate::model::engine::pb::tensor_proto::DataType;
use crate::model::engine::pb::tensor_shape_proto::{Dimension, dimension::Value as Dim};
use crate::model::engine::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, type_proto,
};
use prost::Message;

use crate::network::{EPSILON, Moments, Network, Statistics};
use crate::network::{Slot, Stage};

/// Version of the file format, of June 2020: every runtime since then reads it.
const FORMAT: i64 = 7;
/// Version of the operators, of the same release.
const OPERATORS: i64 = 13;

/// The bytes of the ONNX file for `network` with these parameters, in the order of the network's slots, and statistics.
///
/// # Panics
/// When `parameters` or `statistics` are not of this network.
pub fn onnx(network: &Network, parameters: &[f32], statistics: &Statistics) -> Vec<u8> {
    let mut writer = Writer { parameters, graph: GraphProto::default(), last: "image".to_owned() };
    for (at, (stage, moments)) in network.stages().iter().zip(&statistics.blocks).enumerate() {
        writer.block(at + 1, stage, moments);
    }
    writer.head(network);
    let input = network.input();
    let mut graph = writer.graph;
    graph.name = network.to_string();
    graph.input.push(value("image", &[1, 1, input.height, input.width]));
    graph.output.push(value("score", &[1, 1]));
    let model = ModelProto {
        ir_version: FORMAT,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPERATORS }],
        producer_name: "castgate".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

struct Writer<'a> {
    parameters: &'a [f32],
    graph: GraphProto,
    /// The value that the next node takes.
    last: String,
}

impl Writer<'_> {
    fn block(&mut self, number: usize, stage: &Stage, moments: &Moments) {
        let (cin, cout) = (stage.channels_in, stage.block.channels);
        let kernel = &self.parameters[stage.slots.weights.range()];
        // From row, column, input, output channel to output, input channel, row, column.
        let weights = (0..cout * cin * 9).map(|i| {
            let (co, ci, tap) = (i / (cin * 9), i / 9 % cin, i % 9);
            kernel[(tap * cin + ci) * cout + co]
        });
        let name = format!("block{number}");
        let weights = self.tensor(&format!("{name}.weights"), &[cout, cin, 3, 3], weights.collect());
        let bias = self.parameter(&format!("{name}.bias"), stage.slots.bias);
        let mut attributes = vec![ints("kernel_shape", &[3, 3])];
        if stage.block.strided {
            attributes.push(ints("strides", &[2, 2]));
        }
        self.node("Conv", &format!("{name}.conv"), &[weights, bias], attributes);
        self.node("Relu", &format!("{name}.relu"), &[], Vec::new());
        if stage.block.norm {
            let gamma = self.parameter(&format!("{name}.gamma"), stage.slots.gamma);
            let beta = self.parameter(&format!("{name}.beta"), stage.slots.beta);
            let real = |values: &[f64]| values[..cout].iter().map(|&value| value as f32).collect();
            let mean = self.tensor(&format!("{name}.mean"), &[cout], real(&moments.mean));
            let variance = self.tensor(&format!("{name}.variance"), &[cout], real(&moments.variance));
            let epsilon = AttributeProto {
                name: "epsilon".to_owned(),
                r#type: AttributeType::Float.into(),
                f: EPSILON as f32,
                ..AttributeProto::default()
            };
            let inputs = [gamma, beta, mean, variance];
            self.node("BatchNormalization", &format!("{name}.norm"), &inputs, vec![epsilon]);
        }
        if stage.block.pool {
            let attributes = vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])];
            self.node("MaxPool", &format!("{name}.pool"), &[], attributes);
        }
    }

    fn head(&mut self, network: &Network) {
        self.node("GlobalAveragePool", "average", &[], Vec::new());
        self.node("Flatten", "features", &[], Vec::new());
        let (features, hidden, head) = (network.features(), network.hidden(), network.head());
        if hidden > 0 {
            let weights = self.parameters[head.hidden_weights.range()].to_vec();
            let weights = self.tensor("hidden.weights", &[features, hidden], weights);
            let bias = self.parameter("hidden.bias", head.hidden_bias);
            self.node("Gemm", "hidden", &[weights, bias], Vec::new());
            self.node("Relu", "hidden.relu", &[], Vec::new());
        }
        let weights = self.parameters[head.output_weights.range()].to_vec();
        let weights = self.tensor("output.weights", &[head.output_weights.len, 1], weights);
        let bias = self.parameter("output.bias", head.output_bias);
        self.node("Gemm", "logit", &[weights, bias], Vec::new());
        self.node("Sigmoid", "score", &[], Vec::new());
    }

    fn parameter(&mut self, name: &str, slot: Slot) -> String {
        let values = self.parameters[slot.range()].to_vec();
        self.tensor(name, &[slot.len], values)
    }

    fn tensor(&mut self, name: &str, dims: &[usize], values: Vec<f32>) -> String {
        self.graph.initializer.push(TensorProto {
            name: name.to_owned(),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: DataType::Float.into(),
            raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..TensorProto::default()
        });
        name.to_owned()
    }

    /// A node that takes the last value and `inputs`, and whose output bears the node's name.
    fn node(&mut self, operator: &str, name: &str, inputs: &[String], attribute: Vec<AttributeProto>) {
        let before = std::mem::replace(&mut self.last, name.to_owned());
        self.graph.node.push(NodeProto {
            op_type: operator.to_owned(),
            name: name.to_owned(),
            input: std::iter::once(before).chain(inputs.iter().cloned()).collect(),
            output: vec![name.to_owned()],
            attribute,
            ..NodeProto::default()
        });
    }
}

fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints.into(),
        ints: values.to_vec(),
        ..AttributeProto::default()
    }
}

fn value(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dim = |&dim: &usize| Dimension { value: Some(Dim::DimValue(dim as i64)), ..Dimension::default() };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float.into(), shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
