//! Deciding: where a part is, which frames show it, what its verdict is, when the gate must move, and what it did.
//!
//! Pure: the same inputs and the same `now` give the same actions. Must not know clocks, threads or devices.

mod command;
mod coverage;
mod doubt;
mod engine;
mod entry;
mod geometry;
mod line_stop;
mod movements;
mod odometer;
mod policy;
mod record;
mod rules;
mod schedule;
mod signals;
mod stamps;
mod states;

pub use command::{Action, Command};
pub use engine::{Engine, Input, Troubles};
pub use entry::MAX_LOOKS;
pub use geometry::{ConfirmMeasures, GateMeasures, Geometry};
pub use line_stop::StopReason;
pub use odometer::{Loss, Measuring};
pub use policy::{Policy, Scored, combine};
pub use record::{Announced, GateId, Look, Outcome, PartRecord};
pub use rules::{GateTiming, Rules};
pub use schedule::{Owner, Schedule, TooLate};
pub use signals::Signals;
pub use states::{State, Step, TABLE};
