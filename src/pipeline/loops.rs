//! What the stages' threads do: wait for work, a moment or the stop, and take a step.
//!
//! A loop returns an error only for its own failure; a closed queue means that a neighbour has ended, and so does the loop.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, never, select_biased};

use super::capture::CaptureStage;
use super::common::Common;
use super::counters::Counters;
use super::decide::{DecideStage, Decided, Order, Told};
use super::event::Event;
use super::gate::{Feedback, GateStage};
use super::infer::InferStage;
use super::prepare::{Job, PrepareStage};
use super::report::ReportStage;
use super::sensor::SensorStage;
use super::supervisor::Failure;
use crate::camera::Captured;
use crate::clock::Time;
use crate::decide::Command;
use crate::frame::Frame;
use crate::score::summary::Summary;

/// Longest wait when nothing is due.
const IDLE: Duration = Duration::from_secs(1);

/// Waits until `due`; `false` when the stop was asked for.
fn wait_until(due: Option<Time>, common: &Common) -> bool {
    let span = due.map_or(Duration::ZERO, |at| at - common.clock.now());
    matches!(common.stop.recv_timeout(span), Err(crossbeam_channel::RecvTimeoutError::Timeout))
}

fn wait_for(deadline: Option<Time>, now: Time) -> Duration {
    deadline.map_or(IDLE, |at| at - now).min(IDLE)
}

/// Hands an event to the report stage, or counts it: the line never waits for reports.
fn publish(event: Event, events: &Sender<Event>, counters: &Counters) {
    if events.try_send(event).is_err() {
        counters.lose_event();
    }
}

/// The queues of the capture stage.
pub(super) struct CaptureQueues {
    pub frames: Sender<Frame>,
    pub free_frames: Receiver<Frame>,
    pub told: Sender<Told>,
    pub events: Sender<Event>,
    /// Tells that there may be more room in the ledger.
    pub room: Receiver<()>,
}

/// Waits until the next picture is to be asked for; `false` when the line ends.
fn wait_for_room(stage: &CaptureStage, common: &Common, room: &Receiver<()>) -> bool {
    while !stage.has_room() {
        let goes_on = select_biased! {
            recv(common.stop) -> _ => false,
            recv(room) -> more => more.is_ok(),
        };
        if !goes_on {
            return false;
        }
    }
    true
}

pub(super) fn capture(
    mut stage: CaptureStage,
    common: &Common,
    queues: &CaptureQueues,
) -> Result<(), Failure> {
    let mut frame = Frame::default();
    let mut spare: Option<Frame> = None;
    let vital = common.vitals.of("capture");
    common.vitals.promise(stage.promised());
    while wait_until(stage.due(), common) && wait_for_room(&stage, common, &queues.room) {
        vital.works(common.clock.now());
        let captured = stage.step(common.clock.now(), &mut frame)?;
        vital.waits();
        if !stage.dates_arrival() {
            frame.received_at = common.clock.now();
        }
        match captured {
            Captured::Frame => {}
            Captured::Unusable { name, why } => {
                publish(Event::Unusable { name, why }, &queues.events, &common.counters);
                continue;
            }
            Captured::Damaged { why } => {
                hand_on(Told::Damaged { captured_at: frame.captured_at }, queues);
                if let Some(event) = why.map(Event::damaged) {
                    publish(event, &queues.events, &common.counters);
                }
                continue;
            }
            Captured::Nothing => continue,
            Captured::End => return Ok(()),
        }
        stage.arrived(&frame).for_each(|captured_at| hand_on(Told::Missed { captured_at }, queues));
        if stage.waits() {
            let next = select_biased! {
                recv(common.stop) -> _ => return Ok(()),
                recv(queues.free_frames) -> next => match next { Ok(next) => next, Err(_) => return Ok(()) },
            };
            let full = std::mem::replace(&mut frame, next);
            if queues.frames.send(full).is_err() {
                return Ok(());
            }
            continue;
        }
        let captured_at = frame.captured_at;
        let Some(next) = spare.take().or_else(|| queues.free_frames.try_recv().ok()) else {
            drop_frame(captured_at, common, queues);
            continue;
        };
        match queues.frames.try_send(std::mem::replace(&mut frame, next)) {
            Ok(()) => {}
            Err(TrySendError::Full(back)) => {
                spare = Some(back);
                drop_frame(captured_at, common, queues);
            }
            Err(TrySendError::Disconnected(_)) => return Ok(()),
        }
    }
    Ok(())
}

fn drop_frame(captured_at: Time, common: &Common, queues: &CaptureQueues) {
    common.counters.drop_frame();
    hand_on(Told::Dropped { captured_at }, queues);
}

/// Tells the ledger that a frame is missing. On a belt a full queue loses only the reason: what no frame showed is rejected all the same.
/// It is full when the ledger hangs, and then systemd restarts castgate.
fn hand_on(told: Told, queues: &CaptureQueues) {
    let _ = queues.told.try_send(told);
}

/// The queues of the preprocess stage.
pub(super) struct PrepareQueues {
    pub frames: Receiver<Frame>,
    pub free_frames: Sender<Frame>,
    pub free_jobs: Receiver<Box<Job>>,
    pub prepared: Sender<Box<Job>>,
}

pub(super) fn prepare(
    mut stage: PrepareStage,
    common: &Common,
    queues: &PrepareQueues,
) -> Result<(), Failure> {
    let vital = common.vitals.of("preprocess");
    loop {
        let frame = select_biased! {
            recv(common.stop) -> _ => return Ok(()),
            recv(queues.frames) -> frame => match frame { Ok(frame) => frame, Err(_) => return Ok(()) },
        };
        let Ok(mut job) = queues.free_jobs.recv() else { return Ok(()) };
        let begin = common.clock.now();
        vital.works(begin);
        stage.step(&frame, &mut job);
        vital.waits();
        job.preprocess = common.clock.now() - begin;
        // The queue has room for every frame there is; the camera's thread may have ended.
        let _ = queues.free_frames.try_send(frame);
        if queues.prepared.send(job).is_err() {
            return Ok(());
        }
    }
}

pub(super) fn infer(
    mut stage: InferStage,
    common: &Common,
    prepared: &Receiver<Box<Job>>,
    told: &Sender<Told>,
) -> Result<(), Failure> {
    let vital = common.vitals.of("infer");
    loop {
        let mut job = select_biased! {
            recv(common.stop) -> _ => return Ok(()),
            recv(prepared) -> job => match job { Ok(job) => job, Err(_) => return Ok(()) },
        };
        let begin = common.clock.now();
        vital.works(begin);
        stage.step(&mut job);
        vital.waits();
        job.infer = common.clock.now() - begin;
        if told.send(Told::Judged(job)).is_err() {
            return Ok(());
        }
    }
}

pub(super) fn sensor(mut stage: SensorStage, common: &Common, told: &Sender<Told>) -> Result<(), Failure> {
    let mut events = Vec::new();
    let vital = common.vitals.of("sensor");
    while wait_until(stage.due(), common) {
        vital.works(common.clock.now());
        stage.step(common.clock.now(), &mut events)?;
        vital.waits();
        for event in events.drain(..) {
            if told.send(Told::Sensed(event)).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What comes to the decide stage, and where its empty jobs go.
pub(super) struct DecideIn {
    pub told: Receiver<Told>,
    pub feedback: Receiver<Feedback>,
    pub orders: Receiver<Order>,
    pub free_jobs: Sender<Box<Job>>,
    /// Tells the capture stage that there may be more room.
    pub room: Sender<()>,
}

/// Where the decide stage's wishes go.
pub(super) struct DecideOut {
    pub commands: Sender<Command>,
    pub events: Sender<Event>,
}

impl DecideOut {
    /// Commands go first and wait for the gate; events and words do not wait for anybody. `false` when the gate is gone.
    fn flush(&self, decided: &mut Decided, common: &Common) -> bool {
        let sent = decided.commands.drain(..).all(|command| self.commands.send(command).is_ok());
        decided.events.drain(..).for_each(|event| publish(event, &self.events, &common.counters));
        decided.tell();
        sent
    }
}

pub(super) fn decide(
    mut stage: DecideStage,
    common: &Common,
    mut inputs: DecideIn,
    out: &DecideOut,
) -> Result<(), Failure> {
    let mut decided = Decided::default();
    let mut drained = false;
    let vital = common.vitals.of("decide");
    loop {
        let now = common.clock.now();
        vital.works(now);
        stage.on_deadline(now, &mut decided);
        common.counters.set_room(stage.room());
        // One token is enough, and nobody may listen.
        let _ = inputs.room.try_send(());
        if !out.flush(&mut decided, common) || stage.is_done() || (drained && stage.in_flight() == 0) {
            break;
        }
        vital.waits();
        let told = select_biased! {
            recv(common.stop) -> _ => break,
            recv(inputs.feedback) -> told => match told {
                Ok(told) => Some(Told::Gate(told)),
                Err(_) => { inputs.feedback = never(); None }
            },
            recv(inputs.orders) -> order => match order {
                Ok(order) => Some(Told::Ordered(order)),
                Err(_) => { inputs.orders = never(); None }
            },
            recv(inputs.told) -> told => match told {
                Ok(told) => Some(told),
                Err(_) => { drained = true; inputs.told = never(); None }
            },
            default(wait_for(stage.next_deadline(), now)) => None,
        };
        let Some(told) = told else { continue };
        let begin = common.clock.now();
        vital.works(begin);
        stage.step(&told, begin, &mut decided);
        if let Told::Judged(job) = told {
            DecideStage::cost(&job, common.clock.now() - begin, &mut decided);
            common.counters.set_room(stage.room());
            common.counters.inspect();
            common.vitals.judge();
            // The queue has room for every job there is; the preprocess stage may have ended.
            let _ = inputs.free_jobs.try_send(job);
        }
    }
    stage.stop(common.clock.now(), &mut decided);
    out.flush(&mut decided, common);
    Ok(())
}

pub(super) fn gate(
    mut stage: GateStage,
    common: &Common,
    commands: &Receiver<Command>,
    told: &Sender<Feedback>,
    events: &Sender<Event>,
) -> Result<(), Failure> {
    let (mut happened, mut feedback) = (Vec::new(), Vec::new());
    let vital = common.vitals.of("gate");
    loop {
        let now = common.clock.now();
        vital.works(now);
        stage.on_deadline(now, &mut happened, &mut feedback)?;
        for back in feedback.drain(..) {
            // Never waits: a decide stage that is busy must not keep the gate from moving.
            if told.try_send(back).is_err() {
                log::error!("the ledger is too busy to hear of {back:?}: the record of a part may be wrong");
            }
        }
        happened.drain(..).for_each(|event| publish(event, events, &common.counters));
        vital.waits();
        let command = select_biased! {
            recv(common.stop) -> _ => return Ok(()),
            recv(commands) -> command => match command { Ok(command) => Some(command), Err(_) => return Ok(()) },
            default(wait_for(stage.next_deadline(now), now)) => None,
        };
        if let Some(command) = command {
            vital.works(common.clock.now());
            stage.step(command, common.clock.now(), &mut happened, &mut feedback)?;
        }
    }
}

pub(super) fn report(
    mut stage: ReportStage,
    common: &Common,
    events: &Receiver<Event>,
    summary: &Sender<Summary>,
) -> Result<(), Failure> {
    let vital = common.vitals.of("report");
    loop {
        let now = common.clock.now();
        vital.works(now);
        stage.on_deadline(now);
        vital.waits();
        match events.recv_timeout(stage.next_deadline() - now) {
            Ok(event) => {
                vital.works(common.clock.now());
                stage.step(&event);
            }
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => {}
            Err(crossbeam_channel::RecvTimeoutError::Disconnected) => break,
        }
    }
    // The supervisor waits for exactly one summary.
    let _ = summary.send(stage.finish(common.clock.now()));
    Ok(())
}
