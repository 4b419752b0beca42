//! How parts leave: what the gate did when they passed it, and what the confirm sensor saw.

use super::{Action, Engine, Entry, GateId, Step, StopReason};
use crate::clock::Time;
use crate::config::{GateState, Sees};
use crate::decide::record::Outcome;
use crate::decide::states::State;
use crate::verdict::Reason;

/// Where in its window, as shares of the way from the middle to either end, a gate must have been in reject for a part.
const PROVEN_AT: [f64; 3] = [-0.5, 0.0, 0.5];
/// In so many steps the stretch is looked through on which a part may have passed the gate.
const DOUBTED_AT: u32 = 8;

impl Engine {
    /// The confirm sensor saw a part at `at`.
    pub fn on_confirm(&mut self, at: Time, now: Time, out: &mut Vec<Action>) {
        self.on_deadline(now, out);
        let Some(confirm) = self.rules.geometry.confirm.clone() else { return };
        let centre = self.odometer.mm_at(at) - confirm.position + self.rules.geometry.part / 2.0;
        let off = |e: &Entry| (e.centre - centre).abs();
        let tolerance = confirm.tolerance;
        // What passed of a long thing may be the part at its end.
        let behind = |e: &Entry| if confirm.sees == Sees::Passed { e.excess() } else { 0.0 };
        // Of two in reach the one that was to be there; then the nearer one.
        let expected = |e: &Entry| (e.state == State::Condemned) == (confirm.sees == Sees::Removed);
        let reach = self
            .ledger
            .iter_mut()
            .filter(|e| e.confirmed_at.is_none() && off(e) <= tolerance + e.wider + e.doubt + behind(e));
        // What may be no part at all proves least.
        let best = reach.min_by(|a, b| {
            expected(b).cmp(&expected(a)).then(a.dubious.cmp(&b.dubious)).then(off(a).total_cmp(&off(b)))
        });
        match best {
            Some(entry) => {
                entry.confirmed_at = Some(at);
                self.confirm_blind = false;
            }
            None => {
                self.troubles.unexpected_confirms += 1;
                // An edge that bounces belongs to the part that was seen just before.
                let again = self.ledger.iter().any(|e| off(e) <= tolerance);
                let known = self.lost.is_none() && self.coverage.unknown_to().is_some_and(|to| centre > to);
                if confirm.sees == Sees::Passed && known && !again {
                    self.trip(StopReason::PassUnknown, now, out);
                    self.signal(now, out);
                }
            }
        }
    }

    /// Travel at which nothing more can happen to the part.
    pub(super) fn gone_at(&self, entry: &Entry) -> f64 {
        entry.rules.geometry.gone(entry.centre) + entry.wider + entry.excess()
    }

    /// Closes the books on the parts that have left.
    pub(super) fn let_go(&mut self, now: Time, out: &mut Vec<Action>) {
        let travel = self.odometer.mm_at(now);
        let mut at = 0;
        while at < self.ledger.len() {
            let entry = &self.ledger[at];
            if entry.state.is_open() || self.gone_at(entry) > travel + 1e-6 {
                at += 1;
                continue;
            }
            let Some(mut entry) = self.ledger.remove(at) else { continue };
            let step = self.leaves(&mut entry, now, out);
            self.finish(entry, step, now, out);
        }
        let horizon = now.plus_s(-60.0);
        self.movements.iter_mut().for_each(|gate| gate.forget(horizon));
    }

    /// What the gate was commanded to as the part passed it, at a share of its window from the middle.
    fn commanded(&self, entry: &Entry, share: f64) -> GateState {
        let geometry = &entry.rules.geometry;
        let gate = match entry.gate {
            GateId::Main => &geometry.gate,
            GateId::Second => geometry.second.as_ref().unwrap_or(&geometry.gate),
        };
        let reach = if share < 0.0 { gate.before } else { gate.after };
        let mm = entry.centre + gate.position + share * reach;
        let at = self.odometer.time_at(mm).unwrap_or(Time::MAX).plus_s(-gate.delay);
        self.movements[entry.gate as usize].at(at)
    }

    /// Whether the gate was in reject while a cleared part passed it, or may have passed it: up to halfway to its neighbours where nobody
    /// knows its place any more.
    fn was_caught(&self, entry: &Entry, now: Time) -> bool {
        let gate = &entry.rules.geometry.gate;
        let at = |ahead: f64| {
            let mm = entry.centre + gate.position - ahead;
            let at = self.odometer.time_at(mm).unwrap_or(Time::MAX).plus_s(-gate.delay);
            self.movements[GateId::Main as usize].at(at)
        };
        let off = if entry.doubted { entry.last_off() } else { 0.0 };
        let surplus = self.odometer.surplus_at(now) - entry.ahead;
        let astray = if entry.adrift { entry.rules.geometry.min_pitch / 2.0 } else { 0.0 };
        let nearest = off.min(0.0) - surplus.max(astray);
        let farthest = off.max(0.0) + entry.doubt.max(astray);
        let step = (farthest - nearest) / f64::from(DOUBTED_AT);
        (0..=DOUBTED_AT).any(|k| at(nearest + step * f64::from(k)) == GateState::Reject)
    }

    /// Whether it means anything that the confirm sensor did not see the part. That in the main gate's chute sees nothing of the second
    /// gate's parts, and one in front of a gate nothing of what that does.
    fn is_proven(&self, entry: &Entry) -> bool {
        if self.confirm_blind {
            return false;
        }
        let (Some(confirm), Some(second)) = (&self.rules.geometry.confirm, &self.rules.geometry.second)
        else {
            return true;
        };
        entry.gate == GateId::Main || (confirm.sees == Sees::Passed && confirm.position > second.position)
    }

    /// The step by which a part leaves.
    fn leaves(&mut self, entry: &mut Entry, now: Time, out: &mut Vec<Action>) -> Step {
        let sees = self.rules.geometry.confirm.as_ref().map(|confirm| confirm.sees);
        let sighted = entry.confirmed_at.is_some();
        let removed = match sees {
            Some(Sees::Removed) => Some(sighted),
            Some(Sees::Passed) => Some(!sighted),
            None => None,
        };
        let removed = removed.filter(|_| sighted || self.is_proven(entry));
        if !self.rules.follows_belt {
            return match entry.state {
                State::Cleared => Step::LeavePassed,
                _ if removed == Some(true) => Step::LeaveConfirmed,
                _ => Step::LeaveUnconfirmed,
            };
        }
        if entry.state == State::Cleared {
            if self.was_caught(entry, now) {
                let reason = if entry.adrift { Reason::Position } else { Reason::Neighbour };
                entry.condemn(reason, now);
                return if removed == Some(true) { Step::LeaveConfirmed } else { Step::LeaveUnconfirmed };
            }
            match (sees, sighted) {
                (Some(Sees::Removed), true) => {
                    entry.condemn(Reason::Uncommanded, now);
                    self.trip(StopReason::Uncommanded, now, out);
                    return Step::LeaveConfirmed;
                }
                (Some(Sees::Passed), false) => {
                    self.confirm_blind = true;
                    self.trip(StopReason::PassMissed, now, out);
                }
                _ => {}
            }
            return Step::LeavePassed;
        }
        let acted = PROVEN_AT.iter().all(|share| self.commanded(entry, *share) == GateState::Reject);
        // Where a part may be so far from its place that the edge may be its neighbour's, an edge proves little.
        let vague = entry.adrift
            || self.rules.geometry.confirm.as_ref().is_some_and(|confirm| {
                confirm.tolerance + entry.wider + 2.0 * entry.doubt > self.rules.geometry.min_pitch
            });
        // Nothing is missed where healthy frames showed that there was nothing, or where there may have been nothing from the start.
        let expected = entry.sighted || !(entry.empty || entry.dubious);
        match (removed, sees) {
            // Of a thing as long as several parts that lie end to end, an edge proves one.
            (Some(true), Some(Sees::Removed)) if vague || entry.excess() > 0.0 => Step::LeaveUnconfirmed,
            (Some(true), Some(Sees::Removed)) => Step::LeaveConfirmed,
            (Some(false), Some(Sees::Passed)) => {
                self.trip(StopReason::Escape, now, out);
                Step::LeaveEscaped
            }
            _ if !acted => {
                self.trip(StopReason::Escape, now, out);
                Step::LeaveEscaped
            }
            // Nor does it prove much that nothing was seen where it may never have been.
            (Some(true), _) if vague => Step::LeaveUnconfirmed,
            (Some(true), _) => Step::LeaveConfirmed,
            (Some(false), _) => {
                if expected {
                    self.trip(StopReason::RejectMissed, now, out);
                }
                Step::LeaveUnconfirmed
            }
            (None, _) => Step::LeaveUnconfirmed,
        }
    }

    pub(super) fn finish(&mut self, entry: Entry, step: Step, now: Time, out: &mut Vec<Action>) {
        if entry.state.after(step).is_none() {
            self.troubles.illegal_steps += 1;
        }
        let record = entry.end(step, now);
        debug_assert_ne!(record.outcome, Outcome::UnresolvedAtStop, "a part leaves by a legal step");
        if let Some(reason) = self.latch.count(&record, &self.rules.line_stop) {
            self.trip(reason, now, out);
        }
        out.push(Action::Finished(Box::new(record)));
    }
}

#[cfg(test)]
mod tests;
