//! How long things took: percentiles in bounded memory.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Longest span that is told apart, in microseconds: one minute. Longer ones count as this long.
const LONGEST_US: u64 = 60_000_000;

/// A histogram of spans with three significant digits.
#[derive(Debug, Clone)]
pub struct Latency(Histogram<u64>);

/// Percentiles in milliseconds; all null when nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half took at most this.
    pub p50: Option<f64>,
    /// 99 of 100 took at most this.
    pub p99: Option<f64>,
    /// 999 of 1000 took at most this.
    pub p999: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Default for Latency {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are constant and in order"))
    }
}

impl Latency {
    /// Takes in one span.
    pub fn record(&mut self, span: Duration) {
        self.0.saturating_record(u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    /// Number of spans taken in.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentiles so far.
    pub fn percentiles(&self) -> Percentiles {
        if self.0.is_empty() {
            return Percentiles::default();
        }
        let ms = |us: u64| Some(us as f64 / 1000.0);
        let at = |quantile: f64| ms(self.0.value_at_quantile(quantile));
        Percentiles { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: ms(self.0.max()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_in_milliseconds_and_absent_without_measurements() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentiles(), Percentiles::default());
        (1..=1000).for_each(|ms| latency.record(Duration::from_millis(ms)));
        let percentiles = latency.percentiles();
        let near = |got: Option<f64>, want: f64| (got.unwrap() / want - 1.0).abs() < 0.002;
        assert!(
            near(percentiles.p50, 500.0) && near(percentiles.p99, 990.0) && near(percentiles.max, 1000.0)
        );
        latency.record(Duration::from_secs(1_000_000));
        assert!(near(latency.percentiles().max, 60_000.0));
    }
}
