//! Triggers: edges of the part-present sensor, commands, and what is wrong with them.

use super::frames::TRIGGER_LATENESS_S;
use super::{Action, Announced, Engine, Loss, StopReason};
use crate::clock::Time;
use crate::config::{PositionSource, Trigger};
use crate::verdict::Reason;

/// Covered for so many times the longest part, the sensor is stuck.
const STUCK: f64 = 3.0;
/// After so many edges in a row on a belt at rest something is wrong with the encoder, or with the sensor.
const MOST_AT_REST: u32 = 16;

/// What the sensor's edges were.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    /// Travel at the last edge of either kind, and at the last leading one while the sensor is covered.
    last_edge: Option<f64>,
    covered_since: Option<f64>,
    /// The same when it was covered last: after a bounce of the trailing edge it is covered by the same part.
    last_cover: Option<f64>,
    covering: bool,
    /// When a part's leading edge reached the first of two sensors.
    first_of_two: Option<Time>,
    /// Parts in a row that the sensor missed.
    missed: u32,
    stuck: bool,
    /// When a leading edge was last taken for a part.
    last_lead: Option<Time>,
    /// Leading edges on a belt at rest since it moved.
    at_rest: u32,
    /// When a trailing edge came on a belt at rest: unless a leading one follows at once, as from a sensor that flickers, something moved.
    left_at_rest: Option<Time>,
}

impl Watch {
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }

    pub(super) fn reset(&mut self) {
        (self.stuck, self.missed) = (false, 0);
    }

    /// Travels from before a loss of position mean nothing.
    pub(super) fn forget_places(&mut self) {
        (self.last_edge, self.covered_since, self.last_cover) = (None, None, None);
        self.left_at_rest = None;
    }
}

impl Engine {
    /// A leading edge reached the part-present sensor at `at`.
    pub fn on_part_arrived(&mut self, at: Time, now: Time, out: &mut Vec<Action>) {
        self.on_deadline(now, out);
        if at < self.began {
            // What had arrived before the start lies on belt that is unknown and rejected anyway.
            return;
        }
        let travel = self.odometer.mm_at(at);
        let gap = self.flicker();
        let watch = &mut self.triggers;
        watch.covering = true;
        let flickers = watch.left_at_rest.take_if(|left| at <= left.plus_s(gap)).is_some();
        // Where the position was lost since the sensor was last covered, an edge may be the next part's, and is.
        let placed = matches!(self.lost, None | Some((Loss::Rocked, _))) && watch.last_cover.is_some();
        if placed && watch.last_edge.is_some_and(|last| (travel - last).abs() < self.rules.bounce) {
            self.troubles.bounces += 1;
            // What covers the sensor is what covered it before the bounce.
            watch.covered_since = watch.covered_since.or(watch.last_cover);
            if self.odometer.rests(at) && !flickers {
                self.on_edge_at_rest(at, travel, now, out);
            }
            return;
        }
        (watch.last_edge, watch.covered_since, watch.last_cover) = (Some(travel), Some(travel), Some(travel));
        (watch.first_of_two, watch.missed) = (Some(at), 0);
        (watch.last_lead, watch.at_rest) = (Some(at), 0);
        let stood = self.odometer.says_it_stood(at);
        if stood && self.lost.is_none() {
            self.lose(Loss::Silent, now, out);
        }
        if stood || matches!(self.lost, Some((Loss::Silent, _))) {
            // Something moved a part while the encoder says that nothing moves.
            self.trip(StopReason::Encoder, now, out);
        }
        if self.rules.trigger == Trigger::Sensor {
            self.announce(Announced::Sensor, travel, at, now, out);
        }
    }

    /// A leading edge where there was one before, on a belt that is said to be at rest: a part that rocks in front of the sensor, or the next
    /// part and an encoder that is silent. Nobody can tell, so it is a part, whose place is not known; and if the encoder is silent, nor is
    /// that of any other.
    fn on_edge_at_rest(&mut self, at: Time, travel: f64, now: Time, out: &mut Vec<Action>) {
        let (part, speed) = (self.rules.geometry.part, self.rules.measuring.speed);
        let watch = &mut self.triggers;
        // No sooner does the next part follow.
        let soonest = watch.last_lead.map_or(at, |last| last.plus_s(part / speed));
        if self.rules.trigger != Trigger::Sensor || at < soonest {
            return;
        }
        watch.last_lead = Some(at);
        watch.at_rest += 1;
        if watch.at_rest > MOST_AT_REST {
            self.trip(StopReason::Encoder, now, out);
        } else if let Some(opened) = self.open((Announced::Sensor, travel + part / 2.0), at, now, out) {
            let entry = &mut self.ledger[opened];
            (entry.adrift, entry.dubious) = (true, true);
            self.lose(Loss::Rocked, now, out);
        }
    }

    /// A command announces a part whose leading edge is at position 0 at `at`.
    pub fn on_trigger(&mut self, at: Time, now: Time, out: &mut Vec<Action>) {
        self.on_deadline(now, out);
        if self.rules.trigger == Trigger::Software {
            self.announce(Announced::Software, self.odometer.mm_at(at), at, now, out);
        }
    }

    fn announce(&mut self, by: Announced, travel: f64, at: Time, now: Time, out: &mut Vec<Action>) {
        let (part, pitch) = (self.rules.geometry.part, self.rules.geometry.min_pitch);
        let centre = travel + part / 2.0;
        // Two per cent for the encoder's steps.
        let close = |other: f64| (centre - other).abs() < 0.98 * pitch;
        // The camera may have seen it before its trigger was heard of.
        let seen = self.ledger.iter_mut().find(|e| {
            e.announced == Announced::Nothing && !e.adrift && (e.centre - centre).abs() < pitch / 2.0
        });
        if let Some(entry) = seen {
            entry.announced = by;
            return;
        }
        let mut crowded = false;
        for entry in self.ledger.iter_mut().filter(|e| !e.adrift && close(e.centre)) {
            entry.fault = entry.fault.or(Some(Reason::TooClose));
            crowded = true;
        }
        if let Some(opened) = self.open((by, centre), at, now, out)
            && crowded
        {
            self.ledger[opened].fault = Some(Reason::TooClose);
        }
    }

    /// A trailing edge left the part-present sensor at `at`.
    pub fn on_part_left(&mut self, at: Time, now: Time, out: &mut Vec<Action>) {
        if at < self.began {
            return;
        }
        let travel = self.odometer.mm_at(at);
        let watch = &mut self.triggers;
        watch.covering = false;
        watch.last_edge = Some(travel);
        if self.rules.trigger == Trigger::Sensor && self.lost.is_none() && self.odometer.rests(at) {
            watch.left_at_rest = watch.left_at_rest.or(Some(at));
        }
        if let Some(since) = watch.covered_since
            && self.lost.is_none()
        {
            let length = travel - since;
            if length >= self.rules.bounce {
                self.measure(since, length, now, out);
                self.triggers.covered_since = None;
            }
        }
        self.on_deadline(now, out);
    }

    /// A leading edge reached the second sensor at `at`.
    pub fn on_second_sensor(&mut self, at: Time, now: Time, out: &mut Vec<Action>) {
        if let Some(first) = self.triggers.first_of_two.take() {
            let seconds = at.seconds_since(first);
            if seconds > 0.0 {
                self.on_speed(at, self.rules.second_sensor / seconds, now, out);
            }
        }
        self.on_deadline(now, out);
    }

    /// The sensor says how long the part is whose leading edge passed it at travel `since`.
    fn measure(&mut self, since: f64, length: f64, now: Time, out: &mut Vec<Action>) {
        let (part, longest) = (self.rules.geometry.part, self.rules.longest);
        let centre = since + part / 2.0;
        let entry =
            self.ledger.iter_mut().rev().find(|e| !e.adrift && (e.centre - centre).abs() < part / 4.0);
        let Some(entry) = entry else { return };
        entry.measured = Some(length);
        if length > longest {
            entry.fault = entry.fault.or(Some(Reason::OddSize));
            // The excess trails behind; the window grows on both sides, which is more than enough.
            entry.length = entry.length.max(2.0 * length - part);
        }
        // Without an encoder the length says something of the belt's speed only.
        let counted = self.rules.measuring.source == PositionSource::Encoder;
        if counted && length < self.rules.shortest {
            self.lose(Loss::Slip, now, out);
        }
        self.follow_belt(now, out);
    }

    /// No part follows another so soon, in seconds.
    fn flicker(&self) -> f64 {
        let geometry = &self.rules.geometry;
        (geometry.min_pitch - geometry.part) / (geometry.speed * (1.0 + self.rules.measuring.speed_tolerance))
    }

    /// When a trailing edge on a belt at rest will have been more than a flicker.
    pub(super) fn moved_at_rest(&self) -> Option<Time> {
        self.triggers.left_at_rest.map(|left| left.plus_s(self.flicker()))
    }

    /// Notices what moves on a belt that is said to be at rest, and a sensor that is covered for too long.
    pub(super) fn watch_sensor(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.moved_at_rest().is_some_and(|at| now > at) {
            self.triggers.left_at_rest = None;
            if self.lost.is_none() {
                self.lose(Loss::Rocked, now, out);
            }
        }
        let Some(since) = self.triggers.covered_since.filter(|_| self.triggers.covering) else { return };
        // Its trailing edge may be on its way: sensor and encoder are heard in the order of time.
        let heard = self.odometer.heard().unwrap_or_else(|| now.plus_s(-TRIGGER_LATENESS_S)).min(now);
        let length = self.odometer.mm_at(heard) - since;
        if self.lost.is_some() || length <= self.rules.longest {
            return;
        }
        let centre = since + self.rules.geometry.part / 2.0;
        let reach = self.rules.geometry.part / 4.0;
        let part = self.rules.geometry.part;
        if let Some(entry) = self.ledger.iter_mut().find(|e| (e.centre - centre).abs() < reach) {
            entry.fault = entry.fault.or(Some(Reason::OddSize));
            // A stuck sensor makes no part of endless length.
            let most = length.min(STUCK * self.rules.longest);
            entry.length = entry.length.max(2.0 * most - part);
        }
        if length > STUCK * self.rules.longest && !self.triggers.stuck {
            self.triggers.stuck = true;
            self.trip(StopReason::SensorStuck, now, out);
        }
    }

    /// The camera saw a part that the sensor did not announce.
    pub(super) fn missed_trigger(&mut self, now: Time, out: &mut Vec<Action>) {
        self.troubles.missed_triggers += 1;
        self.triggers.missed += 1;
        if self.triggers.missed >= self.rules.missed && !self.triggers.stuck {
            self.triggers.stuck = true;
            self.trip(StopReason::SensorStuck, now, out);
        }
    }
}

#[cfg(test)]
mod tests;
