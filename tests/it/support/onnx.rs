//! ONNX graphs and manifests made by hand: a small sound model, and the pieces to break it with.

use std::path::{Path, PathBuf};

use prost::Message;
use sha2::{Digest, Sha256};
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto, type_proto,
};

/// Side of the sound model's input.
pub(crate) const SIDE: usize = 16;

/// A manifest that fits [`sound`]; `{sha256}` stands for the fingerprint.
pub(crate) const MANIFEST: &str = "\
name: small
sha256: {sha256}
input: {width: 16, height: 16, layout: nchw, colour: grey, mean: 0.5, std: 0.5}
output: {kind: sigmoid, classes: [ok, defect], defect: defect}
threshold: 0.5
unsure: 0.1
parameters: 44
training:
  command: none
  castgate: 0.1.0
  data: none
  data_licence: none
  images: {train_ok: 0, train_defect: 0, validation_ok: 0, validation_defect: 0}
  seed: 1
  epochs: 0
  best_epoch: 0
  network: []
quality: {measured_on: nothing, accuracy: 0.5, auc: 0.5, escapes: 0, false_rejects: 0}
";

/// A node whose name is its output.
pub(crate) fn node(op: &str, inputs: &[&str], output: &str, attributes: Vec<AttributeProto>) -> NodeProto {
    NodeProto {
        op_type: op.to_owned(),
        name: output.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute: attributes,
        ..NodeProto::default()
    }
}

/// An attribute that is a list of integers.
pub(crate) fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto { name: name.to_owned(), r#type, ints: ints.to_vec(), ..AttributeProto::default() }
}

/// An attribute that is one integer.
pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i,
        ..AttributeProto::default()
    }
}

/// An attribute that holds a graph.
pub(crate) fn subgraph(name: &str, graph: GraphProto) -> AttributeProto {
    let r#type = AttributeType::Graph as i32;
    AttributeProto { name: name.to_owned(), r#type, g: Some(graph), ..AttributeProto::default() }
}

/// A float32 tensor; its values wander between -0.5 and 0.5.
pub(crate) fn weights(name: &str, dims: &[i64]) -> TensorProto {
    let count = dims.iter().product::<i64>() as usize;
    let float_data =
        (0..count).map(|i| ((i * 7919 + name.len() * 104_729) % 1000) as f32 / 1000.0 - 0.5).collect();
    let data_type = DataType::Float as i32;
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type,
        float_data,
        ..TensorProto::default()
    }
}

/// An int64 tensor of one dimension.
pub(crate) fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

/// An input or output; a size of -1 is written as a free dimension.
pub(crate) fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim = dims.iter().map(|&size| {
        let free = || dimension::Value::DimParam("batch".to_owned());
        let value = Some(if size < 0 { free() } else { dimension::Value::DimValue(size) });
        Dimension { value, ..Dimension::default() }
    });
    let shape = Some(TensorShapeProto { dim: dim.collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..Default::default()
    }
}

/// A sound model: convolution, ReLU, pooling, dense, sigmoid on 16x16 grey.
pub(crate) fn sound() -> ModelProto {
    let graph = GraphProto {
        name: "small".to_owned(),
        node: vec![
            node("Conv", &["image", "conv.weight", "conv.bias"], "conv", vec![ints("kernel_shape", &[3, 3])]),
            node("Relu", &["conv"], "relu", vec![]),
            node("MaxPool", &["relu"], "pool", vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]),
            node("GlobalAveragePool", &["pool"], "mean", vec![]),
            node("Reshape", &["mean", "shape"], "flat", vec![]),
            node("Gemm", &["flat", "dense.weight", "dense.bias"], "dense", vec![]),
            node("Sigmoid", &["dense"], "score", vec![]),
        ],
        initializer: vec![
            weights("conv.weight", &[4, 1, 3, 3]),
            weights("conv.bias", &[4]),
            integers("shape", &[1, 4]),
            weights("dense.weight", &[4, 1]),
            weights("dense.bias", &[1]),
        ],
        input: vec![value("image", &[-1, 1, SIDE as i64, SIDE as i64])],
        output: vec![value("score", &[-1, 1])],
        ..GraphProto::default()
    };
    let opset = OperatorSetIdProto { domain: String::new(), version: 13 };
    ModelProto { ir_version: 7, opset_import: vec![opset], graph: Some(graph), ..ModelProto::default() }
}

/// The bytes of a model.
pub(crate) fn bytes(model: &ModelProto) -> Vec<u8> {
    model.encode_to_vec()
}

/// `manifest` with the fingerprint of `onnx` in it.
pub(crate) fn signed(manifest: &str, onnx: &[u8]) -> String {
    let digest: String = Sha256::digest(onnx).iter().map(|byte| format!("{byte:02x}")).collect();
    manifest.replace("{sha256}", &digest)
}

/// Writes `part.onnx` and `part.yaml` into `folder` and returns the path of the former.
pub(crate) fn write(folder: &Path, onnx: &[u8], manifest: &str) -> PathBuf {
    let path = folder.join("part.onnx");
    std::fs::write(&path, onnx).unwrap();
    std::fs::write(path.with_extension("yaml"), signed(manifest, onnx)).unwrap();
    path
}
