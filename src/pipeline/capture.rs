//! The capture stage: asks the camera for frames and numbers them.

use std::sync::Arc;

use super::counters::Counters;
use crate::camera::{CameraError, Captured, FrameSource};
use crate::clock::Time;
use crate::frame::{Frame, FrameId};

/// Owns the camera.
pub(super) struct CaptureStage {
    camera: Box<dyn FrameSource>,
    counters: Arc<Counters>,
}

impl CaptureStage {
    pub(super) fn new(camera: Box<dyn FrameSource>, counters: Arc<Counters>) -> Self {
        Self { camera, counters }
    }

    /// When the next frame will be captured, where that is known.
    pub(super) fn due(&self) -> Option<Time> {
        self.camera.due()
    }

    /// Whether frames wait for the line instead of being dropped.
    pub(super) fn waits(&self) -> bool {
        self.camera.waits()
    }

    /// Fills `frame`; it is numbered and counted when the answer is [`Captured::Frame`].
    pub(super) fn step(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        let captured = self.camera.next(now, frame)?;
        match &captured {
            Captured::Frame => frame.id = FrameId(self.counters.capture()),
            Captured::Unusable { .. } => self.counters.unusable(),
            Captured::End => {}
        }
        Ok(captured)
    }
}
