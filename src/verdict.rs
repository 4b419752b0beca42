//! What is said of a part: its score, its verdict and the one reason for a reject.
//!
//! Owns the words. Must not know thresholds, timing or wire formats.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of a part; grows by one from part to part and never repeats within a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PartNumber(pub u64);

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The model's probability of DEFECT: 0 to 1, never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
pub struct Score(f32);

impl Score {
    /// `None` for NaN and for anything outside 0..=1: the model is at fault.
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The probability, 0 to 1.
    pub const fn get(self) -> f32 {
        self.0
    }
}

/// What a part truly is, where that is known: in simulation and for labelled pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Truth {
    /// Without a defect.
    Ok,
    /// With a defect.
    Defect,
}

/// Whether a part may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// A timely, healthy OK: the part passes.
    Ok,
    /// The part is removed, for this reason.
    Reject(Reason),
}

impl Verdict {
    /// The reason of a reject.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Verdict::Ok => None,
            Verdict::Reject(reason) => Some(reason),
        }
    }
}

/// Why a part is rejected. [`Reason::name`] is the stable name in logs and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The model's score is over the threshold.
    Defect,
    /// The score lies in the unsure band.
    Unsure,
    /// No verdict before the part's deadline although it was seen.
    Late,
    /// No frame showed the part whole before its deadline.
    NoFrame,
    /// The frames that should show the part are too old or repeat one another.
    StaleFrame,
    /// The camera delivered nothing while the part was in view.
    CameraLost,
    /// The picture cannot be judged.
    BadImage,
    /// The model failed or answered with NaN or with a number outside 0 to 1.
    ModelFault,
    /// More parts in flight than the ledger holds.
    QueueFull,
    /// A part was seen that no trigger announced.
    NoTrigger,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Reason; 10] = [
        Reason::Defect,
        Reason::Unsure,
        Reason::Late,
        Reason::NoFrame,
        Reason::StaleFrame,
        Reason::CameraLost,
        Reason::BadImage,
        Reason::ModelFault,
        Reason::QueueFull,
        Reason::NoTrigger,
    ];

    /// The stable name: part of the wire format.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Defect => "defect",
            Reason::Unsure => "unsure",
            Reason::Late => "late",
            Reason::NoFrame => "no_frame",
            Reason::StaleFrame => "stale_frame",
            Reason::CameraLost => "camera_lost",
            Reason::BadImage => "bad_image",
            Reason::ModelFault => "model_fault",
            Reason::QueueFull => "queue_full",
            Reason::NoTrigger => "no_trigger",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_a_probability_or_nothing() {
        for bad in [f32::NAN, -0.01, 1.01, f32::INFINITY] {
            assert!(Score::new(bad).is_none());
        }
        assert_eq!(Score::new(1.0).unwrap().get(), 1.0);
    }

    #[test]
    fn every_reason_has_its_own_name() {
        let names: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
