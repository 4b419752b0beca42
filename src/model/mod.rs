//! Models: ONNX files with their manifests, run by an inference engine that nobody else sees.
//!
//! [`open`] gives a [`Classifier`] or an error that names the file; it neither panics nor hangs, whatever the file holds.
//! Must not know frames, parts, thresholds' consequences or time limits of the line.

mod answer;
mod batch;
mod builtin;
mod classifier;
mod contain;
mod describe;
mod engine;
mod error;
mod graph;
mod load;
pub mod manifest;
mod problem;
pub mod read;
mod scripted;
mod wire;
pub mod write;

use std::time::Duration;

use crate::config::manifest::Input;
use crate::verdict::Score;

pub use batch::Batch;
pub use describe::{Description, describe};
pub use error::{ModelError, ModelFault};
pub use load::{
    BUILT_IN, LARGEST, LOAD_LIMIT, fingerprint, from_parts, is_built_in, open, open_batch, open_within,
    untold,
};
pub use scripted::Scripted;

/// Something that looks at a picture of one part and says how likely it is defective.
pub trait Classifier: Send {
    /// What must go into [`Classifier::score`].
    fn input(&self) -> &Input;

    /// Scores one picture, given as [`Input::len`] values in the input's layout, already normalised.
    ///
    /// # Errors
    /// When the model is at fault; it is ready for the next picture. Never panics.
    fn score(&mut self, tensor: &[f32]) -> Result<Score, ModelFault>;

    /// Facts about the model.
    fn info(&self) -> &ModelInfo;
}

/// Facts about a model, for messages and reports.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// Short name from the manifest.
    pub name: String,
    /// First 12 hexadecimal digits of the file's SHA-256.
    pub id: String,
    /// The manifest's threshold: score from which a part is a defect, 0 to 1.
    pub threshold: f32,
    /// The manifest's half width of the unsure band, 0 to 0.5.
    pub unsure: f32,
    /// Number of trained parameters, from the manifest.
    pub parameters: u64,
    /// Name of the folder of pictures that it was trained on, from the manifest.
    pub trained_on: String,
    /// Multiply-adds for one picture, counted in the graph.
    pub multiply_adds: u64,
    /// Size of the ONNX file.
    pub file_bytes: u64,
    /// How long loading took, warm-up included.
    pub load: Duration,
    /// How long one picture took at the end of the warm-up.
    pub warm_up: Duration,
}
