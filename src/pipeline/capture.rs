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

/// A number that differs for pictures that differ, for all practical purposes: a multiply-rotate hash of 8 bytes at a time.
fn print(pixels: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    let mut words = pixels.chunks_exact(8);
    let hash = words
        .by_ref()
        .fold(pixels.len() as u64, |hash, word| mix(hash, word.try_into().map_or(0, u64::from_le_bytes)));
    words.remainder().iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}
