//! Wall time for people, messages and histories: turns moments of the monotonic clock into RFC 3339 text.
//!
//! Owns the only use of dates in what is reported and stored. Must not know what is stamped.

use jiff::Timestamp;

use super::{Clock, Time};

/// The two clocks read at one moment, so that every other moment of the monotonic clock can be dated. Taken anew for
/// each message: the wall clock may be stepped, and old moments are then dated as the stepped clock would have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// The moment on the monotonic clock.
    pub mono: Time,
    /// The same moment in milliseconds since 1970, UTC.
    pub wall_ms: i64,
}

impl WallClock {
    /// Reads both clocks.
    pub fn read(clock: &dyn Clock) -> Self {
        Self { mono: clock.now(), wall_ms: clock.wall_ms() }
    }

    /// `at` in milliseconds since 1970, UTC.
    pub fn ms(&self, at: Time) -> i64 {
        let offset_ns = i128::from(at.as_nanos()) - i128::from(self.mono.as_nanos());
        let offset_ms = i64::try_from(offset_ns.div_euclid(1_000_000)).unwrap_or(i64::MAX);
        self.wall_ms.saturating_add(offset_ms)
    }

    /// `at` in UTC as RFC 3339 with milliseconds: `2026-01-01T06:00:01.250Z`. Moments outside the years that a date
    /// can name are clamped to them.
    pub fn rfc3339(&self, at: Time) -> String {
        rfc3339(self.ms(at))
    }
}

/// Milliseconds since 1970 in UTC as RFC 3339 with milliseconds, clamped as in [`WallClock::rfc3339`].
pub fn rfc3339(wall_ms: i64) -> String {
    let end = if wall_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(wall_ms).unwrap_or(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimClock;

    #[test]
    fn moments_before_and_after_the_anchor_are_dated() {
        let wall = WallClock::read(&SimClock::new(Time::ZERO.plus_s(10.0)));
        assert_eq!(wall.rfc3339(Time::ZERO), "2026-01-01T06:00:00.000Z");
        assert_eq!(wall.rfc3339(Time::ZERO.plus_s(11.25)), "2026-01-01T06:00:11.250Z");
    }

    #[test]
    fn impossible_moments_are_clamped() {
        for wall_ms in [i64::MIN, i64::MAX] {
            let wall = WallClock { mono: Time::ZERO, wall_ms };
            assert!(wall.rfc3339(Time::from_nanos(u64::MAX)).ends_with('Z'));
        }
        assert!(
            WallClock { mono: Time::ZERO, wall_ms: 0 }
                .rfc3339(Time::from_nanos(u64::MAX))
                .starts_with("2554-")
        );
    }
}
