//! The capture stage: asks the camera for frames and numbers them.

use std::sync::Arc;

use super::counters::Counters;
use crate::camera::rate::RateWatch;
use crate::camera::{CameraError, Captured, FrameSource};
use crate::clock::Time;
use crate::frame::{Frame, FrameId, Prints, print};

/// Owns the camera.
pub(super) struct CaptureStage {
    camera: Box<dyn FrameSource>,
    counters: Arc<Counters>,
    /// Prints of the last pictures. Taken here, where every picture comes by: of those that are dropped later, too.
    prints: Prints,
    rate: Option<RateWatch>,
    /// When the last frame was captured.
    last: Option<Time>,
}

/// Of so many pictures in a row that reached nobody each is told.
const MOST_MISSED: u32 = 64;

impl CaptureStage {
    pub(super) fn new(
        camera: Box<dyn FrameSource>,
        counters: Arc<Counters>,
        rate: Option<RateWatch>,
    ) -> Self {
        Self { camera, counters, prints: Prints::default(), rate, last: None }
    }

    /// When the next frame will be captured, where that is known.
    pub(super) fn due(&self) -> Option<Time> {
        self.camera.due()
    }

    /// Whether frames wait for the line instead of being dropped.
    pub(super) fn waits(&self) -> bool {
        self.camera.waits()
    }

    /// Frames a second that the camera promises, where it promises any.
    pub(super) fn promised(&self) -> Option<f64> {
        self.rate.as_ref().map(RateWatch::promised)
    }

    /// Whether the next picture is to be asked for: a source that waits gives none while the ledger has no room for it, so that no part is
    /// rejected for want of room.
    pub(super) fn has_room(&self) -> bool {
        !self.waits() || self.counters.has_room()
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
                frame.repeated = self.prints.repeats(print(&frame.pixels));
            }
            Captured::Unusable { .. } | Captured::Damaged { .. } => self.counters.unusable(),
            Captured::Nothing | Captured::End => {}
        }
        Ok(captured)
    }

    /// Takes note of a frame that has arrived, its moments filled in. Gives the moments at which pictures that reached nobody will have been
    /// captured: between the frame before and this one.
    pub(super) fn arrived(&mut self, frame: &Frame) -> impl Iterator<Item = Time> + use<> {
        self.counters.miss(frame.missed);
        let last = self.last.replace(frame.captured_at).unwrap_or(frame.captured_at);
        let missed = frame.missed.min(MOST_MISSED);
        let step = frame.captured_at.seconds_since(last) / f64::from(missed + 1);
        self.measure(frame);
        (1..=missed).map(move |nth| last.plus_s(step * f64::from(nth)))
    }

    /// Tells when the camera gives fewer frames than it promised.
    fn measure(&mut self, frame: &Frame) {
        let Some(rate) = &mut self.rate else { return };
        // One that is there twice is no second look; a file may be.
        if frame.repeated && frame.origin.is_none() {
            return;
        }
        let told = rate.frame(frame.received_at, self.camera.agreed());
        self.counters.set_rate(rate.measured(), rate.promised());
        if let Some(told) = told {
            log::log!(if told.slow { log::Level::Warn } else { log::Level::Info }, "{}", told.text);
        }
    }
}
