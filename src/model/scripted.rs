//! A model for tests: it answers what it was told to, without looking at the picture unless asked to.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::manifest::Input;
use crate::verdict::Score;

use super::{Classifier, ModelFault, ModelInfo};

type Rule = Box<dyn FnMut(&[f32]) -> Result<Score, ModelFault> + Send>;

/// A classifier with given answers.
pub struct Scripted {
    input: Input,
    info: ModelInfo,
    rule: Rule,
}

impl Scripted {
    /// Answers with what `rule` makes of the input.
    pub fn new(input: Input, rule: impl FnMut(&[f32]) -> Result<Score, ModelFault> + Send + 'static) -> Self {
        let info = ModelInfo {
            name: "scripted".to_owned(),
            id: "000000000000".to_owned(),
            threshold: 0.5,
            unsure: 0.0,
            parameters: 0,
            trained_on: String::new(),
            multiply_adds: 0,
            file_bytes: 0,
            load: Duration::ZERO,
            warm_up: Duration::ZERO,
        };
        Self { input, info, rule: Box::new(rule) }
    }

    /// Gives `answers` one after the other, and the last of them from then on.
    pub fn answers(input: Input, answers: impl IntoIterator<Item = Result<Score, ModelFault>>) -> Self {
        let mut left: VecDeque<_> = answers.into_iter().collect();
        let mut last = Err(ModelFault::Engine("no answer was scripted".to_owned()));
        Self::new(input, move |_| {
            last = left.pop_front().unwrap_or_else(|| last.clone());
            last.clone()
        })
    }

    /// The same with another threshold and unsure band.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f32, unsure: f32) -> Self {
        self.info.threshold = threshold;
        self.info.unsure = unsure;
        self
    }
}

impl Classifier for Scripted {
    fn input(&self) -> &Input {
        &self.input
    }

    fn score(&mut self, tensor: &[f32]) -> Result<Score, ModelFault> {
        let (expected, found) = (self.input.len(), tensor.len());
        if found != expected {
            return Err(ModelFault::WrongInput { expected, found });
        }
        (self.rule)(tensor)
    }

    fn info(&self) -> &ModelInfo {
        &self.info
    }
}
