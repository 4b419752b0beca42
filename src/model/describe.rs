//! What an ONNX file shows of itself, and a manifest for it to begin with.
//!
//! What only the one who trained the network can know is left out and marked: a guess there would let defects pass.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::model::engine::pb::tensor_shape_proto::dimension::Value as Dim;
use crate::model::engine::pb::{GraphProto, ModelProto, ValueInfoProto, type_proto};

use super::engine::{self, Limits};
use super::load::{LARGEST, LOAD_LIMIT, fingerprint, read_file, within};
use super::{ModelError, graph, manifest};
use crate::config::manifest::{Colour, Input, Layout, OutputKind};
use crate::printable::short;
use crate::strict::yaml;

/// Longest name that is repeated, in characters.
const NAME: usize = 64;
/// Most kinds of operators, inputs or outputs that are named.
const NAMED: usize = 16;

/// What was found out.
#[derive(Debug, Clone)]
pub struct Description {
    /// The manifest, as YAML with comments; what must be decided is commented out.
    pub manifest: String,
    /// What was recognised, a line each.
    pub facts: Vec<String>,
    /// Why castgate cannot run the graph as it is; empty when it can.
    pub problems: Vec<String>,
}

/// Reads the ONNX file at `path`.
///
/// # Errors
/// When it cannot be read or is no ONNX file.
pub fn describe(path: &Path) -> Result<Description, ModelError> {
    let path = path.to_owned();
    let file = path.display().to_string();
    within(LOAD_LIMIT, &file.clone(), move || {
        let bytes = read_file(&path, LARGEST >> 20)?;
        let refuse =
            |problem: super::problem::GraphProblem| ModelError::Graph { file, problem: problem.to_string() };
        let model = graph::decode(&bytes).map_err(refuse)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(of(&bytes, &model, &short(&name, NAME)))
    })
}

/// What the graph's picture seems to be.
struct Picture {
    layout: Layout,
    colour: Colour,
    width: Option<usize>,
    height: Option<usize>,
}

fn of(bytes: &[u8], model: &ModelProto, name: &str) -> Description {
    let empty = GraphProto::default();
    let graph = model.graph.as_ref().unwrap_or(&empty);
    let is_constant = |input: &&ValueInfoProto| graph.initializer.iter().any(|t| t.name == input.name);
    let inputs: Vec<&ValueInfoProto> = graph.input.iter().filter(|input| !is_constant(input)).collect();
    let picture = inputs.first().and_then(|input| picture(&sizes(input)));
    let kind = graph.output.first().and_then(|output| kind(graph, output));
    let (mut facts, mut problems) = (facts(model, graph, &inputs), Vec::new());
    let classes = graph.output.first().and_then(answers).filter(|many| *many > 2);
    if let Some(many) = classes {
        problems.push(format!(
            "it answers with {many} numbers, and castgate takes one or two: train it for two classes"
        ));
    }
    let whole = picture.as_ref().and_then(|picture| Some((picture, picture.width?, picture.height?)));
    if let Some((picture, width, height)) = whole {
        let &Picture { layout, colour, .. } = picture;
        let mut trial = manifest::bare(name, &Input { width, height, layout, colour, ..Input::default() });
        trial.output.kind = kind.unwrap_or(OutputKind::Sigmoid);
        trial.output.name = graph.output.first().map(|output| output.name.clone());
        let outputs = manifest::outputs(&trial);
        let built = graph::read(bytes, &trial, 1)
            .and_then(|checked| engine::choose(checked, outputs, 1, Limits::LINE));
        match built {
            Ok(engine) => facts.push(format!("{} multiply-adds for one picture", engine.multiply_adds())),
            Err(problem) if problems.is_empty() => problems.push(problem.to_string()),
            Err(_) => {}
        }
    } else if picture.is_none() {
        problems.push(
            "no input is a picture: castgate gives it a batch of one, with 1 or 3 channels, rows and columns"
                .to_owned(),
        );
    }
    Description { manifest: text(bytes, name, graph, picture.as_ref(), kind, &facts), facts, problems }
}

/// The sizes of an input or output, as far as they are fixed.
fn sizes(value: &ValueInfoProto) -> Vec<Option<usize>> {
    let Some(type_proto::Value::TensorType(tensor)) = value.r#type.as_ref().and_then(|t| t.value.as_ref())
    else {
        return Vec::new();
    };
    let size = |dim: &crate::model::engine::pb::tensor_shape_proto::Dimension| match dim.value {
        Some(Dim::DimValue(size)) if size > 0 => usize::try_from(size).ok(),
        _ => None,
    };
    tensor.shape.iter().flat_map(|shape| &shape.dim).map(size).collect()
}

fn picture(sizes: &[Option<usize>]) -> Option<Picture> {
    let &[_, second, third, fourth] = sizes else { return None };
    let colour = |channels| match channels {
        Some(1) => Some(Colour::Grey),
        Some(3) => Some(Colour::Rgb),
        _ => None,
    };
    let first = colour(second).map(|colour| (Layout::Nchw, colour, third, fourth));
    let found = first.or_else(|| colour(fourth).map(|colour| (Layout::Nhwc, colour, second, third)));
    found.map(|(layout, colour, height, width)| Picture { layout, colour, width, height })
}

fn kind(graph: &GraphProto, output: &ValueInfoProto) -> Option<OutputKind> {
    let node = graph::origin(graph, &output.name)?;
    match &*node.op_type {
        "Sigmoid" => Some(OutputKind::Sigmoid),
        "Softmax" => Some(OutputKind::Softmax),
        _ if !graph::is_unbounded(graph, node) => None,
        _ => match answers(output) {
            Some(1) => Some(OutputKind::Logit),
            Some(2) => Some(OutputKind::Logits),
            _ => None,
        },
    }
}

/// How many numbers an output has for a picture.
fn answers(output: &ValueInfoProto) -> Option<usize> {
    sizes(output).iter().skip(1).copied().product()
}

fn facts(model: &ModelProto, graph: &GraphProto, inputs: &[&ValueInfoProto]) -> Vec<String> {
    let mut operators: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &graph.node {
        *operators.entry(&*node.op_type).or_default() += 1;
    }
    let mut by_count: Vec<_> = operators.into_iter().collect();
    by_count.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named = by_count.iter().take(NAMED).map(|(name, count)| format!("{count} {}", short(name, NAME)));
    let layers = named.collect::<Vec<_>>().join(", ");
    let set = model.opset_import.iter().find(|set| matches!(&*set.domain, "" | "ai.onnx"));
    let set = set.map_or_else(|| "none".to_owned(), |set| set.version.to_string());
    let producer = match &*model.producer_name {
        "" => String::new(),
        name => format!("written by `{}`, ", short(name, NAME)),
    };
    let mut facts = vec![
        format!("{producer}operator set {set}"),
        format!("{} nodes: {layers}", graph.node.len()),
        format!("{} parameters", graph::parameters(model)),
    ];
    let values = inputs.iter().map(|value| ("input", *value));
    let values = values.chain(graph.output.iter().map(|value| ("output", value)));
    facts.extend(values.take(NAMED).map(|(what, value)| {
        let sizes = sizes(value);
        let shape = sizes.iter().map(|size| size.map_or_else(|| "any".to_owned(), |size| size.to_string()));
        let shape = shape.collect::<Vec<_>>().join(" x ");
        let from = match graph::origin(graph, &value.name) {
            Some(node) if what == "output" => format!(", from a {}", short(&node.op_type, NAME)),
            _ => String::new(),
        };
        format!("{what} `{}`: {} {shape}{from}", short(&value.name, NAME), graph::type_of(value))
    }));
    facts
}

fn text(
    bytes: &[u8],
    name: &str,
    graph: &GraphProto,
    picture: Option<&Picture>,
    kind: Option<OutputKind>,
    facts: &[String],
) -> String {
    let mut out =
        String::from("# A manifest to begin with, as `castgate model describe` wrote it. Recognised:\n");
    for fact in facts {
        let _ = writeln!(out, "#   {fact}");
    }
    out.push_str(
        "# What only you can know is commented out under `decide`: take the `#` before each key away.\n",
    );
    let _ = writeln!(out, "name: {}\nsha256: {}\ninput:", word(name), fingerprint(bytes));
    for (key, size) in [("width", picture.and_then(|p| p.width)), ("height", picture.and_then(|p| p.height))]
    {
        let _ = match size {
            Some(size) => writeln!(out, "  {key}: {size}"),
            None => writeln!(
                out,
                "  # decide: the graph leaves it free; take that of the training pictures\n  # {key}: 128"
            ),
        };
    }
    match picture {
        Some(Picture { layout, colour: Colour::Grey, .. }) => {
            let _ = writeln!(out, "  layout: {}\n  colour: grey", word(layout));
        }
        Some(Picture { layout, .. }) => {
            let _ = writeln!(
                out,
                "  layout: {}\n  # decide: rgb, or bgr where OpenCV (cv2.imread) read the training pictures\n  # colour: rgb",
                word(layout)
            );
        }
        None => out.push_str("  # decide\n  # layout: nchw\n  # colour: grey\n"),
    }
    out.push_str(
        "  # decide: what was done to the pixels in training, as (pixel - mean) / std with pixels from 0 to 1; `range: 0..255`\n  \
         # leaves them from 0 to 255. Nothing was done: mean 0, std 1. Numbers for each channel: [0.485, 0.456, 0.406]\n  \
         # range: 0..1\n  # mean: 0\n  # std: 1\noutput:\n",
    );
    if let [first, _, ..] = &graph.output[..] {
        let _ = writeln!(out, "  # decide: the graph has several outputs\n  # name: {}", word(&first.name));
    }
    let _ = match kind {
        Some(kind) => writeln!(out, "  kind: {}", word(kind)),
        None => writeln!(out, "  # decide: sigmoid, softmax, logit or logits\n  # kind: softmax"),
    };
    let order = match kind {
        Some(OutputKind::Sigmoid | OutputKind::Logit) => "the class of 0, then that of 1",
        _ => "in the order of the outputs",
    };
    let _ = writeln!(
        out,
        "  # decide: the names of the two classes ({order}; Keras and PyTorch sort folders by name), and which is the defect\n  \
         # classes: [ok, defect]\n  # defect: defect\n\
         # decide: `castgate threshold --data FOLDER --write` finds it by labelled pictures\nthreshold: 0.5\nunsure: 0"
    );
    out
}

/// A plain value as YAML.
fn word(value: impl serde::Serialize) -> String {
    yaml::to_string(&value).map(|text| text.trim_end().to_owned()).unwrap_or_default()
}
