//! The history of one part: what happened to it, as one value that can be printed, stored and sent.

use std::sync::Arc;

use super::states::State;
use crate::clock::Time;
use crate::frame::FrameId;
use crate::verdict::{PartNumber, Reason, Score, Truth, Verdict};

/// How a part left the line. Every part ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Cleared in time; the gate let it pass.
    Passed,
    /// Removed, and the confirm sensor proved it.
    RejectedConfirmed,
    /// The gate was in reject for it; nothing proved that it left.
    RejectedUnconfirmed,
    /// It was to be removed and the gate did not act for it, or it was seen passing.
    Escaped,
    /// Still between sensor and gate when the run ended.
    UnresolvedAtStop,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 5] = [
        Outcome::Passed,
        Outcome::RejectedConfirmed,
        Outcome::RejectedUnconfirmed,
        Outcome::Escaped,
        Outcome::UnresolvedAtStop,
    ];

    /// The stable name: part of the wire format.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::RejectedConfirmed => "rejected_confirmed",
            Outcome::RejectedUnconfirmed => "rejected_unconfirmed",
            Outcome::Escaped => "escaped",
            Outcome::UnresolvedAtStop => "unresolved_at_stop",
        }
    }
}

/// What announced a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Announced {
    /// The part-present sensor.
    Sensor,
    /// The camera, where it is the trigger.
    Vision,
    /// A command.
    Software,
    /// A frame that is a part of its own.
    Frame,
    /// Nothing: the camera saw it, and its trigger never came.
    Nothing,
}

impl Announced {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Announced::Sensor => "sensor",
            Announced::Vision => "vision",
            Announced::Software => "software",
            Announced::Frame => "every_frame",
            Announced::Nothing => "nothing",
        }
    }
}

/// Which gate removes a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum GateId {
    /// The gate that removes everything that is not cleared.
    #[default]
    Main,
    /// The second gate, for parts of which the model is unsure.
    Second,
}

impl GateId {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            GateId::Main => "gate",
            GateId::Second => "second_gate",
        }
    }
}

/// What one frame said of a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The frame.
    pub frame: FrameId,
    /// When it was captured.
    pub captured_at: Time,
    /// When its score reached the ledger.
    pub judged_at: Time,
    /// Where the part's middle was, in millimetres from position 0.
    pub centre_mm: f64,
    /// How far from there the belt's position had it.
    pub off_mm: f64,
    /// Mean second difference along the rows of the model's input, in grey levels.
    pub sharpness: f32,
    /// The score, or `None` when the model or the picture was at fault.
    pub score: Option<Score>,
}

/// Everything about one part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartRecord {
    /// Its number.
    pub number: PartNumber,
    /// What announced it.
    pub announced: Announced,
    /// When its leading edge was at position 0.
    pub triggered_at: Time,
    /// How long the sensor says it is, in millimetres, if it says so.
    pub length_mm: Option<f64>,
    /// The last frame that counted, if one did.
    pub last_look: Option<Look>,
    /// The first frames that counted, at most [`super::MAX_LOOKS`].
    pub views: Vec<Look>,
    /// Number of frames that counted.
    pub looks: u32,
    /// The score that decided, if one did.
    pub score: Option<Score>,
    /// The verdict.
    pub verdict: Verdict,
    /// When the verdict was final.
    pub decided_at: Time,
    /// When the verdict had to be final.
    pub deadline: Time,
    /// When the gate was to be in reject for it: from, until.
    pub window: (Time, Time),
    /// Which gate.
    pub gate: GateId,
    /// By how much the uncertainty of its position widened that window at its beginning, in millimetres.
    pub wider_mm: f64,
    /// When the confirm sensor saw it.
    pub confirmed_at: Option<Time>,
    /// Whether there may be nothing, as healthy frames showed or an edge on a belt at rest suggests: then nothing is to be confirmed.
    pub empty: bool,
    /// Every state it was in, and from when.
    pub states: Vec<(Time, State)>,
    /// How it left.
    pub outcome: Outcome,
    /// Fingerprint of the configuration that it was judged by.
    pub config: Arc<str>,
    /// Name of the file that showed it, for pictures from a folder.
    pub name: Option<String>,
    /// What it truly is, where known.
    pub truth: Option<Truth>,
}

impl PartRecord {
    /// A part of which nothing is known but its trigger: rejected as unseen, still on the belt.
    pub fn opened(number: PartNumber, at: Time) -> Self {
        Self {
            number,
            announced: Announced::Sensor,
            triggered_at: at,
            length_mm: None,
            last_look: None,
            views: Vec::new(),
            looks: 0,
            score: None,
            verdict: Verdict::Reject(Reason::NoFrame),
            decided_at: at,
            deadline: at,
            window: (at, at),
            gate: GateId::Main,
            wider_mm: 0.0,
            confirmed_at: None,
            empty: false,
            states: vec![(at, State::Open)],
            outcome: Outcome::UnresolvedAtStop,
            config: "".into(),
            name: None,
            truth: None,
        }
    }
}
