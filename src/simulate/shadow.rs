//! A second opinion on the gate's windows and on the line stop, as plain as can be, to hold the real ones against.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::faults::Fault;
use super::plant::Plant;
use crate::clock::Time;
use crate::config::{ConfirmKind, GateState, Sees};
use crate::decide::{Command, GateId, Outcome, Owner, PartRecord, StopReason};
use crate::verdict::{Reason, Verdict};

/// What the main gate was told, window by window.
#[derive(Debug)]
pub(super) struct ShadowBook {
    windows: BTreeMap<(u8, u64), (Time, Time)>,
    known: (Time, Time),
    recovery: f64,
}

impl ShadowBook {
    pub(super) fn new(recovery: f64) -> Self {
        Self { windows: BTreeMap::new(), known: (Time::ZERO, Time::MAX), recovery }
    }

    pub(super) fn hear(&mut self, command: &Command, now: Time) {
        match command {
            Command::Arm { gate: GateId::Main, owner, from, until } => {
                let key = match owner {
                    Owner::Part(part) => (0, part.0),
                    Owner::Gap(gap) => (1, *gap),
                };
                let begun = self.windows.get(&key).map(|w| w.0).filter(|begun| *begun <= now);
                let from = begun.map_or(*from, |begun| begun.min(*from));
                self.windows.insert(key, (from, *until));
            }
            Command::Settle { part, pass: true, .. } => {
                let key = (0, part.0);
                if self.windows.get(&key).is_some_and(|w| now < w.0) {
                    self.windows.remove(&key);
                }
            }
            Command::Know { from, until } => self.known = (*from, *until),
            _ => {}
        }
        self.windows.retain(|_, w| w.1.plus_s(5.0) > now);
    }

    /// Where the gate must be.
    pub(super) fn at(&self, now: Time) -> GateState {
        let any = |holds: &dyn Fn(&(Time, Time)) -> bool| self.windows.values().any(holds);
        let inside = any(&|w| w.0 <= now && now < w.1);
        let unknown = now < self.known.0 || now >= self.known.1;
        // A pause between two windows that is shorter than the recovery is none.
        let held =
            any(&|over| over.1 <= now && any(&|next| next.0 > now && next.0 <= over.1.plus_s(self.recovery)));
        if inside || unknown || held { GateState::Reject } else { GateState::Pass }
    }
}

/// When a line stop must begin.
pub(super) struct ShadowStop {
    plant: Arc<Plant>,
    standing: Option<(StopReason, f64)>,
    /// The stop that stood when the process died, until the next one has taken it over.
    carried: Option<StopReason>,
    /// When a part was last seen behind the gate that nobody knew of.
    unknown: Option<f64>,
    /// A stop that began and whose record is still to come.
    pending: Option<(StopReason, f64)>,
    in_a_row: u32,
    last: VecDeque<bool>,
}

impl ShadowStop {
    pub(super) fn new(plant: Arc<Plant>) -> Self {
        Self {
            plant,
            standing: None,
            carried: None,
            unknown: None,
            pending: None,
            in_a_row: 0,
            last: VecDeque::new(),
        }
    }

    /// The process is started again: a stop goes on standing.
    pub(super) fn restart(&mut self) {
        self.carried = self.standing.map(|(reason, _)| reason);
        let standing = self.standing;
        self.forget();
        self.standing = standing;
    }

    fn forget(&mut self) {
        (self.standing, self.pending, self.in_a_row) = (None, None, 0);
        self.last.clear();
    }

    /// Whether the line was stopped for a part that nobody knew of, seen behind the gate at `at`.
    pub(super) fn told_unknown(&self, at: f64) -> bool {
        self.unknown.is_some_and(|told| (told - at).abs() < 0.1)
    }

    pub(super) fn standing(&self) -> Option<(StopReason, f64)> {
        self.standing
    }

    /// A stop began or ended. Says what is wrong with that.
    pub(super) fn latched(&mut self, reason: Option<StopReason>, at: f64) -> Option<String> {
        let Some(reason) = reason else {
            self.forget();
            return None;
        };
        self.standing = Some((reason, at));
        if self.carried.take() == Some(reason) {
            return None;
        }
        if reason == StopReason::PassUnknown {
            self.unknown = Some(at);
        }
        let faults = &self.plant.faults;
        let belt = [
            Fault::EncoderSilent,
            Fault::EncoderSlip,
            Fault::EncoderJump,
            Fault::BeltStop,
            Fault::EventsLost,
        ];
        let sensor = [
            Fault::SensorMissed,
            Fault::SensorStuck,
            Fault::PartLong,
            Fault::FrameCorrupt,
            Fault::ClockStep,
            Fault::PartsClose,
            Fault::SensorBounce,
            Fault::SensorGhost,
            Fault::CameraFrozen,
            Fault::FrameLate,
        ];
        // Moments are whole nanoseconds.
        let at = at + 1e-6;
        let within = |kinds: &[Fault]| faults.within(kinds, at - 20.0, at);
        let caused = match reason {
            StopReason::BinFull => faults.at(Fault::BinFull, at).is_some(),
            StopReason::AirLow => faults.at(Fault::AirLow, at).is_some(),
            StopReason::Encoder => within(&belt),
            StopReason::SensorStuck | StopReason::PassUnknown => within(&sensor) || within(&belt),
            StopReason::GateHeld => {
                let config = &self.plant.config;
                config.gate.max_on.is_some() || config.second_gate.max_on.is_some()
            }
            _ => {
                self.pending = Some((reason, at));
                true
            }
        };
        (!caused).then(|| format!("a line stop for {} without its cause", reason.name()))
    }

    /// A part has left. Says whether a stop is missing, or came without its cause.
    pub(super) fn record(&mut self, record: &PartRecord, at: f64) -> Option<String> {
        if let Some(reason) = self.carried.take() {
            return Some(format!("the line stop for {} ended with a restart", reason.name()));
        }
        let pending = self.pending.take();
        let stood = self.standing.is_some() && pending.is_none();
        if record.outcome == Outcome::UnresolvedAtStop {
            return None;
        }
        let causes = self.causes(record, stood);
        match (pending, causes.is_empty(), stood) {
            (Some((reason, _)), _, _) if !causes.contains(&reason) => {
                Some(format!("a line stop for {}, and this part gives no cause for it", reason.name()))
            }
            (None, false, false) => {
                let names: Vec<&str> = causes.iter().map(|reason| reason.name()).collect();
                Some(format!("no line stop at {at:.3} s although {names:?}"))
            }
            _ => None,
        }
    }

    fn causes(&mut self, record: &PartRecord, stood: bool) -> Vec<StopReason> {
        let mut causes = Vec::new();
        let (rules, confirm) = (&self.plant.config.line_stop, &self.plant.config.confirm);
        let proof = confirm.kind != ConfirmKind::None;
        let reason = record.verdict.reason();
        if rules.escape {
            if record.outcome == Outcome::Escaped {
                causes.push(StopReason::Escape);
            }
            let missed = record.outcome == Outcome::RejectedUnconfirmed
                && proof
                && confirm.sees == Sees::Removed
                && record.gate == GateId::Main
                && record.confirmed_at.is_none();
            // A part that was caught with its neighbour was seen to be good: nobody waits for its proof, nor for that of a part that is not there. A
            // ledger that was full does not follow the part.
            let caught = was_cleared(record) && reason == Some(Reason::Position);
            let followed =
                !record.empty && !matches!(reason, Some(Reason::Neighbour | Reason::QueueFull)) && !caught;
            if missed && followed {
                causes.push(StopReason::RejectMissed);
            }
            if reason == Some(Reason::Uncommanded) {
                causes.push(StopReason::Uncommanded);
            }
            if record.outcome == Outcome::Passed
                && proof
                && confirm.sees == Sees::Passed
                && record.confirmed_at.is_none()
            {
                causes.push(StopReason::PassMissed);
            }
        }
        if stood {
            return causes;
        }
        let counted = match record.verdict {
            Verdict::Ok => Some(false),
            Verdict::Reject(Reason::LineStop | Reason::Inhibited | Reason::NoPart | Reason::UnknownBelt) => {
                None
            }
            Verdict::Reject(_) => Some(true),
        };
        // A record that stops the line by itself is not counted: the count begins anew with the reset.
        let Some(rejected) = counted.filter(|_| causes.is_empty()) else { return causes };
        self.in_a_row = if rejected { self.in_a_row + 1 } else { 0 };
        self.last.push_back(rejected);
        if self.last.len() > rules.reject_window as usize {
            self.last.pop_front();
        }
        let rejects = self.last.iter().filter(|rejected| **rejected).count() as f64;
        if rules.consecutive_rejects > 0 && self.in_a_row >= rules.consecutive_rejects {
            causes.push(StopReason::ConsecutiveRejects);
        }
        let full = self.last.len() == rules.reject_window as usize;
        if full && rejects / f64::from(rules.reject_window) > rules.reject_rate.as_fraction() {
            causes.push(StopReason::RejectRate);
        }
        causes
    }
}

/// Whether the part was cleared and condemned only as it left.
fn was_cleared(record: &PartRecord) -> bool {
    record.states.iter().any(|(_, state)| state.name() == "cleared")
}
