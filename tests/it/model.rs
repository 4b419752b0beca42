//! Models from outside: sound ones score, bad ones are clear errors.

mod bad;
mod fuzz;
mod own;

use std::path::Path;

use castgate::model::{self, Classifier, ModelFault, Scripted};
use castgate::verdict::Score;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, TensorProto};

use crate::support::onnx;
use crate::support::process::LONG;

#[test]
fn every_built_in_model_opens_and_scores() {
    for name in model::BUILT_IN {
        let mut model = model::open(Path::new(name)).unwrap();
        let picture = vec![0.3; model.input().len()];
        let score = model.score(&picture).unwrap();
        assert_eq!(model.score(&picture), Ok(score), "the same picture, the same score");
        let info = model.info();
        assert_eq!(info.id.len(), 12);
        assert!(
            info.multiply_adds > info.parameters && info.file_bytes <= 40 * 1024 && !info.warm_up.is_zero()
        );
    }
}

/// The same arithmetic as the graph of [`onnx::sound`], in plain loops.
fn by_hand(picture: &[f32]) -> f32 {
    const SIDE: usize = onnx::SIDE;
    let graph = onnx::sound().graph.unwrap();
    let weights = |name: &str| graph.initializer.iter().find(|t| t.name == name).unwrap().float_data.clone();
    let (kernels, biases) = (weights("conv.weight"), weights("conv.bias"));
    let (dense, dense_bias) = (weights("dense.weight"), weights("dense.bias"));
    let conv = |channel: usize, row: usize, column: usize| {
        let taps =
            (0..9).map(|tap| picture[(row + tap / 3) * SIDE + column + tap % 3] * kernels[channel * 9 + tap]);
        (taps.sum::<f32>() + biases[channel]).max(0.0)
    };
    let mut logit = dense_bias[0];
    for (channel, weight) in dense.iter().enumerate() {
        let mut sum = 0.0;
        for (row, column) in (0..49).map(|i| (i / 7 * 2, i % 7 * 2)) {
            let corners = [(0, 0), (0, 1), (1, 0), (1, 1)];
            sum += corners.map(|(r, c)| conv(channel, row + r, column + c)).into_iter().fold(0.0, f32::max);
        }
        logit += sum / 49.0 * weight;
    }
    1.0 / (1.0 + (-logit).exp())
}

#[test]
fn a_score_is_what_the_graph_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = onnx::write(folder.path(), &onnx::bytes(&onnx::sound()), onnx::MANIFEST);
    let mut model = model::open(&path).unwrap();
    assert_eq!(
        (model.info().name.as_str(), model.info().threshold, model.info().unsure),
        ("small", 0.5, 0.1)
    );
    for seed in 0..20 {
        let picture: Vec<f32> = (0..256).map(|i| ((i * 31 + seed * 17) % 97) as f32 / 48.5 - 1.0).collect();
        let (found, wanted) = (model.score(&picture).unwrap().get(), by_hand(&picture));
        assert!((found - wanted).abs() < 1e-5, "{found} {wanted}");
    }
}

#[test]
fn the_first_class_may_be_the_defect() {
    let bytes = onnx::bytes(&onnx::sound());
    let swapped = onnx::MANIFEST.replace("defect: defect", "defect: ok");
    let mut plain = model::from_parts("plain", bytes.clone(), onnx::signed(onnx::MANIFEST, &bytes)).unwrap();
    let mut other = model::from_parts("other", bytes.clone(), onnx::signed(&swapped, &bytes)).unwrap();
    let picture = vec![0.7; plain.input().len()];
    let (one, two) = (plain.score(&picture).unwrap().get(), other.score(&picture).unwrap().get());
    assert!((one + two - 1.0).abs() < 1e-6);
}

#[test]
fn softmax_and_channels_last_and_a_chosen_output_work() {
    let mut model = onnx::sound();
    let graph = model.graph.as_mut().unwrap();
    graph.input = vec![onnx::value("picture", &[1, 16, 16, 1])];
    graph
        .node
        .insert(0, onnx::node("Transpose", &["picture"], "image", vec![onnx::ints("perm", &[0, 3, 1, 2])]));
    graph.initializer.retain(|tensor| !tensor.name.starts_with("dense"));
    graph.initializer.push(onnx::weights("dense.weight", &[4, 2]));
    graph.initializer.push(onnx::weights("dense.bias", &[2]));
    graph.node.last_mut().unwrap().op_type = "Softmax".to_owned();
    graph.output.push(onnx::value("mean", &[-1, 4, 1, 1]));
    let bytes = onnx::bytes(&model);
    let manifest =
        onnx::MANIFEST.replace("nchw", "nhwc").replace("kind: sigmoid", "name: score, kind: softmax");
    let mut model = model::from_parts("softmax", bytes.clone(), onnx::signed(&manifest, &bytes)).unwrap();
    let picture = vec![-1.0; model.input().len()];
    assert!((0.0..=1.0).contains(&model.score(&picture).unwrap().get()));
}

/// As PyTorch writes `x.flatten(1)` for a free batch, and padding and clipping with constants.
#[test]
fn sizes_that_are_computed_from_the_picture_s_shape_work() {
    let constant = |tensor: TensorProto| {
        let r#type = AttributeType::Tensor as i32;
        let value =
            AttributeProto { name: "value".to_owned(), r#type, t: Some(tensor), ..Default::default() };
        onnx::node("Constant", &[], "", vec![value])
    };
    let mut model = onnx::sound();
    let graph = model.graph.as_mut().unwrap();
    let constants = [
        onnx::integers("first", &[0]),
        onnx::integers("rest", &[-1]),
        onnx::integers("pads", &[0, 0, 1, 1, 0, 0, 1, 1]),
        TensorProto { dims: vec![], float_data: vec![6.0], ..onnx::weights("most", &[1]) },
    ];
    let mut nodes: Vec<_> = constants
        .map(|tensor| {
            let mut node = constant(tensor.clone());
            node.output[0] = tensor.name;
            node
        })
        .into();
    nodes.push(onnx::node("Pad", &["image", "pads"], "padded", vec![]));
    graph.node[0].input[0] = "padded".to_owned();
    graph.node[1] = onnx::node("Clip", &["conv", "", "most"], "relu", vec![]);
    let shape = [
        onnx::node("Shape", &["mean"], "dims", vec![]),
        onnx::node("Gather", &["dims", "first"], "batch", vec![onnx::int("axis", 0)]),
        onnx::node("Concat", &["batch", "rest"], "computed", vec![onnx::int("axis", 0)]),
    ];
    graph.node[4].input[1] = "computed".to_owned();
    graph.node.splice(4..4, shape);
    graph.node.splice(0..0, nodes);
    let bytes = onnx::bytes(&model);
    let mut model = model::from_parts("torch", bytes.clone(), onnx::signed(onnx::MANIFEST, &bytes)).unwrap();
    assert!(model.score(&[0.5; 256]).is_ok());
}

/// Laid out like other convolutions, it would need 1.2 GiB.
#[test]
fn a_convolution_channel_by_channel_needs_no_copy_of_its_input() {
    let mut model = onnx::sound();
    let graph = model.graph.as_mut().unwrap();
    let scales = TensorProto { float_data: vec![1.0, 1.0, 16.0, 16.0], ..onnx::weights("scales", &[4]) };
    graph.initializer.retain(|tensor| tensor.name != "conv.weight");
    graph.initializer.extend([
        scales,
        onnx::weights("wide.weight", &[64, 1, 1, 1]),
        onnx::weights("deep.weight", &[64, 1, 9, 9]),
        onnx::weights("conv.weight", &[4, 64, 3, 3]),
    ]);
    graph.node[0].input[0] = "deep".to_owned();
    let kernel = |side| onnx::ints("kernel_shape", &[side, side]);
    let more = [
        onnx::node("Resize", &["image", "", "scales"], "large", vec![]),
        onnx::node("Conv", &["large", "wide.weight"], "wide", vec![kernel(1)]),
        onnx::node("Conv", &["wide", "deep.weight"], "deep", vec![kernel(9), onnx::int("group", 64)]),
    ];
    graph.node.splice(0..0, more);
    let bytes = onnx::bytes(&model);
    let mut model = model::from_parts("deep", bytes.clone(), onnx::signed(onnx::MANIFEST, &bytes)).unwrap();
    assert!(model.score(&[0.5; 256]).is_ok());
}

#[test]
fn nan_in_a_picture_or_a_picture_of_wrong_size_is_a_fault_and_the_next_picture_is_scored() {
    let bytes = onnx::bytes(&onnx::sound());
    let mut model = model::from_parts("small", bytes.clone(), onnx::signed(onnx::MANIFEST, &bytes)).unwrap();
    let sound = vec![0.25; model.input().len()];
    let score = model.score(&sound).unwrap();
    assert_eq!(model.score(&[0.0; 3]), Err(ModelFault::WrongInput { expected: 256, found: 3 }));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut picture = sound.clone();
        picture[200] = bad;
        assert!(matches!(model.score(&picture), Err(ModelFault::BadInput(_))));
    }
    assert_eq!(model.score(&sound), Ok(score));
}

#[test]
fn the_longest_chain_of_nodes_that_is_allowed_needs_no_more_stack_than_there_is() {
    let mut model = onnx::sound();
    let graph = model.graph.as_mut().unwrap();
    let chain =
        (1..=2000).map(|i| onnx::node("Abs", &[&format!("link{}", i - 1)], &format!("link{i}"), vec![]));
    graph.node.splice(5..5, chain.collect::<Vec<_>>());
    graph.node[4].output[0] = "link0".to_owned();
    graph.node[2005].input[0] = "link2000".to_owned();
    let bytes = onnx::bytes(&model);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chain.onnx");
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(file.with_extension("yaml"), onnx::signed(onnx::MANIFEST, &bytes)).unwrap();
    // It takes a second or two, and more on a busy machine than a line would wait.
    let mut model = model::open_within(&file, LONG).unwrap();
    assert!(model.score(&[0.5; 256]).is_ok());
}

#[test]
fn scoring_allocates_little_and_keeps_nothing() {
    let mut model = model::open(Path::new("demo")).unwrap();
    let picture = vec![0.3; model.input().len()];
    let first_on_this_thread = model.score(&picture);
    assert!(first_on_this_thread.is_ok());
    let used = allocation_counter::measure(|| drop(model.score(&picture)));
    assert!(used.count_total < 200 && used.bytes_current == 0, "{used:?}");
}

#[test]
fn a_scripted_model_answers_as_told() {
    let input = model::open(Path::new("demo")).unwrap().input().clone();
    let picture = vec![0.0; input.len()];
    let answers = [Ok(Score::new(0.9).unwrap()), Err(ModelFault::NotFinite(f32::INFINITY))];
    let mut model = Scripted::answers(input, answers.clone()).with_threshold(0.4, 0.1);
    assert_eq!(model.info().threshold, 0.4);
    for wanted in [&answers[0], &answers[1], &answers[1]] {
        assert_eq!(&model.score(&picture), wanted);
    }
    assert!(matches!(model.score(&[]), Err(ModelFault::WrongInput { .. })));
}
