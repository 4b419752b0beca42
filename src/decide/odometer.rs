//! How far the belt has moved: from time and speed, or from an encoder's count. A past moment has a travel, a travel a moment.
//!
//! Pure. Knows when it can no longer tell the belt's position, and says so; what becomes of the parts then is the engine's to say.
//! Travel is in millimetres since the start; it never goes back.

use std::collections::VecDeque;

use super::doubt::{Doubt, Steps};
use crate::clock::Time;
use crate::config::PositionSource;

/// Most readings that are remembered: at 100 a second more than six seconds.
const READINGS: usize = 640;
/// The speed that extrapolates is taken over so many seconds, the one that judges a stop over so many.
const SPEED_OVER_S: f64 = 0.2;
const BRAKING_OVER_S: f64 = 0.045;
/// A belt that had slowed down to this share of its speed before the pulses ended has stopped; one that had not may still run.
const STOPPED: f64 = 0.25;

/// A count so many times as great as the belt's speed says, and so many millimetres more, is no belt that gathers speed.
const LEAP: f64 = 1.5;
const LEAP_MM: f64 = 1.0;

/// A belt that has braked is taken to go on for so many seconds after the last pulse.
const COASTS_S: f64 = 0.1;
/// An encoder that was not heard at all for so many seconds is as good as silent: a thread may be late, but not by that much.
const STALLS_S: f64 = 0.25;
/// A belt that gave no pulse for so many seconds before a part arrived did not bring that part.
const STANDS_S: f64 = 0.3;
/// Nothing is foretold beyond so many seconds.
const FARTHEST_S: f64 = 86_400.0;

/// Why the belt's position is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loss {
    /// Nothing has been heard of the belt yet.
    Start,
    /// The pulses ended while the belt was at speed.
    Silent,
    /// The belt ran backwards.
    Reversed,
    /// More pulses than the belt can have made, or events that the kernel lost.
    Jump,
    /// The belt stopped, and without an encoder nobody knows how far it ran on.
    Stopped,
    /// Parts were seen elsewhere than the position said.
    Slip,
    /// Something moved in front of the sensor while the encoder said that the belt was at rest.
    Rocked,
}

impl Loss {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Loss::Start => "the line has just started",
            Loss::Silent => "the encoder's pulses ended at full speed",
            Loss::Reversed => "the belt ran backwards",
            Loss::Jump => "the encoder's count jumped",
            Loss::Stopped => "the belt stopped, and nothing counts how far it ran on",
            Loss::Slip => "parts were seen elsewhere than the belt's position says",
            Loss::Rocked => {
                "something moved in front of the sensor while the encoder said that the belt was at rest"
            }
        }
    }
}

/// What the odometer goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Measuring {
    /// What tells the position.
    pub source: PositionSource,
    /// Pulses for each millimetre.
    pub per_mm: f64,
    /// Nominal speed in millimetres a second.
    pub speed: f64,
    /// Greatest error in millimetres.
    pub tolerance: f64,
    /// How much faster than nominal the belt may be, as a share.
    pub speed_tolerance: f64,
}

/// The belt's position.
#[derive(Debug, Clone)]
pub(super) struct Odometer {
    pub(super) rules: Measuring,
    readings: VecDeque<(Time, f64)>,
    /// Count at travel 0, and where the last count that was behind the newest travel stood.
    first: Option<i64>,
    back: f64,
    /// Up to when the encoder has been heard: what came later may only be on its way.
    heard: Time,
    speed: f64,
    latest_speed: f64,
    running: Option<bool>,
    doubt: Doubt,
    /// Belt that may have been counted too much.
    surplus: Steps,
}

impl Odometer {
    /// At travel 0 at `now`.
    pub(super) fn new(rules: Measuring, now: Time) -> Self {
        let speed = rules.speed;
        Self {
            rules,
            readings: VecDeque::from([(now, 0.0)]),
            first: None,
            back: 0.0,
            heard: now,
            speed,
            latest_speed: speed,
            running: None,
            doubt: Doubt::new(speed),
            surplus: Steps::default(),
        }
    }

    /// Whether an encoder's pulses tell the position.
    pub(super) fn counts(&self) -> bool {
        self.rules.source == PositionSource::Encoder
    }

    fn newest(&self) -> (Time, f64) {
        *self.readings.back().expect("there is always a reading")
    }

    /// An encoder's count. `lost`: pulses that the kernel could not deliver, which the count lacks.
    ///
    /// # Errors
    /// When the position is no longer known.
    pub(super) fn on_count(&mut self, at: Time, count: i64, lost: u32) -> Result<(), Loss> {
        if !self.counts() {
            return Ok(());
        }
        let newest = self.newest();
        // What was counted until then was counted before: a belt that stood has not run on since its last pulse.
        let heard = self.heard.max(newest.0);
        self.heard = self.heard.max(at);
        // What was counted before the start, or at it, says nothing of movement since.
        let before = self.readings.len() == 1 && at <= newest.0;
        let Some(first) = self.first.filter(|_| !before) else {
            self.first = Some(count - (newest.1 * self.rules.per_mm) as i64);
            if self.readings.len() == 1 {
                // How far the belt moved before the first count is not known, and says nothing of its speed.
                self.readings[0].0 = at.max(newest.0);
            }
            return Ok(());
        };
        let mm = (count - first) as f64 / self.rules.per_mm;
        let (seconds, moved) = (at.seconds_since(heard), mm - newest.1);
        if f64::from(lost) / self.rules.per_mm > self.rules.tolerance {
            self.take_as(count);
            return Err(Loss::Jump);
        }
        if moved <= 0.0 {
            self.back = -moved;
            if self.back > self.rules.tolerance {
                self.take_as(count);
                return Err(Loss::Reversed);
            }
            return Ok(());
        }
        let fastest = self.rules.speed * (1.0 + self.rules.speed_tolerance);
        if moved > fastest * seconds.max(0.0) + self.rules.tolerance {
            self.take_as(count);
            return Err(Loss::Jump);
        }
        self.back = 0.0;
        let expected = self.latest_speed * seconds.max(0.0);
        if moved > LEAP * expected + LEAP_MM {
            // Too little to be a jump, and more than a belt gathers speed.
            self.surplus.add(at, moved - expected);
        }
        self.push(at.max(newest.0), mm);
        let blur = 1.0 / (self.rules.per_mm * SPEED_OVER_S);
        self.doubt.take((newest.0, self.newest().0), self.speed, blur, !self.is_off());
        Ok(())
    }

    /// From here on `count` stands for the travel so far.
    fn take_as(&mut self, count: i64) {
        self.first = Some(count - (self.newest().1 * self.rules.per_mm) as i64);
        self.back = 0.0;
    }

    fn push(&mut self, at: Time, mm: f64) {
        if self.readings.len() == READINGS {
            self.readings.pop_front();
        }
        self.readings.push_back((at, mm));
        self.speed = self.speed_over(SPEED_OVER_S);
        self.latest_speed = self.speed_over(BRAKING_OVER_S);
    }

    fn speed_over(&self, seconds: f64) -> f64 {
        let (at, mm) = self.newest();
        let since = at.plus_s(-seconds);
        let from =
            self.readings.partition_point(|(t, _)| *t < since).min(self.readings.len().saturating_sub(2));
        let (t, then) = self.readings[from];
        let span = at.seconds_since(t);
        if span > 1e-4 { (mm - then) / span } else { self.speed }
    }

    /// Belt that may have passed uncounted, in millimetres since the start.
    pub(super) fn doubt(&self) -> f64 {
        self.doubt.sum()
    }

    /// The same at a past moment.
    pub(super) fn doubt_at(&self, at: Time) -> f64 {
        self.doubt.sum_at(at)
    }

    /// Belt that may have been counted too much, in millimetres since the start, at a past moment: what lies on it may be so much farther upstream.
    pub(super) fn surplus_at(&self, at: Time) -> f64 {
        self.surplus.sum_at(at)
    }

    /// The belt's speed as two sensors measured it, in millimetres a second.
    ///
    /// # Errors
    /// When no belt of this line runs like that.
    pub(super) fn on_speed(&mut self, at: Time, speed: f64) -> Result<(), Loss> {
        let off = (speed / self.rules.speed - 1.0).abs();
        if off.is_nan() || off > self.rules.speed_tolerance {
            return Err(Loss::Jump);
        }
        if self.rules.source == PositionSource::TwoSensors {
            let mm = self.mm_at(at);
            self.push(at.max(self.newest().0), mm);
            (self.speed, self.latest_speed) = (speed, speed);
        }
        Ok(())
    }

    /// The drive was switched on or off.
    ///
    /// # Errors
    /// When the position is no longer known.
    pub(super) fn on_running(&mut self, at: Time, running: bool) -> Result<(), Loss> {
        let before = self.running.replace(running);
        if self.counts() && running && before == Some(false) {
            // Pulses are expected from here on, and not since the belt stood.
            let (newest, mm) = self.newest();
            self.push(at.max(newest), mm);
        }
        if self.counts() || before == Some(running) || (before.is_none() && running) {
            return Ok(());
        }
        // Time alone moves the belt, and only while it is driven.
        let mm = if running { self.newest().1 } else { self.mm_while_driven(at) };
        self.push(at.max(self.newest().0), mm);
        (self.speed, self.latest_speed) = (self.rules.speed, self.rules.speed);
        Err(Loss::Stopped)
    }

    fn mm_while_driven(&self, at: Time) -> f64 {
        let (newest, mm) = self.newest();
        mm + self.speed * at.seconds_since(newest).max(0.0)
    }

    /// Whether the drive is known to be off.
    pub(super) fn is_off(&self) -> bool {
        self.running == Some(false)
    }

    /// Whether the belt had slowed down before its pulses ended: it stands, or will at once.
    fn braked(&self) -> bool {
        self.counts() && self.latest_speed < STOPPED * self.rules.speed
    }

    /// The speed that the belt goes on with: the latest while it brakes.
    fn going(&self) -> f64 {
        if self.latest_speed < 0.8 * self.speed { self.latest_speed } else { self.speed }
    }

    /// Whether pulses are expected: an encoder on a driven belt that had not slowed down.
    fn listens(&self) -> bool {
        self.counts() && !self.is_off() && !self.braked()
    }

    /// When the position will be unknown unless the encoder is heard of before.
    pub(super) fn silent_from(&self) -> Option<Time> {
        let silent = self.heard.seconds_since(self.newest().0) > self.trusted();
        self.listens().then(|| if silent { self.heard } else { self.heard.plus_s(STALLS_S) })
    }

    /// Whether the position is unknown at `now`: the encoder was heard and counted nothing, or was not heard at all.
    pub(super) fn is_silent(&self, now: Time) -> bool {
        self.silent_from().is_some_and(|from| now > from)
    }

    /// Whether the encoder says that the belt stood at a moment: nothing can have moved then.
    pub(super) fn says_it_stood(&self, at: Time) -> bool {
        let newest = self.newest().0;
        self.counts() && self.heard > newest && at.seconds_since(newest) > STANDS_S
    }

    /// Up to when the encoder has been heard; `None` where none is.
    pub(super) fn heard(&self) -> Option<Time> {
        self.counts().then_some(self.heard)
    }

    /// Whether the encoder says that the belt was at rest at a moment: it has run out since the last pulse.
    pub(super) fn rests(&self, at: Time) -> bool {
        let newest = self.newest().0;
        self.counts() && self.heard > newest && at.seconds_since(newest) > COASTS_S
    }

    /// When the last movement was read.
    pub(super) fn moved_at(&self) -> Time {
        self.newest().0
    }

    /// Whether the travel at a moment is known to within the tolerance.
    pub(super) fn knows(&self, at: Time) -> bool {
        let silent = self.heard.seconds_since(self.newest().0) > self.trusted();
        !self.listens() || (!silent && at <= self.heard.plus_s(self.trusted()))
    }

    /// Travel at a moment; between the newest reading and now by the last speed.
    pub(super) fn mm_at(&self, at: Time) -> f64 {
        let (newest, mm) = self.newest();
        if at >= newest {
            return if self.is_off() && !self.counts() {
                mm
            } else {
                let seconds = at.seconds_since(newest);
                // A count that was heard later and was the same says that nothing moved.
                let paused = self.counts() && self.heard > newest;
                let most = if self.counts() { self.trusted() } else { f64::INFINITY };
                if paused { mm } else { mm + self.going() * seconds.min(most) }
            };
        }
        let next = self.readings.partition_point(|(t, _)| *t <= at);
        let Some(before) = next.checked_sub(1) else {
            let (first, mm) = self.readings[0];
            return mm - self.speed * first.seconds_since(at);
        };
        let ((t0, m0), (t1, m1)) = (self.readings[before], self.readings[next]);
        let span = t1.seconds_since(t0);
        if span > 0.0 { m0 + (m1 - m0) * at.seconds_since(t0) / span } else { m1 }
    }

    /// For so long after a reading the belt is taken to have gone on, in seconds: beyond that its position is lost.
    fn trusted(&self) -> f64 {
        if self.braked() || self.is_off() { COASTS_S } else { self.rules.tolerance / self.speed.max(1.0) }
    }

    /// For so long after a reading the belt is foretold, in seconds.
    fn horizon(&self) -> f64 {
        let paused = self.counts() && self.heard > self.newest().0;
        if self.braked() || self.is_off() {
            COASTS_S
        } else if paused {
            self.trusted()
        } else {
            f64::INFINITY
        }
    }

    /// When the belt has moved so far, or will have at its last speed; `None` while it stands.
    pub(super) fn time_at(&self, mm: f64) -> Option<Time> {
        let (newest, last) = self.newest();
        if mm > last {
            let off = self.is_off() && !self.counts();
            let seconds = (mm - last) / self.going().max(1e-6);
            return (!off && seconds <= self.horizon().min(FARTHEST_S)).then(|| newest.plus_s(seconds));
        }
        let next = self.readings.partition_point(|(_, m)| *m < mm);
        let Some(before) = next.checked_sub(1) else {
            let (first, at) = self.readings[0];
            return Some(first.plus_s(-(at - mm) / self.speed.max(1.0)));
        };
        let ((t0, m0), (t1, m1)) = (self.readings[before], self.readings[next]);
        Some(t0.plus_s(t1.seconds_since(t0) * (mm - m0) / (m1 - m0).max(1e-9)))
    }
}

#[cfg(test)]
mod tests;
