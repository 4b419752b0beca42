//! Models: ONNX files with their manifests, run by an inference engine that nobody else sees.

use crate::verdict::Score;

/// The model failed on one input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model fault: {0}")]
pub struct ModelFault(pub String);

/// A model that scores the picture of one part.
pub trait Classifier: Send {
    /// The probability of DEFECT for an input in the manifest's layout.
    ///
    /// # Errors
    /// When the engine fails or answers with something that is no probability.
    fn score(&mut self, tensor: &[f32]) -> Result<Score, ModelFault>;
    /// What goes in.
    fn input(&self) -> &crate::config::manifest::Input;
}
