//! A model that judges several pictures at once, for measurements.

use super::ModelFault;
use super::answer::Answer;
use super::contain::contain;
use super::engine::Engine;
use super::manifest;
use crate::config::manifest::{Input, Manifest};
use crate::verdict::Score;

/// A model ready for batches of one size.
pub struct Batch {
    engine: Box<dyn Engine>,
    answer: Answer,
    /// Numbers that the model gives for one picture.
    outputs: usize,
    pictures: usize,
    input: Input,
    /// Multiply-adds for one picture, counted in the graph.
    pub multiply_adds: u64,
    /// Short name from the manifest.
    pub name: String,
}

impl Batch {
    pub(super) fn new(engine: Box<dyn Engine>, manifest: &Manifest, pictures: usize) -> Self {
        Self {
            multiply_adds: engine.multiply_adds() / pictures.max(1) as u64,
            engine,
            answer: Answer::new(&manifest.output),
            outputs: manifest::outputs(manifest),
            pictures,
            input: manifest.input.clone(),
            name: manifest.name.clone(),
        }
    }

    /// What each picture must be.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Scores a whole batch, given picture after picture as [`Input::len`] values each, already normalised.
    ///
    /// # Errors
    /// When the number of values is another, and when the model gives something else than a probability for a picture. After a panic
    /// of the engine it is not ready again.
    pub fn score(&mut self, tensors: &[f32], scores: &mut Vec<Score>) -> Result<(), ModelFault> {
        let (expected, found) = (self.pictures * self.input.len(), tensors.len());
        if found != expected {
            return Err(ModelFault::WrongInput { expected, found });
        }
        let (engine, answer, outputs) = (&mut self.engine, self.answer, self.outputs);
        let read = |numbers: &[f32], raw: &[f32]| {
            scores.clear();
            for (at, numbers) in numbers.chunks(outputs).enumerate() {
                let raw = raw.get(at * outputs..(at + 1) * outputs).unwrap_or_default();
                scores.push(answer.score(numbers, raw)?);
            }
            Ok(())
        };
        match contain(|| engine.answer(tensors, read)) {
            Ok(Ok(read)) => read,
            Ok(Err(problem)) => Err(ModelFault::Engine(problem.to_string())),
            Err(panic) => Err(ModelFault::Panicked(panic)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::{self, LOAD_LIMIT};

    #[test]
    fn a_batch_scores_each_picture_as_it_would_be_alone() {
        let mut alone = model::open(Path::new("demo")).unwrap();
        let one = alone.input().len();
        let tensors: Vec<f32> = (0..3 * one).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let mut batch = model::open_batch(Path::new("demo"), 3, 1024, LOAD_LIMIT).unwrap();
        let mut scores = Vec::new();
        batch.score(&tensors, &mut scores).unwrap();
        for (tensor, together) in tensors.chunks(one).zip(&scores) {
            assert!((alone.score(tensor).unwrap().get() - together.get()).abs() < 1e-5);
        }
        assert_eq!(scores.len(), 3);
        // What is computed once for a batch is shared out.
        let (each, one) = (batch.multiply_adds, alone.info().multiply_adds);
        assert!(each.abs_diff(one) <= one / 50, "{each} {one}");
        assert!(matches!(batch.score(&tensors[1..], &mut scores), Err(ModelFault::WrongInput { .. })));
    }

    #[test]
    fn a_batch_that_needs_too_much_memory_is_refused() {
        let error = model::open_batch(Path::new("demo"), 1000, 64, LOAD_LIMIT).err().map(|e| e.to_string());
        assert!(error.as_deref().is_some_and(|text| text.contains("castgate allows")), "{error:?}");
    }
}
