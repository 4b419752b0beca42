//! Where a part is at what time, and the moments that follow from it.
//!
//! Every part has a zero: the moment its leading edge passed position 0, the part-present sensor. With a constant belt speed
//! all its other moments follow. Positions are in millimetres from the sensor, times in seconds after the zero.

use crate::clock::Time;
use crate::config::Config;

/// The line's measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Belt speed in millimetres a second, greater than 0.
    pub speed: f64,
    /// Length of a part in millimetres.
    pub part: f64,
    /// Two parts' middles are at least so far apart, in millimetres.
    pub min_pitch: f64,
    /// Where the view begins and ends.
    pub view: (f64, f64),
    /// Position of the gate.
    pub gate: f64,
    /// Stretch of belt for which the gate stays in reject for one part.
    pub pulse: f64,
    /// Position of the confirm sensor, if there is one.
    pub confirm: Option<f64>,
    /// From the command to the moved gate, in seconds.
    pub delay: f64,
    /// The verdict is final so long before the gate's command, in seconds.
    pub margin: f64,
}

impl Geometry {
    /// The measures that `config` gives; `confirm` says whether there is a confirm sensor.
    pub fn of(config: &Config, confirm: bool) -> Self {
        let (middle, half) = (config.camera.position.as_mm(), config.camera.view.as_mm() / 2.0);
        Self {
            speed: config.line.speed.as_mm_per_s(),
            part: config.line.part_length.as_mm(),
            min_pitch: config.line.min_pitch.as_mm(),
            view: (middle - half, middle + half),
            gate: config.gate.position.as_mm(),
            pulse: config.gate.pulse.as_mm(),
            confirm: confirm.then(|| config.gate.confirm.as_mm()),
            delay: config.gate.delay.as_s(),
            margin: config.decide.margin.as_s(),
        }
    }

    /// Where the middle of a part with this zero is.
    pub fn middle_at(&self, zero: Time, at: Time) -> f64 {
        self.speed * at.seconds_since(zero) - self.part / 2.0
    }

    /// The zero of a part whose middle was at `middle` at `at`.
    pub fn zero_from(&self, middle: f64, at: Time) -> Time {
        at.plus_s(-(middle + self.part / 2.0) / self.speed)
    }

    /// Until when the part lies wholly in the view.
    pub fn last_whole(&self, zero: Time) -> Time {
        zero.plus_s(self.view.1 / self.speed)
    }

    /// From when the part lies wholly in the view.
    pub fn first_whole(&self, zero: Time) -> Time {
        zero.plus_s((self.view.0 + self.part) / self.speed)
    }

    /// When the gate is commanded into reject for the part, and out of it.
    pub fn window(&self, zero: Time) -> (Time, Time) {
        let middle = self.gate + self.part / 2.0;
        let at = |mm: f64| zero.plus_s(mm / self.speed - self.delay);
        (at(middle - self.pulse / 2.0), at(middle + self.pulse / 2.0))
    }

    /// When the verdict is final.
    pub fn deadline(&self, zero: Time) -> Time {
        self.window(zero).0.plus_s(-self.margin)
    }

    /// When the confirm sensor sees the leading edge of the removed part, if there is one.
    pub fn confirm_at(&self, zero: Time) -> Option<Time> {
        self.confirm.map(|mm| zero.plus_s(mm / self.speed))
    }

    /// How far from its expected moment a confirmation still belongs to the part, in seconds.
    pub fn confirm_tolerance(&self) -> f64 {
        self.min_pitch / 2.0 / self.speed
    }

    /// When nothing more can happen to the part: it has passed the gate and the confirm sensor.
    pub fn gone(&self, zero: Time) -> Time {
        let past_gate = self.window(zero).1.plus_s(self.delay);
        match self.confirm_at(zero) {
            Some(at) => past_gate.max(at.plus_s(self.confirm_tolerance())),
            None => past_gate,
        }
    }
}
