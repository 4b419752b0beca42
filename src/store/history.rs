//! What is kept of a part, as types of their own, so that no change inside changes what older files say.
//!
//! Owns names and shapes of the stored JSON; `docs/store.md` promises them: keys are added, never renamed, removed or given another
//! meaning. Must not know files or SQL.

use serde::{Deserialize, Serialize};

use crate::clock::{Time, WallClock};
use crate::decide::{Look, PartRecord};
use crate::verdict::{PartNumber, Truth, Verdict};

/// What parts are judged by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JudgedBy {
    /// Name and fingerprint of the model.
    pub model: String,
    /// Fingerprint of the configuration.
    pub config: String,
}

/// A moment in a part's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    /// By the board's wall clock: RFC 3339 in UTC with milliseconds.
    pub at: String,
    /// Milliseconds from the part's trigger, to the microsecond; negative before it.
    pub ms: f64,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its beginning.
    pub from: Moment,
    /// Its end.
    pub until: Moment,
}

/// What one frame said of a part. Numbers that are none (NaN) are `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Number of the frame within its run.
    pub frame: u64,
    /// When it was captured.
    pub captured: Moment,
    /// When its score reached the ledger.
    pub judged: Moment,
    /// Its age in that moment, in milliseconds.
    pub age_ms: f64,
    /// Where the part's middle was, in millimetres from position 0.
    pub centre_mm: Option<f64>,
    /// How far from there the belt's position had it, in millimetres.
    pub off_mm: Option<f64>,
    /// Mean second difference along the rows of the model's input, in grey levels.
    pub sharpness: Option<f32>,
    /// The score, 0 to 1; `None` when the model or the picture was at fault.
    pub score: Option<f32>,
}

/// A state that a part was in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// A name of [`crate::decide::State`].
    pub state: String,
    /// From when.
    pub since: Moment,
}

/// Everything that was known of a part when it left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Its number.
    pub number: u64,
    /// What announced it: a name of [`crate::decide::Announced`].
    pub announced: String,
    /// When its leading edge was at position 0; `ms` is 0.
    pub triggered: Moment,
    /// How long the sensor says it is, in millimetres, if it says so.
    pub length_mm: Option<f64>,
    /// The first frames that counted, at most [`crate::decide::MAX_LOOKS`].
    pub views: Vec<View>,
    /// The last frame that counted, where it is not the last of `views`.
    pub last_view: Option<View>,
    /// Number of frames that counted.
    pub looks: u32,
    /// The score that decided, 0 to 1, if one did.
    pub score: Option<f32>,
    /// `ok` or `reject`.
    pub verdict: String,
    /// Why it was rejected: a name of [`crate::verdict::Reason`].
    pub reason: Option<String>,
    /// When the verdict was final.
    pub decided: Moment,
    /// When the verdict had to be final; `None` for a part whose way to the gate was never known.
    pub deadline: Option<Moment>,
    /// When its gate was to be in reject for it; `None` as above.
    pub window: Option<Window>,
    /// Which gate: a name of [`crate::decide::GateId`].
    pub gate: String,
    /// By how much the uncertainty of its position widened the window on each side, in millimetres.
    pub wider_mm: Option<f64>,
    /// When the confirm sensor saw it.
    pub confirmed: Option<Moment>,
    /// Every state it was in.
    pub states: Vec<Stay>,
    /// How it left: a name of [`crate::decide::Outcome`].
    pub outcome: String,
    /// Fingerprint of the configuration that it was judged by.
    pub config: String,
    /// Name and fingerprint of the model that judged it.
    pub model: String,
    /// Name of the file that showed it, for pictures from a folder.
    pub name: Option<String>,
    /// What it truly is, where known.
    pub truth: Option<Truth>,
}

/// To three digits behind the point, which reads back as the same number; `None` for what is no number, or none of this world.
fn thousandth(value: f64) -> Option<f64> {
    let rounded = (value * 1000.0).round() / 1000.0;
    (rounded.abs() < 1e12).then_some(rounded)
}

/// Milliseconds from one moment to another, to the microsecond; clamped to some thirty years.
fn millis(at: Time, from: Time) -> f64 {
    let ms = (at.seconds_since(from) * 1000.0).clamp(-1e12, 1e12);
    (ms * 1000.0).round() / 1000.0
}

/// Dates moments of one part.
struct Dating {
    wall: WallClock,
    zero: Time,
}

impl Dating {
    fn moment(&self, at: Time) -> Moment {
        Moment { at: self.wall.rfc3339(at), ms: millis(at, self.zero) }
    }

    fn view(&self, look: &Look) -> View {
        View {
            frame: look.frame.0,
            captured: self.moment(look.captured_at),
            judged: self.moment(look.judged_at),
            age_ms: millis(look.judged_at, look.captured_at),
            centre_mm: thousandth(look.centre_mm),
            off_mm: thousandth(look.off_mm),
            sharpness: look.sharpness.is_finite().then_some(look.sharpness),
            score: look.score.map(|score| score.get()),
        }
    }
}

impl History {
    /// The history of a part, judged by `model`, with its moments dated by `wall`.
    pub fn new(record: &PartRecord, model: &str, wall: WallClock) -> Self {
        let dating = Dating { wall, zero: record.triggered_at };
        // A part that was never placed on the belt has a window of no length at zero, or one at no time.
        let placed = record.window.0 != Time::MAX && record.window != (Time::ZERO, Time::ZERO);
        let last = record.last_look.as_ref().filter(|last| record.views.last() != Some(last));
        Self {
            number: record.number.0,
            announced: record.announced.name().to_owned(),
            triggered: dating.moment(record.triggered_at),
            length_mm: record.length_mm.and_then(thousandth),
            views: record.views.iter().map(|look| dating.view(look)).collect(),
            last_view: last.map(|look| dating.view(look)),
            looks: record.looks,
            score: record.score.map(|score| score.get()),
            verdict: verdict_name(record.verdict).to_owned(),
            reason: record.verdict.reason().map(|reason| reason.name().to_owned()),
            decided: dating.moment(record.decided_at),
            deadline: (record.deadline != Time::MAX).then(|| dating.moment(record.deadline)),
            window: placed.then(|| Window {
                from: dating.moment(record.window.0),
                until: dating.moment(record.window.1),
            }),
            gate: record.gate.name().to_owned(),
            wider_mm: thousandth(record.wider_mm),
            confirmed: record.confirmed_at.map(|at| dating.moment(at)),
            states: record
                .states
                .iter()
                .map(|(at, state)| Stay { state: state.name().to_owned(), since: dating.moment(*at) })
                .collect(),
            outcome: record.outcome.name().to_owned(),
            config: record.config.to_string(),
            model: model.to_owned(),
            name: record.name.clone(),
            truth: record.truth,
        }
    }
}

/// The stable name of a verdict.
pub(super) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Reject(_) => "reject",
    }
}

/// What the store holds of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredPart {
    /// Its number.
    pub number: u64,
    /// When it was opened, in milliseconds since 1970, UTC.
    pub opened_at_ms: i64,
    /// When it left, on the same clock; `None` while it is on the line. For a part that was on the line when the process died: when
    /// that was found.
    pub finished_at_ms: Option<i64>,
    /// How it left: a name of [`crate::decide::Outcome`]; `None` while it is on the line and when its history was lost.
    pub outcome: Option<String>,
    /// `ok` or `reject`; `None` as above.
    pub verdict: Option<String>,
    /// Why it was rejected: a name of [`crate::verdict::Reason`].
    pub reason: Option<String>,
    /// Fingerprint of the configuration.
    pub config: String,
    /// Name and fingerprint of the model.
    pub model: String,
    /// Why there is no history, in words.
    pub remark: Option<String>,
    /// Everything about it; `None` while it is on the line and when its history was lost.
    pub history: Option<History>,
}

/// What kind of thing was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// The line was opened.
    Started,
    /// A line stop began.
    LineStop,
    /// The line stop was reset.
    LineStopReset,
    /// The belt's position was lost.
    PositionLost,
    /// The belt's position is known again.
    PositionKnown,
    /// A fail-safe test ended: `passed` or `failed`.
    Verified,
}

impl NoteKind {
    /// The stable name: what stands in the file.
    pub const fn name(self) -> &'static str {
        match self {
            NoteKind::Started => "started",
            NoteKind::LineStop => "line_stop",
            NoteKind::LineStopReset => "line_stop_reset",
            NoteKind::PositionLost => "position_lost",
            NoteKind::PositionKnown => "position_known",
            NoteKind::Verified => "verified",
        }
    }
}

/// Something that happened to the line and not to one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredNote {
    /// When, in milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// A name of [`NoteKind`].
    pub kind: String,
    /// Why, or which.
    pub detail: String,
}

/// A part that was on the line when the process died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftPart {
    /// Its number.
    pub number: PartNumber,
    /// When it was opened, in milliseconds since 1970, UTC.
    pub opened_at_ms: i64,
    /// What it was to be judged by.
    pub by: JudgedBy,
}

/// A part of which no broker has acknowledged the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// Its number.
    pub number: PartNumber,
    /// The text of the message; `None` for a part that was left behind, of which `left` tells.
    pub message: Option<String>,
    /// What the store holds of the part; `None` when that was removed.
    pub left: Option<LeftPart>,
}

#[cfg(all(test, feature = "store"))]
mod tests;
