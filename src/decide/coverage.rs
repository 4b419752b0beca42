//! Which stretches of belt a healthy frame has shown. What none has shown is rejected at the gate, whether or not a part is known on it.
//!
//! This makes the camera a dead man's switch: each healthy frame moves the end of the known belt upstream, and where it ends, the
//! gate rejects. After a start, and after the position was lost, nothing downstream of the sensor is known. Coordinates are those
//! of parts' centres, see [`super::geometry`]. Pure.

use std::collections::VecDeque;

use crate::clock::Time;

/// Most gaps that are kept apart; with more, the last two become one.
const GAPS: usize = 64;

/// A stretch that no frame showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gap {
    /// Number of the gap.
    pub number: u64,
    /// Where it begins, downstream.
    pub from: f64,
    /// Where it ends, upstream.
    pub to: f64,
    /// Belt that may have passed uncounted when it was found, in millimetres since the start.
    pub doubt: f64,
    /// When the gate was told to be in reject for it.
    pub window: (Time, Time),
}

/// What is known of the belt.
#[derive(Debug, Clone)]
pub(super) struct Coverage {
    /// Everything up to here is unknown; `None` while the position is lost, when everything is.
    unknown_to: Option<f64>,
    /// Everything from `unknown_to` up to here was shown, but for the gaps.
    known_to: f64,
    /// Belt that may have passed uncounted when `known_to` was shown, in millimetres since the start.
    doubt: f64,
    gaps: VecDeque<Gap>,
    next: u64,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { unknown_to: None, known_to: f64::NEG_INFINITY, doubt: 0.0, gaps: VecDeque::new(), next: 1 }
    }
}

impl Coverage {
    /// Nothing is known any more.
    pub(super) fn lose(&mut self) {
        self.unknown_to = None;
    }

    /// Everything up to `centre` is unknown, and what comes after it can be learned again.
    pub(super) fn begin(&mut self, centre: f64, doubt: f64) {
        self.unknown_to = Some(centre);
        (self.known_to, self.doubt) = (centre, doubt);
        // What was a gap lies in the unknown stretch now.
        self.gaps.clear();
    }

    /// Up to where nothing is known; `None` when nothing is known at all.
    pub(super) fn unknown_to(&self) -> Option<f64> {
        self.unknown_to
    }

    /// Up to where the belt is known, now that `doubt` may have passed uncounted: what was known may be so much further on.
    pub(super) fn known_to(&self, doubt: f64) -> f64 {
        self.known_to - (doubt - self.doubt).max(0.0)
    }

    /// A healthy frame showed all parts with centres from `from` to `to`, when `doubt` had passed uncounted. `true` when that
    /// leaves a gap before them.
    pub(super) fn show(&mut self, (from, to): (f64, f64), doubt: f64) -> bool {
        if self.unknown_to.is_none() || to <= self.known_to {
            return false;
        }
        let known_to = self.known_to(doubt);
        let gap = from > known_to;
        if gap {
            self.open_gap((known_to, from), doubt);
        }
        (self.known_to, self.doubt) = (to, doubt);
        gap
    }

    fn open_gap(&mut self, (from, to): (f64, f64), doubt: f64) {
        if self.gaps.len() == GAPS
            && let Some(last) = self.gaps.back_mut()
        {
            last.to = to;
            return;
        }
        let gap = Gap { number: self.next, from, to, doubt, window: (Time::ZERO, Time::ZERO) };
        self.next += 1;
        self.gaps.push_back(gap);
    }

    /// The gaps, from downstream to upstream.
    pub(super) fn gaps(&mut self) -> impl Iterator<Item = &mut Gap> {
        self.gaps.iter_mut()
    }

    /// Forgets the gaps that end before `centre`.
    pub(super) fn forget(&mut self, centre: f64) {
        while self.gaps.front().is_some_and(|gap| gap.to < centre) {
            self.gaps.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_that_overlap_leave_no_gap_and_a_missing_one_does() {
        let mut coverage = Coverage::default();
        assert!(!coverage.show((0.0, 100.0), 0.0));
        assert_eq!(coverage.known_to(0.0), f64::NEG_INFINITY, "nothing is known before the begin");
        coverage.begin(50.0, 0.0);
        assert!(!coverage.show((0.0, 100.0), 0.0));
        assert!(!coverage.show((80.0, 180.0), 0.0));
        assert!(coverage.show((300.0, 400.0), 0.0));
        let gap = *coverage.gaps().next().unwrap();
        assert_eq!((gap.from, gap.to), (180.0, 300.0));
        assert_eq!((coverage.unknown_to(), coverage.known_to(0.0)), (Some(50.0), 400.0));
        coverage.forget(299.0);
        assert_eq!(coverage.gaps().count(), 1);
        coverage.forget(301.0);
        assert_eq!(coverage.gaps().count(), 0);
    }

    #[test]
    fn too_many_gaps_become_one_and_none_is_lost() {
        let mut coverage = Coverage::default();
        coverage.begin(0.0, 0.0);
        for k in 0..200 {
            coverage.show((f64::from(k) * 10.0 + 5.0, f64::from(k) * 10.0 + 9.0), 0.0);
        }
        assert_eq!(coverage.gaps().count(), GAPS);
        assert_eq!(coverage.gaps().last().unwrap().to, 1995.0);
    }
}
