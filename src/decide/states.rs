//! The states of a part and the only ways from one to the next.
//!
//! The table is the law: [`State::after`] looks a step up in it, and nothing else changes a part's state.

use super::Outcome;

/// Where a part is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Opened by its trigger: armed at the gate, to be rejected.
    Open,
    /// At least one frame showed it; still to be rejected.
    Seen,
    /// Its verdict is OK and reached the gate in time: it may pass.
    Cleared,
    /// Its verdict is REJECT: its window stands.
    Condemned,
    /// It has left, in this way.
    Ended(Outcome),
}

/// What can happen to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A frame showed it.
    Look,
    /// The verdict is OK, before the deadline.
    Clear,
    /// The verdict is REJECT.
    Condemn,
    /// The clearance is void: it came too late, or the part's position is no longer known.
    Revoke,
    /// It left, unharmed.
    LeavePassed,
    /// It left, and the sensor proved its removal.
    LeaveConfirmed,
    /// It left; the gate was in reject for it.
    LeaveUnconfirmed,
    /// It left although it was to be removed.
    LeaveEscaped,
    /// The run ended before it left.
    Stop,
}

/// Every legal step. What is not in it does not happen: an OK part cannot be confirmed as removed without being condemned first, a
/// condemned part never passes as OK, and nothing follows an end.
pub const TABLE: &[(State, Step, State)] = &[
    (State::Open, Step::Look, State::Seen),
    (State::Seen, Step::Look, State::Seen),
    (State::Seen, Step::Clear, State::Cleared),
    (State::Open, Step::Condemn, State::Condemned),
    (State::Seen, Step::Condemn, State::Condemned),
    (State::Condemned, Step::Condemn, State::Condemned),
    (State::Cleared, Step::Revoke, State::Condemned),
    (State::Cleared, Step::LeavePassed, State::Ended(Outcome::Passed)),
    (State::Condemned, Step::LeaveConfirmed, State::Ended(Outcome::RejectedConfirmed)),
    (State::Condemned, Step::LeaveUnconfirmed, State::Ended(Outcome::RejectedUnconfirmed)),
    (State::Condemned, Step::LeaveEscaped, State::Ended(Outcome::Escaped)),
    (State::Open, Step::Stop, State::Ended(Outcome::UnresolvedAtStop)),
    (State::Seen, Step::Stop, State::Ended(Outcome::UnresolvedAtStop)),
    (State::Cleared, Step::Stop, State::Ended(Outcome::UnresolvedAtStop)),
    (State::Condemned, Step::Stop, State::Ended(Outcome::UnresolvedAtStop)),
];

impl State {
    /// The state after a step; `None` when the step is not legal.
    pub fn after(self, step: Step) -> Option<State> {
        TABLE.iter().find(|(from, with, _)| *from == self && *with == step).map(|(_, _, to)| *to)
    }

    /// The states of a part whose verdict is final and that has not left.
    pub const SETTLED: [State; 2] = [State::Cleared, State::Condemned];

    /// Whether the verdict is still open.
    pub const fn is_open(self) -> bool {
        matches!(self, State::Open | State::Seen)
    }

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            State::Open => "open",
            State::Seen => "seen",
            State::Cleared => "cleared",
            State::Condemned => "condemned",
            State::Ended(outcome) => outcome.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_one_row_for_each_state_and_step_and_nothing_after_an_end() {
        for (index, (from, step, _)) in TABLE.iter().enumerate() {
            assert!(!TABLE[index + 1..].iter().any(|(f, s, _)| f == from && s == step), "{from:?} {step:?}");
            assert!(!matches!(from, State::Ended(_)));
        }
        assert_eq!(State::Open.after(Step::Clear), None, "an unseen part is never cleared");
        assert_eq!(State::Condemned.after(Step::Clear), None);
        assert_eq!(State::Condemned.after(Step::LeavePassed), None);
        assert_eq!(State::Ended(Outcome::Passed).after(Step::Stop), None);
    }

    #[test]
    fn every_end_but_the_stop_needs_a_verdict() {
        for (from, step, to) in TABLE {
            if let State::Ended(outcome) = to {
                assert!(*step == Step::Stop || !from.is_open(), "{from:?} {step:?}");
                assert!((*outcome == Outcome::UnresolvedAtStop) == (*step == Step::Stop));
            }
        }
    }
}
