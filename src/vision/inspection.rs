//! What is in one frame. Must not know how it was found.

use std::sync::Arc;

use crate::clock::Time;
use crate::frame::{FrameId, Origin};
use crate::verdict::{Reason, Score};

/// One part in one frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sighting {
    /// Position of its middle along the belt in millimetres from the sensor; 0 when the whole picture is the part.
    pub centre_mm: f64,
    /// Whether it lies wholly in the picture and has a part's length: only such a part is judged.
    pub whole: bool,
    /// Whether it touches an end of the view: more of it comes in, or has left.
    pub cut: bool,
    /// Its length along the belt in millimetres; 0 when the whole picture is the part.
    pub length_mm: f64,
    /// Sharpness of the model's input: the mean second difference along its rows in grey levels.
    pub sharpness: f32,
    /// How unlike the pictures of training it is, 1 at the limit, where the model knows that.
    pub unlike: Option<f32>,
    /// What the model said of it; `None` until it has been asked, and for parts that are not whole.
    pub answer: Option<Result<Score, Reason>>,
}

/// What is in one frame: the parts, and their pictures as the model wants them.
#[derive(Debug, Clone, Default)]
pub struct Inspection {
    /// The frame.
    pub frame: FrameId,
    /// When it was captured.
    pub captured_at: Time,
    /// When it had arrived.
    pub received_at: Time,
    /// The belt that was looked at, in millimetres from the sensor: from, to. `None` for pictures that show no belt.
    pub shown: Option<(f64, f64)>,
    /// The file it came from, if it did.
    pub origin: Option<Arc<Origin>>,
    /// The parts in it, from left to right.
    pub sightings: Vec<Sighting>,
    /// The model's input for each whole part, one after another in the order of `sightings`.
    pub tensors: Vec<f32>,
    /// Why nothing in the frame can be judged, if so.
    pub unusable: Option<Reason>,
}

impl Inspection {
    /// Forgets everything but the memory.
    pub fn reset(&mut self) {
        (self.shown, self.origin) = (None, None);
        self.sightings.clear();
        self.tensors.clear();
        self.unusable = None;
    }
}
