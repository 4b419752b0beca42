//! Whether a frame's capture time can be believed: it must agree with the moment at which the frame arrived.
//!
//! Cameras stamp frames themselves. A stamp on another clock, or one that jumps, would put a part's picture on its neighbour. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Time;

/// Frames whose delay is remembered.
const DELAYS: usize = 32;
/// After frames that did not fit, as many must fit before one is believed again, but not more than this.
const MOST_OWED: u32 = 64;
/// While fewer delays than these are known, one that differs begins the memory anew: the first frame of a camera may be its quickest or
/// its slowest by far, and all later ones would be measured by it.
const SETTLED: usize = 8;
/// For so many seconds after a frame that was off by a pitch none is believed: frames that come so late once may do so for a while, and a
/// clock that jumps by as much meanwhile would make them fit.
const GRAVE_S: f64 = 1.2;

/// Compares stamps with arrivals.
#[derive(Debug, Clone, Default)]
pub(super) struct Stamps {
    /// Seconds from stamp to arrival of the last frames that were believed.
    delays: VecDeque<f64>,
    /// So many frames must fit before one is believed: a jumped clock may meet late frames, and for a while everything seems to fit.
    owed: u32,
    /// Until then no frame is believed, because one was off by so much that it showed a part's neighbour.
    grave_until: Option<Time>,
}

impl Stamps {
    /// Whether a frame that was stamped `captured_at` and arrived at `received_at` can be believed: its delay is at most `within` over
    /// the least delay of the last frames, it is not from the future and not older than `stale_after`. A jump stays unbelieved for as long as
    /// it lasts, and for as many frames after that: whether the camera's clock has jumped or its frames take longer, nobody here can tell.
    /// A first delay is compared with nothing, so it must not be longer than `first`. A delay that is off by `neighbour` or more would put
    /// a part's picture on its neighbour; one that is shorter by less is the new least one: the frames before were slow, as the first
    /// ones after a start are, and were it the clock, parts would be seen off their places. All in seconds.
    pub(super) fn believe(
        &mut self,
        captured_at: Time,
        received_at: Time,
        (within, first, neighbour): (f64, f64, f64),
        stale_after: Duration,
    ) -> bool {
        let delay = received_at.seconds_since(captured_at);
        let least = self.delays.iter().copied().fold(f64::INFINITY, f64::min);
        let fits = (-0.001..=stale_after.as_secs_f64()).contains(&delay)
            && if self.delays.is_empty() {
                delay <= first
            } else {
                (-neighbour..=within).contains(&(delay - least))
            };
        self.owed = if fits { self.owed.saturating_sub(1) } else { (self.owed + 1).min(MOST_OWED) };
        let off = if least.is_finite() { delay - least } else { delay };
        if !fits && off.abs() >= neighbour {
            self.grave_until = Some(received_at.plus_s(GRAVE_S));
        }
        if !fits && self.delays.len() < SETTLED && (-0.001..=first).contains(&delay) {
            self.delays.clear();
            keep(&mut self.delays, delay, DELAYS);
        }
        let grave = self.grave_until.is_some_and(|until| received_at < until);
        let believed = fits && self.owed == 0 && !grave;
        if believed {
            keep(&mut self.delays, delay, DELAYS);
        }
        believed
    }
}

/// Keeps the last `most` values.
fn keep(values: &mut VecDeque<f64>, value: f64, most: usize) {
    if values.len() == most {
        values.pop_front();
    }
    values.push_back(value);
}

/// A gap of so many usual intervals is a pause of the camera.
const PAUSE: f64 = 3.0;
/// Intervals whose median is the usual one: so a camera that begins with a burst of old frames, or changes its rate, is known anew
/// after half as many frames, and a few pauses in a row change nothing.
const GAPS: usize = 9;

/// Notices pauses of the camera: the first picture after one may have been taken before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    last: Option<Time>,
    /// The last intervals between two frames in seconds. Measured: what a camera announces is not to be trusted.
    gaps: VecDeque<f64>,
}

impl Pace {
    /// A frame was captured, judged or not. Whether it is the first one after a pause.
    pub(super) fn take(&mut self, captured_at: Time) -> bool {
        let Some(last) = self.last else {
            self.last = Some(captured_at);
            return false;
        };
        let gap = captured_at.seconds_since(last);
        if gap <= 0.0 {
            // Frames that were dropped are told before older ones that were not.
            return false;
        }
        self.last = Some(captured_at);
        let paused = self.usual().is_some_and(|usual| gap > PAUSE * usual);
        keep(&mut self.gaps, gap, GAPS);
        paused
    }

    fn usual(&self) -> Option<f64> {
        // Places that no interval has taken yet sort behind all that have.
        let mut sorted = [f64::INFINITY; GAPS];
        sorted.iter_mut().zip(&self.gaps).for_each(|(place, gap)| *place = *gap);
        sorted.sort_unstable_by(f64::total_cmp);
        (!self.gaps.is_empty()).then(|| sorted[self.gaps.len() / 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(ms: i64) -> Time {
        Time::from_nanos((1_000_000 + ms) as u64 * 1_000_000)
    }

    fn check(stamps: &mut Stamps, at: i64, delay: i64) -> bool {
        stamps.believe(t(at), t(at + delay), (0.05, 0.15, 0.3), Duration::from_millis(500))
    }

    #[test]
    fn a_stamp_that_jumps_is_not_believed_for_as_long_as_it_does() {
        let mut stamps = Stamps::default();
        assert!((0..40).all(|k| check(&mut stamps, k * 50, 10 + k % 3)));
        assert!(!check(&mut stamps, 2000, -5), "from the future");
        assert!(!check(&mut stamps, 2050, 501), "too old");
        assert!((0..50).all(|k| !check(&mut stamps, 2100 + k * 50, 200)));
        assert!((0..51).all(|k| !check(&mut stamps, 5000 + k * 50, 14)), "as long as it did not fit");
        assert!(check(&mut stamps, 7600, 14));
    }

    #[test]
    fn one_late_frame_is_not_believed_and_changes_nothing() {
        let mut stamps = Stamps::default();
        assert!(check(&mut stamps, 0, 10) && !check(&mut stamps, 50, 90) && check(&mut stamps, 100, 12));
    }

    #[test]
    fn a_slow_first_frame_does_not_spoil_belief_in_quicker_ones() {
        let mut stamps = Stamps::default();
        assert!(check(&mut stamps, 0, 140) && (1..50).all(|k| check(&mut stamps, k * 50, 12)));
        assert!(!check(&mut stamps, 3000, 140), "late by more than the tolerance now");
    }

    #[test]
    fn a_quick_first_frame_does_not_spoil_belief_in_slower_ones() {
        let mut stamps = Stamps::default();
        assert!(check(&mut stamps, 0, 2) && !check(&mut stamps, 50, 100), "unlike the only one known");
        assert!((2..50).all(|k| check(&mut stamps, k * 50, 100 + k % 3)));
        assert!(!check(&mut stamps, 3000, 160), "later than they are by more than the tolerance");
    }

    #[test]
    fn a_clock_that_is_off_from_the_first_frame_on_is_not_believed() {
        let mut stamps = Stamps::default();
        assert!((0..20).all(|k| !check(&mut stamps, k * 50, 380)));
        let believed = (0..40).filter(|k| check(&mut stamps, 1000 + k * 50, 12)).count();
        assert_eq!(believed, 9, "not within 1.2 s of a stamp that was off by a pitch");
    }

    #[test]
    fn the_first_frame_after_a_pause_is_told_and_another_rate_becomes_usual() {
        let mut pace = Pace::default();
        assert!((0..20).all(|k| !pace.take(t(k * 50))));
        assert!(!pace.take(t(900)) && pace.take(t(1200)) && !pace.take(t(1250)));
        assert!((0..100).filter(|k| pace.take(t(2000 + k * 250))).count() < 20);
        assert!(!pace.take(t(27_000)));
    }

    #[test]
    fn a_burst_at_the_start_makes_the_usual_rate_no_pause_for_long() {
        let mut pace = Pace::default();
        assert!((0..3).all(|k| !pace.take(t(k))));
        let paused = (1..100).filter(|k| pace.take(t(k * 500))).count();
        assert!(paused < 8, "{paused} frames");
        assert!(pace.take(t(51_500)), "a pause is still one");
    }
}
