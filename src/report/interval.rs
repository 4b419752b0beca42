//! From the figures of the whole run to those since the summary before.
//!
//! Pure: the moment is an argument. Must not know who reads the summary.

use super::message::{Counts, Frames, Identity, Summary};
use crate::clock::Time;
use crate::clock::WallClock;
use crate::score::summary;

/// Remembers the counts of the summary before.
#[derive(Debug, Clone)]
pub struct Interval {
    began: Time,
    before: Counts,
    before_at: Time,
}

impl From<&summary::Summary> for Counts {
    fn from(run: &summary::Summary) -> Self {
        Counts {
            parts: run.parts,
            ok: run.ok,
            rejected: run.rejected,
            rejected_by_reason: run.rejected_by_reason.clone(),
            by_outcome: run.by_outcome.clone(),
            escapes: run.escapes,
            false_rejects: run.false_rejects,
            frames: Frames {
                captured: run.frames.captured,
                inspected: run.frames.inspected,
                dropped: run.frames.dropped,
            },
        }
    }
}

type Named = std::collections::BTreeMap<&'static str, u64>;

fn named_since(now: &Named, before: &Named) -> Named {
    let grown = |(name, count): (&&'static str, &u64)| (*name, count - before.get(name).unwrap_or(&0));
    now.iter().map(grown).filter(|(_, count)| *count > 0).collect()
}

/// What was counted between `before` and `now`, both since the beginning of one run.
fn since(now: &Counts, before: &Counts) -> Counts {
    let grown = |now: Option<u64>, before: Option<u64>| now.map(|n| n - before.unwrap_or(0));
    Counts {
        parts: now.parts - before.parts,
        ok: now.ok - before.ok,
        rejected: now.rejected - before.rejected,
        rejected_by_reason: named_since(&now.rejected_by_reason, &before.rejected_by_reason),
        by_outcome: named_since(&now.by_outcome, &before.by_outcome),
        escapes: grown(now.escapes, before.escapes),
        false_rejects: grown(now.false_rejects, before.false_rejects),
        frames: Frames {
            captured: now.frames.captured - before.frames.captured,
            inspected: now.frames.inspected - before.frames.inspected,
            dropped: now.frames.dropped - before.frames.dropped,
        },
    }
}

impl Interval {
    /// For a run that began at `began`.
    pub fn new(began: Time) -> Self {
        Self { began, before: Counts::default(), before_at: began }
    }

    /// The message for the run's figures at `wall.mono`; the next interval begins there. `messages_dropped` comes from the publisher.
    pub fn summary(
        &mut self,
        run: &summary::Summary,
        messages_dropped: u64,
        identity: &Identity,
        wall: WallClock,
    ) -> Summary {
        let total = Counts::from(run);
        let interval = since(&total, &self.before);
        let interval_s = (wall.mono.seconds_since(self.before_at) * 1000.0).round() / 1000.0;
        self.before.clone_from(&total);
        self.before_at = wall.mono;
        Summary {
            identity: identity.clone(),
            at: wall.rfc3339(wall.mono),
            since: wall.rfc3339(self.began),
            interval_s,
            interval,
            total,
            messages_dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_starts_again_and_the_total_goes_on() {
        let [version, line, model, config] = std::array::from_fn(|_| String::new());
        let identity = Identity { version, line, model, config };
        let mut interval = Interval::new(Time::ZERO.plus_s(5.0));
        let wall = |seconds: f64| WallClock { mono: Time::ZERO.plus_s(seconds), wall_ms: 0 };
        let mut run = summary::Summary { parts: 1, ok: 1, ..Default::default() };
        run.frames.captured = 10;
        let first = interval.summary(&run, 0, &identity, wall(65.0));
        assert_eq!((first.interval.parts, first.total.parts, first.interval.escapes), (1, 1, None));
        assert_eq!((first.interval_s, first.interval.frames.captured), (60.0, 10));
        (run.parts, run.ok, run.rejected) = (4, 2, 2);
        run.rejected_by_reason = [("defect", 1), ("late", 1)].into();
        run.escapes = Some(1);
        let second = interval.summary(&run, 2, &identity, wall(125.5));
        assert_eq!((second.interval.parts, second.total.parts), (3, 4));
        assert_eq!((second.interval.ok, second.interval.rejected, second.interval.escapes), (1, 2, Some(1)));
        assert_eq!((second.interval.frames.captured, second.total.frames.captured), (0, 10));
        assert_eq!((second.interval_s, second.messages_dropped), (60.5, 2));
        assert_eq!(interval.summary(&run, 2, &identity, wall(130.0)).interval.rejected_by_reason, [].into());
    }
}
