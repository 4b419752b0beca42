//! The physical truth of a simulated shift: which part lies where, what it is, and what the gate did to it.
//!
//! Owns truth only; what devices say of it, with their faults, is theirs. Seconds and millimetres since the shift began.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use rand_pcg::Pcg64;

use super::faults::{Fault, Faults};
use super::motion::{Motion, Stop};
use crate::clock::Time;
use crate::config::{Config, GateState};
use crate::frame::FrameId;
use crate::verdict::Truth;

/// Frames whose truth is remembered: more than can be under way.
const SHOTS: usize = 4096;
/// Gate movements that are remembered.
const MOVES: usize = 65_536;

/// One part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Travel at which its leading edge is at position 0.
    pub edge: f64,
    /// Its length.
    pub length: f64,
    /// What it is.
    pub truth: Truth,
    /// What a healthy model says of it: the model's own mistakes are part of the truth.
    pub score: f32,
}

/// A frame as it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shot {
    /// Its number within the run.
    pub id: FrameId,
    /// When what it shows was so.
    pub content: f64,
    /// Whether it shows that, at the time that its stamp says, and came in time.
    pub healthy: bool,
    /// It shows the belt from here on only, in millimetres from the sensor.
    pub shows_from: f64,
}

#[derive(Debug, Default)]
struct State {
    /// Commands of the gate.
    moves: Vec<(f64, GateState)>,
    shots: std::collections::VecDeque<Shot>,
}

/// The belt, the parts and the gate.
#[derive(Debug)]
pub(crate) struct Plant {
    pub config: Config,
    pub motion: Motion,
    pub parts: Vec<Part>,
    pub faults: Faults,
    state: Mutex<State>,
}

/// Share of parts that the model misjudges.
const MISJUDGED: f64 = 0.002;
/// Share of parts of which it is unsure.
const UNSURE: f64 = 0.01;
/// Share of defective parts.
const DEFECTIVE: f64 = 0.2;

/// How the belt of a configuration moves with these faults.
pub(super) fn motion(config: &Config, faults: &Faults) -> Motion {
    let stops = faults.of(Fault::BeltStop).iter();
    let stops: Vec<Stop> =
        stops.map(|stop| Stop { at: stop.from, stands: stop.lasts, ramp: stop.amount }).collect();
    Motion::new(config.line.speed.as_mm_per_s(), &stops)
}

impl Plant {
    /// A shift with these parts and faults.
    pub(crate) fn new(config: Config, parts: Vec<Part>, faults: Faults) -> Self {
        let motion = motion(&config, &faults);
        Self { config, motion, parts, faults, state: Mutex::default() }
    }

    /// `count` random parts with the pitch of the configuration's simulation.
    pub(crate) fn parts(config: &Config, seed: u64, count: usize, faults: &Faults) -> Vec<Part> {
        let mut random = Pcg64::new(u128::from(seed), 0x9a57);
        let length = config.line.part_length.as_mm();
        let (pitch, jitter) = (config.simulation.pitch.as_mm(), config.simulation.jitter.as_mm());
        let least = config.line.min_pitch.as_mm();
        let speed = config.line.speed.as_mm_per_s();
        let mut edge = 2.0 * pitch;
        let mut parts = Vec::with_capacity(count);
        for _ in 0..count {
            let close = faults.at(Fault::PartsClose, edge / speed).is_some();
            let long = faults.at(Fault::PartLong, edge / speed).map_or(0.0, |f| (f.amount - 1.0) * length);
            let mut draw = |low: f64, high: f64| low + (high - low) * random.random::<f64>();
            let truth = if draw(0.0, 1.0) < DEFECTIVE { Truth::Defect } else { Truth::Ok };
            let (kind, right) = (draw(0.0, 1.0), draw(0.0, 0.2));
            let says = match kind {
                _ if kind < MISJUDGED => 1.0 - right,
                _ if kind < MISJUDGED + UNSURE => 0.5,
                _ => right,
            };
            let score = if truth == Truth::Ok { says } else { 1.0 - says } as f32;
            parts.push(Part { edge, length: length + long, truth, score });
            edge += if close {
                draw(length + 3.0, least) + long
            } else {
                // Now and then a longer gap.
                let gap = if draw(0.0, 1.0) < 0.02 { draw(0.0, 6.0) * pitch } else { 0.0 };
                (pitch + draw(-jitter, jitter)).max(least + 1.0) + gap + long
            };
        }
        parts
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gate is commanded.
    pub(crate) fn command(&self, to: GateState, at: f64) {
        let mut state = self.state();
        if state.moves.len() >= MOVES {
            state.moves.drain(..MOVES / 2);
        }
        state.moves.push((at, to));
    }

    /// What the gate was commanded to at a moment.
    pub(crate) fn commanded(&self, at: f64) -> GateState {
        let state = self.state();
        let later = state.moves.partition_point(|(moved, _)| *moved <= at);
        later.checked_sub(1).map_or(self.config.gate.safe, |last| state.moves[last].1)
    }

    /// Where the gate is.
    fn position(&self, at: f64) -> GateState {
        if self.faults.at(Fault::GateStuck, at).is_some() {
            return GateState::Pass;
        }
        if self.faults.at(Fault::GateStuckReject, at).is_some() {
            return GateState::Reject;
        }
        let slow = self.faults.at(Fault::GateSlow, at).map_or(0.0, |fault| fault.amount);
        self.commanded(at - self.config.gate.delay.as_s() - slow)
    }

    /// The belt that the camera looks at, in millimetres from the sensor: from, to.
    pub(crate) fn looks_at(&self) -> (f64, f64) {
        let camera = &self.config.camera;
        let (left, view) = (camera.position.as_mm() - camera.view.as_mm() / 2.0, camera.view.as_mm());
        let pixel = view / f64::from(camera.width);
        let region = self.config.preprocess.region;
        let (x, width) = region.map_or((0, camera.width), |region| (region.x, region.width));
        (left + f64::from(x) * pixel, left + f64::from(x + width) * pixel)
    }

    /// Travel when a part's middle is at position 0.
    pub(crate) fn centre(&self, part: &Part) -> f64 {
        part.edge + self.config.line.part_length.as_mm() / 2.0
    }

    /// When a part's leading edge is at position 0.
    pub(crate) fn arrives(&self, part: &Part) -> f64 {
        self.motion.time(part.edge)
    }

    /// When a part is at the gate.
    pub(crate) fn at_gate(&self, part: &Part) -> f64 {
        self.motion.time(self.centre(part) + self.config.gate.position.as_mm())
    }

    /// Whether the gate removed a part; to be asked when that has passed.
    pub(crate) fn is_removed(&self, part: &Part) -> bool {
        self.position(self.at_gate(part)) == GateState::Reject
    }

    /// When the confirm sensor would see a part, which is not before it is removed.
    pub(crate) fn confirms(&self, part: &Part) -> f64 {
        let there = self.motion.time(part.edge + self.config.confirm.position.as_mm());
        there.max(self.at_gate(part))
    }

    /// A frame was taken.
    pub(crate) fn take(&self, shot: Shot) {
        let mut state = self.state();
        if state.shots.len() == SHOTS {
            state.shots.pop_front();
        }
        state.shots.push_back(shot);
    }

    /// The truth of a frame; the newest of its number.
    pub(crate) fn shot(&self, id: FrameId) -> Option<Shot> {
        self.state().shots.iter().rev().find(|shot| shot.id == id).copied()
    }

    /// The moment on the run's clock.
    pub(crate) fn moment(at: f64) -> Time {
        Time::ZERO.plus_s(at)
    }
}
