//! The first driver: a thread for each stage, on the real clock.
//!
//! Threads and queues: capture -> preprocess -> infer -> decide -> gate, sensor -> decide, and everybody -> report. Frames and
//! jobs go round, so their memory is allocated once. When a stage ends, its neighbours see the closed queue and end too.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, never};

use super::capture::CaptureStage;
use super::common::Common;
use super::counters::Counters;
use super::decide::{DecideStage, Told};
use super::event::Event;
use super::gate::{Feedback, GateStage};
use super::infer::InferStage;
use super::prepare::{Job, PrepareStage};
use super::report::ReportStage;
use super::sensor::SensorStage;
use super::supervisor::{Cause, Ended, Failure, Started, Stopper, start, supervise};
use super::{Line, Outcome, loops};
use crate::decide::Command;
use crate::frame::Frame;
use crate::gate::SafeGuard;
use crate::score::summary::Summary;

/// Frames between capture and preprocess; one more waits in each of the two stages.
pub(super) const FRAMES: usize = 2;
/// Jobs between preprocess and decide.
pub(super) const JOBS: usize = 4;
/// Messages to the decide stage.
const TOLD: usize = 256;
/// Commands to the gate stage.
const COMMANDS: usize = 256;
/// Events to the report stage; when it is full, events are lost and counted.
const EVENTS: usize = 4096;

/// The queues' ends that go to the stages.
pub(super) struct Ends {
    pub frames: (Sender<Frame>, Receiver<Frame>),
    pub free_frames: (Sender<Frame>, Receiver<Frame>),
    pub prepared: (Sender<Box<Job>>, Receiver<Box<Job>>),
    pub free_jobs: (Sender<Box<Job>>, Receiver<Box<Job>>),
    pub told: (Sender<Told>, Receiver<Told>),
    pub commands: (Sender<Command>, Receiver<Command>),
    pub feedback: (Sender<Feedback>, Receiver<Feedback>),
    pub events: (Sender<Event>, Receiver<Event>),
    pub room: (Sender<()>, Receiver<()>),
}

impl Ends {
    fn new() -> Self {
        let ends = Self {
            frames: bounded(FRAMES),
            free_frames: bounded(FRAMES + 2),
            prepared: bounded(JOBS),
            free_jobs: bounded(JOBS),
            told: bounded(TOLD),
            commands: bounded(COMMANDS),
            feedback: bounded(4 * COMMANDS),
            events: bounded(EVENTS),
            room: bounded(1),
        };
        (0..FRAMES + 1).for_each(|_| drop(ends.free_frames.0.try_send(Frame::default())));
        (0..JOBS).for_each(|_| drop(ends.free_jobs.0.try_send(Box::default())));
        ends
    }
}

/// Runs the line until it ends by itself, `stopper` asks for the stop, or something fails. The gate is then in its safe position.
///
/// # Errors
/// The first cause of a failure.
pub fn run_threads(line: Line, stopper: &Stopper) -> Result<Outcome, Failure> {
    let counters = Arc::new(Counters::default());
    let (clock, vitals) = (line.clock.clone(), line.vitals.clone());
    let common = Common { clock, vitals, stop: stopper.signal(), counters: counters.clone() };
    let (ended_tx, ended) = bounded(16);
    let (summary_tx, summary) = bounded(1);
    let (clock, limit, vitals) = (line.clock.clone(), line.parts, line.vitals.clone());
    let started = match spawn(line, &common, &ended_tx, summary_tx) {
        Ok(started) => started,
        Err(failure) => {
            stopper.stop();
            return Err(failure);
        }
    };
    drop(ended_tx);
    let at_work = || vitals.hanging(clock.now(), Duration::ZERO).map(|(stage, _)| stage);
    let end = supervise(&ended, started, stopper, at_work)?;
    let untold = |_| Failure::Panic { stage: "report", what: "it ended without a summary".to_owned() };
    let summary: Summary = summary.try_recv().map_err(untold)?;
    let reached = limit.is_some_and(|limit| summary.parts >= limit);
    Ok(Outcome { summary, cause: if reached { Cause::PartsReached } else { end } })
}

fn spawn(
    line: Line,
    common: &Common,
    ended: &Sender<Ended>,
    summary: Sender<Summary>,
) -> Result<Vec<Started>, Failure> {
    let engine = line.engine();
    let guard = SafeGuard::new(line.gate, line.safe, line.clock.clone())?;
    let clock = &line.clock;
    let second = line.second.map(|gate| SafeGuard::new(gate, line.second_safe, clock.clone())).transpose()?;
    let ends = Ends::new();
    let mut threads = Vec::new();
    let report = ReportStage::new(line.listeners, common.counters.clone(), line.clock.now());
    let (c, events) = (common.clone(), ends.events.1);
    threads.push(start("report", ended, move || loops::report(report, &c, &events, &summary))?);
    let gate = GateStage::new(guard, second, line.outputs, engine.gate_timing());
    let (c, commands, told, events) =
        (common.clone(), ends.commands.1, ends.feedback.0, ends.events.0.clone());
    threads.push(start("gate", ended, move || loops::gate(gate, &c, &commands, &told, &events))?);
    let decide = DecideStage::new(engine, line.oracle, line.parts);
    let (c, out) =
        (common.clone(), loops::DecideOut { commands: ends.commands.0, events: ends.events.0.clone() });
    let inputs = loops::DecideIn {
        told: ends.told.1,
        feedback: ends.feedback.1,
        orders: line.orders.unwrap_or_else(never),
        free_jobs: ends.free_jobs.0,
        room: ends.room.0,
    };
    common.counters.set_room(decide.room());
    threads.push(start("decide", ended, move || loops::decide(decide, &c, inputs, &out))?);
    let infer = InferStage::new(line.model);
    let (c, prepared, told) = (common.clone(), ends.prepared.1, ends.told.0.clone());
    threads.push(start("infer", ended, move || loops::infer(infer, &c, &prepared, &told))?);
    let prepare = PrepareStage::new(line.preprocessor);
    let queues = loops::PrepareQueues {
        frames: ends.frames.1,
        free_frames: ends.free_frames.0,
        free_jobs: ends.free_jobs.1,
        prepared: ends.prepared.0,
    };
    let c = common.clone();
    threads.push(start("preprocess", ended, move || loops::prepare(prepare, &c, &queues))?);
    if let Some(sensor) = line.sensor {
        let (c, told) = (common.clone(), ends.told.0.clone());
        threads.push(start("sensor", ended, move || loops::sensor(SensorStage::new(sensor), &c, &told))?);
    }
    let capture = CaptureStage::new(line.camera, common.counters.clone(), line.rate);
    let queues = loops::CaptureQueues {
        frames: ends.frames.0,
        free_frames: ends.free_frames.1,
        told: ends.told.0,
        events: ends.events.0,
        room: ends.room.1,
    };
    let c = common.clone();
    threads.push(start("capture", ended, move || loops::capture(capture, &c, &queues))?);
    Ok(threads)
}
