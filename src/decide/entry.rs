//! One part in the ledger, from its trigger until it has passed gate and confirm sensor.

use std::sync::Arc;

use super::command::{Action, Command};
use super::policy::{Scored, combine};
use super::record::{Announced, GateId, Look, Outcome, PartRecord};
use super::rules::Rules;
use super::schedule::Owner;
use super::states::{State, Step};
use crate::clock::Time;
use crate::frame::Origin;
use crate::verdict::{PartNumber, Reason, Score, Verdict};

/// Most looks that are kept; a part in view for longer keeps its first ones.
pub const MAX_LOOKS: usize = 64;

/// Windows that move by less are left alone, in seconds.
const NEGLIGIBLE_S: f64 = 0.000_2;
/// The window of a part that was not placed yet.
const UNPLACED: (Time, Time) = (Time::ZERO, Time::ZERO);

/// Whether a moment of a window is another one now.
pub(super) fn moved(a: Time, b: Time) -> bool {
    a != b && a.seconds_since(b).abs() > NEGLIGIBLE_S
}

/// A part between its trigger and the end of the line.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub number: PartNumber,
    pub announced: Announced,
    /// When its leading edge was at position 0, and the travel when its middle is there.
    pub zero: Time,
    pub centre: f64,
    /// Its length: as configured, until the sensor or the camera says that it is longer.
    pub length: f64,
    pub measured: Option<f64>,
    /// The rules that it was opened under.
    pub rules: Arc<Rules>,
    /// Uncertainty of its place, in millimetres.
    pub wider: f64,
    /// Belt that may have passed uncounted when it was last seen at its place, and since.
    pub proved: f64,
    pub doubt: f64,
    /// Belt that may have been counted too much when it was last seen at its place.
    pub ahead: f64,
    /// Whether its place was ever doubted; where it is seen again, it may be off by the tolerance.
    pub doubted: bool,
    pub window: (Time, Time),
    pub deadline: Time,
    pub state: State,
    /// Why it is to be rejected; meaningless while it is cleared.
    pub reason: Reason,
    pub decided_at: Time,
    pub score: Option<Score>,
    pub gate: GateId,
    /// Opened before the position was lost: where it is, nobody knows.
    pub adrift: bool,
    /// Healthy frames showed the place where it should be, and nothing there.
    pub empty: bool,
    /// It may be no part at all: an edge on a belt that is said to be at rest.
    pub dubious: bool,
    /// Something was seen at its place.
    pub sighted: bool,
    pub confirmed_at: Option<Time>,
    /// Why a frame that should have shown it did not.
    pub unseen: Option<Reason>,
    pub origin: Option<Arc<Origin>>,
    scores: Vec<Scored>,
    views: Vec<Look>,
    looks: u32,
    last_look: Option<Look>,
    /// Why it is not to be cleared whatever the scores say: a failed look, its size, its trigger.
    pub fault: Option<Reason>,
    states: Vec<(Time, State)>,
}

impl Entry {
    pub(super) fn new(
        number: PartNumber,
        announced: Announced,
        zero: Time,
        centre: f64,
        now: Time,
        rules: Arc<Rules>,
    ) -> Self {
        Self {
            number,
            announced,
            zero,
            centre,
            length: rules.geometry.part,
            measured: None,
            rules,
            wider: 0.0,
            proved: 0.0,
            doubt: 0.0,
            ahead: 0.0,
            doubted: false,
            window: UNPLACED,
            deadline: Time::MAX,
            state: State::Open,
            reason: Reason::NoFrame,
            decided_at: now,
            score: None,
            gate: GateId::Main,
            adrift: false,
            empty: false,
            dubious: false,
            sighted: false,
            confirmed_at: None,
            unseen: None,
            origin: None,
            scores: Vec::new(),
            views: Vec::new(),
            looks: 0,
            last_look: None,
            fault: None,
            states: vec![(now, State::Open)],
        }
    }

    /// Its gate's window is to be this one. Asks for it where the belt has moved it; the window of a part that has left stays. The gate
    /// was commanded so late lately, in seconds: the verdict is final so long before the window, or the margin if that is more.
    pub(super) fn arm(&mut self, (from, until): (Time, Time), late: f64, now: Time, out: &mut Vec<Action>) {
        let tolerance = self.rules.measuring.tolerance;
        // Where it has run on so far unseen, its neighbour may lie at its place.
        let doubtful = self.rules.geometry.min_pitch - tolerance;
        if (self.wider > tolerance || self.doubt > doubtful) && !self.adrift {
            self.fault = self.fault.or(Some(Reason::Position));
        }
        let first = self.window == UNPLACED;
        let over = !first && self.window.1 <= now && until <= now;
        if over || !(first || moved(from, self.window.0) || moved(until, self.window.1)) {
            return;
        }
        let begun = !first && self.window.0 <= now;
        self.window = (if begun { self.window.0.min(from) } else { from }, until);
        self.deadline =
            if from == Time::MAX { from } else { from.plus_s(-self.rules.geometry.margin.max(late)) };
        let (owner, (from, until)) = (Owner::Part(self.number), self.window);
        out.push(Action::Gate(Command::Arm { gate: self.gate, owner, from, until }));
    }

    /// Takes a step; `false`, and nothing changes, when it is not legal.
    pub(super) fn step(&mut self, step: Step, now: Time) -> bool {
        let Some(next) = self.state.after(step) else { return false };
        if next != self.state {
            self.states.push((now, next));
        }
        self.state = next;
        true
    }

    /// Takes in what a frame said.
    pub(super) fn look(&mut self, look: Look, answer: Result<Score, Reason>) {
        match answer {
            Ok(score) if self.scores.len() < MAX_LOOKS => {
                self.scores.push(Scored { score: score.get(), sharpness: look.sharpness });
            }
            Ok(_) => {}
            Err(reason) => self.fault = self.fault.or(Some(reason)),
        }
        if self.views.len() < MAX_LOOKS {
            self.views.push(look);
        }
        self.looks = self.looks.saturating_add(1);
        self.last_look = Some(look);
        self.sighted = true;
        self.step(Step::Look, look.judged_at);
    }

    /// By how much it is taken to be longer than a part, in millimetres.
    pub(super) fn excess(&self) -> f64 {
        (self.length - self.rules.geometry.part).max(0.0)
    }

    /// How far downstream of its place it was seen last, in millimetres; below 0 for upstream.
    pub(super) fn last_off(&self) -> f64 {
        self.last_look.map_or(0.0, |look| look.off_mm)
    }

    pub(super) fn last_captured(&self) -> Option<Time> {
        self.last_look.map(|look| look.captured_at)
    }

    /// What the looks say, all faults considered. `unseen` is the reason should no frame have shown the part.
    pub(super) fn judge(&mut self, unseen: Reason) -> Verdict {
        self.score = combine(self.rules.combine, &mut self.scores);
        match (self.fault, self.score) {
            (Some(reason), _) => Verdict::Reject(reason),
            (None, None) => Verdict::Reject(unseen),
            (None, Some(_)) if (self.scores.len() as u32) < self.rules.min_looks => {
                Verdict::Reject(Reason::NoFrame)
            }
            (None, Some(score)) => self.rules.policy.verdict(score),
        }
    }

    /// Rejects it; the first reason stands.
    pub(super) fn condemn(&mut self, reason: Reason, now: Time) {
        let step = if self.state == State::Cleared { Step::Revoke } else { Step::Condemn };
        let first = self.state != State::Condemned;
        if self.step(step, now) && first {
            self.reason = reason;
            self.decided_at = now;
        }
    }

    /// An answer came after the verdict. It changes no verdict, but tells why the part seemed unseen.
    pub(super) fn answered_late(&mut self) {
        let unseen = self.looks == 0 && self.fault.is_none();
        if unseen && self.state == State::Condemned {
            self.reason = Reason::Late;
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.state {
            State::Cleared | State::Ended(Outcome::Passed) => Verdict::Ok,
            State::Open | State::Seen => Verdict::Reject(Reason::Late),
            State::Condemned | State::Ended(_) => Verdict::Reject(self.reason),
        }
    }

    /// Ends its life with a step and closes the book on it. A step that is not legal ends it as unresolved.
    pub(super) fn end(mut self, step: Step, now: Time) -> PartRecord {
        let verdict = self.verdict();
        if !self.step(step, now) {
            self.step(Step::Stop, now);
        }
        let outcome = match self.state {
            State::Ended(outcome) => outcome,
            _ => Outcome::UnresolvedAtStop,
        };
        PartRecord {
            number: self.number,
            announced: self.announced,
            triggered_at: self.zero,
            length_mm: self.measured,
            last_look: self.last_look,
            views: self.views,
            looks: self.looks,
            score: self.score,
            verdict,
            decided_at: self.decided_at,
            deadline: self.deadline,
            window: self.window,
            gate: self.gate,
            wider_mm: self.wider + self.doubt,
            confirmed_at: self.confirmed_at,
            empty: (self.empty || self.dubious) && !self.sighted,
            states: self.states,
            outcome,
            config: self.rules.fingerprint.clone(),
            name: self.origin.as_ref().map(|o| o.name.clone()),
            truth: self.origin.as_ref().and_then(|o| o.truth),
        }
    }
}
