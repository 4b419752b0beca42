//! When a gate must be in reject: the bounded book of windows that the gate's owner keeps.
//!
//! A window is armed at a part's trigger and taken back only by a clearance in time. Beyond the windows the book holds the known
//! stretch of belt: before it begins at the gate and after it ends the gate rejects. So it rejects also when whoever decides, or
//! the camera, has died. Pure; must not know devices or why a part is cleared.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Time;
use crate::config::GateState;
use crate::verdict::PartNumber;

/// Most windows that are kept; with more, [`Schedule::arm`] widens the last one instead of forgetting any.
pub(super) const MAX_WINDOWS: usize = 8192;

/// Whose window it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A part's.
    Part(PartNumber),
    /// That of a stretch of belt that no frame showed.
    Gap(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    owner: Owner,
    from: Time,
    until: Time,
}

/// A clearance came when the part's window had begun, or for a part that has no window: the part is not cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLate;

/// The windows in which a gate is in reject.
#[derive(Debug)]
pub struct Schedule {
    windows: VecDeque<Window>,
    /// The known belt is at the gate from here until there.
    known: (Time, Time),
    recovery: Duration,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { windows: VecDeque::new(), known: (Time::ZERO, Time::MAX), recovery: Duration::ZERO }
    }
}

impl Schedule {
    /// A book for a gate that needs so long to be ready for its next movement.
    pub fn new(recovery: Duration) -> Self {
        Self { recovery, ..Self::default() }
    }

    /// Changes the gate's time of recovery.
    pub fn set_recovery(&mut self, recovery: Duration) {
        self.recovery = recovery;
    }

    /// The gate is to be in reject for `owner` from `from` until `until`; replaces the owner's window. What has begun does not end
    /// and begin again: a window that has begun keeps its beginning.
    pub fn arm(&mut self, owner: Owner, from: Time, until: Time, now: Time) {
        if let Some(window) = self.windows.iter_mut().find(|w| w.owner == owner) {
            let begun = window.from <= now;
            window.from = if begun { window.from.min(from) } else { from };
            window.until = until;
        } else if until <= now {
            // Over already.
        } else if self.windows.len() < MAX_WINDOWS {
            self.windows.push_back(Window { owner, from, until });
        } else if let Some(last) = self.windows.back_mut() {
            // The joint window belongs to the newest owner: no clearance of an older one can take it back.
            *last = Window { owner, from: last.from.min(from), until: last.until.max(until) };
        }
    }

    /// Between these moments the belt at the gate is known; before and after, the gate rejects.
    pub fn know(&mut self, from: Time, until: Time) {
        self.known = (from, until);
    }

    /// The part passes.
    ///
    /// # Errors
    /// When its window has begun or is not there: the gate has moved, or will, and the part is removed.
    pub fn clear(&mut self, part: PartNumber, now: Time) -> Result<(), TooLate> {
        let owner = Owner::Part(part);
        let at = self.windows.iter().position(|w| w.owner == owner && now < w.from).ok_or(TooLate)?;
        self.windows.remove(at);
        Ok(())
    }

    /// Position of the gate at `now`; forgets windows that are over. A pause shorter than the gate's recovery is no pause.
    pub fn state_at(&mut self, now: Time) -> GateState {
        let recovery = self.recovery;
        let held = self.windows.iter().filter(|w| w.until <= now).any(|over| {
            self.windows.iter().any(|next| next.from > now && next.from <= over.until + recovery)
        });
        self.windows.retain(|w| now <= w.until + recovery);
        let inside = self.windows.iter().any(|w| w.from <= now && now < w.until);
        let unknown = now < self.known.0 || now >= self.known.1;
        if inside || unknown || held { GateState::Reject } else { GateState::Pass }
    }

    /// The next moment after `now` at which the position may change.
    pub fn next_change(&self, now: Time) -> Option<Time> {
        let windows = self.windows.iter().flat_map(|w| [w.from, w.until, w.until + self.recovery]);
        windows.chain([self.known.0, self.known.1]).filter(|&at| at > now && at < Time::MAX).min()
    }

    /// Number of windows.
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn t(ms: u64) -> Time {
        Time::from_nanos(ms * 1_000_000)
    }

    const fn part(n: u64) -> Owner {
        Owner::Part(PartNumber(n))
    }

    #[test]
    fn an_armed_part_is_rejected_unless_cleared_in_time() {
        let mut schedule = Schedule::default();
        schedule.arm(part(1), t(100), t(140), t(0));
        schedule.arm(part(2), t(300), t(340), t(0));
        assert_eq!(schedule.clear(PartNumber(2), t(299)), Ok(()));
        assert_eq!(schedule.clear(PartNumber(1), t(100)), Err(TooLate));
        assert_eq!(schedule.clear(PartNumber(9), t(1)), Err(TooLate));
        assert_eq!(schedule.state_at(t(99)), GateState::Pass);
        assert_eq!(schedule.next_change(t(99)), Some(t(100)));
        assert_eq!(schedule.state_at(t(100)), GateState::Reject);
        assert_eq!(schedule.state_at(t(139)), GateState::Reject);
        assert_eq!(schedule.state_at(t(140)), GateState::Pass);
        schedule.state_at(t(141));
        assert!(schedule.is_empty());
    }

    #[test]
    fn overlapping_windows_and_those_closer_than_the_recovery_are_one_pulse() {
        let mut schedule = Schedule::new(Duration::from_millis(20));
        schedule.arm(part(1), t(100), t(140), t(0));
        schedule.arm(part(2), t(130), t(170), t(0));
        schedule.arm(part(3), t(185), t(200), t(0));
        schedule.arm(part(4), t(230), t(240), t(0));
        for (at, state) in [
            (140, GateState::Reject),
            (170, GateState::Reject),
            (184, GateState::Reject),
            (199, GateState::Reject),
            (200, GateState::Pass),
            (229, GateState::Pass),
            (230, GateState::Reject),
            (240, GateState::Pass),
        ] {
            assert_eq!(schedule.state_at(t(at)), state, "{at}");
        }
    }

    #[test]
    fn a_window_moves_with_the_belt_and_one_that_has_begun_does_not_begin_again() {
        let mut schedule = Schedule::default();
        schedule.arm(part(1), t(100), t(140), t(0));
        schedule.arm(part(1), t(120), t(160), t(50));
        assert_eq!(schedule.state_at(t(119)), GateState::Pass);
        schedule.arm(part(1), t(150), t(190), t(130));
        assert_eq!(
            (schedule.state_at(t(130)), schedule.state_at(t(189))),
            (GateState::Reject, GateState::Reject)
        );
        assert_eq!(schedule.state_at(t(190)), GateState::Pass);
    }

    #[test]
    fn an_unknown_belt_is_rejected_and_the_end_of_the_known_one_is_a_dead_mans_switch() {
        let mut schedule = Schedule::default();
        schedule.know(t(100), t(200));
        let states = [99, 100, 199, 200, 9999].map(|ms| schedule.state_at(t(ms)) == GateState::Reject);
        assert_eq!(states, [true, false, false, true, true]);
        assert_eq!((schedule.next_change(t(50)), schedule.next_change(t(150))), (Some(t(100)), Some(t(200))));
    }

    #[test]
    fn a_full_book_widens_and_never_forgets() {
        let mut schedule = Schedule::default();
        for n in 0..MAX_WINDOWS as u64 + 5 {
            schedule.arm(part(n), t(1000 + n), t(1001 + n), t(0));
        }
        assert!(schedule.len() <= MAX_WINDOWS);
        let end = 1000 + MAX_WINDOWS as u64 + 4;
        assert_eq!(schedule.state_at(t(end)), GateState::Reject);
        assert_eq!(schedule.clear(PartNumber(MAX_WINDOWS as u64), t(1)), Err(TooLate));
    }
}
