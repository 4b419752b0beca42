//! How far the belt may have run on uncounted. An encoder whose wheel slips counts too little, and while no frame shows a part
//! nothing else tells: what the belt counts less than usual is doubted until the part is seen at its place again.
//!
//! Pure. Without an encoder nothing is doubted here: time does not slip.

use std::collections::VecDeque;

use crate::clock::Time;

/// What is usual is the mean speed over about so many seconds.
const USUAL_OVER_S: f64 = 10.0;
/// A belt's speed may fall by this share of what is usual.
const SLACK: f64 = 0.02;
/// Below this share of the usual speed the belt brakes to a stop, or has just begun to move.
const BRAKING: f64 = 0.25;
/// Most steps that are remembered: at 50 a second five seconds of slowness.
const STEPS: usize = 256;

/// A length of belt that grows by steps, in millimetres since the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps {
    /// The sum after each step, the oldest first.
    steps: VecDeque<(Time, f64)>,
    /// The sum before the first of them.
    before: f64,
}

impl Steps {
    /// So much more from `at` on.
    pub(super) fn add(&mut self, at: Time, mm: f64) {
        let sum = self.sum() + mm;
        if self.steps.len() == STEPS
            && let Some((_, oldest)) = self.steps.pop_front()
        {
            self.before = oldest;
        }
        self.steps.push_back((at, sum));
    }

    /// All of it so far.
    pub(super) fn sum(&self) -> f64 {
        self.steps.back().map_or(self.before, |(_, sum)| *sum)
    }

    /// What it was by then.
    pub(super) fn sum_at(&self, at: Time) -> f64 {
        let next = self.steps.partition_point(|(t, _)| *t <= at);
        next.checked_sub(1).map_or(self.before, |index| self.steps[index].1)
    }
}

/// Belt that may have passed uncounted, summed since the start.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    /// Usual speed in millimetres a second.
    usual: f64,
    steps: Steps,
}

impl Doubt {
    /// Nothing is doubted yet; `speed` is the nominal one.
    pub(super) fn new(speed: f64) -> Self {
        Self { usual: speed, steps: Steps::default() }
    }

    /// From `from` to `to` the encoder counted `speed` mm/s, known to within `blur`. `driven`: unless the drive is known to be off.
    pub(super) fn take(&mut self, (from, to): (Time, Time), speed: f64, blur: f64, driven: bool) {
        let seconds = to.seconds_since(from);
        if !driven || speed < BRAKING * self.usual || seconds <= 0.0 {
            return;
        }
        let missing = (self.usual * (1.0 - SLACK) - blur - speed) * seconds;
        if missing > 0.0 {
            self.steps.add(to, missing);
        }
        self.usual += (speed - self.usual) * (seconds / USUAL_OVER_S).min(1.0);
    }

    /// All that may have passed uncounted so far.
    pub(super) fn sum(&self) -> f64 {
        self.steps.sum()
    }

    /// What had passed uncounted by then.
    pub(super) fn sum_at(&self, at: Time) -> f64 {
        self.steps.sum_at(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    fn run(doubt: &mut Doubt, from: u64, until: u64, speed: f64) {
        for at in (from..until).step_by(20) {
            doubt.take((t(at), t(at + 20)), speed, 2.5, true);
        }
    }

    #[test]
    fn a_slipping_encoder_is_doubted_by_what_it_lacks() {
        let mut doubt = Doubt::new(500.0);
        run(&mut doubt, 0, 1000, 500.0);
        assert_eq!(doubt.sum(), 0.0);
        run(&mut doubt, 1000, 2000, 400.0);
        // 100 mm are missing; slack, blur and what became usual are not counted.
        assert!((80.0..95.0).contains(&doubt.sum()), "{}", doubt.sum());
        assert!((doubt.sum_at(t(1500)) - doubt.sum() / 2.0).abs() < 5.0);
        assert_eq!(doubt.sum_at(t(900)), 0.0);
    }

    #[test]
    fn a_belt_that_stands_or_was_switched_off_or_runs_slower_for_long_is_not_doubted() {
        let mut doubt = Doubt::new(500.0);
        run(&mut doubt, 0, 1000, 60.0);
        doubt.take((t(1000), t(2000)), 300.0, 2.5, false);
        assert_eq!(doubt.sum(), 0.0);
        run(&mut doubt, 2000, 62_000, 400.0);
        let sum = doubt.sum();
        run(&mut doubt, 62_000, 92_000, 400.0);
        assert_eq!(doubt.sum(), sum);
        assert_eq!(
            doubt.sum_at(t(2000)),
            doubt.steps.before,
            "what is forgotten is not proved by an old frame"
        );
    }
}
