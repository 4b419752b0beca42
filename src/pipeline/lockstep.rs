//! The second driver: the same stages in one thread on a simulated clock. The same line gives the same run, bit for bit.
//!
//! Stages take no time here unless the caller says how long a frame takes; the queue of frames that wait for the model is then as
//! long as that of the threads, and drops in the same way.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::capture::CaptureStage;
use super::counters::Counters;
use super::decide::{DecideStage, Decided, Order, Told};
use super::event::Event;
use super::gate::{Feedback, GateStage};
use super::infer::InferStage;
use super::prepare::{Job, PrepareStage};
use super::report::ReportStage;
use super::sensor::SensorStage;
use super::supervisor::{Cause, Failure};
use super::threads::{FRAMES, JOBS};
use super::{Line, Outcome};
use crate::camera::Captured;
use crate::clock::{Clock, SimClock, Time};
use crate::decide::{Command, Troubles};
use crate::frame::{Frame, FrameId};
use crate::gate::SafeGuard;
use crate::score::summary::Summary;
use crate::sensor::SensorEvent;

/// How long a frame takes from its capture to its score; `None`: for ever.
pub type Delays = Box<dyn FnMut(FrameId, Time) -> Option<Duration> + Send>;

/// Hears every command on its way to the gates.
pub type Tap = Box<dyn FnMut(&Command, Time) + Send>;

/// What a caller may hang into a line in lockstep.
#[derive(Default)]
pub struct Hooks {
    /// Says how long frames take; without it, no time.
    pub delays: Option<Delays>,
    /// Hears the commands.
    pub tap: Option<Tap>,
}

/// What is under way, and the most there has been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Parts in the ledger.
    pub parts: usize,
    /// Windows in the gates' books.
    pub windows: usize,
    /// Frames that wait for the model.
    pub frames: usize,
}

/// A line in lockstep.
pub struct Lockstep {
    clock: Arc<SimClock>,
    counters: Arc<Counters>,
    capture: Option<CaptureStage>,
    sensor: Option<SensorStage>,
    prepare: PrepareStage,
    infer: InferStage,
    decide: DecideStage,
    gate: GateStage,
    report: ReportStage,
    hooks: Hooks,
    waiting: VecDeque<Frame>,
    /// The job that the model works at, and when it will be done.
    working: Option<(Time, Box<Job>)>,
    spare: Vec<Frame>,
    job: Option<Box<Job>>,
    sensed: Vec<SensorEvent>,
    decided: Decided,
    happened: Vec<Event>,
    feedback: Vec<Feedback>,
    most: Load,
}

/// Runs the line on `clock`, which must be the line's own, until it ends by itself or the clock reaches `until`.
///
/// # Errors
/// The failure of a device.
pub fn run_lockstep(line: Line, clock: Arc<SimClock>, until: Time) -> Result<Outcome, Failure> {
    let mut lockstep = Lockstep::new(line, clock, Hooks::default())?;
    let cause = lockstep.run(until)?;
    Ok(Outcome { summary: lockstep.stop(), cause })
}

impl Lockstep {
    /// A line on `clock`, which must be the line's own. See [`Hooks`].
    ///
    /// # Errors
    /// When the gate cannot be made safe.
    pub fn new(line: Line, clock: Arc<SimClock>, hooks: Hooks) -> Result<Self, Failure> {
        let counters = Arc::new(Counters::default());
        let engine = line.engine();
        let guard = |gate| SafeGuard::new(gate, line.safe, clock.clone());
        let second =
            line.second.map(|gate| SafeGuard::new(gate, line.second_safe, clock.clone())).transpose()?;
        let timing = engine.gate_timing();
        Ok(Self {
            capture: Some(CaptureStage::new(line.camera, counters.clone(), line.rate)),
            sensor: line.sensor.map(SensorStage::new),
            prepare: PrepareStage::new(line.preprocessor),
            infer: InferStage::new(line.model),
            decide: DecideStage::new(engine, line.oracle, line.parts),
            gate: GateStage::new(guard(line.gate)?, second, line.outputs, timing),
            report: ReportStage::new(line.listeners, counters.clone(), clock.now()),
            clock,
            counters,
            hooks,
            waiting: VecDeque::new(),
            working: None,
            spare: vec![Frame::default()],
            job: Some(Box::default()),
            sensed: Vec::new(),
            decided: Decided::default(),
            happened: Vec::new(),
            feedback: Vec::new(),
            most: Load::default(),
        })
    }

    /// Runs until the line ends by itself or the clock reaches `until`; may be called again.
    ///
    /// # Errors
    /// The failure of a device.
    pub fn run(&mut self, until: Time) -> Result<Cause, Failure> {
        loop {
            let now = self.clock.now();
            if now >= until {
                return Ok(Cause::Stopped);
            }
            self.move_gate(now)?;
            self.sense(now)?;
            self.finish_job(now)?;
            self.look(now)?;
            self.decide.on_deadline(now, &mut self.decided);
            self.hand_on()?;
            self.report.on_deadline(now);
            self.most.parts = self.most.parts.max(self.decide.in_flight());
            self.most.windows = self.most.windows.max(self.gate.windows());
            if self.decide.is_done() {
                return Ok(Cause::PartsReached);
            }
            let seen = self.waiting.is_empty() && self.working.is_none();
            if self.capture.is_none() && seen && self.decide.in_flight() == 0 {
                return Ok(Cause::EndOfPictures);
            }
            self.clock.advance_to(self.next(now).min(until));
        }
    }

    /// Gives an order, as from outside.
    ///
    /// # Errors
    /// The failure of a device.
    pub fn order(&mut self, order: Order) -> Result<(), Failure> {
        self.tell(&Told::Ordered(order), self.clock.now())
    }

    /// Ends the run in order.
    pub fn stop(mut self) -> Summary {
        let now = self.clock.now();
        self.decide.stop(now, &mut self.decided);
        let events = self.happened.drain(..).chain(self.decided.events.drain(..));
        events.for_each(|event| self.report.step(&event));
        self.decided.tell();
        self.report.finish(now)
    }

    /// What went wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.decide.troubles()
    }

    /// The most that was under way at once.
    pub fn most(&self) -> Load {
        self.most
    }

    /// The next moment at which anything can happen, at least a microsecond ahead.
    fn next(&self, now: Time) -> Time {
        let camera = self.capture.as_ref().filter(|capture| self.is_free(capture));
        let camera = camera.map(|capture| capture.due().unwrap_or(now));
        let sensor = self.sensor.as_ref().and_then(SensorStage::due);
        let job = self.working.as_ref().map(|(at, _)| *at);
        let moments = [camera, sensor, job, self.decide.next_deadline(), self.gate.next_deadline(now)];
        let next = moments.into_iter().flatten().min().unwrap_or(now + Duration::from_secs(1));
        next.max(now + Duration::from_micros(1))
    }

    /// Whether a camera that waits for the line has not to wait now.
    fn is_free(&self, capture: &CaptureStage) -> bool {
        !capture.waits() || (self.waiting.len() < FRAMES + JOBS && capture.has_room())
    }

    fn sense(&mut self, now: Time) -> Result<(), Failure> {
        if let Some(sensor) = self.sensor.as_mut().filter(|sensor| sensor.due().is_none_or(|due| due <= now))
        {
            sensor.step(now, &mut self.sensed)?;
        }
        let mut sensed = std::mem::take(&mut self.sensed);
        for event in sensed.drain(..) {
            self.tell(&Told::Sensed(event), now)?;
        }
        self.sensed = sensed;
        Ok(())
    }

    fn look(&mut self, now: Time) -> Result<(), Failure> {
        self.counters.set_room(self.decide.room());
        let due =
            |capture: &&CaptureStage| capture.due().is_none_or(|due| due <= now) && self.is_free(capture);
        if self.capture.as_ref().filter(due).is_none() {
            return Ok(());
        }
        let Some(capture) = self.capture.as_mut() else { return Ok(()) };
        let mut frame = self.spare.pop().unwrap_or_default();
        let captured = capture.step(now, &mut frame)?;
        frame.received_at = now;
        if captured == Captured::Frame {
            for captured_at in capture.arrived(&frame) {
                self.tell(&Told::Missed { captured_at }, now)?;
            }
        }
        match captured {
            Captured::Frame if self.waiting.len() < FRAMES + JOBS => {
                self.waiting.push_back(frame);
                self.most.frames = self.most.frames.max(self.waiting.len());
                return self.begin_job(now);
            }
            Captured::Frame => {
                self.counters.drop_frame();
                self.tell(&Told::Dropped { captured_at: frame.captured_at }, now)?;
            }
            Captured::Unusable { name, why } => self.report.step(&Event::Unusable { name, why }),
            Captured::Damaged { why } => {
                self.tell(&Told::Damaged { captured_at: frame.captured_at }, now)?;
                if let Some(event) = why.map(Event::damaged) {
                    self.report.step(&event);
                }
            }
            Captured::Nothing => {}
            Captured::End => self.capture = None,
        }
        self.spare.push(frame);
        Ok(())
    }

    /// Hands the next frame to the model if that is free.
    fn begin_job(&mut self, now: Time) -> Result<(), Failure> {
        while self.working.is_none()
            && let Some(frame) = self.waiting.pop_front()
        {
            let mut job = self.job.take().unwrap_or_default();
            self.prepare.step(&frame, &mut job);
            self.infer.step(&mut job);
            let delay =
                self.hooks.delays.as_mut().map_or(Some(Duration::ZERO), |delays| delays(frame.id, now));
            self.spare.push(frame);
            let done = delay.map_or(Time::MAX, |delay| now + delay);
            job.infer = done - now;
            self.working = Some((done, job));
            self.finish_job(now)?;
        }
        Ok(())
    }

    /// Takes the model's answers when they are due.
    fn finish_job(&mut self, now: Time) -> Result<(), Failure> {
        if self.working.as_ref().is_none_or(|(done, _)| *done > now) {
            return Ok(());
        }
        if let Some((_, job)) = self.working.take() {
            let told = Told::Judged(job);
            self.tell(&told, now)?;
            if let Told::Judged(job) = told {
                DecideStage::cost(&job, Duration::ZERO, &mut self.decided);
                self.job = Some(job);
            }
            self.counters.inspect();
        }
        self.begin_job(now)
    }

    fn tell(&mut self, told: &Told, now: Time) -> Result<(), Failure> {
        self.decide.step(told, now, &mut self.decided);
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), Failure> {
        let now = self.clock.now();
        let mut commands = std::mem::take(&mut self.decided.commands);
        for command in commands.drain(..) {
            if let Some(tap) = &mut self.hooks.tap {
                tap(&command, now);
            }
            self.gate.step(command, now, &mut self.happened, &mut self.feedback)?;
        }
        commands.append(&mut self.decided.commands);
        self.decided.commands = commands;
        self.move_gate(now)?;
        let happened = self.happened.drain(..).chain(self.decided.events.drain(..));
        happened.for_each(|event| self.report.step(&event));
        self.decided.tell();
        Ok(())
    }

    fn move_gate(&mut self, now: Time) -> Result<(), Failure> {
        self.gate.on_deadline(now, &mut self.happened, &mut self.feedback)?;
        let mut feedback = std::mem::take(&mut self.feedback);
        for told in feedback.drain(..) {
            self.decide.step(&Told::Gate(told), now, &mut self.decided);
        }
        self.feedback = feedback;
        Ok(())
    }
}
