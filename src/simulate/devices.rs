//! Camera, sensors, gate and model of a simulated shift, with their faults. The pictures are small and plain: a part is a block
//! whose grey says what the model will say of it, so that a shift of thousands of parts takes seconds.

use std::sync::Arc;

use super::faults::Fault;
use super::plant::{Plant, Shot};
use crate::camera::{CameraError, Captured, FrameSource};
use crate::clock::Time;
use crate::config::GateState;
use crate::config::manifest::Input;
use crate::frame::{Frame, FrameId, PixelFormat};
use crate::gate::{Gate, GateError};
use crate::model::{ModelFault, Scripted};
use crate::verdict::Score;

/// Size of the pictures in pixels.
pub(super) const WIDTH: usize = 64;
pub(super) const HEIGHT: usize = 20;
/// Side of the model's input in pixels.
const SIDE: usize = 12;
/// Grey of the belt, and the bits of its noise, for eight pixels at a time.
const BELT: u8 = 150;
const NOISE: u64 = 0x0303_0303_0303_0303;
/// From its capture to its arrival a frame takes so long, in seconds.
const TRANSPORT_S: f64 = 0.004;

/// The way of spoiling a picture that leaves its right half as it is.
const LEFT_BLACK: u32 = 2;

/// The grey of a part with this score: dark for good ones, bright for others, never near the belt's.
fn grey_of(score: f32) -> f32 {
    if score <= 0.5 { 40.0 + 120.0 * score } else { 200.0 + 80.0 * (score - 0.5) }
}

/// The score that a grey means.
fn score_of(grey: f32) -> f32 {
    let score = if grey < 150.0 { (grey - 40.0) / 120.0 } else { 0.5 + (grey - 200.0) / 80.0 };
    score.clamp(0.0, 1.0)
}

/// What the model wants to see.
pub(super) fn input() -> Input {
    Input { width: SIDE, height: SIDE, std: (1.0 / 255.0).into(), ..Input::default() }
}

/// A model that reads the score off the grey. `now` tells the moment, for its faults.
pub(super) fn model(plant: Arc<Plant>, now: impl Fn() -> f64 + Send + 'static) -> Scripted {
    Scripted::new(input(), move |x| {
        if plant.faults.at(Fault::ModelNan, now()).is_some() {
            return Err(ModelFault::NotFinite(f32::NAN));
        }
        let inner = |i: &usize| (4..8).contains(&(i % SIDE)) && (4..8).contains(&(i / SIDE));
        let sum: f32 = (0..SIDE * SIDE).filter(inner).map(|i| x[i]).sum();
        Score::new(score_of(sum / 16.0)).ok_or(ModelFault::NotFinite(f32::NAN))
    })
}

/// The camera of a shift.
pub(super) struct Camera {
    plant: Arc<Plant>,
    rate: f64,
    shot: u64,
    /// When the frame before was delivered.
    delivered: f64,
    /// Number of the last frame of this run.
    id: u64,
    /// Begins afresh at this moment.
    since: f64,
}

/// A frame to come.
struct Coming {
    content: f64,
    stamp: f64,
    arrives: f64,
    healthy: bool,
    /// It shows the belt from here on only, in millimetres from the sensor.
    shows_from: f64,
    /// The noise is that of this shot: a duplicate is the same picture.
    noise: u64,
}

impl Camera {
    /// A camera that is switched on at `since`.
    pub(super) fn new(plant: Arc<Plant>, since: f64) -> Self {
        let rate = plant.config.camera.rate.as_per_s();
        Self { shot: (since * rate).ceil() as u64, rate, plant, delivered: since, id: 0, since }
    }

    /// The frame of shot `shot`, if there is one.
    fn coming(&self, shot: u64) -> Option<Coming> {
        let faults = &self.plant.faults;
        let taken = shot as f64 / self.rate;
        if faults.at(Fault::CameraLost, taken).is_some() || faults.at(Fault::FrameDropped, taken).is_some() {
            return None;
        }
        let frozen = faults.at(Fault::CameraFrozen, taken).map(|f| (f.from * self.rate).floor());
        // Every second frame is the one before it once more, where that was delivered.
        let doubles = shot % 2 == 1 && faults.at(Fault::FrameDuplicated, taken).is_some();
        let twice = (doubles && self.coming(shot - 1).is_some()).then_some(shot as f64 - 1.0);
        let picture = frozen.or(twice).unwrap_or(shot as f64);
        let content = (picture / self.rate).max(self.since.min(taken));
        let step = faults.at(Fault::ClockStep, taken).map_or(0.0, |f| f.amount);
        let late = faults.at(Fault::FrameLate, taken).map_or(0.0, |f| f.amount);
        // What lies beyond the black half is shown as it is.
        let (corrupt, shows_from) = match faults.at(Fault::FrameCorrupt, taken) {
            Some(fault) if fault.amount as u32 == LEFT_BLACK => {
                (false, self.plant.config.camera.position.as_mm())
            }
            Some(_) => (true, f64::NEG_INFINITY),
            None => (false, f64::NEG_INFINITY),
        };
        // A stamp that is off by less than the tolerance of positions allows is as good as a right one, and on a belt that stands any is.
        let stamp = taken + step;
        let motion = &self.plant.motion;
        let off_mm = (motion.travel(stamp) - motion.travel(content)).abs();
        let in_place = off_mm <= self.plant.config.position.tolerance.as_mm() + 1e-6;
        Some(Coming {
            content,
            stamp: stamp.max(0.0),
            arrives: taken + TRANSPORT_S + late,
            healthy: in_place && !corrupt,
            shows_from,
            noise: picture as u64,
        })
    }

    /// The next frame, and the shot after it.
    fn next_coming(&self) -> (Coming, u64) {
        let mut shot = self.shot;
        loop {
            if let Some(coming) = self.coming(shot) {
                return (coming, shot + 1);
            }
            shot += 1;
        }
    }

    fn draw(&self, coming: &Coming, taken: f64, frame: &mut Frame) {
        let mut noise = coming.noise.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            noise
        };
        frame.pixels.clear();
        for _ in 0..WIDTH * HEIGHT / 8 {
            let noise = (next() & NOISE) + u64::from_ne_bytes([BELT; 8]);
            frame.pixels.extend_from_slice(&noise.to_ne_bytes());
        }
        let config = &self.plant.config;
        let (middle, view) = (config.camera.position.as_mm(), config.camera.view.as_mm());
        let left = middle - view / 2.0;
        let travel = self.plant.motion.travel(coming.content);
        let per_mm = WIDTH as f64 / view;
        // No part is as long as two views.
        let first = self.plant.parts.partition_point(|p| travel - p.edge > middle + 3.0 * view);
        for part in self.plant.parts[first..].iter().take_while(|p| travel - p.edge > left) {
            let (front, back) = (travel - part.edge, travel - part.edge - part.length);
            // A removed part is gone from the gate on.
            let gate = config.gate.position.as_mm();
            if front > gate && back < gate && self.plant.is_removed(part) {
                continue;
            }
            let px = |mm: f64| (((mm - left) * per_mm).round().clamp(0.0, WIDTH as f64)) as usize;
            let grey = grey_of(part.score);
            for y in 4..HEIGHT - 4 {
                for x in px(back)..px(front) {
                    let stripe = if (x / 4) % 2 == 0 { 8.0 } else { -8.0 };
                    frame.pixels[y * WIDTH + x] = (grey + stripe) as u8;
                }
            }
        }
        if let Some(fault) = self.plant.faults.at(Fault::FrameCorrupt, taken) {
            corrupt(&mut frame.pixels, fault.amount as u32, &mut next);
        }
    }
}

/// Spoils a picture in one of six ways.
fn corrupt(pixels: &mut [u8], how: u32, next: &mut impl FnMut() -> u64) {
    match how {
        0 => pixels.fill(BELT),
        1 => pixels.fill_with(|| (next() % 256) as u8),
        LEFT_BLACK => pixels.chunks_exact_mut(WIDTH).for_each(|row| row[..WIDTH / 2].fill(0)),
        3 => pixels.fill_with(|| (next() % 3) as u8),
        4 => pixels.fill_with(|| 253 + (next() % 3) as u8),
        _ => {
            for _ in 0..12 {
                for row in pixels.chunks_exact_mut(WIDTH) {
                    for x in 1..WIDTH - 1 {
                        let sum = u32::from(row[x - 1]) + u32::from(row[x]) + u32::from(row[x + 1]);
                        row[x] = (sum / 3) as u8;
                    }
                }
            }
        }
    }
}

impl FrameSource for Camera {
    fn due(&self) -> Option<Time> {
        let (coming, _) = self.next_coming();
        Some(Plant::moment(coming.arrives.max(self.delivered)))
    }

    fn next(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        let (coming, after) = self.next_coming();
        let taken = (after - 1) as f64 / self.rate;
        self.shot = after;
        self.delivered = now.as_s();
        self.id += 1;
        (frame.width, frame.height, frame.format) = (WIDTH, HEIGHT, PixelFormat::Grey8);
        frame.captured_at = Plant::moment(coming.stamp);
        frame.origin = None;
        self.draw(&coming, taken, frame);
        let Coming { content, healthy, shows_from, .. } = coming;
        self.plant.take(Shot { id: FrameId(self.id), content, healthy, shows_from });
        Ok(Captured::Frame)
    }
}

/// The gate of a shift: writes its commands down.
pub(super) struct PlantGate(pub Arc<Plant>, pub Box<dyn FnMut(GateState, Time) + Send>);

impl Gate for PlantGate {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        self.0.command(state, now.as_s());
        (self.1)(state, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_means_the_score_that_it_was_made_from_and_never_looks_like_the_belt() {
        for k in 0..=100 {
            let score = k as f32 / 100.0;
            assert!((score_of(grey_of(score)) - score).abs() < 1e-5);
            assert!((grey_of(score) - f32::from(BELT)).abs() > 40.0);
        }
    }
}
