//! The manifest beside a model: what goes in, what comes out, and where the model comes from.
//!
//! Plain data. Agreement with the file and its graph is checked in `model/`.

use serde::{Deserialize, Serialize};

/// What is known of a model, kept as YAML beside its ONNX file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Number of trained parameters.
    pub parameters: u64,
    /// How it was made.
    pub training: Training,
    /// How good it was when it was made.
    pub quality: Quality,
}

/// Order of the input's dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

/// Colour of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// One channel: luma.
    Grey,
    /// Three channels: red, green, blue.
    Rgb,
}

impl Colour {
    /// Number of channels.
    pub const fn channels(self) -> usize {
        match self {
            Colour::Grey => 1,
            Colour::Rgb => 3,
        }
    }
}

/// What goes into the model: a picture of one part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Width in pixels, 8 to 1024.
    pub width: usize,
    /// Height in pixels, 8 to 1024.
    pub height: usize,
    /// Order of the dimensions.
    pub layout: Layout,
    /// Colour.
    pub colour: Colour,
    /// A pixel goes in as `(pixel / 255 - mean) / std`.
    pub mean: f32,
    /// See `mean`; greater than 0.
    pub std: f32,
    /// What is done to the picture before.
    #[serde(default, skip_serializing_if = "Normalise::is_none")]
    pub normalise: Normalise,
    /// What the pictures of training were like; without it every picture is taken for familiar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub familiar: Option<Familiar>,
}

/// What the pictures of training were like, see `vision/familiar.rs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
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
}

/// What comes out of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Name of the output in the graph; only needed when the graph has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the numbers mean.
    pub kind: OutputKind,
    /// Names of the classes in the order of the outputs; for `sigmoid` the class of 0 and the class of 1.
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

/// What the model's output means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// One number: the probability of the second class.
    Sigmoid,
    /// A probability for each class.
    Softmax,
}

/// How a model was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<String>,
}

/// Numbers of pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    #[serde(default)]
    pub leaks: Option<usize>,
}
