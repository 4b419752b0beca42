//! When the gate must be in reject: the bounded book of windows that the gate's owner keeps.
//!
//! A window is armed at a part's trigger and taken back only by a clearance in time. So the gate rejects also when whoever
//! decides has died. Pure; must not know devices or why a part is cleared.

use std::collections::VecDeque;

use crate::clock::Time;
use crate::config::GateState;
use crate::verdict::PartNumber;

/// Most windows that are kept; with more, [`Schedule::arm`] widens the last one instead of forgetting any.
const MAX_WINDOWS: usize = 8192;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    part: PartNumber,
    from: Time,
    until: Time,
}

/// A clearance came when the part's window had begun, or for a part that has no window: the part is not cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLate;

/// The windows in which the gate is in reject.
#[derive(Debug, Default)]
pub struct Schedule {
    windows: VecDeque<Window>,
}

impl Schedule {
    /// The gate is to be in reject for `part` from `from` until `until`.
    pub fn arm(&mut self, part: PartNumber, from: Time, until: Time) {
        if self.windows.len() < MAX_WINDOWS {
            self.windows.push_back(Window { part, from, until });
        } else if let Some(last) = self.windows.back_mut() {
            // The joint window belongs to the newest part: no clearance of an older one can take it back.
            *last = Window { part, from: last.from.min(from), until: last.until.max(until) };
        }
    }

    /// The part passes.
    ///
    /// # Errors
    /// When its window has begun or is not there: the gate has moved, or will, and the part is removed.
    pub fn clear(&mut self, part: PartNumber, now: Time) -> Result<(), TooLate> {
        let at = self.windows.iter().position(|w| w.part == part && now < w.from).ok_or(TooLate)?;
        self.windows.remove(at);
        Ok(())
    }

    /// Position of the gate at `now`; forgets windows that are over.
    pub fn state_at(&mut self, now: Time) -> GateState {
        self.windows.retain(|w| now < w.until);
        let inside = self.windows.iter().any(|w| w.from <= now);
        if inside { GateState::Reject } else { GateState::Pass }
    }

    /// The next moment after `now` at which the position may change.
    pub fn next_change(&self, now: Time) -> Option<Time> {
        self.windows.iter().flat_map(|w| [w.from, w.until]).filter(|&at| at > now).min()
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

    #[test]
    fn an_armed_part_is_rejected_unless_cleared_in_time() {
        let mut schedule = Schedule::default();
        schedule.arm(PartNumber(1), t(100), t(140));
        schedule.arm(PartNumber(2), t(300), t(340));
        assert_eq!(schedule.clear(PartNumber(2), t(299)), Ok(()));
        assert_eq!(schedule.clear(PartNumber(1), t(100)), Err(TooLate));
        assert_eq!(schedule.clear(PartNumber(9), t(1)), Err(TooLate));
        assert_eq!(schedule.state_at(t(99)), GateState::Pass);
        assert_eq!(schedule.next_change(t(99)), Some(t(100)));
        assert_eq!(schedule.state_at(t(100)), GateState::Reject);
        assert_eq!(schedule.state_at(t(139)), GateState::Reject);
        assert_eq!(schedule.state_at(t(140)), GateState::Pass);
        assert!(schedule.is_empty());
    }

    #[test]
    fn overlapping_windows_are_one_pulse() {
        let mut schedule = Schedule::default();
        schedule.arm(PartNumber(1), t(100), t(140));
        schedule.arm(PartNumber(2), t(130), t(170));
        assert_eq!(schedule.state_at(t(140)), GateState::Reject);
        assert_eq!(schedule.state_at(t(170)), GateState::Pass);
    }

    #[test]
    fn a_full_book_widens_and_never_forgets() {
        let mut schedule = Schedule::default();
        for n in 0..MAX_WINDOWS as u64 + 5 {
            schedule.arm(PartNumber(n), t(1000 + n), t(1001 + n));
        }
        assert!(schedule.windows.len() <= MAX_WINDOWS);
        let end = 1000 + MAX_WINDOWS as u64 + 4;
        assert_eq!(schedule.state_at(t(end)), GateState::Reject);
        assert_eq!(schedule.clear(PartNumber(MAX_WINDOWS as u64), t(1)), Err(TooLate));
    }
}
