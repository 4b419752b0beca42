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
    /// The frames that should have shown it were dropped because the line was busy.
    Overload,
    /// A part was seen that no trigger announced.
    NoTrigger,
    /// A trigger announced a part, and healthy frames showed that there is none.
    NoPart,
    /// The belt's position was lost or uncertain while the part was on it.
    Position,
    /// The picture is blurred.
    Blurred,
    /// The picture is unlike anything that the model was trained on.
    Unfamiliar,
    /// It is longer than a part may be, or in pieces.
    OddSize,
    /// It is closer to another part than the least pitch.
    TooClose,
    /// It was judged OK and removed together with a neighbour, or with a stretch of belt that no frame had shown.
    Neighbour,
    /// It lay on the belt when the line started, or when the belt's position was lost.
    UnknownBelt,
    /// A line stop stands.
    LineStop,
    /// Inspection is suspended by the inhibit input.
    Inhibited,
    /// It was judged OK and removed, and nobody had commanded it.
    Uncommanded,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Reason; 22] = [
        Reason::Defect,
        Reason::Unsure,
        Reason::Late,
        Reason::NoFrame,
        Reason::StaleFrame,
        Reason::CameraLost,
        Reason::BadImage,
        Reason::ModelFault,
        Reason::QueueFull,
        Reason::Overload,
        Reason::NoTrigger,
        Reason::NoPart,
        Reason::Position,
        Reason::Blurred,
        Reason::Unfamiliar,
        Reason::OddSize,
        Reason::TooClose,
        Reason::Neighbour,
        Reason::UnknownBelt,
        Reason::LineStop,
        Reason::Inhibited,
        Reason::Uncommanded,
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
            Reason::Overload => "overload",
            Reason::NoTrigger => "no_trigger",
            Reason::NoPart => "no_part",
            Reason::Position => "position",
            Reason::Blurred => "blurred",
            Reason::Unfamiliar => "unfamiliar",
            Reason::OddSize => "odd_size",
            Reason::TooClose => "too_close",
            Reason::Neighbour => "neighbour",
            Reason::UnknownBelt => "unknown_belt",
            Reason::LineStop => "line_stop",
            Reason::Inhibited => "inhibited",
            Reason::Uncommanded => "uncommanded",
        }
    }

    /// The reason with this stable name.
    pub fn named(name: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// One sentence for an operator: what happened, and where to look.
    pub const fn explain(self) -> &'static str {
        match self {
            Reason::Defect => "The model saw a defect: its score reached the threshold.",
            Reason::Unsure => "The model was not sure: the score lies too close to the threshold.",
            Reason::Late => {
                "The part was seen, but the answer did not come before its deadline: the board is too slow for this belt."
            }
            Reason::NoFrame => {
                "No frame, or too few, showed the part whole before its deadline: look at the camera's view and its rate."
            }
            Reason::StaleFrame => {
                "The frames that should show the part were too old or repeated one another: the camera hangs or lags."
            }
            Reason::CameraLost => {
                "The camera delivered nothing while the part was in view: look at its cable and its power."
            }
            Reason::BadImage => "The picture cannot be judged: look at the lens, the light and the exposure.",
            Reason::ModelFault => "The model failed or gave no usable number: nothing was known of the part.",
            Reason::QueueFull => {
                "More parts were between trigger and gate than the ledger holds: see decide.max_parts."
            }
            Reason::Overload => {
                "The frames that should show the part were dropped: the board is too busy for this camera and this model."
            }
            Reason::NoTrigger => "The camera saw the part, but no trigger announced it: look at the sensor.",
            Reason::NoPart => {
                "The trigger announced a part, and healthy frames showed none at its place: look at the sensor."
            }
            Reason::Position => {
                "Where the part was on the belt was not known well enough to let it pass: look at the encoder or the belt's speed."
            }
            Reason::Blurred => "The picture is blurred: look at the focus, the lens and the exposure time.",
            Reason::Unfamiliar => {
                "The picture is unlike anything that the model was trained on: look at light, framing and the part itself."
            }
            Reason::OddSize => {
                "The part is longer than a part may be, or in pieces: two may lie against each other."
            }
            Reason::TooClose => {
                "The part is closer to its neighbour than line.min_pitch: the gate cannot part them."
            }
            Reason::Neighbour => {
                "The part was judged OK, and went with a neighbour or with a stretch of belt that no frame had shown."
            }
            Reason::UnknownBelt => {
                "The part already lay on the belt when the line started or the belt's position was lost, so nobody had followed it."
            }
            Reason::LineStop => "A line stop stood, and until it is reset everything is rejected.",
            Reason::Inhibited => {
                "The inhibit input was on: nothing is inspected, and everything is rejected."
            }
            Reason::Uncommanded => {
                "The part was judged OK, and the confirm sensor saw it removed although nobody had commanded that: look at the gate."
            }
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
        assert!(Reason::ALL.iter().all(|reason| Reason::named(reason.name()) == Some(*reason)));
        assert_eq!(Reason::named("Defect"), None);
    }

    #[test]
    fn every_reason_is_explained_in_one_sentence_of_its_own() {
        let sentences: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|r| r.explain()).collect();
        assert_eq!(sentences.len(), Reason::ALL.len());
        for sentence in sentences {
            assert!(sentence.ends_with('.') && sentence.matches(". ").count() == 0, "{sentence}");
            assert!(sentence.chars().count() <= 130, "{sentence}");
        }
    }
}
