//! Time: the one clock that every stamp of a run is on, and its simulated twin.
//!
//! Owns the only reading of the system's clocks and the only sleep. Camera and GPIO stamps of the kernel are on the
//! same monotonic clock, so they may be subtracted from one another. Must not know what is timed.

use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

mod wall;

pub use wall::{WallClock, rfc3339};

/// A moment on the monotonic clock, in nanoseconds (`CLOCK_MONOTONIC` on a board, from 0 in simulation).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The clock's zero.
    pub const ZERO: Time = Time(0);
    /// Later than any other moment: never.
    pub const MAX: Time = Time(u64::MAX);

    /// From nanoseconds since the clock's zero.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's zero.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the clock's zero.
    pub fn as_s(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The moment `seconds` after this one, or before it when negative; clamped to the clock's range.
    pub fn plus_s(self, seconds: f64) -> Self {
        if seconds >= 0.0 {
            self + Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        } else {
            let back = Duration::try_from_secs_f64(-seconds).unwrap_or(Duration::MAX);
            Self(self.0.saturating_sub(u64::try_from(back.as_nanos()).unwrap_or(u64::MAX)))
        }
    }

    /// Seconds from `earlier` to this moment, negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Time) -> f64 {
        (self.0 as f64 - earlier.0 as f64) / 1e9
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Time> for Time {
    type Output = Duration;
    /// Zero when `earlier` is later.
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A source of time. `SystemClock` on a board, `SimClock` in simulation.
pub trait Clock: Send + Sync {
    /// The moment now.
    fn now(&self) -> Time;
    /// Milliseconds since 1970 in UTC, for people and messages only: this clock may be stepped.
    fn wall_ms(&self) -> i64;
    /// Returns at `until` or later; at once when that is past.
    fn sleep_until(&self, until: Time);
}

/// The board's own clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

fn nanos(at: Timespec) -> u64 {
    u64::try_from(at.tv_sec).unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(at.tv_nsec as u64)
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time(nanos(clock_gettime(ClockId::Monotonic)))
    }

    fn wall_ms(&self) -> i64 {
        let at = clock_gettime(ClockId::Realtime);
        at.tv_sec.saturating_mul(1000).saturating_add(at.tv_nsec / 1_000_000)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    fn sleep_until(&self, until: Time) {
        let span = until - self.now();
        if !span.is_zero() {
            std::thread::sleep(span);
        }
    }
}

/// The processor's time that this thread has had so far. What it takes for some work does not depend on what else the machine does.
pub fn thread_time() -> Duration {
    Duration::from_nanos(nanos(clock_gettime(ClockId::ThreadCPUTime)))
}

/// A clock that moves only when told to; sleeping on it advances it.
#[derive(Debug, Default)]
pub struct SimClock(AtomicU64);

impl SimClock {
    /// A clock at `start`.
    pub fn new(start: Time) -> Self {
        Self(AtomicU64::new(start.0))
    }

    /// Moves the clock to `to`; never backwards.
    pub fn advance_to(&self, to: Time) {
        self.0.fetch_max(to.0, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }

    /// A simulated day begins at 2026-01-01T06:00:00Z.
    fn wall_ms(&self) -> i64 {
        1_767_247_200_000 + (self.now().0 / 1_000_000) as i64
    }

    fn sleep_until(&self, until: Time) {
        self.advance_to(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulated_clock_never_goes_back() {
        let clock = SimClock::new(Time::from_nanos(50));
        clock.sleep_until(Time::from_nanos(10));
        assert_eq!(clock.now(), Time::from_nanos(50));
        clock.sleep_until(Time::from_nanos(90));
        assert_eq!(clock.now(), Time::from_nanos(90));
    }

    #[test]
    fn the_time_of_a_thread_is_its_own() {
        const WORK: Duration = Duration::from_millis(20);
        let busy = || {
            let began = thread_time();
            while thread_time() - began < WORK {}
        };
        let began = thread_time();
        std::thread::scope(|scope| drop(scope.spawn(busy).join()));
        assert!(thread_time() - began < WORK, "waiting for another thread costs nothing");
    }

    #[test]
    fn moments_saturate_instead_of_wrapping() {
        assert_eq!(Time::from_nanos(5) - Time::from_nanos(9), Duration::ZERO);
        assert_eq!(Time::from_nanos(5).plus_s(-1.0), Time::ZERO);
        assert_eq!(Time::from_nanos(5).plus_s(f64::INFINITY), Time::from_nanos(u64::MAX));
        assert_eq!(Time::from_nanos(5).seconds_since(Time::from_nanos(1_000_000_005)), -1.0);
    }
}
