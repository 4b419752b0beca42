//! The history of one part: what happened to it, as one value that can be printed, stored and sent.

use crate::clock::Time;
use crate::frame::FrameId;
use crate::verdict::{PartNumber, Score, Truth, Verdict};

/// How a part left the line. Every part ends in exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Cleared in time; the gate let it pass.
    Passed,
    /// Removed, and the confirm sensor saw it leave.
    RejectedConfirmed,
    /// The gate moved for it; nothing confirmed that it left.
    RejectedUnconfirmed,
    /// It was to be removed and the gate did not move for it.
    Escaped,
    /// Still between sensor and gate when the run ended.
    UnresolvedAtStop,
}

impl Outcome {
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

/// What one frame said of a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// The frame.
    pub frame: FrameId,
    /// When it was captured.
    pub captured_at: Time,
    /// When its score reached the ledger.
    pub judged_at: Time,
    /// The score, or `None` when the model or the picture was at fault.
    pub score: Option<Score>,
}

/// Everything about one part, in time order of its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct PartRecord {
    /// Its number.
    pub number: PartNumber,
    /// When its trigger was.
    pub triggered_at: Time,
    /// The last frame that counted, if one did.
    pub last_look: Option<Look>,
    /// Number of frames that counted.
    pub looks: u32,
    /// The score that decided, if one did.
    pub score: Option<Score>,
    /// The verdict.
    pub verdict: Verdict,
    /// When the verdict was final.
    pub decided_at: Time,
    /// When the gate was to be in reject for it: from, until.
    pub window: (Time, Time),
    /// How it left.
    pub outcome: Outcome,
    /// Name of the file that showed it, for pictures from a folder.
    pub name: Option<String>,
    /// What it truly is, where known.
    pub truth: Option<Truth>,
}
