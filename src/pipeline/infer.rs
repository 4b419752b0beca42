//! The infer stage: asks the model about every whole part of a frame.

use super::prepare::Job;
use crate::model::Classifier;
use crate::verdict::Reason;

/// Owns the model.
pub(super) struct InferStage {
    model: Box<dyn Classifier>,
    /// Faults in a row, so that a broken model is logged once and not with every frame.
    faults: u64,
}

impl InferStage {
    pub(super) fn new(model: Box<dyn Classifier>) -> Self {
        Self { model, faults: 0 }
    }

    /// Fills in the answers.
    pub(super) fn step(&mut self, job: &mut Job) {
        let inputs = job.seen.tensors.chunks_exact(self.model.input().len());
        let whole = job.seen.sightings.iter_mut().filter(|sighting| sighting.whole);
        for (sighting, input) in whole.zip(inputs) {
            // A picture that was found wanting already needs no model.
            if sighting.answer.is_some() {
                continue;
            }
            let answer = self.model.score(input);
            match &answer {
                Ok(_) if self.faults > 0 => {
                    log::info!("the model answers again after {} faults", self.faults);
                    self.faults = 0;
                }
                Ok(_) => {}
                Err(fault) => {
                    self.faults += 1;
                    if self.faults == 1 {
                        log::error!("{fault}; parts are rejected until the model answers again");
                    }
                }
            }
            sighting.answer = Some(answer.map_err(|_| Reason::ModelFault));
        }
    }
}
