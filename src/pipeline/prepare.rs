//! The preprocess stage: from a frame to the pictures of the parts in it.

use std::time::Duration;

use crate::clock::Time;
use crate::frame::Frame;
use crate::vision::{Inspection, Preprocessor, Unhealthy};

/// Bad pictures are told at most so often.
const TELL_EVERY: Duration = Duration::from_secs(10);

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
    /// Bad pictures in a row, whether that was told, and when any were told last.
    bad: u64,
    spell_told: bool,
    told: Option<Time>,
}

impl PrepareStage {
    pub(super) fn new(preprocessor: Preprocessor) -> Self {
        Self { preprocessor, bad: 0, spell_told: false, told: None }
    }

    /// Fills `job` from `frame`.
    pub(super) fn step(&mut self, frame: &Frame, job: &mut Job) {
        self.preprocessor.apply(frame, &mut job.seen);
        self.tell(frame);
    }

    /// Says when nothing can be seen in the pictures, and when something can be again. That a camera repeats itself its own watch tells.
    fn tell(&mut self, frame: &Frame) {
        match self.preprocessor.trouble() {
            Some(Unhealthy::Repeated | Unhealthy::AfterSpell) => {}
            Some(why) => {
                self.bad += 1;
                if self.told.is_none_or(|told| frame.captured_at - told >= TELL_EVERY) {
                    (self.told, self.spell_told) = (Some(frame.captured_at), true);
                    let name = frame.origin.as_ref().map_or("a picture of the camera", |origin| &origin.name);
                    log::warn!("{name} cannot be judged: {why}; what it should show is rejected");
                }
            }
            None => {
                // One or two are over before anybody has read of them.
                if self.spell_told && self.bad > 2 {
                    log::info!("pictures can be judged again after {} that could not", self.bad);
                }
                (self.bad, self.spell_told) = (0, false);
            }
        }
    }
}
