//! How long steps take: percentiles in bounded memory, whatever the number of steps.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest time that is told apart from longer ones; the greatest is kept exactly all the same.
const LONGEST_US: u64 = 60_000_000;
/// Percentiles are right to this many digits.
const DIGITS: u8 = 3;

/// A distribution of times, with a resolution of 1 µs or 0.1 %, whichever is coarser. Takes about 150 KiB.
#[derive(Debug, Clone)]
pub struct Latency {
    times: Histogram<u64>,
    longest: Duration,
}

/// Percentiles of a distribution in milliseconds; `None` when nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct LatencyMs {
    /// Half of the times are not longer.
    pub p50: Option<f64>,
    /// 99 of 100 are not longer.
    pub p99: Option<f64>,
    /// 999 of 1000 are not longer.
    pub p999: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Default for Latency {
    fn default() -> Self {
        let times =
            Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("the bounds are constants and sound");
        Self { times, longest: Duration::ZERO }
    }
}

impl Latency {
    /// Records one time. Allocates nothing.
    pub fn record(&mut self, span: Duration) {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        self.times.saturating_record(micros.clamp(1, LONGEST_US));
        self.longest = self.longest.max(span);
    }

    /// Adds everything that `other` recorded.
    pub fn merge(&mut self, other: &Latency) {
        self.times.add(&other.times).expect("every latency has the same bounds");
        self.longest = self.longest.max(other.longest);
    }

    /// Number of times recorded.
    pub fn count(&self) -> u64 {
        self.times.len()
    }

    /// The percentiles now.
    pub fn snapshot(&self) -> LatencyMs {
        if self.times.is_empty() {
            return LatencyMs::default();
        }
        let longest = self.longest.as_secs_f64() * 1e3;
        let at = |share: f64| Some((self.times.value_at_quantile(share) as f64 / 1e3).min(longest));
        LatencyMs { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: Some(longest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, wanted: f64) -> bool {
        found.is_some_and(|found| (found - wanted).abs() <= wanted * 0.001 + 0.001)
    }

    #[test]
    fn percentiles_of_a_known_distribution() {
        let mut latency = Latency::default();
        assert_eq!(latency.snapshot(), LatencyMs::default());
        for ms in 1..=1000 {
            latency.record(Duration::from_millis(ms));
        }
        let found = latency.snapshot();
        assert!(near(found.p50, 500.0) && near(found.p99, 990.0) && near(found.p999, 999.0), "{found:?}");
        assert_eq!((found.max, latency.count()), (Some(1000.0), 1000));
    }

    #[test]
    fn merging_is_recording_both() {
        let (mut one, mut two, mut both) = (Latency::default(), Latency::default(), Latency::default());
        for i in 0..200u64 {
            let span = Duration::from_micros(i * i);
            if i % 3 == 0 {
                one.record(span)
            } else {
                two.record(span)
            }
            both.record(span);
        }
        one.merge(&two);
        assert_eq!(one.snapshot(), both.snapshot());
    }

    #[test]
    fn very_long_and_very_short_times_count() {
        let mut latency = Latency::default();
        latency.record(Duration::ZERO);
        latency.record(Duration::from_secs(3600));
        assert_eq!((latency.count(), latency.snapshot().max), (2, Some(3_600_000.0)));
    }

    #[test]
    fn recording_allocates_nothing() {
        let mut latency = Latency::default();
        let used = allocation_counter::measure(|| latency.record(Duration::from_millis(7)));
        assert_eq!(used.count_total, 0);
    }
}
