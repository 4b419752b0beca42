//! Stages, queues and supervisor, and the two drivers that run the stages: threads and lockstep.
//!
//! Knows traits, no device. Every queue is bounded. The way from capture to gate never waits for reports.

mod capture;
mod common;
mod counters;
mod decide;
mod event;
mod gate;
mod infer;
mod lockstep;
mod loops;
mod prepare;
mod report;
mod sensor;
mod supervisor;
mod threads;
mod urgency;
mod vitals;

use std::sync::Arc;

use crate::camera::FrameSource;
use crate::camera::rate::RateWatch;
use crate::clock::{Clock, Time};
use crossbeam_channel::Receiver;

use crate::decide::{Engine, PartRecord, Rules, StopReason};
use crate::gate::{Gate, GateState, Outputs};
use crate::model::Classifier;
use crate::sensor::SensorSource;
use crate::verdict::{PartNumber, Truth};
use crate::vision::Preprocessor;

pub use counters::{Counters, Frames};
pub use decide::Order;
pub use event::{Event, Listener};
pub use lockstep::{Delays, Hooks, Load, Lockstep, Tap, run_lockstep};
pub use supervisor::{Cause, Failure, STOP_WITHIN, Stopper};
pub use threads::run_threads;
pub use urgency::lock_memory;
pub use vitals::Vitals;

/// Tells what a part truly is, where somebody knows: the simulated line.
pub type Oracle = Box<dyn Fn(&PartRecord) -> Option<(Truth, String)> + Send>;

/// Is told the moment at which a line begins.
pub type Begins = Box<dyn Fn(Time) + Send>;

/// Everything a run is made of.
pub struct Line {
    /// Where frames come from.
    pub camera: Box<dyn FrameSource>,
    /// Measures the camera's rate, where it promises one.
    pub rate: Option<RateWatch>,
    /// Where edges come from, if there is a sensor.
    pub sensor: Option<Box<dyn SensorSource>>,
    /// Prepares frames for the model.
    pub preprocessor: Preprocessor,
    /// The model.
    pub model: Box<dyn Classifier>,
    /// What deciding goes by.
    pub rules: Rules,
    /// The number of the first part.
    pub first: PartNumber,
    /// The line stop that nobody had reset when the run before ended.
    pub stop: Option<StopReason>,
    /// The actuator, and its position on start, stop and fault.
    pub gate: Box<dyn Gate>,
    /// See `gate`.
    pub safe: GateState,
    /// The second gate, if there is one, and its safe position.
    pub second: Option<Box<dyn Gate>>,
    /// See `second`.
    pub second_safe: GateState,
    /// The outputs to the PLC, if there are any.
    pub outputs: Option<Box<dyn Outputs>>,
    /// Orders from outside: software triggers, resets, other rules. Only the driver with threads listens to them.
    pub orders: Option<Receiver<Order>>,
    /// Who wants to hear what happens. None of them may block.
    pub listeners: Vec<Box<dyn Listener>>,
    /// Tells what a part truly is.
    pub oracle: Option<Oracle>,
    /// Wants to know when the line begins: a belt that is simulated starts with it.
    pub begins: Option<Begins>,
    /// End the run after so many finished parts.
    pub parts: Option<u64>,
    /// The clock that every stamp is on.
    pub clock: Arc<dyn Clock>,
    /// Where the stages show that they live. Only the driver with threads writes there.
    pub vitals: Vitals,
}

impl Line {
    /// A line of the devices that every line has; the gate's safe position is reject.
    pub fn new(
        (camera, preprocessor, model): (Box<dyn FrameSource>, Preprocessor, Box<dyn Classifier>),
        rules: Rules,
        gate: Box<dyn Gate>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            camera,
            rate: None,
            sensor: None,
            preprocessor,
            model,
            rules,
            first: PartNumber(1),
            stop: None,
            gate,
            safe: GateState::Reject,
            second: None,
            second_safe: GateState::Pass,
            outputs: None,
            orders: None,
            listeners: Vec::new(),
            oracle: None,
            begins: None,
            parts: None,
            clock,
            vitals: Vitals::default(),
        }
    }

    /// The line's ledger, empty.
    fn engine(&self) -> Engine {
        let now = self.clock.now();
        if let Some(begins) = &self.begins {
            begins(now);
        }
        let mut engine = Engine::new(self.rules.clone(), self.first, now);
        engine.stands_stopped(self.stop);
        engine
    }
}

/// What a run was, when it has ended.
#[derive(Debug)]
pub struct Outcome {
    /// Its figures.
    pub summary: crate::score::summary::Summary,
    /// Why it ended.
    pub cause: Cause,
}
