//! The second driver: the same stages in one thread on a simulated clock. The same line gives the same run, bit for bit.
//!
//! Stages take no time here; a frame is judged in the moment of its capture, so every latency is 0.

use std::sync::Arc;
use std::time::Duration;

use super::capture::CaptureStage;
use super::counters::Counters;
use super::decide::{DecideStage, Decided, Told};
use super::event::Event;
use super::gate::GateStage;
use super::infer::InferStage;
use super::prepare::{Job, PrepareStage};
use super::report::ReportStage;
use super::sensor::SensorStage;
use super::supervisor::{Cause, Failure};
use super::{Line, Outcome};
use crate::camera::Captured;
use crate::clock::{Clock, SimClock, Time};
use crate::frame::Frame;
use crate::gate::SafeGuard;
use crate::sensor::SensorEvent;

struct Lockstep {
    clock: Arc<SimClock>,
    counters: Arc<Counters>,
    capture: Option<CaptureStage>,
    sensor: Option<SensorStage>,
    prepare: PrepareStage,
    infer: InferStage,
    decide: DecideStage,
    gate: GateStage,
    report: ReportStage,
    frame: Frame,
    job: Option<Box<Job>>,
    sensed: Vec<SensorEvent>,
    decided: Decided,
    happened: Vec<Event>,
}

/// Runs the line on `clock`, which must be the line's own, until it ends by itself or the clock reaches `until`.
///
/// # Errors
/// The failure of a device.
pub fn run_lockstep(line: Line, clock: Arc<SimClock>, until: Time) -> Result<Outcome, Failure> {
    let counters = Arc::new(Counters::default());
    let mut lockstep = Lockstep {
        capture: Some(CaptureStage::new(line.camera, counters.clone())),
        sensor: line.sensor.map(SensorStage::new),
        prepare: PrepareStage::new(line.preprocessor),
        infer: InferStage::new(line.model),
        decide: DecideStage::new(line.rules, line.oracle, line.parts),
        gate: GateStage::new(SafeGuard::new(line.gate, line.safe, clock.clone())?),
        report: ReportStage::new(line.listeners, counters.clone(), clock.now()),
        clock,
        counters,
        frame: Frame::default(),
        job: Some(Box::default()),
        sensed: Vec::new(),
        decided: Decided::default(),
        happened: Vec::new(),
    };
    let cause = lockstep.run(until)?;
    lockstep.decide.stop(&mut lockstep.decided);
    lockstep.hand_on();
    let summary = lockstep.report.finish(lockstep.clock.now());
    Ok(Outcome { summary, cause })
}

impl Lockstep {
    fn run(&mut self, until: Time) -> Result<Cause, Failure> {
        loop {
            let now = self.clock.now();
            if now >= until {
                return Ok(Cause::Stopped);
            }
            self.gate.on_deadline(now)?;
            self.sense(now)?;
            self.look(now)?;
            self.decide.on_deadline(now, &mut self.decided);
            self.hand_on();
            self.gate.on_deadline(now)?;
            self.report.on_deadline(now);
            if self.decide.is_done() {
                return Ok(Cause::PartsReached);
            }
            if self.capture.is_none() && self.decide.is_idle() {
                return Ok(Cause::EndOfPictures);
            }
            self.clock.advance_to(self.next(now).min(until));
        }
    }

    /// The next moment at which anything can happen, at least a microsecond ahead.
    fn next(&self, now: Time) -> Time {
        let camera = self.capture.as_ref().map(|capture| capture.due().unwrap_or(now));
        let sensor = self.sensor.as_ref().and_then(SensorStage::due);
        let moments = [camera, sensor, self.decide.next_deadline(), self.gate.next_deadline(now)];
        let next = moments.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1));
        next.max(now + Duration::from_micros(1))
    }

    fn sense(&mut self, now: Time) -> Result<(), Failure> {
        if let Some(sensor) = self.sensor.as_mut().filter(|sensor| sensor.due().is_none_or(|due| due <= now))
        {
            sensor.step(now, &mut self.sensed)?;
        }
        for event in std::mem::take(&mut self.sensed) {
            self.tell(&Told::Sensed(event), now);
        }
        Ok(())
    }

    fn look(&mut self, now: Time) -> Result<(), Failure> {
        let due = |capture: &&mut CaptureStage| capture.due().is_none_or(|due| due <= now);
        let Some(capture) = self.capture.as_mut().filter(due) else { return Ok(()) };
        match capture.step(now, &mut self.frame)? {
            Captured::Frame => self.judge(now),
            Captured::Unusable { name, why } => self.report.step(&Event::Unusable { name, why }),
            Captured::End => self.capture = None,
        }
        Ok(())
    }

    fn judge(&mut self, now: Time) {
        let mut job = self.job.take().unwrap_or_default();
        self.prepare.step(&self.frame, &mut job);
        self.infer.step(&mut job);
        let told = Told::Judged(job);
        self.tell(&told, now);
        if let Told::Judged(job) = told {
            DecideStage::cost(&job, Duration::ZERO, &mut self.decided);
            self.job = Some(job);
        }
        self.counters.inspect();
    }

    fn tell(&mut self, told: &Told, now: Time) {
        self.decide.step(told, now, &mut self.decided);
        self.hand_on();
    }

    fn hand_on(&mut self) {
        let now = self.clock.now();
        let commands = std::mem::take(&mut self.decided.commands);
        for command in commands {
            if let Some(part) = self.gate.step(command, now, &mut self.happened) {
                self.decide.step(&Told::TooLate(part), now, &mut self.decided);
            }
        }
        let happened = self.happened.drain(..).chain(self.decided.events.drain(..));
        happened.for_each(|event| self.report.step(&event));
    }
}
