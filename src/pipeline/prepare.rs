//! The preprocess stage: from a frame to the pictures of the parts in it.

use std::time::Duration;

use crate::frame::Frame;
use crate::vision::{Inspection, Preprocessor};

/// An inspection on its way through the stages, with what it has cost so far.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// What is in the frame.
    pub seen: Inspection,
    /// Time in the preprocess stage.
    pub preprocess: Duration,
    /// Time in the infer stage.
    pub infer: Duration,
}

/// Owns the preprocessor.
pub(super) struct PrepareStage {
    preprocessor: Preprocessor,
}

impl PrepareStage {
    pub(super) fn new(preprocessor: Preprocessor) -> Self {
        Self { preprocessor }
    }

    /// Fills `job` from `frame`.
    pub(super) fn step(&mut self, frame: &Frame, job: &mut Job) {
        self.preprocessor.apply(frame, &mut job.seen);
    }
}
