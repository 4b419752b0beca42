//! The engine: the ledger of parts between trigger and gate.
//!
//! A part is armed at the gate the moment it is opened. A clearance is given only for a verdict OK made before the part's
//! deadline, on frames of a known stretch of belt. Every opened part ends in exactly one [`Action::Finished`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::command::{Action, Command};
use super::coverage::Coverage;
use super::entry::Entry;
use super::line_stop::{Latch, StopReason};
use super::movements::Movements;
use super::odometer::{Loss, Odometer};
use super::record::{Announced, GateId};
use super::rules::{GateTiming, Rules};
use super::schedule::Owner;
use super::signals::{Pulses, Signals};
use super::stamps::{Pace, Stamps};
use super::states::{State, Step};
use crate::clock::Time;
use crate::config::{GateState, Trigger, Unsure};
use crate::verdict::{PartNumber, Reason, Verdict};

mod belt;
mod frames;
mod leaving;
mod triggers;
mod troubles;

pub use belt::Input;
pub use troubles::Troubles;

/// Time passes in steps of at least so many seconds.
const SOONEST_S: f64 = 0.000_5;
/// Share of the gate's lateness that is kept at each movement: some thirty movements forget a stall.
const LATENESS_KEPT: f64 = 0.9;
/// Greatest lateness that is counted on, in seconds: beyond it parts would be rejected for a stall that is over.
const MOST_LATE_S: f64 = 0.1;

/// The ledger and its rules.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<Rules>,
    ledger: VecDeque<Entry>,
    next: u64,
    troubles: Troubles,
    odometer: Odometer,
    /// Why the belt's position is unknown, and since when.
    lost: Option<(Loss, Time)>,
    coverage: Coverage,
    /// Since the position is known, the camera has shown an announced part in its place. Until then its clock may be off.
    in_place: bool,
    known: (Time, Time),
    movements: [Movements; 2],
    /// How late gates were commanded lately, in seconds.
    gate_late: f64,
    latch: Latch,
    /// A stop that stood before the start and is still to be taken over.
    stood: Option<StopReason>,
    pulses: Pulses,
    signals: Signals,
    stamps: Stamps,
    pace: Pace,
    triggers: triggers::Watch,
    inhibited: bool,
    /// The confirm sensor did not see the last part that it should have seen passing: until it sees one, it proves nothing.
    confirm_blind: bool,
    model_fault: bool,
    began: Time,
    /// When time was last let pass.
    now: Time,
    last_frame: Option<Time>,
    /// The belt that the last frame showed, in millimetres from the sensor: from, to.
    shown: (f64, f64),
    /// Travel at the last frame and at the one before.
    last_travel: (f64, f64),
    /// Frames in a row in which parts were off their place.
    off_place: u32,
}

impl Engine {
    /// An empty ledger whose first part gets the number `first`. What is on the belt is unknown.
    pub fn new(rules: Rules, first: PartNumber, now: Time) -> Self {
        Self {
            odometer: Odometer::new(rules.measuring.clone(), now),
            ledger: VecDeque::new(),
            next: first.0.max(1),
            troubles: Troubles::default(),
            lost: Some((Loss::Start, now)),
            coverage: Coverage::default(),
            in_place: false,
            known: (Time::MAX, Time::MAX),
            movements: Default::default(),
            gate_late: 0.0,
            latch: Latch::default(),
            stood: None,
            pulses: Pulses::default(),
            signals: Signals::default(),
            stamps: Stamps::default(),
            pace: Pace::default(),
            triggers: triggers::Watch::default(),
            inhibited: false,
            confirm_blind: false,
            model_fault: false,
            began: now,
            now,
            last_frame: None,
            shown: rules.geometry.view,
            last_travel: (0.0, 0.0),
            off_place: 0,
            rules: Arc::new(rules),
        }
    }

    /// A line stop stood when the run before ended: it stands until somebody resets it, and not until a restart.
    pub fn stands_stopped(&mut self, reason: Option<StopReason>) {
        self.stood = reason;
    }

    /// Puts other rules into force: parts that are opened from now on are judged by them.
    pub fn set_rules(&mut self, rules: Rules) {
        self.odometer.rules = rules.measuring.clone();
        self.rules = Arc::new(rules);
    }

    /// The times of the gate that are in force.
    pub fn gate_timing(&self) -> GateTiming {
        self.rules.gate_timing
    }

    /// The belt that frames are to show, in millimetres from the sensor: from, to.
    pub fn looked_at(&self) -> (f64, f64) {
        self.rules.geometry.view
    }

    /// Number of parts in the ledger.
    pub fn in_flight(&self) -> usize {
        self.ledger.len()
    }

    /// What went wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.troubles
    }

    /// Why the line is to stand, if it is.
    pub fn line_stop(&self) -> Option<StopReason> {
        self.latch.stopped().map(|(reason, _)| reason)
    }

    /// Lets time pass: final verdicts at deadlines, parts that have left, outputs.
    pub fn on_deadline(&mut self, now: Time, out: &mut Vec<Action>) {
        self.now = self.now.max(now);
        if let Some(reason) = self.stood.take() {
            self.trip(reason, now, out);
        }
        self.follow_belt(now, out);
        for at in 0..self.ledger.len() {
            if self.ledger[at].state.is_open() && now >= self.ledger[at].deadline {
                self.settle(at, now, out);
            }
        }
        self.let_go(now, out);
        self.signal(now, out);
    }

    /// When [`Engine::on_deadline`] must be called next.
    pub fn next_deadline(&self) -> Option<Time> {
        let due = |entry: &Entry| match entry.state {
            State::Open | State::Seen => entry.deadline,
            _ => self.odometer.time_at(self.gone_at(entry)).unwrap_or(Time::MAX),
        };
        let parts = self.ledger.iter().map(due).min().filter(|at| *at < Time::MAX);
        let silence = self.lost.is_none().then(|| self.odometer.silent_from()).flatten();
        let silence = silence.map(|at| at.plus_s(1e-6));
        let camera = self.last_frame.filter(|_| !self.signals.fault).map(|at| at + self.rules.lost_after);
        let moved = self.moved_at_rest().map(|at| at.plus_s(1e-6));
        let next = [parts, silence, moved, camera, self.pulses.next()].into_iter().flatten().min();
        // What was due already waits for the belt, and nobody is to spin until it moves.
        next.map(|at| at.max(self.now.plus_s(SOONEST_S)))
    }

    /// The gate had already moved for a part that was to pass.
    pub fn on_too_late(&mut self, part: PartNumber, now: Time) {
        if let Some(entry) = self.ledger.iter_mut().find(|e| e.number == part) {
            entry.condemn(Reason::Late, now);
            entry.gate = GateId::Main;
        }
    }

    /// A gate was commanded at `at`, so long after it was due. Verdicts are final that much earlier from now on: a board that moves the
    /// gate late takes clearances in late too.
    pub fn on_moved(&mut self, gate: GateId, state: GateState, at: Time, late: Duration) {
        self.movements[gate as usize].moved(at, state);
        self.gate_late = (self.gate_late * LATENESS_KEPT).max(late.as_secs_f64()).min(MOST_LATE_S);
    }

    /// Ends the run: what is still on the belt is reported as unresolved.
    pub fn on_stop(&mut self, now: Time, out: &mut Vec<Action>) {
        out.extend(self.ledger.drain(..).map(|entry| Action::Finished(Box::new(entry.end(Step::Stop, now)))));
    }

    /// Opens a part whose middle has the coordinate `centre`, and arms the gate for it. Its place in the ledger, or `None` when
    /// that is full.
    fn open(
        &mut self,
        (announced, centre): (Announced, f64),
        zero: Time,
        now: Time,
        out: &mut Vec<Action>,
    ) -> Option<usize> {
        let number = PartNumber(self.next);
        self.next += 1;
        let mut entry = Entry::new(number, announced, zero, centre, now, self.rules.clone());
        entry.adrift = self.lost.is_some();
        (entry.proved, entry.ahead) = (self.odometer.doubt_at(zero), self.odometer.surplus_at(zero));
        let window = self.window_of(&entry);
        entry.arm(window, self.gate_late, now, out);
        out.push(Action::Opened { part: number, at: now });
        if self.ledger.len() >= self.rules.max_parts {
            entry.condemn(Reason::QueueFull, now);
            self.finish(entry, Step::LeaveUnconfirmed, now, out);
            return None;
        }
        self.ledger.push_back(entry);
        Some(self.ledger.len() - 1)
    }

    /// Makes a part's verdict final.
    fn settle(&mut self, at: usize, now: Time, out: &mut Vec<Action>) {
        let unseen = self.why_unseen(&self.ledger[at], now);
        let (stopped, inhibited) = (self.latch.stopped().is_some(), self.inhibited);
        let entry = &mut self.ledger[at];
        let verdict = entry.judge(unseen);
        let standing = entry.window.0;
        let verdict = match verdict {
            Verdict::Ok | Verdict::Reject(Reason::Unsure | Reason::Unfamiliar) if entry.adrift => {
                Verdict::Reject(Reason::Position)
            }
            Verdict::Ok if stopped => Verdict::Reject(Reason::LineStop),
            Verdict::Ok if inhibited => Verdict::Reject(Reason::Inhibited),
            Verdict::Ok if now >= standing => Verdict::Reject(Reason::Late),
            other => other,
        };
        let captured_at = entry.last_captured();
        let (mut pass, mut divert) = (verdict == Verdict::Ok, None);
        match verdict {
            Verdict::Ok => {
                if !entry.step(Step::Clear, now) {
                    self.troubles.illegal_steps += 1;
                    entry.condemn(unseen, now);
                    pass = false;
                }
                entry.decided_at = now;
            }
            Verdict::Reject(reason) => {
                entry.condemn(reason, now);
                let second = self.rules.geometry.second.is_some() && entry.rules.unsure == Unsure::SecondGate;
                if matches!(reason, Reason::Unsure | Reason::Unfamiliar)
                    && second
                    && !stopped
                    && now < standing
                {
                    entry.gate = GateId::Second;
                    pass = true;
                }
            }
        }
        let part = entry.number;
        if entry.gate == GateId::Second {
            let window = self.window_of(&self.ledger[at]);
            self.ledger[at].window = window;
            divert = Some(window);
        }
        self.pulses.verdict(verdict == Verdict::Ok, now, self.rules.pulse);
        out.push(Action::Gate(Command::Settle { part, pass, captured_at, divert }));
    }

    /// Why no frame showed the part: the camera's silence, a frame that could not be used, or nothing was seen.
    fn why_unseen(&self, entry: &Entry, now: Time) -> Reason {
        if entry.adrift {
            return Reason::Position;
        }
        if now - self.last_frame.unwrap_or(self.began) > self.rules.lost_after {
            return Reason::CameraLost;
        }
        if entry.empty {
            return Reason::NoPart;
        }
        entry.unseen.unwrap_or(Reason::NoFrame)
    }

    fn trip(&mut self, reason: StopReason, now: Time, out: &mut Vec<Action>) {
        if self.latch.trip(reason, now, &self.rules.line_stop) {
            out.push(Action::LineStop(Some(reason)));
        }
    }

    /// Tells the outputs where they have changed.
    fn signal(&mut self, now: Time, out: &mut Vec<Action>) {
        let camera_lost = self.last_frame.is_some_and(|at| now - at >= self.rules.lost_after);
        // A belt that stands is to be allowed to start: nothing else makes its position known again.
        let standing = |loss| matches!(loss, Loss::Start | Loss::Stopped | Loss::Rocked);
        let lost = self.lost.is_some_and(|(loss, _)| !standing(loss));
        let fault = camera_lost || self.model_fault || lost || self.triggers.is_stuck();
        let line_stop = self.latch.stopped().is_some();
        let mut signals = Signals {
            ready: self.last_frame.is_some() && !fault && !line_stop && !self.inhibited,
            busy: !self.ledger.is_empty(),
            fault,
            line_stop,
            ..Signals::default()
        };
        self.pulses.fill(&mut signals, now, self.rules.life);
        if signals != self.signals {
            self.signals = signals;
            out.push(Action::Gate(Command::Signals(signals)));
        }
    }

    /// Whether parts are opened by what goes along the belt.
    fn on_belt(&self) -> bool {
        self.rules.trigger != Trigger::EveryFrame
    }
}

#[cfg(test)]
mod tests;
