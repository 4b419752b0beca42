//! How often a line may be logged that somebody outside can cause at will: a few at once, then one in a while, the rest counted.
//!
//! Owns the counting only: no clock, no log. Must not know what the lines say.

use std::fmt;
use std::time::Duration;

use crate::clock::Time;

/// Lets a few lines through at once and then one in a while, and counts those that it keeps back. One value for each kind of line.
#[derive(Debug, Clone)]
pub struct Limiter {
    burst: u32,
    per: Duration,
    /// When as many lines as `burst` are allowed at once again. Later by `per` with each line.
    whole_at: Time,
    kept_back: u64,
}

impl Limiter {
    /// `burst` lines at once (at least one), then one each `per`. While nothing is logged the allowance grows back at the same pace.
    pub const fn new(burst: u32, per: Duration) -> Self {
        let burst = if burst == 0 { 1 } else { burst };
        Self { burst, per, whole_at: Time::ZERO, kept_back: 0 }
    }

    /// Whether a line may be logged `now`; if so, how many were kept back since the last one that was logged, to be put behind it. If not,
    /// this one is counted among them.
    pub fn allow(&mut self, now: Time) -> Option<KeptBack> {
        if !self.has_room(now) {
            self.kept_back = self.kept_back.saturating_add(1);
            return None;
        }
        self.whole_at = self.whole_at.max(now) + self.per;
        Some(self.rest())
    }

    /// Whether [`Limiter::allow`] would say yes `now`; counts nothing.
    pub fn has_room(&self, now: Time) -> bool {
        self.whole_at.max(now) + self.per - now <= self.per.saturating_mul(self.burst)
    }

    /// How many were kept back and not told yet; they count as told from now on. For the end, when no further line may come.
    pub const fn rest(&mut self) -> KeptBack {
        KeptBack(std::mem::replace(&mut self.kept_back, 0))
    }
}

/// How many lines were kept back. As text it goes behind the next one: ` (and 1234 more like it)`, and nothing when there were none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeptBack(pub u64);

impl fmt::Display for KeptBack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            count => write!(out, " (and {count} more like it)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(s: f64) -> Time {
        Time::ZERO.plus_s(s)
    }

    fn told(limiter: &mut Limiter, now: Time) -> Option<String> {
        limiter.allow(now).map(|more| more.to_string())
    }

    #[test]
    fn a_few_pass_at_once_then_one_in_a_while_and_the_next_one_tells_of_the_rest() {
        let mut limiter = Limiter::new(2, Duration::from_secs(10));
        assert_eq!(told(&mut limiter, at(5.0)).as_deref(), Some(""));
        assert_eq!(told(&mut limiter, at(5.0)).as_deref(), Some(""));
        (0..1000).for_each(|_| assert_eq!(told(&mut limiter, at(6.0)), None));
        assert_eq!(told(&mut limiter, at(15.0)).as_deref(), Some(" (and 1000 more like it)"));
        assert!(!limiter.has_room(at(24.9)) && limiter.has_room(at(25.0)), "asking counts nothing");
        assert_eq!(told(&mut limiter, at(24.9)), None);
        assert_eq!(limiter.rest(), KeptBack(1));
        assert_eq!(told(&mut limiter, at(25.0)).as_deref(), Some(""), "told once");
    }

    #[test]
    fn after_a_quiet_time_a_few_pass_at_once_again() {
        let mut limiter = Limiter::new(3, Duration::from_secs(1));
        for begin in [0.0, 60.0] {
            let passed = (0..10).filter(|_| limiter.allow(at(begin)).is_some()).count();
            assert_eq!(passed, 3, "from {begin} s on");
        }
    }

    #[test]
    fn none_at_once_is_one_and_no_pause_is_no_limit() {
        let mut one = Limiter::new(0, Duration::from_secs(1));
        assert!(one.allow(at(0.0)).is_some() && one.allow(at(0.0)).is_none());
        let mut free = Limiter::new(1, Duration::ZERO);
        assert!((0..100).all(|_| free.allow(at(1.0)) == Some(KeptBack(0))));
    }

    proptest! {
        /// Whenever lines come: the first passes, no span has more than its allowance, and every line is logged or counted.
        #[test]
        fn every_line_is_logged_or_counted(steps in prop::collection::vec(0_u64..3_000, 1..200), burst in 1_u32..6) {
            let mut limiter = Limiter::new(burst, Duration::from_millis(1000));
            let (mut now, mut logged, mut counted) = (0, Vec::new(), 0);
            for step in &steps {
                now += step;
                if let Some(more) = limiter.allow(Time::from_nanos(now * 1_000_000)) {
                    logged.push(now);
                    counted += 1 + more.0;
                }
            }
            prop_assert_eq!(logged[0], steps[0]);
            prop_assert_eq!(counted + limiter.rest().0, steps.len() as u64);
            for (index, first) in logged.iter().enumerate() {
                for (lines, last) in (1_u64..).zip(&logged[index..]) {
                    prop_assert!(lines <= u64::from(burst) + (last - first) / 1000);
                }
            }
        }
    }
}
