//! The decide stage: feeds the ledger and hands its actions on.

use std::sync::Arc;
use std::time::Duration;

use super::Oracle;
use super::event::Event;
use super::prepare::Job;
use crate::clock::Time;
use crate::decide::{Action, Engine, Outcome, Rules};
use crate::sensor::SensorEvent;
use crate::verdict::PartNumber;

/// What the decide stage is told.
pub(super) enum Told {
    /// A judged frame.
    Judged(Box<Job>),
    /// A captured frame was dropped.
    Dropped {
        /// When it was captured.
        captured_at: Time,
    },
    /// Something happened on the line.
    Sensed(SensorEvent),
    /// The gate had already moved for a part that was to pass.
    TooLate(PartNumber),
}

/// A command for the gate stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// The first frame has been judged: the gate may leave its safe position.
    Begin,
    /// Reject the part in this window unless it is cleared.
    Arm {
        /// The part.
        part: PartNumber,
        /// From when.
        from: Time,
        /// Until when.
        until: Time,
    },
    /// The part's verdict is final.
    Settle {
        /// The part.
        part: PartNumber,
        /// Whether it passes.
        pass: bool,
        /// When the frame that decided was captured.
        captured_at: Option<Time>,
    },
}

/// What the decide stage wants sent on.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// For the gate, in order.
    pub commands: Vec<Command>,
    /// For the report stage, in order.
    pub events: Vec<Event>,
}

/// Owns the engine.
pub(super) struct DecideStage {
    engine: Engine,
    actions: Vec<Action>,
    oracle: Option<Oracle>,
    finished: u64,
    limit: Option<u64>,
    begun: bool,
}

impl DecideStage {
    pub(super) fn new(rules: Rules, oracle: Option<Oracle>, limit: Option<u64>) -> Self {
        Self { engine: Engine::new(rules), actions: Vec::new(), oracle, finished: 0, limit, begun: false }
    }

    /// Takes in what the stage is told; does not measure the time of its own step.
    pub(super) fn step(&mut self, told: &Told, now: Time, out: &mut Decided) {
        match told {
            Told::Judged(job) => {
                if !std::mem::replace(&mut self.begun, true) {
                    out.commands.push(Command::Begin);
                    out.events.push(Event::Ready);
                }
                self.engine.on_inspection(&job.seen, now, &mut self.actions);
            }
            Told::Dropped { captured_at } => self.engine.on_dropped(*captured_at),
            Told::Sensed(SensorEvent::PartArrived { at }) => {
                self.engine.on_part_arrived(*at, now, &mut self.actions);
            }
            Told::Sensed(SensorEvent::Confirmed { at }) => self.engine.on_confirmed(*at),
            Told::Sensed(SensorEvent::PartLeft { .. } | SensorEvent::Encoder { .. }) => {}
            Told::TooLate(part) => self.engine.on_too_late(*part),
        }
        self.hand_on(out);
    }

    /// Says what a judged frame has cost, `decide` of it in this stage.
    pub(super) fn cost(job: &Job, decide: Duration, out: &mut Decided) {
        out.events.push(Event::Judged { preprocess: job.preprocess, infer: job.infer, decide });
    }

    /// Lets time pass.
    pub(super) fn on_deadline(&mut self, now: Time, out: &mut Decided) {
        self.engine.on_deadline(now, &mut self.actions);
        self.hand_on(out);
    }

    /// When [`DecideStage::on_deadline`] must be called next.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.engine.next_deadline()
    }

    /// Whether as many parts have left the line as were asked for.
    pub(super) fn is_done(&self) -> bool {
        self.limit.is_some_and(|limit| self.finished >= limit)
    }

    /// Whether no part is between trigger and gate.
    pub(super) fn is_idle(&self) -> bool {
        self.engine.in_flight() == 0
    }

    /// Reports what is still on the belt.
    pub(super) fn stop(&mut self, out: &mut Decided) {
        self.engine.on_stop(&mut self.actions);
        if self.engine.late_answers() > 0 {
            log::warn!(
                "{} answers of the model came after their part's deadline",
                self.engine.late_answers()
            );
        }
        self.hand_on(out);
    }

    fn hand_on(&mut self, out: &mut Decided) {
        for action in self.actions.drain(..) {
            match action {
                Action::Arm { part, from, until } => out.commands.push(Command::Arm { part, from, until }),
                Action::Settle { part, pass, captured_at } => {
                    out.commands.push(Command::Settle { part, pass, captured_at });
                }
                Action::Finished(mut record) => {
                    let left = record.outcome != Outcome::UnresolvedAtStop;
                    if left && self.limit.is_some_and(|limit| self.finished >= limit) {
                        // Parts that leave in the same moment as the last one asked for are not part of the run.
                        record.outcome = Outcome::UnresolvedAtStop;
                    } else if left {
                        self.finished += 1;
                    }
                    if let Some((truth, name)) = self.oracle.as_ref().and_then(|oracle| oracle(&record)) {
                        record.truth = Some(truth);
                        record.name = Some(name);
                    }
                    out.events.push(Event::Part(Arc::new(*record)));
                }
            }
        }
    }
}
