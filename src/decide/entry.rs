//! One part in the ledger, from its trigger until it has passed gate and confirm sensor.

use std::sync::Arc;

use super::record::{Look, Outcome, PartRecord};
use super::{Policy, combine};
use crate::clock::Time;
use crate::config::Combine;
use crate::frame::Origin;
use crate::verdict::{PartNumber, Reason, Score, Verdict};

/// Most looks whose scores are kept; a part in view for longer keeps its first ones.
const MAX_LOOKS: usize = 64;

/// Where a part is in its life. A part only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum State {
    /// Opened by its trigger: armed at the gate, to be rejected.
    Open,
    /// Its verdict is final.
    Decided(Verdict),
}

/// A part between its trigger and the end of the line.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub number: PartNumber,
    /// When its leading edge passed position 0.
    pub zero: Time,
    pub window: (Time, Time),
    pub deadline: Time,
    pub state: State,
    pub decided_at: Time,
    pub score: Option<Score>,
    pub confirmed: bool,
    /// Opened although no trigger announced it: nothing clears it.
    pub unannounced: bool,
    pub origin: Option<Arc<Origin>>,
    scores: Vec<f32>,
    looks: u32,
    last_look: Option<Look>,
    /// Why a look at it failed, if one did: such a part is not cleared by the others.
    fault: Option<Reason>,
}

impl Entry {
    pub(super) fn new(
        number: PartNumber,
        zero: Time,
        now: Time,
        window: (Time, Time),
        deadline: Time,
    ) -> Self {
        Self {
            number,
            zero,
            window,
            deadline,
            state: State::Open,
            decided_at: now,
            score: None,
            confirmed: false,
            unannounced: false,
            origin: None,
            scores: Vec::new(),
            looks: 0,
            last_look: None,
            fault: None,
        }
    }

    /// Takes in what a frame said.
    pub(super) fn look(&mut self, look: Look, answer: Result<Score, Reason>) {
        match answer {
            Ok(score) if self.scores.len() < MAX_LOOKS => self.scores.push(score.get()),
            Ok(_) => {}
            Err(reason) => self.fault = Some(reason),
        }
        self.looks = self.looks.saturating_add(1);
        self.last_look = Some(look);
    }

    pub(super) fn last_captured(&self) -> Option<Time> {
        self.last_look.map(|look| look.captured_at)
    }

    /// Makes the verdict final. `unseen` is the reason should no frame have shown the part.
    pub(super) fn decide(&mut self, now: Time, how: Combine, policy: &Policy, unseen: Reason) -> Verdict {
        self.score = combine(how, &mut self.scores);
        let verdict = match (self.unannounced, self.fault, self.score) {
            (true, _, _) => Verdict::Reject(Reason::NoTrigger),
            (_, Some(reason), _) => Verdict::Reject(reason),
            (_, None, Some(score)) => policy.verdict(score),
            (_, None, None) => Verdict::Reject(unseen),
        };
        self.state = State::Decided(verdict);
        self.decided_at = now;
        verdict
    }

    /// An answer came after the verdict. It changes no verdict, but tells why the part seemed unseen.
    pub(super) fn answered_late(&mut self) {
        let unseen = self.looks == 0 && !self.unannounced;
        if unseen && matches!(self.state, State::Decided(Verdict::Reject(_))) {
            self.state = State::Decided(Verdict::Reject(Reason::Late));
        }
    }

    /// The clearance did not reach the gate in time: the part was removed after all.
    pub(super) fn too_late(&mut self) {
        self.state = State::Decided(Verdict::Reject(Reason::Late));
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        match self.state {
            State::Open => None,
            State::Decided(verdict) => Some(verdict),
        }
    }

    /// Closes the book on the part; `at_stop` when the run ends before the part has passed.
    pub(super) fn into_record(self, at_stop: bool) -> PartRecord {
        let verdict = self.verdict().unwrap_or(Verdict::Reject(Reason::Late));
        let outcome = match (at_stop, verdict, self.confirmed) {
            (true, ..) => Outcome::UnresolvedAtStop,
            (_, Verdict::Ok, true) => Outcome::RejectedConfirmed,
            (_, Verdict::Ok, false) => Outcome::Passed,
            (_, Verdict::Reject(_), true) => Outcome::RejectedConfirmed,
            (_, Verdict::Reject(_), false) => Outcome::RejectedUnconfirmed,
        };
        PartRecord {
            number: self.number,
            triggered_at: self.zero,
            last_look: self.last_look,
            looks: self.looks,
            score: self.score,
            verdict,
            decided_at: self.decided_at,
            window: self.window,
            outcome,
            name: self.origin.as_ref().map(|o| o.name.clone()),
            truth: self.origin.as_ref().and_then(|o| o.truth),
        }
    }
}
