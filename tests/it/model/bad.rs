//! Bad models, made by breaking a sound one. Each must be an error that names the file and says what is wrong.

use std::path::Path;

use castgate::model::{self, ModelError};
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, SparseTensorProto, StringStringEntryProto,
    TensorProto, type_proto,
};

use crate::support::onnx::{self, int, integers, ints, node, subgraph, value, weights};

/// Opens a bad model twice; both times the error must be the same and name the file and `wanted`.
pub(super) fn refused(what: &str, path: &Path, wanted: &str) -> String {
    let errors = [0, 1].map(|_| match model::open(path) {
        Ok(_) => panic!("{what}: the model was accepted"),
        Err(error) => error.to_string(),
    });
    assert_eq!(errors[0], errors[1], "{what}: the message depends on chance");
    let [error, _] = errors;
    let stem = path.with_extension("").display().to_string();
    assert!(error.contains(&stem), "{what}: no file name in: {error}");
    assert!(error.contains(wanted), "{what}: no {wanted:?} in: {error}");
    assert!(error.len() < 1000 && !error.contains('\n'), "{what}: not one readable line: {error}");
    println!("{what}: {}", error.replace(&stem, "part"));
    error
}

fn refused_files(what: &str, onnx: &[u8], manifest: &str, wanted: &str) {
    let folder = tempfile::tempdir().unwrap();
    refused(what, &onnx::write(folder.path(), onnx, manifest), wanted);
}

pub(super) fn refused_graph(what: &str, wanted: &str, change: impl FnOnce(&mut GraphProto)) {
    refused_model(what, wanted, |model| change(model.graph.as_mut().unwrap()));
}

fn refused_model(what: &str, wanted: &str, change: impl FnOnce(&mut ModelProto)) {
    let mut model = onnx::sound();
    change(&mut model);
    refused_files(what, &onnx::bytes(&model), onnx::MANIFEST, wanted);
}

pub(super) fn refused_manifest(what: &str, from: &str, to: &str, wanted: &str) {
    assert!(onnx::MANIFEST.contains(from), "{from}");
    refused_files(what, &onnx::bytes(&onnx::sound()), &onnx::MANIFEST.replace(from, to), wanted);
}

/// Puts `new` between the image and the first convolution.
pub(super) fn before_conv(
    graph: &mut GraphProto,
    op: &str,
    more_inputs: &[&str],
    attributes: Vec<AttributeProto>,
) {
    let inputs: Vec<&str> = std::iter::once("image").chain(more_inputs.iter().copied()).collect();
    graph.node[0].input[0] = "changed".to_owned();
    graph.node.insert(0, node(op, &inputs, "changed", attributes));
}

pub(super) fn tensor<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut TensorProto {
    graph.initializer.iter_mut().find(|tensor| tensor.name == name).unwrap()
}

#[test]
fn files_that_are_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.onnx");
    refused("missing file", &path, "No such file");
    std::fs::write(&path, onnx::bytes(&onnx::sound())).unwrap();
    let error = refused("missing manifest", &path, "part.yaml");
    assert!(error.contains("manifest beside it"), "{error}");
    let inner = folder.path().join("folder.onnx");
    std::fs::create_dir(&inner).unwrap();
    refused("a folder", &inner, "it is a folder; name the file in it");
    std::fs::File::options().write(true).open(&path).unwrap().set_len(300 << 20).unwrap();
    refused("a huge file", &path, "larger than 256 MiB");
    std::fs::write(&path, "x").unwrap();
    std::fs::write(path.with_extension("yaml"), [0xff, 0xfe]).unwrap();
    refused("a manifest that is no text", &path, "UTF-8");
    refused_files("empty file", b"", onnx::MANIFEST, "empty");
    refused_files("text file", b"name: demo\nlayers: 3\n", onnx::MANIFEST, "not ONNX");
    refused_files("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", onnx::MANIFEST, "not ONNX");
    refused_files(
        "random bytes",
        &(0..999u32).map(|i| ((i * i * 7) >> 3) as u8).collect::<Vec<_>>(),
        onnx::MANIFEST,
        "not ONNX",
    );
    let nodes = [0x0a, 0x00].repeat(1 << 20);
    let length = [0x80, 0x80, 0x80, 0x01];
    refused_files("a bomb", &[&[0x3a], &length[..], &nodes].concat(), onnx::MANIFEST, "more than 2048 nodes");
}

#[test]
fn a_file_cut_short_anywhere() {
    let whole = onnx::bytes(&onnx::sound());
    for length in 0..whole.len() {
        let cut = whole[..length].to_vec();
        let error = model::from_parts("cut.onnx", cut.clone(), onnx::signed(onnx::MANIFEST, &cut));
        let Err(ModelError::Graph { file, .. }) = error else { panic!("cut at {length} of {}", whole.len()) };
        assert_eq!(file, "cut.onnx");
    }
}

#[test]
fn manifests_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = onnx::write(folder.path(), &onnx::bytes(&onnx::sound()), onnx::MANIFEST);
    let mut other = onnx::sound();
    other.producer_name = "someone else".to_owned();
    std::fs::write(&path, onnx::bytes(&other)).unwrap();
    refused("another file's manifest", &path, "is not the file that");
    refused_manifest("a wrong key", "threshold:", "treshold:", "part.yaml:5:1: treshold: unknown key");
    refused_manifest("a missing key", "unsure: 0.1\n", "", "the key `unsure` is missing");
    refused_manifest("no YAML", "{width", "{{width", "part.yaml:3:9: not valid YAML");
    refused_manifest(
        "a wrong threshold",
        "threshold: 0.5",
        "threshold: 50",
        "part.yaml:5:12: threshold: 50 is outside 0 to 1",
    );
    refused_manifest(
        "threshold NaN",
        "threshold: 0.5",
        "threshold: .nan",
        "threshold: `NaN` is not a number",
    );
    refused_manifest("std 0", "std: 0.5", "std: 0", "input.std: 0 is outside");
    refused_manifest("three classes", "[ok, defect]", "[ok, defect, scrap]", "output.classes: must be 2");
    refused_manifest("no defect class", "defect: defect", "defect: bad", "output.defect: `bad`");
    refused_manifest("a short fingerprint", "{sha256}", "12ab", "64 hexadecimal digits");
    refused_manifest("a huge input", "width: 16", "width: 100000", "outside 8 to 1024");
    refused_manifest("another size", "width: 16", "width: 32", "1x1x16x32");
    refused_manifest("another layout", "nchw", "nhwc", "`input.layout` looks wrong");
    refused_manifest("another colour", "grey", "rgb", "1x3x16x16");
    refused_manifest("softmax of one value", "kind: sigmoid", "kind: softmax", "asks for 2");
    refused_manifest(
        "an output that is not there",
        "kind:",
        "name: logits, kind:",
        "`output.name` is `logits`",
    );
}

#[test]
fn inputs_and_outputs_that_do_not_fit() {
    refused_graph("batch of 32", "batch of 1", |g| g.input = vec![value("image", &[32, 1, 16, 16])]);
    refused_graph("three dimensions", "has the shape 1x16x16", |g| {
        g.input = vec![value("image", &[1, 16, 16])]
    });
    refused_graph("two inputs", "more than one input (`image`, `mask`)", |g| {
        g.input.push(value("mask", &[1, 1]))
    });
    refused_graph("no input", "no input", |g| g.input.clear());
    refused_graph("no output", "no output", |g| g.output.clear());
    refused_graph("two outputs", "several outputs (`score`, `mean`)", |g| g.output.push(value("mean", &[1])));
    refused_graph("an output nobody makes", "nothing in the graph makes", |g| {
        g.output = vec![value("x", &[1])]
    });
    refused_graph("an untyped input", "no tensor type", |g| g.input[0].r#type = None);
    refused_graph("an integer input", "not float32", |g| {
        let Some(type_proto::Value::TensorType(tensor)) = g.input[0].r#type.as_mut().unwrap().value.as_mut()
        else {
            unreachable!()
        };
        tensor.elem_type = DataType::Uint8 as i32;
    });
    refused_graph("three values out", "3 values", |g| {
        *tensor(g, "dense.weight") = weights("dense.weight", &[4, 3]);
        *tensor(g, "dense.bias") = weights("dense.bias", &[3]);
    });
    refused_graph("an output without the picture", "does not depend on the picture", |g| {
        g.node.push(node("Sigmoid", &["dense.bias"], "still", vec![]));
        g.output = vec![value("still", &[1])];
    });
}

#[test]
fn operators_that_castgate_does_not_run() {
    refused_graph("an unknown operator", "`MagicConv`", |g| g.node[1].op_type = "MagicConv".to_owned());
    refused_graph("an operator of another domain", "`com.microsoft`", |g| {
        g.node[1].domain = "com.microsoft".to_owned();
    });
    refused_graph("a loop", "`Loop`", |g| {
        g.node[1] = node("Loop", &["conv"], "relu", vec![subgraph("body", GraphProto::default())]);
    });
    refused_graph("a graph in an attribute", "`body` holds a graph", |g| {
        g.node[1].attribute.push(subgraph("body", GraphProto::default()));
    });
    refused_graph("deeply nested graphs", "nested", |g| {
        let mut inner = GraphProto::default();
        for _ in 0..12 {
            inner = GraphProto {
                node: vec![node("If", &[], "x", vec![subgraph("b", inner)])],
                ..Default::default()
            };
        }
        g.node.push(node("If", &[], "y", vec![subgraph("b", inner)]));
    });
    for op in ["RandomNormal", "ConstantOfShape", "Expand", "Tile", "Range", "NonZero", "Scan", "LSTM"] {
        refused_graph(op, &format!("`{op}`"), |g| g.node[1].op_type = op.to_owned());
    }
    refused_model("functions of its own", "functions", |m| m.functions.push(FunctionProto::default()));
    refused_model("an operator set of the future", "operator set 99", |m| m.opset_import[0].version = 99);
    refused_model("no operator set", "names no operator set", |m| m.opset_import.clear());
    refused_model("no graph", "no graph", |m| m.graph = None);
}

#[test]
fn sizes_that_would_fill_the_memory() {
    refused_graph("huge padding", "1000000", |g| {
        g.initializer.push(integers("pads", &[0, 0, 1_000_000, 1_000_000, 0, 0, 1_000_000, 1_000_000]));
        before_conv(g, "Pad", &["pads"], vec![]);
    });
    refused_graph("negative padding", "outside 0 to 1024", |g| {
        g.initializer.push(integers("pads", &[0, 0, -20, 0, 0, 0, 0, 0]));
        before_conv(g, "Pad", &["pads"], vec![]);
    });
    refused_graph("padding that is computed", "is computed", |g| {
        g.node.insert(0, node("Shape", &["image"], "pads", vec![]));
        g.node[1].input[0] = "changed".to_owned();
        g.node.insert(1, node("Pad", &["image", "pads"], "changed", vec![]));
    });
    refused_graph("huge scales", "1000000", |g| {
        g.initializer.push(TensorProto { float_data: vec![1.0, 1.0, 1e6, 1e6], ..weights("scales", &[4]) });
        before_conv(g, "Resize", &["", "scales"], vec![]);
    });
    refused_graph("enlarged again and again", "castgate allows", |g| {
        g.initializer.push(TensorProto { float_data: vec![1.0, 1.0, 64.0, 64.0], ..weights("scales", &[4]) });
        let steps = ["image", "a", "b", "c", "d", "e", "f"];
        let resizes = steps.windows(2).map(|pair| node("Resize", &[pair[0], "", "scales"], pair[1], vec![]));
        g.node[0].input[0] = "f".to_owned();
        g.node.splice(0..0, resizes.collect::<Vec<_>>());
    });
    refused_graph("joined with itself again and again", "castgate allows", |g| {
        let join = |i: usize| {
            let from = if i == 0 { "image".to_owned() } else { format!("join{}", i - 1) };
            node("Concat", &[&from, &from], &format!("join{i}"), vec![int("axis", 2)])
        };
        g.node[0].input[0] = "join29".to_owned();
        g.node.splice(0..0, (0..30).map(join).collect::<Vec<_>>());
    });
    refused_graph("constants that multiply", "makes a constant", |g| {
        g.initializer.push(weights("tall", &[50_000, 1]));
        g.initializer.push(weights("wide", &[1, 50_000]));
        g.node.push(node("Add", &["tall", "wide"], "sheet", vec![]));
    });
    refused_graph("a huge broadcast", "castgate allows", |g| {
        g.initializer.push(weights("many", &[500_000, 1, 1, 1]));
        tensor(g, "shape").int64_data = vec![-1, 4];
        before_conv(g, "Mul", &["many"], vec![]);
    });
    refused_graph("everything kept alive", "MiB of working memory", |g| {
        g.initializer
            .push(TensorProto { float_data: vec![1.0, 1.0, 256.0, 256.0], ..weights("scales", &[4]) });
        before_conv(g, "Resize", &["", "scales"], vec![]);
        let chain =
            (1..=20).map(|i| node("Sigmoid", &[&format!("step{}", i - 1)], &format!("step{i}"), vec![]));
        let back = (1..20).rev().map(|i| {
            node("Add", &[&format!("sum{}", i + 1), &format!("step{i}")], &format!("sum{i}"), vec![])
        });
        let nodes: Vec<_> = chain.chain(back).collect();
        g.node[0].output[0] = "step0".to_owned();
        g.node.splice(1..1, nodes);
        g.node[21].input[0] = "step20".to_owned();
        g.node[40].input[0] = "sum1".to_owned();
    });
    refused_graph("too much to compute", "multiply-adds", |g| {
        g.initializer.push(TensorProto { float_data: vec![1.0, 1.0, 64.0, 64.0], ..weights("scales", &[4]) });
        g.initializer.push(weights("first", &[64, 1, 1, 1]));
        g.initializer.push(weights("next", &[64, 64, 1, 1]));
        *tensor(g, "conv.weight") = weights("conv.weight", &[4, 64, 1, 1]);
        g.node[0].attribute[0].ints = vec![1, 1];
        let mut nodes = vec![node("Resize", &["image", "", "scales"], "large", vec![])];
        nodes.push(node("Conv", &["large", "first"], "mix0", vec![ints("kernel_shape", &[1, 1])]));
        nodes.extend((1..30).map(|i| {
            node(
                "Conv",
                &[&format!("mix{}", i - 1), "next"],
                &format!("mix{i}"),
                vec![ints("kernel_shape", &[1, 1])],
            )
        }));
        g.node[0].input[0] = "mix29".to_owned();
        g.node.splice(0..0, nodes);
    });
}

#[test]
fn constants_that_are_damaged() {
    refused_graph("dimensions that overflow", "takes 0 to", |g| {
        tensor(g, "conv.weight").dims = vec![i64::MAX, 2, 3, 3];
    });
    refused_graph("dimensions that wrap to the right number", "takes 0 to", |g| {
        tensor(g, "conv.weight").dims = vec![1 << 32, 1 << 32, 36, 1];
    });
    refused_graph("negative dimensions", "takes 0 to", |g| {
        tensor(g, "conv.weight").dims = vec![-4, -1, 3, 3]
    });
    refused_graph("too little data", "holds 35", |g| {
        tensor(g, "conv.weight").float_data.pop();
    });
    refused_graph("half a number", "no whole number of values", |g| {
        let tensor = tensor(g, "conv.weight");
        tensor.float_data.clear();
        tensor.raw_data = vec![0; 143];
    });
    refused_graph("data in another file", "in another file", |g| {
        let tensor = tensor(g, "conv.weight");
        tensor.float_data.clear();
        tensor.data_location = Some(DataLocation::External as i32);
        let (key, value) = ("location".to_owned(), "../../../etc/passwd".to_owned());
        tensor.external_data.push(StringStringEntryProto { key, value });
    });
    refused_graph("an unknown type", "export the model as float32", |g| {
        tensor(g, "conv.weight").data_type = 77
    });
    refused_graph("text", "`STRING`", |g| tensor(g, "conv.weight").data_type = DataType::String as i32);
    refused_graph("a sparse tensor", "sparse", |g| g.sparse_initializer.push(SparseTensorProto::default()));
    refused_graph("NaN", "holds NaN", |g| tensor(g, "conv.weight").float_data[7] = f32::NAN);
    refused_graph("a name twice", "given twice", |g| g.initializer.push(weights("conv.bias", &[4])));
    refused_graph("a name that is no text", "`a\\0\\nb`", |g| {
        g.node[1].input[0] = "a\0\nb".to_owned();
    });
    refused_graph("a very long name", "...`", |g| g.node[1].input[0] = "long".repeat(1000));
}

#[test]
fn graphs_that_are_damaged() {
    refused_graph("empty", "graph is empty", |g| g.node.clear());
    refused_graph("a missing constant", "`conv.bias`, which nothing makes", |g| {
        g.initializer.retain(|tensor| tensor.name != "conv.bias");
    });
    refused_graph("a circle", "go round in a circle", |g| g.node[0].input[0] = "relu".to_owned());
    refused_graph("itself as input", "go round in a circle", |g| g.node[1].input[0] = "relu".to_owned());
    refused_graph("nodes out of order", "out of order", |g| g.node.swap(1, 2));
    refused_graph("a value made twice", "exists already", |g| g.node[2].output[0] = "relu".to_owned());
    refused_graph("too few inputs", "takes 2 to 3", |g| g.node[0].input.truncate(1));
    refused_graph("no outputs", "has 0 outputs", |g| g.node[1].output.clear());
    refused_graph("strides of 0", "`strides` is 0", |g| g.node[2].attribute[1].ints = vec![0, 0]);
    refused_graph("huge strides", "`strides` is 9223372036854775807", |g| {
        g.node[2].attribute[1].ints = vec![i64::MAX; 2];
    });
    refused_graph("a wild axis", "`axis` is 900", |g| g.node[6].attribute.push(int("axis", 900)));
    refused_graph("a kernel larger than the picture", "nothing left of the picture", |g| {
        *tensor(g, "conv.weight") = weights("conv.weight", &[4, 1, 17, 17]);
        g.node[0].attribute[0].ints = vec![17, 17];
    });
    refused_graph("a kernel unlike its weights", "engine", |g| g.node[0].attribute[0].ints = vec![5, 5]);
    refused_graph("groups that do not divide", "engine", |g| g.node[0].attribute.push(int("group", 3)));
    refused_graph("a kernel of other channels", "engine", |g| {
        *tensor(g, "conv.weight") = weights("conv.weight", &[4, 7, 3, 3]);
    });
    refused_graph("matrices that do not fit", "engine", |g| {
        *tensor(g, "dense.weight") = weights("dense.weight", &[5, 1]);
    });
    refused_graph("an attribute of a wrong type", "engine", |g| g.node[0].attribute[0].r#type = 3);
    refused_graph("an attribute of an unknown type", "a type that castgate does not run", |g| {
        g.node[0].attribute[0].r#type = 1234;
    });
    refused_graph("a long attribute", "more than 64 items", |g| g.node[0].attribute[0].ints = vec![3; 65]);
}

#[test]
fn answers_that_are_no_probabilities() {
    refused_graph("no sigmoid", "warm-up on a black picture failed: the model answered", |g| {
        g.node.pop();
        g.output = vec![value("dense", &[1, 1])];
        tensor(g, "dense.bias").float_data = vec![40.0];
    });
    refused_graph("infinities that meet", "warm-up on a black picture failed", |g| {
        tensor(g, "conv.weight").float_data.fill(-3e38);
        tensor(g, "dense.weight").float_data = vec![3e38, -3e38, 3e38, -3e38];
    });
    refused_graph(
        "NaN that the sigmoid hides",
        "warm-up on a white picture failed: the model computed NaN",
        |g| {
            g.node.insert(6, node("Neg", &["dense"], "minus", vec![]));
            g.node.insert(7, node("Sqrt", &["minus"], "root", vec![]));
            g.node[8].input[0] = "root".to_owned();
            tensor(g, "dense.bias").float_data = vec![-0.1];
            tensor(g, "dense.weight").float_data.fill(9.0);
            tensor(g, "conv.bias").float_data.fill(0.0);
            tensor(g, "conv.weight").float_data.fill(0.1);
        },
    );
    let mut model = onnx::sound();
    let graph = model.graph.as_mut().unwrap();
    graph.node.pop();
    graph.output = vec![value("dense", &[1, 2])];
    *tensor(graph, "dense.weight") = weights("dense.weight", &[4, 2]);
    *tensor(graph, "dense.bias") = TensorProto { float_data: vec![0.9, 0.8], ..weights("dense.bias", &[2]) };
    tensor(graph, "dense.weight").float_data.fill(0.0);
    let manifest = onnx::MANIFEST.replace("kind: sigmoid", "kind: softmax");
    refused_files("no softmax", &onnx::bytes(&model), &manifest, "must end with softmax");
}
