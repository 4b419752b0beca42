//! Where the gate was commanded when: what proves afterwards that it acted for a part, or that it caught one it should not.
//!
//! Pure and bounded.

use std::collections::VecDeque;

use crate::clock::Time;
use crate::config::GateState;

/// Most movements that are remembered: far more than the parts in flight can cause.
const MOVEMENTS: usize = 8192;

/// The commands of one gate.
#[derive(Debug, Clone, Default)]
pub(super) struct Movements {
    moves: VecDeque<(Time, GateState)>,
}

impl Movements {
    /// The gate was commanded.
    pub(super) fn moved(&mut self, at: Time, state: GateState) {
        if self.moves.len() == MOVEMENTS {
            self.moves.pop_front();
        }
        self.moves.push_back((at, state));
    }

    /// What the gate was last commanded to at a moment; reject where that is not known.
    pub(super) fn at(&self, at: Time) -> GateState {
        let later = self.moves.partition_point(|(moved, _)| *moved <= at);
        later.checked_sub(1).map_or(GateState::Reject, |last| self.moves[last].1)
    }

    /// Forgets what was over before a moment.
    pub(super) fn forget(&mut self, before: Time) {
        while self.moves.len() > 1 && self.moves[1].0 < before {
            self.moves.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_at_a_moment_is_that_of_the_command_before_it() {
        let t = |ms: u64| Time::from_nanos(ms * 1_000_000);
        let mut moves = Movements::default();
        assert_eq!(moves.at(t(5)), GateState::Reject);
        moves.moved(t(10), GateState::Pass);
        moves.moved(t(20), GateState::Reject);
        moves.moved(t(30), GateState::Pass);
        let states = [9, 10, 19, 20, 29, 30].map(|ms| moves.at(t(ms)) == GateState::Reject);
        assert_eq!(states, [true, false, false, true, true, false]);
        moves.forget(t(25));
        assert_eq!(moves.at(t(24)), GateState::Reject);
        assert_eq!(moves.moves.len(), 2);
    }
}
