//! The wire format: what a message says, as types of its own, so that no change inside changes what others read.
//!
//! Owns names and shapes of the JSON; `docs/mqtt.md` promises them: keys are added, never renamed, removed or given
//! another meaning. Must not know how or to whom messages are sent.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::{Time, WallClock};
use crate::decide::PartRecord;
use crate::verdict::{Truth, Verdict};

/// What every message says of its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Version of castgate.
    pub version: String,
    /// Name of the line.
    pub line: String,
    /// Name and fingerprint of the model.
    pub model: String,
    /// Fingerprint of the configuration.
    pub config: String,
}

/// State of the line as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The line judges parts.
    Online,
    /// The line runs and rejects every part, because a device is at fault.
    Fault,
    /// The line does not run.
    Offline,
}

/// The `status` message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The state.
    pub state: State,
    /// The sender.
    #[serde(flatten)]
    pub identity: Identity,
    /// When the state began, RFC 3339; `None` in the last will, because the broker cannot know.
    pub since: Option<String>,
}

/// The `part` message: one part, once, when it left the line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Name of the line.
    pub line: String,
    /// Number of the part.
    pub part: u64,
    /// When its trigger was, RFC 3339.
    pub triggered_at: String,
    /// `ok` or `reject`.
    pub verdict: &'static str,
    /// Why it was rejected: a name of [`crate::verdict::Reason`].
    pub reason: Option<&'static str>,
    /// The score that decided, 0 to 1.
    pub score: Option<f32>,
    /// Name and fingerprint of the model.
    pub model: String,
    /// Fingerprint of the configuration that it was judged by.
    pub config: String,
    /// From the capture of the last frame that counted to its score in the ledger, in milliseconds.
    pub latency_ms: Option<f64>,
    /// How it left the line: a name of [`crate::decide::Outcome`].
    pub outcome: &'static str,
    /// Number of frames that counted.
    pub frames: u32,
    /// File that showed it, for pictures from a folder.
    pub name: Option<String>,
    /// `ok` or `defect`, where known.
    pub truth: Option<Truth>,
}

impl Part {
    /// The message about one part.
    pub fn new(record: &PartRecord, identity: &Identity, wall: WallClock) -> Self {
        let latency = record.last_look.map(|look| look.judged_at.seconds_since(look.captured_at) * 1000.0);
        Self {
            line: identity.line.clone(),
            part: record.number.0,
            triggered_at: wall.rfc3339(record.triggered_at),
            verdict: match record.verdict {
                Verdict::Ok => "ok",
                Verdict::Reject(_) => "reject",
            },
            reason: record.verdict.reason().map(|reason| reason.name()),
            score: record.score.map(|score| score.get()),
            model: identity.model.clone(),
            config: match &*record.config {
                // Rules that were made by hand have no fingerprint.
                "" => identity.config.clone(),
                judged_by => judged_by.to_owned(),
            },
            latency_ms: latency.map(|ms| (ms * 1000.0).round() / 1000.0),
            outcome: record.outcome.name(),
            frames: record.looks,
            name: record.name.clone(),
            truth: record.truth,
        }
    }
}

/// Counts of parts and frames over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Parts that left the line.
    pub parts: u64,
    /// Of these, the ones that were cleared.
    pub ok: u64,
    /// Of these, the ones that were rejected.
    pub rejected: u64,
    /// Rejected parts by reason; a reason that did not occur is absent.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Parts by outcome; an outcome that did not occur is absent.
    pub by_outcome: BTreeMap<&'static str, u64>,
    /// Defective parts that passed; `None` where no truth is known.
    pub escapes: Option<u64>,
    /// Good parts that were rejected; `None` where no truth is known.
    pub false_rejects: Option<u64>,
    /// Frames.
    pub frames: Frames,
}

/// Counts of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Frames {
    /// Taken by the camera.
    pub captured: u64,
    /// Judged by the model.
    pub inspected: u64,
    /// Dropped before that, for want of time or memory.
    pub dropped: u64,
}

/// The `summary` message.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The sender.
    #[serde(flatten)]
    pub identity: Identity,
    /// When it was made, RFC 3339.
    pub at: String,
    /// When the run began, RFC 3339.
    pub since: String,
    /// Length of `interval` in seconds.
    pub interval_s: f64,
    /// Counts since the summary before.
    pub interval: Counts,
    /// Counts since the run began.
    pub total: Counts,
    /// Messages that no broker will see, because the queue was full, since the run began.
    pub messages_dropped: u64,
}

/// The text of a `part` message, which is the same whenever it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Number of the part.
    pub part: u64,
    /// The message as JSON.
    pub text: String,
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// The state of the line and when it began; the newest one counts.
    Status(State, Time),
    /// The fingerprint of the configuration that is in force from now on; the status says it.
    Config(String),
    /// One part. Boxed because it is much larger than the others.
    Part(Box<Part>),
    /// Parts whose text is kept elsewhere until it is settled, see [`super::open_for_line`].
    Kept(Vec<Kept>),
    /// Counts, each minute.
    Summary(Box<Summary>),
}

/// The JSON text of a message.
pub fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).expect("messages are plain data with text keys")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Look, Outcome};
    use crate::frame::FrameId;
    use crate::verdict::{PartNumber, Reason, Score};

    fn identity() -> Identity {
        Identity {
            version: "0.1.0".to_owned(),
            line: "casting-3".to_owned(),
            model: "casting@1a2b3c4d5e6f".to_owned(),
            config: "9f8e7d6c5b4a".to_owned(),
        }
    }

    const WALL: WallClock = WallClock { mono: Time::ZERO, wall_ms: 1_767_247_200_000 };

    fn record() -> PartRecord {
        let at = |seconds: f64| Time::ZERO.plus_s(seconds);
        PartRecord {
            last_look: Some(Look {
                frame: FrameId(40),
                captured_at: at(1.5),
                judged_at: at(1.512_345_6),
                centre_mm: 250.0,
                off_mm: 0.5,
                sharpness: 4.0,
                score: Score::new(0.9731),
            }),
            looks: 3,
            score: Score::new(0.9731),
            verdict: Verdict::Reject(Reason::Defect),
            decided_at: at(1.9),
            window: (at(2.0), at(2.2)),
            outcome: Outcome::RejectedConfirmed,
            ..PartRecord::opened(PartNumber(17), at(1.25))
        }
    }

    #[test]
    fn a_rejected_part_reads_as_documented() {
        assert_eq!(
            json(&Part::new(&record(), &identity(), WALL)),
            r#"{"line":"casting-3","part":17,"triggered_at":"2026-01-01T06:00:01.250Z","verdict":"reject","reason":"defect","score":0.9731,"model":"casting@1a2b3c4d5e6f","config":"9f8e7d6c5b4a","latency_ms":12.346,"outcome":"rejected_confirmed","frames":3,"name":null,"truth":null}"#
        );
    }

    #[test]
    fn a_good_part_of_known_truth_reads_as_documented() {
        let record = PartRecord {
            verdict: Verdict::Ok,
            outcome: Outcome::Passed,
            name: Some("cast_ok_0_\"1\".jpeg".to_owned()),
            truth: Some(Truth::Ok),
            ..record()
        };
        let text = json(&Part::new(&record, &identity(), WALL));
        assert!(text.contains(r#""verdict":"ok","reason":null,"#), "{text}");
        assert!(
            text.ends_with(r#""outcome":"passed","frames":3,"name":"cast_ok_0_\"1\".jpeg","truth":"ok"}"#),
            "{text}"
        );
    }

    #[test]
    fn a_part_that_no_frame_showed_has_no_score_and_no_latency() {
        let record = PartRecord {
            last_look: None,
            score: None,
            verdict: Verdict::Reject(Reason::NoFrame),
            ..record()
        };
        let text = json(&Part::new(&record, &identity(), WALL));
        assert!(
            text.contains(r#""reason":"no_frame","score":null,"#) && text.contains(r#""latency_ms":null"#),
            "{text}"
        );
    }

    #[test]
    fn a_status_reads_as_documented() {
        let mut status =
            Status { state: State::Online, identity: identity(), since: Some(WALL.rfc3339(Time::ZERO)) };
        assert_eq!(
            json(&status),
            r#"{"state":"online","version":"0.1.0","line":"casting-3","model":"casting@1a2b3c4d5e6f","config":"9f8e7d6c5b4a","since":"2026-01-01T06:00:00.000Z"}"#
        );
        status = Status { state: State::Offline, since: None, ..status };
        assert!(
            json(&status).starts_with(r#"{"state":"offline","#)
                && json(&status).ends_with(r#""since":null}"#)
        );
    }

    #[test]
    fn a_summary_reads_as_documented() {
        let counts = Counts {
            parts: 3,
            ok: 2,
            rejected: 1,
            rejected_by_reason: [("late", 1)].into(),
            by_outcome: [("passed", 2), ("rejected_confirmed", 1)].into(),
            escapes: Some(0),
            false_rejects: None,
            frames: Frames { captured: 9, inspected: 8, dropped: 1 },
        };
        let summary = Summary {
            identity: identity(),
            at: WALL.rfc3339(Time::ZERO.plus_s(60.0)),
            since: WALL.rfc3339(Time::ZERO),
            interval_s: 60.0,
            interval: counts,
            total: Counts::default(),
            messages_dropped: 4,
        };
        assert_eq!(
            json(&summary),
            concat!(
                r#"{"version":"0.1.0","line":"casting-3","model":"casting@1a2b3c4d5e6f","config":"9f8e7d6c5b4a","#,
                r#""at":"2026-01-01T06:01:00.000Z","since":"2026-01-01T06:00:00.000Z","interval_s":60.0,"#,
                r#""interval":{"parts":3,"ok":2,"rejected":1,"rejected_by_reason":{"late":1},"#,
                r#""by_outcome":{"passed":2,"rejected_confirmed":1},"escapes":0,"false_rejects":null,"#,
                r#""frames":{"captured":9,"inspected":8,"dropped":1}},"#,
                r#""total":{"parts":0,"ok":0,"rejected":0,"rejected_by_reason":{},"by_outcome":{},"escapes":null,"#,
                r#""false_rejects":null,"frames":{"captured":0,"inspected":0,"dropped":0}},"messages_dropped":4}"#
            )
        );
    }
}
