//! Networks of one's own: what they need, what is told of them, and what gives away that one was exported wrongly.

use std::path::Path;

use castgate::config::manifest::{Colour, Input, Layout, PerChannel, Range};
use castgate::frame::{Frame, PixelFormat};
use castgate::model::{self, Description};
use castgate::vision::{Inspection, Preprocessor};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, type_proto};

use super::bad::{before_conv, refused, refused_graph, refused_manifest, tensor};
use crate::golden::castgate;
use crate::support::onnx::{self, int, node, value, weights};

/// A constant that says yes or no.
fn truth(name: &str, yes: bool) -> TensorProto {
    let data_type = DataType::Bool as i32;
    TensorProto { name: name.to_owned(), data_type, int32_data: vec![yes.into()], ..TensorProto::default() }
}

/// Puts batch normalisation between the first convolution and its ReLU.
fn normalised(graph: &mut GraphProto, attributes: Vec<AttributeProto>) -> &mut NodeProto {
    for name in ["scale", "shift", "average", "variance"] {
        let values = TensorProto { float_data: vec![0.5; 4], ..weights(name, &[4]) };
        graph.initializer.push(values);
    }
    graph.node[1].input[0] = "normed".to_owned();
    let inputs = ["conv", "scale", "shift", "average", "variance"];
    graph.node.insert(1, node("BatchNormalization", &inputs, "normed", attributes));
    &mut graph.node[1]
}

#[test]
fn graphs_that_were_exported_for_training_or_in_another_precision() {
    let eval = "`model.eval()` in PyTorch";
    let bytes = |change: fn(&mut GraphProto)| {
        let mut model = onnx::sound();
        change(model.graph.as_mut().unwrap());
        onnx::bytes(&model)
    };
    let sound = bytes(|g| {
        normalised(g, vec![]);
    });
    model::from_parts("normed", sound.clone(), onnx::signed(onnx::MANIFEST, &sound)).unwrap();
    refused_graph(
        "batch normalisation that learns",
        "`normed` (`BatchNormalization`) is in training mode",
        |g| {
            normalised(g, vec![int("training_mode", 1)]);
        },
    );
    refused_graph("batch normalisation that gives its statistics", eval, |g| {
        normalised(g, vec![int("training_mode", 1)]).output.extend(["m".to_owned(), "v".to_owned()]);
    });
    refused_graph("dropout that learns", eval, |g| {
        g.initializer.push(TensorProto { dims: vec![], float_data: vec![0.5], ..weights("ratio", &[1]) });
        g.initializer.push(truth("yes", true));
        before_conv(g, "Dropout", &["ratio", "yes"], vec![]);
    });
    let resting = bytes(|g| {
        g.initializer.push(TensorProto { dims: vec![], float_data: vec![0.5], ..weights("ratio", &[1]) });
        g.initializer.push(truth("no", false));
        before_conv(g, "Dropout", &["ratio", "no"], vec![]);
    });
    model::from_parts("resting", resting.clone(), onnx::signed(onnx::MANIFEST, &resting)).unwrap();
    for op in ["QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger"] {
        refused_graph(op, "quantised to integers; export the float32 model", |g| {
            g.node[1].op_type = op.to_owned()
        });
    }
    for (of, wanted) in [
        (DataType::Float16, "input `image` is float16, not float32; export it in full precision"),
        (
            DataType::Int8,
            "input `image` is int8, not float32; export the float32 model, without quantisation",
        ),
        (DataType::Double, "input `image` is float64, not float32"),
    ] {
        refused_graph(of.as_str_name(), wanted, |g| {
            let kind = g.input[0].r#type.as_mut().unwrap().value.as_mut();
            let Some(type_proto::Value::TensorType(tensor)) = kind else { unreachable!() };
            tensor.elem_type = of as i32;
        });
    }
}

#[test]
fn what_comes_out_is_held_against_how_the_graph_ends() {
    // It answers within 0 to 1 on plain pictures, and is no probability for all that.
    let bare = |g: &mut GraphProto| {
        g.node.pop();
        g.output = vec![value("dense", &[1, 1])];
        tensor(g, "dense.weight").float_data.fill(0.0);
        tensor(g, "dense.bias").float_data = vec![0.4];
    };
    refused_graph("no sigmoid, unnoticed", "ends with `Gemm` and not with a sigmoid", bare);
    let mut model = onnx::sound();
    bare(model.graph.as_mut().unwrap());
    let bytes = onnx::bytes(&model);
    let logit = onnx::MANIFEST.replace("kind: sigmoid", "kind: logit");
    let mut logit = model::from_parts("logit", bytes.clone(), onnx::signed(&logit, &bytes)).unwrap();
    let score = logit.score(&[0.3; 256]).unwrap().get();
    assert!((score - 1.0 / (1.0 + (-0.4f32).exp())).abs() < 1e-6, "{score}");
    refused_manifest("a sigmoid twice", "kind: sigmoid", "kind: logit", "probabilities already");
}

#[test]
fn every_problem_of_a_manifest_is_told_at_once() {
    let told = {
        let folder = tempfile::tempdir().unwrap();
        let manifest = onnx::MANIFEST
            .replace("unsure: 0.1\n", "")
            .replace("threshold: 0.5", "threshold: 5")
            .replace("kind: sigmoid", "kind: sigmod")
            .replace("std: 0.5", "std: 0.5\u{200b}")
            .replace("nchw", "'${LAYOUT}'");
        let path = onnx::write(folder.path(), &onnx::bytes(&onnx::sound()), &manifest);
        refused("five problems", &path, "part.yaml")
    };
    for wanted in [
        "part.yaml:1:1: the key `unsure` is missing here, such as `unsure: 0`",
        "part.yaml:3:40: input.layout: `${LAYOUT}` stands for a value",
        "a zero-width space (U+200B) stands between `0.5` and `}`",
        "part.yaml:4:16: output.kind: `sigmod` is none of",
        "part.yaml:5:12: threshold: 5 is outside 0 to 1",
    ] {
        assert!(told.contains(wanted), "no {wanted:?} in {told}");
    }
    let training = onnx::MANIFEST.find("parameters:").unwrap();
    let own = &onnx::MANIFEST[..training];
    let bytes = onnx::bytes(&onnx::sound());
    let model = model::from_parts("own", bytes.clone(), onnx::signed(own, &bytes)).unwrap();
    assert_eq!(model.info().parameters, 45, "counted in the graph");
}

/// Takes the `#` away from a manifest's keys that are to be decided.
fn decided(manifest: &str) -> String {
    let keys = ["colour", "mean", "std", "classes", "defect"];
    let line = |line: &str| {
        let body = line.trim_start().strip_prefix("# ").unwrap_or_default();
        let is_key = keys.iter().any(|key| body.starts_with(&format!("{key}: ")));
        if is_key { line.replacen("# ", "", 1) } else { line.to_owned() }
    };
    manifest.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_is_described_and_its_manifest_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own part.onnx");
    std::fs::write(&path, onnx::bytes(&onnx::sound())).unwrap();
    let Description { manifest, facts, problems } = model::describe(&path).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let facts = facts.join("\n");
    for wanted in [
        "operator set 13",
        "7 nodes: 1 Conv",
        "45 parameters",
        "input `image`: float32 any x 1 x 16 x 16",
        "from a Sigmoid",
    ] {
        assert!(facts.contains(wanted), "no {wanted:?} in {facts}");
    }
    assert!(facts.contains(" multiply-adds for one picture"), "{facts}");
    let beside = path.with_extension("yaml");
    std::fs::write(&beside, &manifest).unwrap();
    let undecided = model::open(&path).err().unwrap().to_string();
    for key in ["mean", "std", "classes", "defect"] {
        assert!(undecided.contains(&format!("the key `{key}` is missing")), "{undecided}");
    }
    std::fs::write(&beside, decided(&manifest)).unwrap();
    assert_eq!(model::open(&path).unwrap().info().name, "own part");
}

#[test]
fn a_coloured_network_without_its_softmax_is_described_too() {
    let mut model = onnx::sound();
    let graph = model.graph.as_mut().unwrap();
    graph.input = vec![value("picture", &[1, 16, 16, 3])];
    let turn = node("Transpose", &["picture"], "image", vec![onnx::ints("perm", &[0, 3, 1, 2])]);
    graph.node.insert(0, turn);
    graph.node.pop();
    graph.output = vec![value("dense", &[1, 2])];
    graph.initializer.retain(|tensor| !tensor.name.starts_with("dense") && tensor.name != "conv.weight");
    graph.initializer.extend([
        weights("conv.weight", &[4, 3, 3, 3]),
        weights("dense.weight", &[4, 2]),
        weights("dense.bias", &[2]),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.onnx");
    std::fs::write(&path, onnx::bytes(&model)).unwrap();
    let Description { manifest, problems, .. } = model::describe(&path).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    for wanted in ["layout: nhwc", "rgb, or bgr where OpenCV", "kind: logits"] {
        assert!(manifest.contains(wanted), "no {wanted:?} in {manifest}");
    }
    std::fs::write(path.with_extension("yaml"), decided(&manifest)).unwrap();
    let mut model = model::open(&path).unwrap();
    assert!((0.0..=1.0).contains(&model.score(&[0.2; 768]).unwrap().get()));
}

#[test]
fn the_command_writes_beside_the_file_once_and_says_why_a_graph_cannot_be_run() {
    let folder = tempfile::tempdir().unwrap();
    let describe = |name: &str| {
        let output =
            castgate().current_dir(folder.path()).args(["model", "describe", name]).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    std::fs::write(folder.path().join("part.onnx"), onnx::bytes(&onnx::sound())).unwrap();
    let (code, told, _) = describe("part.onnx");
    assert!(code == Some(0) && told.contains("written: part.yaml;"), "{told}");
    let written = std::fs::read_to_string(folder.path().join("part.yaml")).unwrap();
    std::fs::write(folder.path().join("part.yaml"), "mine").unwrap();
    assert_eq!(describe("part.onnx"), (Some(0), written, String::new()));
    assert_eq!(std::fs::read_to_string(folder.path().join("part.yaml")).unwrap(), "mine");
    let mut learning = onnx::sound();
    normalised(learning.graph.as_mut().unwrap(), vec![int("training_mode", 1)]);
    std::fs::write(folder.path().join("learning.onnx"), onnx::bytes(&learning)).unwrap();
    let (code, _, why) = describe("learning.onnx");
    assert!(code == Some(1) && why.contains("training mode"), "{why}");
    let mut many = onnx::sound();
    let graph = many.graph.as_mut().unwrap();
    graph.output = vec![value("score", &[1, 3])];
    *tensor(graph, "dense.weight") = weights("dense.weight", &[4, 3]);
    *tensor(graph, "dense.bias") = weights("dense.bias", &[3]);
    std::fs::write(folder.path().join("many.onnx"), onnx::bytes(&many)).unwrap();
    let (code, _, why) = describe("many.onnx");
    assert!(
        code == Some(1) && why.contains("it answers with 3 numbers, and castgate takes one or two"),
        "{why}"
    );
    std::fs::write(folder.path().join("text.onnx"), "no model").unwrap();
    let (code, _, why) = describe("text.onnx");
    assert!(code == Some(3) && why.contains("not ONNX"), "{why}");
    assert!(!Path::new(&folder.path().join("text.yaml")).exists());
}

#[test]
fn pixels_go_in_by_channel_in_the_order_and_scale_of_the_manifest() {
    let mut input = Input {
        width: 8,
        height: 8,
        layout: Layout::Nhwc,
        colour: Colour::Bgr,
        range: Range::Byte,
        mean: PerChannel::Each([100.0, 50.0, 0.0]),
        std: PerChannel::Each([1.0, 2.0, 4.0]),
        ..Input::default()
    };
    // A picture of one grey was not taken of anything.
    let pixels = [[200, 150, 120].repeat(32), [100, 75, 60].repeat(32)].concat();
    let frame = Frame { width: 8, height: 8, format: PixelFormat::Rgb8, pixels, ..Frame::default() };
    let tensor = |input: &Input| {
        let mut inspection = Inspection::default();
        Preprocessor::for_pictures(input).apply(&frame, &mut inspection);
        inspection.tensors
    };
    let near = |found: &[f32], wanted: &[f32]| {
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-3), "{found:?} {wanted:?}");
    };
    near(&tensor(&input)[..3], &[20.0, 50.0, 50.0]);
    input.layout = Layout::Nchw;
    let planes = tensor(&input);
    near(&[planes[0], planes[64], planes[128]], &[20.0, 50.0, 50.0]);
    let black = input.plain(0.0);
    near(&[black[0], black[64], black[128]], &[-100.0, -25.0, 0.0]);
    input.colour = Colour::Rgb;
    let planes = tensor(&input);
    near(&[planes[0], planes[64], planes[128]], &[100.0, 50.0, 30.0]);
}
