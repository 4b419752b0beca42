//! A loaded model as a classifier: engine, meaning of its numbers, warm-up, and the containment of its faults.

use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::config::manifest::{Input, Manifest};
use crate::verdict::Score;

use super::answer::Answer;
use super::contain::contain;
use super::engine::Engine;
use super::{Classifier, ModelFault, ModelInfo};

/// A model ready to score.
pub(super) struct OnnxClassifier {
    engine: Box<dyn Engine>,
    answer: Answer,
    input: Input,
    info: ModelInfo,
}

/// A warm-up picture: its name and the grey level that fills it, 0 to 1.
const WARM_UP: [(&str, f32); 3] = [("black", 0.0), ("white", 1.0), ("grey", 0.5)];

impl OnnxClassifier {
    /// Joins the engine with the manifest; `id` is the file's fingerprint.
    pub(super) fn new(engine: Box<dyn Engine>, manifest: Manifest, id: String, file_bytes: u64) -> Self {
        let info = ModelInfo {
            name: manifest.name,
            id,
            threshold: manifest.threshold,
            unsure: manifest.unsure,
            parameters: manifest.parameters,
            trained_on: manifest.training.data,
            multiply_adds: engine.multiply_adds(),
            file_bytes,
            load: Duration::ZERO,
            warm_up: Duration::ZERO,
        };
        Self { engine, answer: Answer::new(&manifest.output), input: manifest.input, info }
    }

    /// Scores plain pictures, so that a broken model is found now and memory is in place; notes the last one's time.
    ///
    /// # Errors
    /// The picture's name and the fault.
    pub(super) fn warm_up(&mut self) -> Result<(), (&'static str, ModelFault)> {
        for (name, level) in WARM_UP {
            let picture = self.input.plain(level);
            let start = SystemClock.now();
            self.score(&picture).map_err(|fault| (name, fault))?;
            self.info.warm_up = SystemClock.now() - start;
        }
        Ok(())
    }

    /// Notes how long loading took.
    pub(super) fn loaded_in(&mut self, span: Duration) {
        self.info.load = span;
    }
}

impl Classifier for OnnxClassifier {
    fn input(&self) -> &Input {
        &self.input
    }

    fn score(&mut self, tensor: &[f32]) -> Result<Score, ModelFault> {
        let (expected, found) = (self.input.len(), tensor.len());
        if found != expected {
            return Err(ModelFault::WrongInput { expected, found });
        }
        if let Some(&value) = tensor.iter().find(|value| !value.is_finite()) {
            return Err(ModelFault::BadInput(value));
        }
        let (engine, answer) = (&mut self.engine, self.answer);
        let outcome = contain(|| engine.answer(tensor, |numbers, raw| answer.score(numbers, raw)));
        match outcome {
            Ok(Ok(score)) => score,
            Ok(Err(problem)) => Err(ModelFault::Engine(problem.to_string())),
            Err(panic) => {
                let again = contain(|| engine.reset());
                match again {
                    Ok(Ok(())) => Err(ModelFault::Panicked(panic)),
                    _ => Err(ModelFault::Panicked(format!("{panic}; the engine did not start again"))),
                }
            }
        }
    }

    fn info(&self) -> &ModelInfo {
        &self.info
    }
}
