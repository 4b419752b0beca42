//! Frames: which part a sighting belongs to, what a frame may clear, and what it shows of the belt.

use super::{Action, Announced, Engine, Loss};
use crate::clock::Time;
use crate::config::Trigger;
use crate::decide::entry::Entry;
use crate::decide::record::Look;
use crate::verdict::Reason;
use crate::vision::{Inspection, Sighting};

/// An announcement may reach the engine so long after the part passed the sensor, in seconds.
pub(super) const TRIGGER_LATENESS_S: f64 = 0.1;
/// What is so close to a border of the view, in millimetres, touches it.
const AT_BORDER_MM: f64 = 2.0;
/// So many frames in a row with parts off their place: the belt has slipped.
const SLIPPED: u32 = 2;

impl Engine {
    /// A captured frame was dropped before it could be judged.
    pub fn on_dropped(&mut self, captured_at: Time, now: Time, out: &mut Vec<Action>) {
        self.pace.take(captured_at);
        self.unseen(captured_at, Reason::Overload, now, out);
    }

    /// A picture that was taken is none.
    pub fn on_damaged(&mut self, captured_at: Time, now: Time, out: &mut Vec<Action>) {
        self.unseen(captured_at, Reason::BadImage, now, out);
    }

    /// A picture that was taken at about this moment reached nobody.
    pub fn on_missed(&mut self, captured_at: Time, now: Time, out: &mut Vec<Action>) {
        // On a belt the next frames tell what they show, and what none shows is a gap.
        if !self.on_belt() {
            self.unseen(captured_at, Reason::NoFrame, now, out);
        }
    }

    /// Number of parts that the ledger has room for, where each frame is one.
    pub fn room(&self) -> usize {
        if self.on_belt() { usize::MAX } else { self.rules.max_parts.saturating_sub(self.ledger.len()) }
    }

    /// Nobody saw what a frame shows. On a belt, the parts that it should have shown keep the reason; where each frame is a part, that one
    /// is rejected.
    fn unseen(&mut self, captured_at: Time, reason: Reason, now: Time, out: &mut Vec<Action>) {
        if self.on_belt() {
            return self.blind(captured_at, reason);
        }
        let centre = self.odometer.mm_at(captured_at) - self.middle();
        if let Some(at) = self.open((Announced::Frame, centre), self.zero_of(centre), now, out) {
            self.ledger[at].fault = Some(reason);
            self.settle(at, now, out);
        }
    }

    /// Middle of the belt that the last frame showed, in millimetres from the sensor.
    fn middle(&self) -> f64 {
        f64::midpoint(self.shown.0, self.shown.1)
    }

    /// The parts that a frame should have shown keep the reason why it did not.
    fn blind(&mut self, captured_at: Time, reason: Reason) {
        let (from, to) = self.rules.geometry.whole(self.shown, self.odometer.mm_at(captured_at));
        for entry in self.ledger.iter_mut().filter(|e| (from..=to).contains(&e.centre)) {
            entry.unseen = Some(reason);
        }
    }

    /// A judged frame. Frames come in the order in which they were captured.
    pub fn on_inspection(&mut self, seen: &Inspection, now: Time, out: &mut Vec<Action>) {
        self.on_deadline(now, out);
        let travel = self.odometer.mm_at(seen.captured_at);
        self.shown = seen.shown.unwrap_or(self.rules.geometry.view);
        self.last_frame = Some(self.last_frame.map_or(seen.captured_at, |last| last.max(seen.captured_at)));
        let paused = self.pace.take(seen.captured_at) && self.rules.follows_belt;
        let (last, before) = self.last_travel;
        // The next frame does not come after another pause.
        self.last_travel = (travel, if paused { travel - (last - before) } else { last });
        let unusable = self.unusable(seen, paused, now);
        if self.rules.trigger == Trigger::EveryFrame {
            self.frame_as_part(seen, unusable, now, out);
        } else if let Some(reason) = unusable {
            self.blind(seen.captured_at, reason);
        } else {
            self.look_around(seen, travel, now, out);
        }
        self.settle_seen(now, out);
        self.on_deadline(now, out);
    }

    /// Why nothing follows from a frame, if so.
    fn unusable(&mut self, seen: &Inspection, paused: bool, now: Time) -> Option<Reason> {
        let geometry = &self.rules.geometry;
        let within = self.rules.measuring.tolerance / geometry.speed;
        // A wrong first delay below half a pitch shows parts off their places, and above it on their neighbours' places. Frames of a slow
        // camera take up to two of its periods.
        let first = (geometry.min_pitch / 2.0).max(2.0 * geometry.step) / geometry.speed;
        let neighbour = (geometry.min_pitch - self.rules.measuring.tolerance) / geometry.speed;
        let (stale_after, limits) = (self.rules.stale_after, (within, first, neighbour));
        let believed = !self.rules.follows_belt
            || self.stamps.believe(seen.captured_at, seen.received_at, limits, stale_after);
        let old = self.rules.ages && now - seen.captured_at > self.rules.stale_after;
        if !believed || paused || old {
            return Some(Reason::StaleFrame);
        }
        let placed = self.lost.is_none() && self.odometer.knows(seen.captured_at);
        seen.unusable.or((!placed && self.on_belt()).then_some(Reason::Position))
    }

    /// Takes in everything that a healthy frame shows.
    fn look_around(&mut self, seen: &Inspection, travel: f64, now: Time, out: &mut Vec<Action>) {
        let (from, mut to) = self.rules.geometry.whole(self.shown, travel);
        let (part, pitch) = (self.rules.geometry.part, self.rules.geometry.min_pitch);
        let (mut slipped, in_place) = (false, self.in_place);
        for sighting in &seen.sightings {
            let centre = travel - sighting.centre_mm;
            let odd = !sighting.whole && !sighting.cut || sighting.length_mm > self.rules.longest;
            if odd {
                if !self.on_odd_thing(sighting, centre, now, out) {
                    // Longer than a part, and more of it may lie outside: until a frame shows its end, nothing is known from it on.
                    to = to.min(centre - sighting.length_mm / 2.0 - part / 2.0);
                }
            } else if sighting.cut {
                let (begin, end) = (
                    sighting.centre_mm - sighting.length_mm / 2.0,
                    sighting.centre_mm + sighting.length_mm / 2.0,
                );
                if begin < self.shown.0 + AT_BORDER_MM {
                    // Of what comes into view, a part that ends where it ends may already be a piece.
                    to = to.min(travel - end + part / 2.0 - AT_BORDER_MM);
                }
            } else if sighting.whole {
                let (bare, next) = (self.was_bare(centre, seen), self.next);
                match self.part_of(centre, seen.captured_at, now, out) {
                    Some(at) => {
                        slipped |= self.on_sighting(at, sighting, seen, (centre, now));
                        slipped |= bare && self.next > next;
                    }
                    // Who it is, a later frame will tell: until then its stretch of belt is unknown.
                    None => to = to.min(centre - part / 2.0),
                }
            }
        }
        self.note_empty_places(seen, travel, (from, to), pitch);
        self.off_place = if slipped { self.off_place + 1 } else { 0 };
        if self.off_place >= SLIPPED {
            self.lose(Loss::Slip, now, out);
        } else if self.triggers.is_stuck() {
            // A part that the camera misses is announced by nobody now.
        } else if self.in_place {
            let doubt = self.odometer.doubt_at(seen.captured_at);
            if !in_place && let Some(unknown_to) = self.coverage.unknown_to() {
                // Earlier frames may have shown parts off their places.
                self.coverage.begin(unknown_to.max(from), doubt);
            }
            if self.coverage.show((from, to), doubt) {
                self.troubles.gaps += 1;
            }
        }
    }

    /// Whether an earlier frame showed that no unknown part is at this place: what is seen there now has come by a movement that was
    /// not counted.
    fn was_bare(&self, centre: f64, seen: &Inspection) -> bool {
        let known_to = self.coverage.known_to(self.odometer.doubt_at(seen.captured_at));
        self.coverage.unknown_to().is_some_and(|to| centre > to)
            && centre + self.rules.measuring.tolerance < known_to
    }

    /// A thing that is no part, or none of the right size: nothing near it is cleared. Whether all of it that is seen is to be removed.
    fn on_odd_thing(&mut self, sighting: &Sighting, centre: f64, now: Time, out: &mut Vec<Action>) -> bool {
        let (part, pitch) = (self.rules.geometry.part, self.rules.geometry.min_pitch);
        let reach = (sighting.length_mm / 2.0 + part / 2.0).max(pitch / 2.0);
        let tolerance = self.rules.measuring.tolerance;
        let (mut known, mut removed) = (false, false);
        for entry in self.ledger.iter_mut().filter(|e| !e.adrift && (e.centre - centre).abs() < reach) {
            entry.fault = entry.fault.or(Some(Reason::OddSize));
            entry.sighted = true;
            let ends = 2.0 * (entry.centre - centre).abs() + sighting.length_mm;
            if !sighting.cut {
                // All of the thing is to be removed with the part that it was taken for.
                entry.length = entry.length.max(ends);
            }
            known = true;
            removed |= ends <= entry.length + tolerance;
        }
        if known || sighting.cut {
            return removed;
        }
        let zero = self.zero_of(centre);
        if let Some(opened) = self.open((Announced::Nothing, centre), zero, now, out) {
            let entry = &mut self.ledger[opened];
            entry.fault = Some(Reason::OddSize);
            entry.sighted = true;
            entry.length = entry.length.max(sighting.length_mm);
        }
        true
    }

    /// When a part with this centre had its leading edge at position 0.
    fn zero_of(&self, centre: f64) -> Time {
        self.odometer.time_at(centre - self.rules.geometry.part / 2.0).unwrap_or(Time::ZERO)
    }

    /// Whether the part is off its place by more than may be.
    fn on_sighting(
        &mut self,
        at: usize,
        sighting: &Sighting,
        seen: &Inspection,
        (centre, now): (f64, Time),
    ) -> bool {
        let tolerance = self.rules.measuring.tolerance;
        let entry = &mut self.ledger[at];
        if entry.adrift {
            return false;
        }
        let off = entry.centre - centre;
        let slipped = off.abs() > tolerance + entry.wider;
        if slipped {
            entry.fault = entry.fault.or(Some(Reason::Position));
        } else {
            entry.proved = entry.proved.max(self.odometer.doubt_at(seen.captured_at));
            entry.ahead = entry.ahead.max(self.odometer.surplus_at(seen.captured_at));
            self.in_place |= matches!(entry.announced, Announced::Sensor | Announced::Software);
        }
        if entry.state.is_open() && now < entry.deadline {
            Self::look_at(entry, sighting, seen, off, now);
        } else {
            entry.answered_late();
            self.troubles.late_answers += 1;
        }
        self.model_fault = matches!(sighting.answer, Some(Err(Reason::ModelFault)) | None);
        slipped
    }

    fn look_at(entry: &mut Entry, sighting: &Sighting, seen: &Inspection, off_mm: f64, now: Time) {
        let answer = sighting.answer.unwrap_or(Err(Reason::ModelFault));
        let look = Look {
            frame: seen.frame,
            captured_at: seen.captured_at,
            judged_at: now,
            centre_mm: sighting.centre_mm,
            off_mm,
            sharpness: sighting.sharpness,
            score: answer.ok(),
        };
        entry.look(look, answer);
        if entry.origin.is_none() {
            entry.origin.clone_from(&seen.origin);
        }
    }

    /// The ledger's part that a sighting shows; opens one where the trigger rules want it.
    fn part_of(&mut self, centre: f64, at: Time, now: Time, out: &mut Vec<Action>) -> Option<usize> {
        let reach = self.rules.geometry.min_pitch / 2.0;
        let off = |e: &Entry| (e.centre - centre).abs();
        let nearest = |adrift: bool| {
            let parts = self.ledger.iter().enumerate().filter(|(_, e)| e.adrift == adrift && off(e) < reach);
            parts.min_by(|(_, a), (_, b)| off(a).total_cmp(&off(b))).map(|(index, _)| index)
        };
        if let Some(found) = nearest(false) {
            return Some(found);
        }
        let unknown = self.coverage.unknown_to().is_none_or(|to| centre <= to);
        if let Some(found) = nearest(true).filter(|_| unknown) {
            // One of those that lay on the belt when the position was lost.
            return Some(found);
        }
        let zero = self.zero_of(centre);
        if self.rules.trigger == Trigger::Vision {
            return self.open((Announced::Vision, centre), zero, now, out);
        }
        // Not announced: either its trigger is still on its way, or there was none. The latter is removed unseen.
        let past = self.odometer.mm_at(at) - centre > -self.rules.geometry.part / 2.0;
        if past && (unknown || now.seconds_since(zero) > TRIGGER_LATENESS_S) {
            let opened = self.open((Announced::Nothing, centre), zero, now, out)?;
            let reason = if unknown { Reason::UnknownBelt } else { Reason::NoTrigger };
            self.ledger[opened].fault = Some(reason);
            if !unknown {
                self.missed_trigger(now, out);
            }
            return Some(opened);
        }
        None
    }

    /// A healthy frame that shows the place of a part and nothing there speaks for a trigger without a part.
    fn note_empty_places(&mut self, seen: &Inspection, travel: f64, (from, to): (f64, f64), pitch: f64) {
        let border = self.rules.measuring.tolerance;
        for entry in self.ledger.iter_mut().filter(|e| !e.adrift) {
            let inside = entry.centre > from + border && entry.centre < to - border;
            let there =
                |s: &Sighting| (travel - s.centre_mm - entry.centre).abs() < pitch / 2.0 + s.length_mm / 4.0;
            if inside && !seen.sightings.iter().any(there) && !entry.sighted && !entry.empty {
                entry.empty = true;
                self.troubles.surplus_triggers += 1;
            }
        }
    }

    fn frame_as_part(
        &mut self,
        seen: &Inspection,
        unusable: Option<Reason>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        let middle = self.middle();
        // What waited for the line is as new as it was: its part comes now.
        let taken = if self.rules.ages { seen.captured_at } else { now };
        let centre = self.odometer.mm_at(taken) - middle;
        let zero = self.zero_of(centre);
        let Some(at) = self.open((Announced::Frame, centre), zero, now, out) else {
            if let (Some(Action::Finished(record)), Some(origin)) = (out.last_mut(), &seen.origin) {
                (record.name, record.truth) = (Some(origin.name.clone()), origin.truth);
            }
            return;
        };
        self.ledger[at].origin.clone_from(&seen.origin);
        let whole = seen.sightings.iter().find(|s| s.whole);
        let answer = match unusable {
            Some(reason) => Err(reason),
            None => whole.and_then(|s| s.answer).unwrap_or(Err(Reason::NoFrame)),
        };
        self.model_fault = answer == Err(Reason::ModelFault);
        let sharpness = whole.map_or(0.0, |s| s.sharpness);
        let sighting = Sighting {
            centre_mm: middle,
            whole: true,
            answer: Some(answer),
            sharpness,
            ..Sighting::default()
        };
        let timely = now < self.ledger[at].deadline;
        if timely {
            Self::look_at(&mut self.ledger[at], &sighting, seen, 0.0, now);
        }
        self.settle(at, now, out);
        if !timely {
            self.ledger[at].answered_late();
            self.troubles.late_answers += 1;
        }
    }

    /// Settles the parts that no further frame will show whole.
    fn settle_seen(&mut self, now: Time, out: &mut Vec<Action>) {
        let (last, before) = self.last_travel;
        let next = last + (last - before).max(0.0);
        let (from, _) = self.rules.geometry.whole(self.shown, next);
        for at in 0..self.ledger.len() {
            let entry = &self.ledger[at];
            if entry.state.is_open() && entry.last_captured().is_some() && entry.centre < from {
                self.settle(at, now, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
