//! What deciding goes by: the measures, thresholds and limits of a configuration. Exchanged whole, between two parts.

use std::sync::Arc;
use std::time::Duration;

use super::Policy;
use super::geometry::Geometry;
use super::odometer::Measuring;
use crate::config::{CameraKind, Combine, Config, LineStop, Pace, Trigger, Unsure};
use crate::units::Span;

/// Times of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateTiming {
    /// Time that it needs to be ready for its next movement.
    pub recovery: Duration,
    /// Longest time in reject of the main and the second gate, where there is a limit.
    pub max_on: [Option<Duration>; 2],
}

/// What the engine goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The line's measures.
    pub geometry: Geometry,
    /// How the belt's position is told.
    pub measuring: Measuring,
    /// Where the model says DEFECT.
    pub policy: Policy,
    /// What opens a part.
    pub trigger: Trigger,
    /// How several scores become one.
    pub combine: Combine,
    /// What becomes of unsure parts.
    pub unsure: Unsure,
    /// Least number of healthy looks that clear a part.
    pub min_looks: u32,
    /// A frame older than this when it is judged clears nothing.
    pub stale_after: Duration,
    /// Whether frames grow old: not those of a source that waits for the line.
    pub ages: bool,
    /// The camera is lost when no frame came for so long.
    pub lost_after: Duration,
    /// Most parts in the ledger.
    pub max_parts: usize,
    /// Edges closer than this are bounce, in millimetres.
    pub bounce: f64,
    /// Longest part, in millimetres.
    pub longest: f64,
    /// Shortest part, in millimetres; 0 when that tells nothing.
    pub shortest: f64,
    /// Parts in a row that the sensor may miss.
    pub missed: u32,
    /// When the line is to be stopped.
    pub line_stop: LineStop,
    /// Whether parts come on a belt that is followed, and not as pictures at any pace.
    pub follows_belt: bool,
    /// Period of the life bit, if there is one.
    pub life: Option<Duration>,
    /// Length of the pulses of the pass and reject outputs.
    pub pulse: Duration,
    /// Times of the gate.
    pub gate_timing: GateTiming,
    /// Distance of the second sensor in millimetres.
    pub second_sensor: f64,
    /// Fingerprint of the configuration.
    pub fingerprint: Arc<str>,
}

impl Rules {
    /// The rules that `config` gives, for a model with this policy.
    pub fn of(config: &Config, policy: Policy) -> Self {
        let (sensor, position) = (&config.sensor, &config.position);
        let speed = config.line.speed.as_mm_per_s();
        Self {
            geometry: Geometry::of(config),
            measuring: Measuring {
                source: config.position_source(),
                per_mm: position.pulses_per_mm,
                speed,
                tolerance: position.tolerance.as_mm(),
                speed_tolerance: position.speed_tolerance.as_fraction(),
            },
            policy,
            trigger: config.decide.trigger,
            combine: config.decide.combine,
            unsure: config.decide.unsure,
            min_looks: if config.decide.trigger == Trigger::EveryFrame { 1 } else { config.decide.min_looks },
            stale_after: config.decide.stale_after.duration(),
            ages: config.camera.kind != CameraKind::Folder || config.camera.pace == Pace::Rate,
            lost_after: config.camera.lost_after.duration(),
            max_parts: config.decide.max_parts as usize,
            bounce: sensor.bounce.as_mm(),
            longest: sensor.longest.as_fraction() * config.line.part_length.as_mm(),
            shortest: sensor.shortest.as_fraction() * config.line.part_length.as_mm(),
            missed: sensor.missed,
            line_stop: config.line_stop.clone(),
            follows_belt: config.follows_belt(),
            life: config.outputs.life.as_ref().map(|_| config.outputs.life_period.duration()),
            pulse: config.outputs.pulse.duration(),
            gate_timing: GateTiming {
                recovery: config.gate.recovery.duration(),
                max_on: [config.gate.max_on, config.second_gate.max_on].map(|most| most.map(Span::duration)),
            },
            second_sensor: position.second_sensor_at.as_mm(),
            fingerprint: "".into(),
        }
    }

    /// The same, judged under this fingerprint.
    pub fn with_fingerprint(self, fingerprint: &str) -> Self {
        Self { fingerprint: fingerprint.into(), ..self }
    }
}
