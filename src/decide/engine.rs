//! The engine: the ledger of parts between trigger and gate.
//!
//! A part is armed at the gate the moment it is opened. A clearance is given only for a verdict OK made before the part's
//! deadline. Every opened part ends in exactly one [`Action::Finished`].

use std::collections::VecDeque;
use std::time::Duration;

use super::Policy;
use super::entry::{Entry, State};
use super::geometry::Geometry;
use super::record::{Look, PartRecord};
use crate::clock::Time;
use crate::config::{Combine, Config, Trigger};
use crate::verdict::{PartNumber, Reason, Verdict};
use crate::vision::{Inspection, Sighting};

/// An announcement may reach the engine so long after the part passed the sensor, in seconds.
const TRIGGER_LATENESS_S: f64 = 0.1;

/// What the engine goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The line's measures.
    pub geometry: Geometry,
    /// Where the model says DEFECT.
    pub policy: Policy,
    /// What opens a part.
    pub trigger: Trigger,
    /// How several scores become one.
    pub combine: Combine,
    /// A frame older than this when it is judged clears nothing.
    pub stale_after: Duration,
    /// The camera is lost when no frame came for so long.
    pub lost_after: Duration,
    /// Most parts in the ledger.
    pub max_parts: usize,
}

impl Rules {
    /// The rules that `config` gives, for a model with this policy; `confirm` says whether there is a confirm sensor.
    pub fn of(config: &Config, policy: Policy, confirm: bool) -> Self {
        Self {
            geometry: Geometry::of(config, confirm),
            policy,
            trigger: config.decide.trigger,
            combine: config.decide.combine,
            stale_after: config.decide.stale_after.duration(),
            lost_after: config.camera.lost_after.duration(),
            max_parts: config.decide.max_parts as usize,
        }
    }
}

/// What the engine wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The gate is to be in reject for the part in this window unless it is cleared.
    Arm {
        /// The part.
        part: PartNumber,
        /// From when.
        from: Time,
        /// Until when.
        until: Time,
    },
    /// The part's verdict is final: it passes, or its window stands.
    Settle {
        /// The part.
        part: PartNumber,
        /// Whether it passes.
        pass: bool,
        /// When the frame that decided was captured, if one did.
        captured_at: Option<Time>,
    },
    /// The part has left; its history is complete.
    Finished(Box<PartRecord>),
}

/// The ledger and its rules.
#[derive(Debug)]
pub struct Engine {
    rules: Rules,
    ledger: VecDeque<Entry>,
    next: u64,
    /// Answers that came after their part's deadline and changed nothing.
    late_answers: u64,
    last_frame: Option<Time>,
    /// Time between the last two frames, in seconds.
    interval: f64,
    /// The last frame that could not be judged, or was dropped, and why.
    trouble: Option<(Time, Reason)>,
}

impl Engine {
    /// An empty ledger.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            ledger: VecDeque::new(),
            next: 1,
            late_answers: 0,
            last_frame: None,
            interval: 0.0,
            trouble: None,
        }
    }

    /// Number of parts in the ledger.
    pub fn in_flight(&self) -> usize {
        self.ledger.len()
    }

    /// Answers of the model that came after their part's deadline; none of them acted on any part.
    pub fn late_answers(&self) -> u64 {
        self.late_answers
    }

    /// A part's leading edge reached the sensor at `at`.
    pub fn on_part_arrived(&mut self, at: Time, now: Time, out: &mut Vec<Action>) {
        if self.rules.trigger == Trigger::Sensor {
            self.open(at, now, out);
        }
    }

    /// The confirm sensor saw a removed part leave at `at`.
    pub fn on_confirmed(&mut self, at: Time) {
        let geometry = &self.rules.geometry;
        let off = |e: &Entry| {
            geometry.confirm_at(e.zero).map_or(f64::MAX, |expected| at.seconds_since(expected).abs())
        };
        if let Some(entry) = self.ledger.iter_mut().min_by(|a, b| off(a).total_cmp(&off(b)))
            && off(entry) <= geometry.confirm_tolerance()
        {
            entry.confirmed = true;
        }
    }

    /// A captured frame was dropped before it could be judged.
    pub fn on_dropped(&mut self, captured_at: Time) {
        self.trouble = Some((captured_at, Reason::QueueFull));
    }

    /// The gate had already moved for a part that was to pass.
    pub fn on_too_late(&mut self, part: PartNumber) {
        if let Some(entry) = self.ledger.iter_mut().find(|e| e.number == part) {
            entry.too_late();
        }
    }

    /// A judged frame. Frames come in the order in which they were captured.
    pub fn on_inspection(&mut self, seen: &Inspection, now: Time, out: &mut Vec<Action>) {
        self.on_deadline(now, out);
        if let Some(last) = self.last_frame.replace(seen.captured_at) {
            self.interval = (seen.captured_at - last).as_secs_f64();
        }
        let stale = now - seen.captured_at > self.rules.stale_after;
        let unusable = if stale { Some(Reason::StaleFrame) } else { seen.unusable };
        if self.rules.trigger == Trigger::EveryFrame {
            self.frame_as_part(seen, unusable, now, out);
        } else if let Some(reason) = unusable {
            self.trouble = Some((seen.captured_at, reason));
        } else {
            seen.sightings.iter().filter(|s| s.whole).for_each(|s| self.on_sighting(s, seen, now, out));
        }
        self.settle_seen(seen.captured_at, now, out);
    }

    /// Lets time pass: final verdicts at deadlines, parts that have left.
    pub fn on_deadline(&mut self, now: Time, out: &mut Vec<Action>) {
        for at in 0..self.ledger.len() {
            if self.ledger[at].state == State::Open && now >= self.ledger[at].deadline {
                self.settle(at, now, out);
            }
        }
        let geometry = &self.rules.geometry;
        self.ledger.retain(|entry| {
            let gone = now >= geometry.gone(entry.zero) && entry.state != State::Open;
            if gone {
                out.push(Action::Finished(Box::new(entry.clone().into_record(false))));
            }
            !gone
        });
    }

    /// When [`Engine::on_deadline`] must be called next.
    pub fn next_deadline(&self) -> Option<Time> {
        let due = |entry: &Entry| match entry.state {
            State::Open => entry.deadline,
            State::Decided(_) => self.rules.geometry.gone(entry.zero),
        };
        self.ledger.iter().map(due).min()
    }

    /// Ends the run: what is still on the belt is reported as unresolved.
    pub fn on_stop(&mut self, out: &mut Vec<Action>) {
        out.extend(self.ledger.drain(..).map(|entry| Action::Finished(Box::new(entry.into_record(true)))));
    }

    /// Opens a part and arms the gate for it. Its place in the ledger, or `None` when that is full.
    fn open(&mut self, zero: Time, now: Time, out: &mut Vec<Action>) -> Option<usize> {
        let number = PartNumber(self.next);
        self.next += 1;
        let window = self.rules.geometry.window(zero);
        out.push(Action::Arm { part: number, from: window.0, until: window.1 });
        let mut entry = Entry::new(number, zero, now, window, self.rules.geometry.deadline(zero));
        if self.ledger.len() >= self.rules.max_parts {
            entry.state = State::Decided(Verdict::Reject(Reason::QueueFull));
            out.push(Action::Finished(Box::new(entry.into_record(false))));
            return None;
        }
        self.ledger.push_back(entry);
        Some(self.ledger.len() - 1)
    }

    fn on_sighting(&mut self, sighting: &Sighting, seen: &Inspection, now: Time, out: &mut Vec<Action>) {
        let Some(at) = self.part_of(sighting, seen.captured_at, now, out) else { return };
        let entry = &mut self.ledger[at];
        if entry.state == State::Open && now < entry.deadline {
            Self::look_at(entry, sighting, seen, now);
        } else {
            entry.answered_late();
            self.late_answers += 1;
        }
    }

    fn look_at(entry: &mut Entry, sighting: &Sighting, seen: &Inspection, now: Time) {
        let answer = sighting.answer.unwrap_or(Err(Reason::ModelFault));
        let look =
            Look { frame: seen.frame, captured_at: seen.captured_at, judged_at: now, score: answer.ok() };
        entry.look(look, answer);
        if entry.origin.is_none() {
            entry.origin.clone_from(&seen.origin);
        }
    }

    /// The ledger's part that a sighting shows; opens one where the trigger rules want it.
    fn part_of(&mut self, sighting: &Sighting, at: Time, now: Time, out: &mut Vec<Action>) -> Option<usize> {
        let geometry = &self.rules.geometry;
        let off = |e: &Entry| (geometry.middle_at(e.zero, at) - sighting.centre_mm).abs();
        let nearest =
            (0..self.ledger.len()).min_by(|&a, &b| off(&self.ledger[a]).total_cmp(&off(&self.ledger[b])));
        if let Some(found) = nearest.filter(|&i| off(&self.ledger[i]) < geometry.min_pitch / 2.0) {
            return Some(found);
        }
        let zero = geometry.zero_from(sighting.centre_mm, at);
        if self.rules.trigger == Trigger::Vision {
            return self.open(zero, now, out);
        }
        // Not announced: either its trigger is still on its way, or there was none. The latter is removed unseen.
        if now.seconds_since(zero) > TRIGGER_LATENESS_S && now < self.rules.geometry.deadline(zero) {
            let opened = self.open(zero, now, out)?;
            self.ledger[opened].unannounced = true;
            return Some(opened);
        }
        None
    }

    fn frame_as_part(
        &mut self,
        seen: &Inspection,
        unusable: Option<Reason>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let geometry = &self.rules.geometry;
        let middle = (geometry.view.0 + geometry.view.1) / 2.0;
        let zero = geometry.zero_from(middle, seen.captured_at);
        let Some(at) = self.open(zero, now, out) else { return };
        let answer = match unusable {
            Some(reason) => Err(reason),
            None => {
                seen.sightings.iter().find(|s| s.whole).and_then(|s| s.answer).unwrap_or(Err(Reason::NoFrame))
            }
        };
        let sighting = Sighting { centre_mm: middle, whole: true, answer: Some(answer) };
        let timely = now < self.ledger[at].deadline;
        if timely {
            Self::look_at(&mut self.ledger[at], &sighting, seen, now);
        }
        self.settle(at, now, out);
        if !timely {
            self.ledger[at].answered_late();
            self.late_answers += 1;
        }
    }

    /// Settles the parts that no further frame will show whole.
    fn settle_seen(&mut self, captured_at: Time, now: Time, out: &mut Vec<Action>) {
        let next_frame = captured_at.plus_s(self.interval);
        for at in 0..self.ledger.len() {
            let entry = &self.ledger[at];
            let over = self.rules.geometry.last_whole(entry.zero) < next_frame;
            if entry.state == State::Open && entry.last_captured().is_some() && over {
                self.settle(at, now, out);
            }
        }
    }

    fn settle(&mut self, at: usize, now: Time, out: &mut Vec<Action>) {
        let unseen = self.why_unseen(&self.ledger[at], now);
        let entry = &mut self.ledger[at];
        let verdict = entry.decide(now, self.rules.combine, &self.rules.policy, unseen);
        let pass = verdict == Verdict::Ok && now < entry.window.0;
        if verdict == Verdict::Ok && !pass {
            entry.too_late();
        }
        out.push(Action::Settle { part: entry.number, pass, captured_at: entry.last_captured() });
    }

    /// Why no frame showed the part: the camera's silence, a frame that could not be used, or nothing was seen.
    fn why_unseen(&self, entry: &Entry, now: Time) -> Reason {
        let geometry = &self.rules.geometry;
        let (from, until) = (geometry.first_whole(entry.zero), geometry.last_whole(entry.zero));
        if now - self.last_frame.unwrap_or(Time::ZERO) > self.rules.lost_after {
            return Reason::CameraLost;
        }
        match self.trouble {
            Some((at, reason)) if (from..=until).contains(&at) => reason,
            _ => Reason::NoFrame,
        }
    }
}

#[cfg(test)]
mod tests;
