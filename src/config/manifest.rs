//! The manifest beside a model: what goes in, what comes out, and where the model comes from.
//!
//! Plain data. Agreement with the file and its graph is checked in `model/`.

mod channels;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use channels::PerChannel;

/// Keys that a manifest needs, each below its group, and how one of them may look.
pub const NEEDED: &[(&str, &str)] = &[
    ("name", "name: part"),
    ("sha256", "sha256: 3d51..., the 64 digits that sha256sum prints"),
    ("input", "input: {width: 128, height: 128, layout: nchw, colour: grey, mean: 0.5, std: 0.25}"),
    ("input.width", "width: 128"),
    ("input.height", "height: 128"),
    ("input.layout", "layout: nchw"),
    ("input.colour", "colour: grey"),
    ("input.mean", "mean: 0.5"),
    ("input.std", "std: 0.25"),
    ("output", "output: {kind: sigmoid, classes: [ok, defect], defect: defect}"),
    ("output.kind", "kind: sigmoid"),
    ("output.classes", "classes: [ok, defect]"),
    ("output.defect", "defect: defect"),
    ("threshold", "threshold: 0.5"),
    ("unsure", "unsure: 0"),
];

/// What is known of a model, kept as YAML beside its ONNX file. A key without a value stands for what [`NEEDED`] says, or for nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// Short name in logs and messages.
    pub name: String,
    /// SHA-256 of the ONNX file, 64 hexadecimal digits.
    pub sha256: String,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub output: Output,
    /// Score from which a part is a defect, 0 to 1.
    pub threshold: f32,
    /// Half width of the band around the threshold in which the model counts as unsure.
    pub unsure: f32,
    /// Number of trained parameters; without it they are counted in the graph.
    pub parameters: u64,
    /// How it was made; `castgate train` writes it.
    pub training: Training,
    /// How good it was when it was made; `castgate train` writes it.
    pub quality: Quality,
}

/// Order of the input's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channel, row, column: PyTorch.
    #[default]
    Nchw,
    /// Batch, row, column, channel: Keras and TensorFlow.
    Nhwc,
}

/// Colour of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// One channel: luma.
    #[default]
    Grey,
    /// Three channels: red, green, blue.
    Rgb,
    /// Three channels: blue, green, red, as OpenCV reads pictures.
    Bgr,
}

/// What pixel values are before mean and std.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Range {
    /// Black is 0, white is 1.
    #[default]
    #[serde(rename = "0..1")]
    Unit,
    /// Black is 0, white is 255.
    #[serde(rename = "0..255")]
    Byte,
}

impl Range {
    /// What white is.
    pub const fn white(self) -> f32 {
        match self {
            Range::Unit => 1.0,
            Range::Byte => 255.0,
        }
    }

    fn is_unit(&self) -> bool {
        *self == Range::Unit
    }
}

impl Colour {
    /// Number of channels.
    pub const fn channels(self) -> usize {
        match self {
            Colour::Grey => 1,
            Colour::Rgb | Colour::Bgr => 3,
        }
    }

    /// Which of red, green and blue, counted from 0, goes in as this channel.
    pub const fn source(self, channel: usize) -> usize {
        match self {
            Colour::Grey | Colour::Rgb => channel,
            Colour::Bgr => 2 - channel % 3,
        }
    }
}

/// What goes into the model: a picture of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// Width in pixels, 8 to 1024.
    pub width: usize,
    /// Height in pixels, 8 to 1024.
    pub height: usize,
    /// Order of the dimensions.
    pub layout: Layout,
    /// Colour.
    pub colour: Colour,
    /// What pixel values are before `mean` and `std`.
    #[serde(skip_serializing_if = "Range::is_unit")]
    pub range: Range,
    /// A pixel goes in as `(pixel - mean) / std`: one number, or a list of one for each channel in the order of `colour`.
    pub mean: PerChannel,
    /// See `mean`; greater than 0.
    pub std: PerChannel,
    /// What is done to the picture before.
    #[serde(skip_serializing_if = "Normalise::is_none")]
    pub normalise: Normalise,
    /// What the pictures of training were like, as `castgate train` writes it; without it every picture is taken for familiar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub familiar: Option<Familiar>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            width: 128,
            height: 128,
            layout: Layout::default(),
            colour: Colour::default(),
            range: Range::default(),
            mean: PerChannel::All(0.0),
            std: PerChannel::All(1.0),
            normalise: Normalise::default(),
            familiar: None,
        }
    }
}

/// What the pictures of training were like, see `vision/familiar.rs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Familiar {
    /// Distance beyond which a picture is unlike them, greater than 0.
    pub limit: f64,
    /// Share of pictures like those of training that lie beyond it.
    pub false_alarms: f64,
    /// Mean of each trait.
    pub mean: Vec<f64>,
    /// Inverse covariance of the traits: of each row what lies right of the diagonal, and the diagonal.
    pub inverse: Vec<Vec<f64>>,
}

/// What makes pictures alike before the model sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Normalise {
    /// Nothing.
    #[default]
    None,
    /// The same mean and spread of light.
    Light,
    /// A round part is located; its place, size and outline, its light and the ground around it become the same.
    Round,
}

impl Normalise {
    /// Its name in manifests and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Normalise::None => "none",
            Normalise::Light => "light",
            Normalise::Round => "round",
        }
    }

    fn is_none(&self) -> bool {
        *self == Normalise::None
    }
}

impl std::str::FromStr for Normalise {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Normalise::None, Normalise::Light, Normalise::Round]
            .into_iter()
            .find(|normalise| normalise.name() == text)
            .ok_or_else(|| format!("`{text}` is none of `none`, `light` and `round`"))
    }
}

impl Input {
    /// Number of values in one input.
    pub fn len(&self) -> usize {
        self.width * self.height * self.colour.channels()
    }

    /// Whether the input has no value at all, which no checked manifest has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a pixel of this grey level, 0 to 255, goes in as, in a channel counted from 0.
    pub fn value(&self, channel: usize, pixel: u8) -> f32 {
        self.of_level(channel, f32::from(pixel) / 255.0)
    }

    /// The grey level of a value that goes in, the other way round.
    pub fn pixel(&self, channel: usize, value: f32) -> u8 {
        let level = (value * self.std.of(channel) + self.mean.of(channel)) / self.range.white();
        // A cast from a float stops at 0 and 255.
        (level * 255.0).round() as u8
    }

    /// A picture of one grey from 0, black, to 1, white.
    pub fn plain(&self, level: f32) -> Vec<f32> {
        let (channels, pixels) = (self.colour.channels(), self.width * self.height);
        let channel = |at: usize| match self.layout {
            Layout::Nchw => at / pixels.max(1),
            Layout::Nhwc => at % channels,
        };
        (0..self.len()).map(|at| self.of_level(channel(at), level)).collect()
    }

    fn of_level(&self, channel: usize, level: f32) -> f32 {
        (level * self.range.white() - self.mean.of(channel)) / self.std.of(channel)
    }
}

/// What comes out of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Output {
    /// Name of the output in the graph; only needed when the graph has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the numbers mean.
    pub kind: OutputKind,
    /// Names of the two classes in the order of the outputs; for `sigmoid` and `logit` the class of 0 and the class of 1.
    pub classes: Vec<String>,
    /// The class that counts as DEFECT.
    pub defect: String,
}

impl Output {
    /// One number, the probability of DEFECT: what networks that castgate trains answer with.
    pub fn of_defect() -> Self {
        Self {
            name: None,
            kind: OutputKind::Sigmoid,
            classes: vec!["ok".to_owned(), "defect".to_owned()],
            defect: "defect".to_owned(),
        }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::of_defect()
    }
}

/// What the model's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// One number: the probability of the second class. The graph ends with a sigmoid.
    Sigmoid,
    /// A probability for each class. The graph ends with softmax.
    Softmax,
    /// One number of any size, from which castgate computes the probability of the second class by a sigmoid.
    Logit,
    /// A number of any size for each class, from which castgate computes probabilities by softmax.
    Logits,
}

/// How a model was made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Command that made it.
    pub command: String,
    /// Version of castgate that made it.
    pub castgate: String,
    /// Name of the data folder.
    pub data: String,
    /// Licence of the data, where known.
    pub data_licence: String,
    /// Numbers of pictures: ok and defective, for training and for validation.
    pub images: Images,
    /// Seed.
    pub seed: u64,
    /// Epochs run, and the one that was kept.
    pub epochs: u32,
    /// See `epochs`.
    pub best_epoch: u32,
    /// Network in words: one item a layer.
    pub network: Vec<String>,
    /// Changes to the training pictures, as `train --augment` takes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<String>,
}

/// Numbers of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Images {
    /// Good parts trained on.
    pub train_ok: usize,
    /// Defective parts trained on.
    pub train_defect: usize,
    /// Good parts kept for validation.
    pub validation_ok: usize,
    /// Defective parts kept for validation.
    pub validation_defect: usize,
}

/// How good a model was when it was made, on its validation pictures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {
    /// What the figures were measured on.
    pub measured_on: String,
    /// Share of right verdicts.
    pub accuracy: f64,
    /// Area under the ROC curve.
    pub auc: f64,
    /// Defective parts that passed.
    pub escapes: usize,
    /// Good parts that were rejected.
    pub false_rejects: usize,
    /// Of the pictures that were judged, those that show a photograph which was trained on; null where that is not known.
    pub leaks: Option<usize>,
}
