//! Random damage: whatever is done to a model, opening it ends in a working model or a clear error.
//!
//! `MODEL_FUZZ_CASES=100000` tries more.

use castgate::model;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto};

use crate::support::onnx;

fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("MODEL_FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(asked.unwrap_or(usual)) }
}

/// Opens damaged bytes whose fingerprint fits; a model that opens must answer pictures without panicking.
fn survives(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let manifest = onnx::signed(onnx::MANIFEST, &bytes);
    match model::from_parts("fuzzed.onnx", bytes, manifest) {
        Ok(mut model) => {
            for level in [0.0, -1.0, 1e30, f32::NAN] {
                let _ = model.score(&vec![level; model.input().len()]);
            }
        }
        Err(error) => {
            let text = error.to_string();
            prop_assert!(text.contains("fuzzed.onnx") && !text.contains("did not load within"), "{text}");
        }
    }
    Ok(())
}

/// Numbers that break careless arithmetic.
const NUMBERS: [i64; 18] =
    [0, 1, -1, 2, -2, 3, 4, 7, 8, 16, 63, 64, 255, 1024, 65_536, 1 << 31, i64::MAX, i64::MIN];
/// Operators and how many inputs they are given; some get one too many, to meet the optional ones.
const OPERATORS: [(&str, usize); 44] = [
    ("Abs", 1),
    ("Add", 2),
    ("AveragePool", 1),
    ("BatchNormalization", 5),
    ("Cast", 1),
    ("Clip", 3),
    ("Concat", 2),
    ("Constant", 0),
    ("Conv", 2),
    ("Conv", 3),
    ("Div", 2),
    ("Dropout", 1),
    ("Flatten", 1),
    ("Gather", 2),
    ("Gemm", 3),
    ("GlobalMaxPool", 1),
    ("HardSigmoid", 1),
    ("InstanceNormalization", 3),
    ("LRN", 1),
    ("LayerNormalization", 3),
    ("Log", 1),
    ("MatMul", 2),
    ("Max", 3),
    ("MaxPool", 1),
    ("Mul", 2),
    ("PRelu", 2),
    ("Pad", 2),
    ("Pad", 3),
    ("Pow", 2),
    ("ReduceMean", 1),
    ("ReduceSum", 2),
    ("Reshape", 2),
    ("Resize", 3),
    ("Resize", 4),
    ("Shape", 1),
    ("Slice", 3),
    ("Slice", 5),
    ("Softmax", 1),
    ("Split", 2),
    ("Sqrt", 1),
    ("Squeeze", 2),
    ("Transpose", 1),
    ("Unsqueeze", 2),
    ("Sum", 2),
];
/// Attributes that decide on sizes and axes.
const ATTRIBUTES: [&str; 16] = [
    "kernel_shape",
    "strides",
    "dilations",
    "pads",
    "group",
    "axis",
    "axes",
    "perm",
    "keepdims",
    "split",
    "to",
    "ceil_mode",
    "transA",
    "transB",
    "count_include_pad",
    "num_outputs",
];

/// One wilful change to a graph.
#[derive(Debug, Clone)]
enum Damage {
    Operator { node: Index, op: &'static str },
    Insert { before: Index, op: (&'static str, usize), inputs: Vec<Index>, numbers: Vec<i64> },
    Rewire { node: Index, slot: Index, to: Index },
    AddInput { node: Index, from: Index },
    DropInput { node: Index },
    Ints { node: Index, name: &'static str, values: Vec<i64> },
    Int { node: Index, name: &'static str, value: i64 },
    Dims { tensor: Index, dims: Vec<i64> },
    Integers { tensor: Index, values: Vec<i64> },
    Weight { tensor: Index, at: Index, value: f32 },
    DropNode { node: Index },
    CopyNode { node: Index },
    Opset(i64),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    let number = || select(&NUMBERS[..]);
    let numbers = || prop::collection::vec(number(), 0..5);
    let small = || prop::collection::vec(0i64..6, 0..5);
    let attribute = || select(&ATTRIBUTES[..]);
    prop_oneof![
        (at(), select(&OPERATORS[..])).prop_map(|(node, (op, _))| Damage::Operator { node, op }),
        insertion(),
        insertion(),
        insertion(),
        (at(), at(), at()).prop_map(|(node, slot, to)| Damage::Rewire { node, slot, to }),
        (at(), at()).prop_map(|(node, from)| Damage::AddInput { node, from }),
        at().prop_map(|node| Damage::DropInput { node }),
        (at(), attribute(), numbers()).prop_map(|(node, name, values)| Damage::Ints { node, name, values }),
        (at(), attribute(), small()).prop_map(|(node, name, values)| Damage::Ints { node, name, values }),
        (at(), attribute(), number()).prop_map(|(node, name, value)| Damage::Int { node, name, value }),
        (at(), small()).prop_map(|(tensor, dims)| Damage::Dims { tensor, dims }),
        (at(), numbers()).prop_map(|(tensor, values)| Damage::Integers { tensor, values }),
        (at(), at(), any::<f32>()).prop_map(|(tensor, at, value)| Damage::Weight { tensor, at, value }),
        at().prop_map(|node| Damage::DropNode { node }),
        at().prop_map(|node| Damage::CopyNode { node }),
        (7i64..26).prop_map(Damage::Opset),
    ]
}

fn insertion() -> impl Strategy<Value = Damage> {
    let inputs = prop::collection::vec(any::<Index>(), 5);
    let numbers = prop::collection::vec(prop_oneof![-3i64..20, select(&NUMBERS[..])], 1..9);
    (any::<Index>(), select(&OPERATORS[..]), inputs, numbers)
        .prop_map(|(before, op, inputs, numbers)| Damage::Insert { before, op, inputs, numbers })
}

fn names(graph: &GraphProto) -> Vec<String> {
    let made = graph.node.iter().flat_map(|node| node.output.iter().cloned());
    let given = graph.initializer.iter().map(|tensor| tensor.name.clone());
    given.chain(made).chain(["image".to_owned(), String::new()]).collect()
}

fn put(attributes: &mut Vec<AttributeProto>, new: AttributeProto) {
    attributes.retain(|old| old.name != new.name);
    attributes.push(new);
}

fn apply(model: &mut ModelProto, damage: &Damage) {
    let names = names(model.graph.as_ref().unwrap());
    let graph = model.graph.as_mut().unwrap();
    if graph.node.is_empty() {
        return;
    }
    let (nodes, tensors) = (graph.node.len(), graph.initializer.len());
    match damage {
        Damage::Operator { node, op } => graph.node[node.index(nodes)].op_type = (*op).to_owned(),
        Damage::Insert { before, op: (op, arity), inputs, numbers } => {
            let at = before.index(nodes);
            let (output, list) = (format!("new{nodes}"), format!("list{nodes}"));
            graph.initializer.push(onnx::integers(&list, numbers));
            let Some(first) = graph.node[at].input.first().cloned() else { return };
            let choose =
                |index: &Index| if index.index(2) == 0 { list.clone() } else { index.get(&names).clone() };
            let more: Vec<String> = inputs.iter().map(choose).collect();
            let all: Vec<&str> =
                std::iter::once(&first).chain(&more).map(String::as_str).take(*arity).collect();
            graph.node[at].input[0] = output.clone();
            graph.node.insert(at, onnx::node(op, &all, &output, vec![]));
        }
        Damage::Rewire { node, slot, to } => {
            let node = &mut graph.node[node.index(nodes)];
            if !node.input.is_empty() {
                let slot = slot.index(node.input.len());
                node.input[slot] = to.get(&names).clone();
            }
        }
        Damage::AddInput { node, from } => graph.node[node.index(nodes)].input.push(from.get(&names).clone()),
        Damage::DropInput { node } => drop(graph.node[node.index(nodes)].input.pop()),
        Damage::Ints { node, name, values } => {
            put(&mut graph.node[node.index(nodes)].attribute, onnx::ints(name, values));
        }
        Damage::Int { node, name, value } => {
            put(&mut graph.node[node.index(nodes)].attribute, onnx::int(name, *value))
        }
        Damage::Dims { tensor, dims } => {
            let tensor = &mut graph.initializer[tensor.index(tensors)];
            *tensor = onnx::weights(&tensor.name, dims);
        }
        Damage::Integers { tensor, values } => {
            let tensor = &mut graph.initializer[tensor.index(tensors)];
            *tensor = onnx::integers(&tensor.name, values);
        }
        Damage::Weight { tensor, at, value } => {
            let data = &mut graph.initializer[tensor.index(tensors)].float_data;
            if !data.is_empty() {
                let at = at.index(data.len());
                data[at] = *value;
            }
        }
        Damage::DropNode { node } => drop(graph.node.remove(node.index(nodes))),
        Damage::CopyNode { node } => {
            let at = node.index(nodes);
            let mut copy = graph.node[at].clone();
            let output = format!("copy{nodes}");
            copy.input = copy.output.clone();
            copy.output = vec![output.clone()];
            copy.name = output.clone();
            if let Some(next) = graph.node.get_mut(at + 1).and_then(|next| next.input.first_mut()) {
                *next = output;
            }
            graph.node.insert(at + 1, copy);
        }
        Damage::Opset(version) => model.opset_import[0].version = *version,
    }
}

#[test]
fn the_names_above_are_those_of_the_format() {
    assert_eq!(onnx::ints("axes", &[]).r#type, AttributeType::Ints as i32);
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn flipped_bits(flips in prop::collection::vec((any::<Index>(), 0u8..8), 1..6)) {
        let mut bytes = onnx::bytes(&onnx::sound());
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        survives(bytes)?;
    }

    #[test]
    fn overwritten_stretches(at in any::<Index>(), with in prop::collection::vec(any::<u8>(), 1..12)) {
        let mut bytes = onnx::bytes(&onnx::sound());
        let at = at.index(bytes.len() - with.len());
        bytes[at..at + with.len()].copy_from_slice(&with);
        survives(bytes)?;
    }

    #[test]
    fn wilful_damage(damages in prop::collection::vec(damage(), 1..6)) {
        let mut model = onnx::sound();
        for damage in &damages {
            apply(&mut model, damage);
        }
        survives(onnx::bytes(&model))?;
    }
}
