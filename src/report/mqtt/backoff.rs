//! How long to wait before the next attempt to reach the broker.
//!
//! Pure: the waiting is done elsewhere, and the same seed gives the same waits.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

/// Shortest wait: a broker that restarts is back within seconds.
const SHORTEST_S: f64 = 1.0;
/// Longest wait: how late a broker that comes back is noticed at worst.
const LONGEST_S: f64 = 30.0;

/// Waits that double from attempt to attempt, 1 s to 30 s. Each is drawn from the upper half of its range, so that many
/// lines that lost one broker do not all come back at once.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    random: Pcg32,
    failures: u32,
}

impl Backoff {
    /// Without a failure so far. Lines take different seeds.
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Pcg32::seed_from_u64(seed), failures: 0 }
    }

    /// The wait after one more failure.
    pub(super) fn after_failure(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let longest = LONGEST_S.min(2f64.powi(self.failures.min(16) as i32) * SHORTEST_S);
        let shortest = (longest / 2.0).max(SHORTEST_S);
        Duration::from_secs_f64(self.random.random_range(shortest..=longest))
    }

    /// The connection held: the next wait is short again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last reset.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_within_their_bounds() {
        for seed in 0..200 {
            let mut backoff = Backoff::new(seed);
            let waits: Vec<f64> = (0..40).map(|_| backoff.after_failure().as_secs_f64()).collect();
            assert!(
                waits.iter().all(|wait| (SHORTEST_S..=LONGEST_S).contains(wait)),
                "seed {seed}: {waits:?}"
            );
            assert!(waits[0] <= 2.0 && waits[1] >= 2.0 && waits[10] >= 15.0, "seed {seed}: {waits:?}");
            backoff.reset();
            assert!(backoff.after_failure().as_secs_f64() <= 2.0);
        }
    }

    #[test]
    fn one_seed_gives_one_row_of_waits_and_another_seed_another() {
        let row = |seed| {
            let mut backoff = Backoff::new(seed);
            (0..8).map(|_| backoff.after_failure()).collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
    }
}
