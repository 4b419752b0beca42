//! The capture stage: asks the camera for frames and numbers them.

use std::sync::Arc;

use super::counters::Counters;
use crate::camera::{CameraError, Captured, FrameSource};
use crate::clock::Time;
use crate::frame::{Frame, FrameId, print};

/// Owns the camera.
pub(super) struct CaptureStage {
    camera: Box<dyn FrameSource>,
    counters: Arc<Counters>,
    /// Print of the last picture. Taken here, where every picture comes by: of those that are dropped later, too.
    print: Option<u64>,
}

impl CaptureStage {
    pub(super) fn new(camera: Box<dyn FrameSource>, counters: Arc<Counters>) -> Self {
        Self { camera, counters, print: None }
    }

    /// When the next frame will be captured, where that is known.
    pub(super) fn due(&self) -> Option<Time> {
        self.camera.due()
    }

    /// Whether frames wait for the line instead of being dropped.
    pub(super) fn waits(&self) -> bool {
        self.camera.waits()
    }

    /// Whether the camera dates the arrival of frames.
    pub(super) fn dates_arrival(&self) -> bool {
        self.camera.dates_arrival()
    }

    /// Fills `frame`; it is numbered and counted when the answer is [`Captured::Frame`].
    pub(super) fn step(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        let captured = self.camera.next(now, frame)?;
        match &captured {
            Captured::Frame => {
                frame.id = FrameId(self.counters.capture());
                let print = print(&frame.pixels);
                frame.repeated = self.print.replace(print) == Some(print);
            }
            Captured::Unusable { .. } => self.counters.unusable(),
            Captured::Nothing | Captured::End => {}
        }
        Ok(captured)
    }
}
