//! The levels of the outputs to the PLC. Pure: what they are at a moment, and when they change next.

use std::time::Duration;

use crate::clock::Time;

/// Levels of the outputs; `true` is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Signals {
    /// Parts can be judged.
    pub ready: bool,
    /// A part is between trigger and gate.
    pub busy: bool,
    /// A device is at fault.
    pub fault: bool,
    /// A part was cleared a moment ago.
    pub pass: bool,
    /// A part was rejected a moment ago.
    pub reject: bool,
    /// The line is to stand.
    pub line_stop: bool,
    /// Changes as long as deciding goes on.
    pub life: bool,
}

/// Times the pulses and the life bit.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulses {
    pass_until: Option<Time>,
    reject_until: Option<Time>,
    life: bool,
    life_at: Option<Time>,
}

impl Pulses {
    /// A verdict was made.
    pub(super) fn verdict(&mut self, pass: bool, now: Time, pulse: Duration) {
        let until = Some(now + pulse);
        if pass { self.pass_until = until } else { self.reject_until = until }
    }

    /// Fills in the pulses at `now`; `period` is that of the life bit.
    pub(super) fn fill(&mut self, signals: &mut Signals, now: Time, period: Option<Duration>) {
        let on = |until: &mut Option<Time>| {
            *until = until.filter(|at| now < *at);
            until.is_some()
        };
        signals.pass = on(&mut self.pass_until);
        signals.reject = on(&mut self.reject_until);
        if let Some(period) = period
            && self.life_at.is_none_or(|at| now >= at)
        {
            self.life = !self.life;
            self.life_at = Some(now + period);
        }
        signals.life = self.life;
    }

    /// When something changes by itself.
    pub(super) fn next(&self) -> Option<Time> {
        [self.pass_until, self.reject_until, self.life_at].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_end_and_the_life_bit_changes() {
        let t = |ms: u64| Time::from_nanos(ms * 1_000_000);
        let (mut pulses, mut signals) = (Pulses::default(), Signals::default());
        let period = Some(Duration::from_millis(500));
        pulses.fill(&mut signals, t(0), period);
        assert!(signals.life && !signals.pass);
        pulses.verdict(true, t(100), Duration::from_millis(50));
        pulses.fill(&mut signals, t(100), period);
        assert_eq!((signals.pass, signals.reject, pulses.next()), (true, false, Some(t(150))));
        pulses.fill(&mut signals, t(150), period);
        assert_eq!((signals.pass, pulses.next()), (false, Some(t(500))));
        pulses.fill(&mut signals, t(500), period);
        assert!(!signals.life);
    }
}
