//! Signs of life of the stages: whether each waits, or since when it has been at one piece of work.
//!
//! Written by the stages, read by whoever watches them. A stage that waits for work waits rightly, however long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Time;

/// The stages with a thread of their own, in the order in which a part meets them.
pub(super) const STAGES: [&str; 7] = ["capture", "sensor", "preprocess", "infer", "decide", "gate", "report"];

/// A stage that waits.
const WAITING: u64 = u64::MAX;

/// Signs of life of one run, shared by its stages and their watcher.
#[derive(Debug, Clone)]
pub struct Vitals(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// For each stage when it began its present work, in nanoseconds.
    since: [AtomicU64; STAGES.len()],
    /// Frames that went through all stages.
    judged: AtomicU64,
    /// Bits of the rate that the camera promises in frames a second; 0 where it promises none.
    promised: AtomicU64,
}

impl Default for Vitals {
    fn default() -> Self {
        let since = [const { AtomicU64::new(WAITING) }; STAGES.len()];
        Self(Arc::new(Shared { since, judged: AtomicU64::new(0), promised: AtomicU64::new(0) }))
    }
}

impl Vitals {
    /// The stage that has been at one piece of work for longer than `limit`, and for how long: it hangs.
    pub fn hanging(&self, now: Time, limit: Duration) -> Option<(&'static str, Duration)> {
        let at = |stage: usize| {
            let since = self.0.since[stage].load(Ordering::Relaxed);
            let span = (since != WAITING).then(|| now - Time::from_nanos(since))?;
            (span > limit).then_some((STAGES[stage], span))
        };
        // The one that has hung longest is the cause; others wait for it.
        (0..STAGES.len()).filter_map(at).max_by_key(|(_, span)| *span)
    }

    /// Frames that went through all stages so far.
    pub fn judged(&self) -> u64 {
        self.0.judged.load(Ordering::Relaxed)
    }

    /// The rate that the camera promises in frames a second, where it promises one.
    pub fn promised(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.promised.load(Ordering::Relaxed))).filter(|rate| *rate > 0.0)
    }

    /// The camera promises this rate.
    pub(super) fn promise(&self, rate: Option<f64>) {
        self.0.promised.store(rate.unwrap_or(0.0).to_bits(), Ordering::Relaxed);
    }

    /// A frame went through all stages.
    pub(super) fn judge(&self) {
        self.0.judged.fetch_add(1, Ordering::Relaxed);
    }

    /// The sign of life of one stage.
    pub(super) fn of(&self, stage: &str) -> Vital {
        let index = STAGES.iter().position(|name| *name == stage).unwrap_or(STAGES.len() - 1);
        Vital { shared: self.0.clone(), index }
    }
}

/// The sign of life of one stage, written by its thread alone.
#[derive(Debug)]
pub(super) struct Vital {
    shared: Arc<Shared>,
    index: usize,
}

impl Vital {
    /// Work begins now.
    pub(super) fn works(&self, now: Time) {
        self.shared.since[self.index].store(now.as_nanos(), Ordering::Relaxed);
    }

    /// The stage waits for work.
    pub(super) fn waits(&self) {
        self.shared.since[self.index].store(WAITING, Ordering::Relaxed);
    }
}

impl Drop for Vital {
    /// A stage that has ended does not hang.
    fn drop(&mut self) {
        self.waits();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_takes_too_long_is_a_hang_and_waiting_is_none() {
        let (vitals, limit) = (Vitals::default(), Duration::from_secs(2));
        let at = |s: f64| Time::ZERO.plus_s(s);
        let (infer, decide) = (vitals.of("infer"), vitals.of("decide"));
        assert_eq!(vitals.hanging(at(100.0), limit), None);
        infer.works(at(10.0));
        decide.works(at(11.0));
        assert_eq!(vitals.hanging(at(12.0), limit), None);
        assert_eq!(vitals.hanging(at(14.0), limit), Some(("infer", Duration::from_secs(4))));
        infer.waits();
        assert_eq!(vitals.hanging(at(14.0), limit), Some(("decide", Duration::from_secs(3))));
        drop(decide);
        assert_eq!(vitals.hanging(at(99.0), limit), None);
    }
}
