//! The figures of a run, as they are printed, written by `--summary` and sent over MQTT.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::latency::{Latency, Percentiles};
use crate::decide::{Outcome, PartRecord, Troubles};
use crate::verdict::{Truth, Verdict};

/// The figures of a run. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Parts that left the line.
    pub parts: u64,
    /// Parts with the verdict OK.
    pub ok: u64,
    /// Parts with the verdict REJECT.
    pub rejected: u64,
    /// Rejected parts by reason; every reason that occurred.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Defective parts that passed; null where no part's truth is known.
    pub escapes: Option<u64>,
    /// Good parts that were rejected; null where no part's truth is known.
    pub false_rejects: Option<u64>,
    /// Parts that left the line, by the way they left.
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// Parts that were between sensor and gate when the run ended; not among `parts`.
    pub unresolved: u64,
    /// Where the frames went.
    pub frames: FrameFigures,
    /// How long things took, in milliseconds.
    pub latency_ms: LatencyFigures,
    /// What went wrong without costing a part its number.
    pub troubles: Troubles,
    /// Events that reached no listener; their parts are missing from the figures above.
    pub lost_events: u64,
    /// Memory of the process in MiB at the end.
    pub resident_mib: f64,
    /// Length of the run in seconds.
    pub seconds: f64,
}

/// Where the frames went: `captured` is the sum of `inspected` and `dropped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct FrameFigures {
    /// Frames that the camera delivered.
    pub captured: u64,
    /// Frames that were looked at.
    pub inspected: u64,
    /// Frames that were not looked at.
    pub dropped: u64,
    /// Pictures that the camera could not deliver as frames.
    pub unusable: u64,
    /// Pictures that the camera took and nobody got: its driver had no room for them.
    pub missed: u64,
    /// Frames a second that the camera gave lately, repeated ones left out; null until it was measured.
    pub rate: Option<f64>,
    /// Frames a second that it promised; null where it promises none.
    pub promised_rate: Option<f64>,
}

/// How long things took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct LatencyFigures {
    /// Preparing a frame.
    pub preprocess: Percentiles,
    /// The model, for all parts of a frame.
    pub infer: Percentiles,
    /// Deciding, for a frame.
    pub decide: Percentiles,
    /// From the capture of the frame that decided a part to the gate's knowing it.
    pub frame_to_gate: Percentiles,
    /// How much later than it should the gate was commanded.
    pub gate: Percentiles,
}

/// Adds up a run.
#[derive(Debug, Default)]
pub struct Tally {
    summary: Summary,
    preprocess: Latency,
    infer: Latency,
    decide: Latency,
    frame_to_gate: Latency,
    gate: Latency,
}

impl Tally {
    /// A frame was judged; the time it took in each stage.
    pub fn frame(&mut self, preprocess: Duration, infer: Duration, decide: Duration) {
        self.preprocess.record(preprocess);
        self.infer.record(infer);
        self.decide.record(decide);
    }

    /// A verdict reached the gate.
    pub fn settled(&mut self, frame_to_gate: Duration) {
        self.frame_to_gate.record(frame_to_gate);
    }

    /// The gate was commanded so late.
    pub fn acted(&mut self, late: Duration) {
        self.gate.record(late);
    }

    /// A part has left the line.
    pub fn part(&mut self, record: &PartRecord) {
        let figures = &mut self.summary;
        *figures.by_outcome.entry(record.outcome.name()).or_default() += 1;
        if record.outcome == Outcome::UnresolvedAtStop {
            figures.unresolved += 1;
            return;
        }
        figures.parts += 1;
        match record.verdict {
            Verdict::Ok => figures.ok += 1,
            Verdict::Reject(reason) => {
                figures.rejected += 1;
                *figures.rejected_by_reason.entry(reason.name()).or_default() += 1;
            }
        }
        if let Some(truth) = record.truth {
            let left_on_belt = matches!(record.outcome, Outcome::Passed | Outcome::Escaped);
            *figures.escapes.get_or_insert(0) += u64::from(truth == Truth::Defect && left_on_belt);
            *figures.false_rejects.get_or_insert(0) += u64::from(truth == Truth::Ok && !left_on_belt);
        }
    }

    /// Parts that left the line so far.
    pub fn parts(&self) -> u64 {
        self.summary.parts
    }

    /// The figures so far; `frames`, `troubles`, `lost_events`, `resident_mib` and `seconds` are the caller's to fill in.
    pub fn summary(&self) -> Summary {
        let latency_ms = LatencyFigures {
            preprocess: self.preprocess.percentiles(),
            infer: self.infer.percentiles(),
            decide: self.decide.percentiles(),
            frame_to_gate: self.frame_to_gate.percentiles(),
            gate: self.gate.percentiles(),
        };
        Summary { latency_ms, ..self.summary.clone() }
    }
}
