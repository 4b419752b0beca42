//! What runs a checked graph: one trait, an engine a file, and the choice between them.
//!
//! The only home of tract: its types for ONNX messages are lent to the rest of `model/` as [`pb`]. Must not know what the numbers mean.

mod budget;
mod limits;
mod told;
mod tract;

pub(super) use limits::Limits;
#[cfg(test)]
pub(super) use tract::knows;
pub(super) use tract::pb;

use super::problem::GraphProblem;

/// A graph made ready for pictures, one or a batch at a time.
pub(super) trait Engine: Send {
    /// Multiply-adds for one batch.
    fn multiply_adds(&self) -> u64;

    /// Computes the numbers for one batch, given in the manifest's layout; `read` sees them once, and those from before the last sigmoid or
    /// softmax (empty if the graph does not end so).
    ///
    /// # Errors
    /// What the engine said. It is ready for the next picture.
    fn run(&mut self, pictures: &[f32], read: &mut dyn FnMut(&[f32], &[f32])) -> Result<(), GraphProblem>;

    /// Makes the engine ready again after a panic left it half-way through a picture.
    ///
    /// # Errors
    /// What the engine said.
    fn reset(&mut self) -> Result<(), GraphProblem>;
}

impl dyn Engine {
    /// What `read` makes of the numbers for one batch: [`Engine::run`] with an answer.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub(super) fn answer<T>(
        &mut self,
        pictures: &[f32],
        read: impl FnOnce(&[f32], &[f32]) -> T,
    ) -> Result<T, GraphProblem> {
        let (mut read, mut answer) = (Some(read), None);
        self.run(pictures, &mut |numbers, raw| answer = read.take().map(|read| read(numbers, raw)))?;
        answer.ok_or_else(|| GraphProblem::Engine("the engine gave no numbers".to_owned()))
    }
}

/// The engine for a checked graph. Slow: seconds for a large model.
///
/// # Errors
/// When no engine can run the graph, when the graph needs more than `limits` allow, or when its output does not have `outputs` values for each
/// of the `batch` pictures.
pub(super) fn choose(
    graph: pb::ModelProto,
    outputs: usize,
    batch: usize,
    limits: Limits,
) -> Result<Box<dyn Engine>, GraphProblem> {
    Ok(Box::new(tract::Tract::new(graph, outputs, batch, limits)?))
}
