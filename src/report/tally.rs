//! Counting for the minute's summary: since the run began, and since the summary before.
//!
//! Pure: `now` is an argument. Must not know who reads the summary.

use std::time::Duration;

use super::message::{Counts, Frames, Identity, Summary};
use super::wall::WallClock;
use crate::clock::Time;
use crate::decide::{Outcome, PartRecord};
use crate::verdict::{Truth, Verdict};

/// Time between two summaries.
pub const INTERVAL: Duration = Duration::from_secs(60);

/// Counts parts and says when a summary is due.
#[derive(Debug, Clone)]
pub struct Tally {
    began: Time,
    interval_began: Time,
    frames_before: Frames,
    interval: Counts,
    total: Counts,
}

fn count(counts: &mut Counts, record: &PartRecord) {
    counts.parts += 1;
    match record.verdict {
        Verdict::Ok => counts.ok += 1,
        Verdict::Reject(reason) => {
            counts.rejected += 1;
            *counts.rejected_by_reason.entry(reason.name()).or_default() += 1;
        }
    }
    *counts.outcomes.entry(record.outcome.name()).or_default() += 1;
    if let Some(truth) = record.truth {
        let passed = matches!(record.outcome, Outcome::Passed | Outcome::Escaped);
        *counts.escapes.get_or_insert(0) += u64::from(truth == Truth::Defect && passed);
        let rejected = matches!(record.verdict, Verdict::Reject(_));
        *counts.false_rejects.get_or_insert(0) += u64::from(truth == Truth::Ok && rejected);
    }
}

impl Tally {
    /// Nothing counted, from `now` on.
    pub fn new(now: Time) -> Self {
        let counts = Counts::default;
        Self {
            began: now,
            interval_began: now,
            frames_before: Frames::default(),
            interval: counts(),
            total: counts(),
        }
    }

    /// Counts one part that left the line.
    pub fn part(&mut self, record: &PartRecord) {
        count(&mut self.interval, record);
        count(&mut self.total, record);
    }

    /// When the next summary is due.
    pub fn due(&self) -> Time {
        self.interval_began + INTERVAL
    }

    /// The summary up to `wall.mono`; the next interval begins there. `frames` counts since the run began, and
    /// `messages_dropped` comes from the publisher.
    pub fn summary(
        &mut self,
        frames: Frames,
        messages_dropped: u64,
        identity: &Identity,
        wall: WallClock,
    ) -> Summary {
        let now = wall.mono;
        let mut interval = std::mem::take(&mut self.interval);
        interval.frames = Frames {
            captured: frames.captured.saturating_sub(self.frames_before.captured),
            inspected: frames.inspected.saturating_sub(self.frames_before.inspected),
            dropped: frames.dropped.saturating_sub(self.frames_before.dropped),
        };
        self.total.frames = frames;
        self.frames_before = frames;
        let interval_s = (now.seconds_since(self.interval_began) * 1000.0).round() / 1000.0;
        self.interval_began = now;
        Summary {
            identity: identity.clone(),
            at: wall.rfc3339(now),
            since: wall.rfc3339(self.began),
            interval_s,
            interval,
            total: self.total.clone(),
            messages_dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{PartNumber, Reason};

    fn record(verdict: Verdict, outcome: Outcome, truth: Option<Truth>) -> PartRecord {
        PartRecord {
            number: PartNumber(1),
            triggered_at: Time::ZERO,
            last_look: None,
            looks: 0,
            score: None,
            verdict,
            decided_at: Time::ZERO,
            window: (Time::ZERO, Time::ZERO),
            outcome,
            name: None,
            truth,
        }
    }

    #[test]
    fn an_interval_starts_again_and_the_total_goes_on() {
        let identity = Identity {
            version: String::new(),
            line: String::new(),
            model: String::new(),
            config: String::new(),
        };
        let mut tally = Tally::new(Time::ZERO.plus_s(5.0));
        assert_eq!(tally.due(), Time::ZERO.plus_s(65.0));
        tally.part(&record(Verdict::Ok, Outcome::Passed, None));
        let wall = |seconds: f64| WallClock { mono: Time::ZERO.plus_s(seconds), wall_ms: 0 };
        let frames = |captured| Frames { captured, inspected: captured - 1, dropped: 1 };
        let first = tally.summary(frames(10), 0, &identity, wall(65.0));
        assert_eq!((first.interval.parts, first.total.parts, first.interval.escapes), (1, 1, None));
        assert_eq!((first.interval_s, first.interval.frames), (60.0, frames(10)));
        assert_eq!(tally.due(), Time::ZERO.plus_s(125.0));

        tally.part(&record(Verdict::Reject(Reason::Late), Outcome::RejectedConfirmed, Some(Truth::Ok)));
        tally.part(&record(Verdict::Reject(Reason::Defect), Outcome::Escaped, Some(Truth::Defect)));
        tally.part(&record(Verdict::Ok, Outcome::Passed, Some(Truth::Defect)));
        let second = tally.summary(frames(15), 2, &identity, wall(125.5));
        assert_eq!((second.interval.parts, second.total.parts), (3, 4));
        assert_eq!((second.interval.ok, second.interval.rejected), (1, 2));
        assert_eq!((second.interval.escapes, second.interval.false_rejects), (Some(2), Some(1)));
        assert_eq!(second.interval.frames, Frames { captured: 5, inspected: 5, dropped: 0 });
        assert_eq!(second.total.rejected_by_reason, [("defect", 1), ("late", 1)].into());
        assert_eq!((second.interval_s, second.messages_dropped), (60.5, 2));
    }
}
