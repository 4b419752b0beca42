//! Watches a simulated shift and says where a promise was broken: properties (a) to (g) of `docs/simulation.md`.
//!
//! Compares what the line said with the physical truth. Must not use what the line decides by: its own arithmetic is short and naive.

mod attribute;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::faults::Fault;
use super::plant::{Part, Plant};
use super::shadow::{ShadowBook, ShadowStop};
use super::tally::{Tally, Violation};
use crate::clock::Time;
use crate::config::{GateState, Trigger};
use crate::decide::{Announced, Command, GateId, Outcome, PartRecord, State, StopReason};
use crate::pipeline::Event;
use crate::verdict::{PartNumber, Reason, Truth, Verdict};

/// So long after a part was at the gate its record has come, in seconds, whatever went wrong with the belt.
const LAG_S: f64 = 90.0;
/// Most violations that are kept.
const MOST: usize = 100;
/// Faults so long before a violation are told with it, in seconds.
const NEAR_S: f64 = 6.0;
/// What happens so close to an edge of a window may fall on either side of it, in seconds.
const EDGE_S: f64 = 0.01;
/// A window may be off by so much, in seconds: two encoder readings' worth of rounding.
const WINDOW_OFF_S: f64 = 0.006;

/// What the line told of a part.
#[derive(Debug, Clone)]
struct Told {
    number: u64,
    outcome: Outcome,
    /// Whether the second gate is to take it.
    second: bool,
    /// Whether it was ever cleared, and if so, why it should not have been.
    cleared: Option<Result<(), String>>,
}

/// The judge of one shift.
pub(super) struct Judge {
    plant: Arc<Plant>,
    seed: u64,
    pub violations: Vec<Violation>,
    pub tally: Tally,
    /// Records by part, until the part is judged.
    records: BTreeMap<usize, Vec<Told>>,
    /// Numbers in the ledger, and when they were opened.
    open: BTreeMap<u64, Time>,
    pub last_number: u64,
    judged: usize,
    /// When the present run began.
    began: f64,
    book: ShadowBook,
    stop: ShadowStop,
    /// Every record, where they are wanted.
    pub kept: Option<Vec<PartRecord>>,
}

impl Judge {
    pub(super) fn new(plant: Arc<Plant>, seed: u64, keep: bool) -> Self {
        let stop = ShadowStop::new(plant.clone());
        Self {
            book: ShadowBook::new(plant.config.gate.recovery.as_s()),
            plant,
            seed,
            violations: Vec::new(),
            tally: Tally::default(),
            records: BTreeMap::new(),
            open: BTreeMap::new(),
            last_number: 0,
            judged: 0,
            began: 0.0,
            stop,
            kept: keep.then(Vec::new),
        }
    }

    fn violate(&mut self, property: char, at: f64, part: Option<u64>, mut what: String) {
        if self.violations.len() < MOST {
            let near = |fault: &&Fault| self.plant.faults.within(&[**fault], at - NEAR_S, at);
            let names: Vec<&str> = Fault::ALL.iter().filter(near).map(|fault| fault.name()).collect();
            if !names.is_empty() {
                what = format!("{what} (faults then: {})", names.join(", "));
            }
            self.violations.push(Violation { property, seed: self.seed, at, part, what });
        }
    }

    /// A run begins: the process has just been started.
    pub(super) fn begin(&mut self, at: f64) {
        self.began = at;
        self.book = ShadowBook::new(self.plant.config.gate.recovery.as_s());
        self.stop.restart();
    }

    /// The process died: the parts that were in flight, as the store tells them at the next start.
    pub(super) fn died(&mut self) {
        for (number, opened) in std::mem::take(&mut self.open) {
            let record = PartRecord {
                announced: Announced::Nothing,
                ..PartRecord::opened(PartNumber(number), self.arrived(opened))
            };
            *self.tally.by_final_state.entry(record.outcome.name()).or_default() += 1;
            if let Some(index) = self.part_of(&record) {
                let told = Told { number, outcome: record.outcome, second: false, cleared: None };
                self.records.entry(index).or_default().push(told);
            }
        }
    }

    /// A command on its way to the gate.
    pub(super) fn commanded(&mut self, command: &Command, now: Time) {
        self.book.hear(command, now);
    }

    /// The gate moves.
    pub(super) fn moved(&mut self, state: GateState, now: Time, safe: bool) {
        let at = now.as_s();
        // A limit on the time in reject overrides the windows.
        if safe || (self.plant.config.gate.max_on.is_some() && state == GateState::Pass) {
            return;
        }
        let expected = self.book.at(now);
        if state != expected {
            self.violate(
                'd',
                at,
                None,
                format!("the gate goes to {state:?} where its windows say {expected:?}"),
            );
        }
        let delay = self.plant.config.gate.delay.as_s();
        let moved = self.plant.motion.travel(at + delay) - self.plant.motion.travel(self.began);
        let from = match self.plant.config.decide.trigger {
            Trigger::Vision => self.plant.looks_at().1,
            _ => 0.0,
        };
        let length = self.plant.config.gate.position.as_mm() - from;
        if state == GateState::Pass && moved + 1.0 < length {
            self.violate(
                'g',
                at,
                None,
                format!("the gate passes {moved:.0} mm after a start, before {length:.0} mm"),
            );
        }
    }

    /// What the line tells.
    pub(super) fn hear(&mut self, event: &Event, now: f64) {
        match event {
            Event::Opened { part, at } => {
                if part.0 <= self.last_number || self.open.insert(part.0, *at).is_some() {
                    self.violate('c', at.as_s(), Some(part.0), "its number was given before".to_owned());
                }
                self.last_number = self.last_number.max(part.0);
            }
            Event::Part(record) => self.take(record, now),
            Event::LineStop { reason, at } => {
                if let Some(reason) = reason {
                    *self.tally.line_stops.entry(reason.name()).or_default() += 1;
                }
                if let Some(what) = self.stop.latched(*reason, at.as_s()) {
                    self.violate('e', at.as_s(), None, what);
                }
            }
            _ => {}
        }
    }

    /// Since when a line stop stands.
    pub(super) fn stopped_since(&self) -> Option<(StopReason, f64)> {
        self.stop.standing()
    }

    fn take(&mut self, record: &PartRecord, now: f64) {
        let number = record.number.0;
        if self.open.remove(&number).is_none() {
            self.violate('c', now, Some(number), "it ends without having been opened, or twice".to_owned());
        }
        *self.tally.by_final_state.entry(record.outcome.name()).or_default() += 1;
        if let Verdict::Reject(reason) = record.verdict {
            *self.tally.by_reason.entry(reason.name()).or_default() += 1;
        }
        if let Some(what) = self.stop.record(record, now) {
            self.violate('e', now, Some(number), what);
        }
        if let Some(index) = self.part_of(record) {
            self.check_window(record, index);
            let since =
                record.states.iter().find(|(_, state)| *state == State::Cleared).map(|(at, _)| at.as_s());
            let cleared = since.map(|at| self.check_clearance(&self.plant.parts[index], record, at));
            let second = record.gate == GateId::Second;
            let told = Told { number, outcome: record.outcome, second, cleared };
            for also in self.told_of(record, index, told.cleared.is_some()) {
                self.records.entry(also).or_default().push(told.clone());
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.push(record.clone());
        }
    }

    /// (d) Where nothing is wrong with belt and encoder, a part's window lies where the part is.
    fn check_window(&mut self, record: &PartRecord, index: usize) {
        let (plant, part) = (self.plant.clone(), self.plant.parts[index]);
        let gate = &plant.config.gate;
        let at_gate = plant.at_gate(&part);
        let disturbed = [
            Fault::EncoderSlip,
            Fault::EncoderSilent,
            Fault::EncoderJump,
            Fault::EventsLost,
            Fault::BeltStop,
            Fault::PartLong,
            Fault::SensorStuck,
            Fault::SensorBounce,
            Fault::SensorGhost,
            Fault::PartsClose,
            Fault::Restart,
        ];
        let long = record.wider_mm > 0.0 || record.length_mm.is_some_and(|mm| mm > part.length + 20.0);
        let calm = !plant.faults.within(&disturbed, plant.arrives(&part) - 5.0, at_gate + 2.0);
        if !calm
            || long
            || record.announced != Announced::Sensor
            || record.gate != GateId::Main
            || record.outcome == Outcome::UnresolvedAtStop
            // What was taken back need not follow the belt any more.
            || matches!(
                record.verdict,
                Verdict::Ok | Verdict::Reject(Reason::Uncommanded | Reason::OddSize | Reason::TooClose)
            )
        {
            return;
        }
        let speed = plant.config.line.speed.as_mm_per_s();
        let half = gate.pulse.mm_at(speed) / 2.0;
        let middle = at_gate - gate.delay.as_s();
        let wanted = (middle - (half + gate.lead.mm_at(speed)) / speed, middle + half / speed);
        let (early, late) = (wanted.0 - record.window.0.as_s(), record.window.1.as_s() - wanted.1);
        // Spoilt frames show things that are not there; what was taken for them is removed with the part.
        let spoilt = plant.faults.within(&[Fault::FrameCorrupt], plant.arrives(&part), at_gate);
        let off = if spoilt { (-early).max(-late) } else { early.abs().max(late.abs()) };
        if off > WINDOW_OFF_S {
            let what = format!("its window is {:.1} ms off the part", off * 1000.0);
            self.violate('d', record.window.0.as_s(), Some(record.number.0), what);
        }
        // Where the position was lost after the clearance, the part may have been caught, and nobody can tell.
        let astray = record.verdict == Verdict::Reject(Reason::Position)
            && record.states.iter().any(|(_, state)| *state == State::Cleared);
        let rejected = matches!(record.verdict, Verdict::Reject(_)) && !astray;
        if rejected && plant.commanded(middle) != GateState::Reject {
            let what = format!(
                "rejected as {:?}, and the gate is told to pass when it is there",
                record.verdict.reason()
            );
            self.violate('d', middle, Some(record.number.0), what);
        }
    }

    /// Judges the parts that have passed the gate for long, or all of them.
    pub(super) fn settle(&mut self, now: f64, all: bool) {
        while let Some(part) = self.plant.parts.get(self.judged).copied() {
            let at = self.plant.at_gate(&part);
            if at > now || (!all && at + LAG_S > now) {
                return;
            }
            let records = self.records.remove(&self.judged).unwrap_or_default();
            self.judged += 1;
            self.judge(&part, at, &records);
        }
    }

    fn judge(&mut self, part: &Part, at: f64, records: &[Told]) {
        self.tally.parts += 1;
        let (removed, defective) = (self.plant.is_removed(part), part.truth == Truth::Defect);
        let number = records.first().map(|told| told.number);
        if removed {
            self.tally.false_rejects += u64::from(!defective);
            let unharmed = records.iter().find(|r| r.outcome == Outcome::Passed);
            // (b) A part whose record says that it passed was not removed by a pulse of ours.
            let told_at = at - self.plant.config.gate.delay.as_s();
            let near =
                [-EDGE_S, EDGE_S].iter().all(|off| self.plant.commanded(told_at + off) == GateState::Reject);
            if let Some(record) = unharmed
                && near
            {
                let what = "it was removed, and its record says that it passed".to_owned();
                self.violate('b', at, Some(record.number), what);
            }
            return;
        }
        self.tally.escapes += u64::from(defective);
        // What is told of a part that was rightly cleared may be wrong where the belt slipped after that: it passed all the same.
        let cleared =
            records.iter().filter_map(|r| r.cleared.as_ref()).min_by_key(|cleared| cleared.is_err());
        let passed = records.iter().any(|r| r.outcome == Outcome::Passed);
        if let Some(cleared) = cleared.filter(|cleared| passed || cleared.is_ok()) {
            match cleared {
                Ok(()) => self.tally.model_errors += u64::from(defective),
                Err(why) => {
                    self.tally.unreported_escapes += u64::from(defective);
                    self.violate('a', at, number, format!("it passed although {why}"));
                }
            }
            return;
        }
        let told = records.iter().any(|r| match r.outcome {
            Outcome::Escaped | Outcome::UnresolvedAtStop => true,
            // Without a confirm sensor nothing more can be said of any reject.
            Outcome::RejectedUnconfirmed => true,
            _ => r.second,
        });
        let unknown = records.is_empty() && self.stop.told_unknown(self.plant.confirms(part));
        if !told && !unknown && !self.died_with(part) {
            self.tally.unreported_escapes += u64::from(defective);
            let said: Vec<&str> = records.iter().map(|r| r.outcome.name()).collect();
            self.violate('a', at, number, format!("it passed, and what is told of it is {said:?}"));
        }
    }

    /// Whether the process died while the part was between sensor and gate: the next start told of it.
    fn died_with(&self, part: &Part) -> bool {
        let restart = [Fault::Restart];
        self.plant.faults.within(&restart, self.plant.arrives(part), self.plant.confirms(part) + 0.5)
    }

    /// Whether timely and healthy looks at this very part cleared it, at `cleared_at`.
    fn check_clearance(&self, part: &Part, record: &PartRecord, cleared_at: f64) -> Result<(), String> {
        let config = &self.plant.config;
        let healthy = record.views.iter().filter(|look| {
            let shot = self.plant.shot(look.frame);
            let place = |at: f64| self.plant.motion.travel(at) - self.plant.centre(part);
            shot.is_some_and(|shot| {
                let (there, half) = (place(shot.content), part.length / 2.0);
                shot.healthy && there - half >= shot.shows_from && (there - look.centre_mm).abs() < half
            }) && look.score.is_some()
        });
        let healthy = healthy.count() as u32;
        let before = config.gate.pulse.mm_at(config.line.speed.as_mm_per_s()) / 2.0;
        let gate = config.gate.position.as_mm();
        let belt = [
            Fault::EncoderSlip,
            Fault::EncoderSilent,
            Fault::EncoderJump,
            Fault::EventsLost,
            Fault::BeltStop,
        ];
        let calm = !self.plant.faults.within(&belt, cleared_at - NEAR_S, cleared_at + 1.0);
        // Where the encoder is wrong, in time is before the part has passed.
        let before = if calm { before } else { 0.0 };
        let last = self.plant.motion.time(self.plant.centre(part) + gate - before) - config.gate.delay.as_s();
        if healthy < record.looks.min(record.views.len() as u32) {
            return Err(format!("only {healthy} of its {} looks were healthy looks at it", record.looks));
        }
        if healthy < config.decide.min_looks {
            return Err(format!("{healthy} looks are too few"));
        }
        if cleared_at > last + 0.05 {
            return Err(format!("its verdict came {:.0} ms late", (cleared_at - last) * 1000.0));
        }
        record.score.map(|_| ()).ok_or_else(|| "it has no score".to_owned())
    }

    /// The end: nothing is left open.
    pub(super) fn end(&mut self, now: f64) {
        self.settle(now, true);
        for (number, _) in std::mem::take(&mut self.open) {
            self.violate('c', now, Some(number), "it has no end".to_owned());
        }
    }
}
