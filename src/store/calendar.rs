//! Which moment it is, for the age of histories: the wall clock where it can be believed.
//!
//! A board without a battery starts in 1970, a broken one in 2099, and both come back. Nobody can tell a clock that jumped from a board
//! that was off; so after a jump nothing goes for its age until the clock is back, or until castgate has run for so long that what is
//! older has had its time in any case. Pure.

use std::time::Duration;

use crate::clock::{Time, WallClock};

/// No clock that is right shows less: castgate is younger. 2025-01-01, in milliseconds since 1970.
pub(super) const FLOOR_MS: i64 = 1_735_689_600_000;
/// A jump by more is not believed at once, nor one by more than histories are kept.
const LEAP_MS: i64 = 7 * 24 * 3600 * 1000;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Calendar {
    /// Where the wall clock should be, in milliseconds since 1970; `None` before it was ever believed.
    pub seen_ms: Option<i64>,
    /// For how long castgate has run while the clock was not believed, in milliseconds.
    pub doubted_ms: i64,
    /// When `seen_ms` was brought up to date.
    pub at: Option<Time>,
}

impl Calendar {
    /// The moment in milliseconds since 1970 that ages are counted from, where histories are kept for `keep_ms`; `None` while the clock
    /// is not believed.
    pub(super) fn believe(&mut self, wall: WallClock, keep_ms: i64) -> Option<i64> {
        let elapsed = self.at.map_or(Duration::ZERO, |at| wall.mono - at);
        let elapsed = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        self.at = Some(wall.mono);
        self.seen_ms = self.seen_ms.map(|seen| seen.saturating_add(elapsed));
        if wall.wall_ms < FLOOR_MS {
            return None;
        }
        let off = self.seen_ms.map_or(0, |seen| wall.wall_ms.saturating_sub(seen).saturating_abs());
        if off > LEAP_MS.min(keep_ms) {
            self.doubted_ms = self.doubted_ms.saturating_add(elapsed);
            if self.doubted_ms < keep_ms {
                return None;
            }
        }
        (self.seen_ms, self.doubted_ms) = (Some(wall.wall_ms), 0);
        self.seen_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const NOW: i64 = FLOOR_MS + 700 * DAY;

    fn wall(run_ms: i64, wall_ms: i64) -> WallClock {
        WallClock { mono: Time::from_nanos(run_ms.unsigned_abs() * 1_000_000), wall_ms }
    }

    #[test]
    fn a_clock_that_jumped_is_believed_when_it_is_back_or_has_stood_for_as_long_as_is_kept() {
        let mut calendar = Calendar::default();
        assert_eq!(calendar.believe(wall(0, 20_000), DAY), None, "1970");
        assert_eq!(calendar.believe(wall(HOUR, NOW), DAY), Some(NOW), "the first that can be right");
        assert_eq!(calendar.believe(wall(2 * HOUR, NOW + HOUR), DAY), Some(NOW + HOUR));
        let wrong = NOW + 30_000 * DAY;
        assert_eq!(calendar.believe(wall(3 * HOUR, wrong), DAY), None);
        assert_eq!(calendar.believe(wall(4 * HOUR, NOW + 3 * HOUR), DAY), Some(NOW + 3 * HOUR), "it is back");
        assert_eq!(calendar.believe(wall(5 * HOUR, 7_000_000), DAY), None);
        assert_eq!(calendar.believe(wall(6 * HOUR, NOW + 5 * HOUR), DAY), Some(NOW + 5 * HOUR));
        for hour in 7..30 {
            assert_eq!(calendar.believe(wall(hour * HOUR, wrong + hour * HOUR), DAY), None, "{hour}");
        }
        assert_eq!(calendar.believe(wall(30 * HOUR, wrong + 30 * HOUR), DAY), Some(wrong + 30 * HOUR));
    }

    #[test]
    fn a_board_that_was_off_for_a_weekend_is_believed_and_one_that_was_off_for_a_year_later() {
        let keep = 30 * DAY;
        let at = |off: i64| {
            let mut calendar = Calendar { seen_ms: Some(NOW), ..Calendar::default() };
            (calendar.believe(wall(500, NOW + off), keep), calendar)
        };
        assert_eq!(at(3 * DAY).0, Some(NOW + 3 * DAY));
        let (believed, mut calendar) = at(365 * DAY);
        assert_eq!(believed, None);
        assert_eq!(calendar.believe(wall(500 + keep, NOW + 395 * DAY), keep), Some(NOW + 395 * DAY));
    }

    proptest! {
        #[test]
        fn what_was_written_is_kept_for_its_time_whatever_the_clock_does_in_between(
            jumps in prop::collection::vec((1i64..48, -80_000i64..80_000), 1..60), keep_days in 10i64..40
        ) {
            // A part is written at run time 0, with a clock that is right, and the clock is wrong by whole days from then on.
            let keep = keep_days * DAY;
            let mut calendar = Calendar::default();
            let mut run = 0;
            prop_assert_eq!(calendar.believe(wall(run, NOW), keep), Some(NOW));
            for (hours, off) in jumps {
                run += hours * HOUR;
                if let Some(now) = calendar.believe(wall(run, NOW + run + off * DAY), keep) {
                    let leapt = off.abs() <= 7 * 60;
                    prop_assert!(now - NOW <= keep || run >= keep || leapt, "gone after {} h", run / HOUR);
                }
            }
        }
    }
}
