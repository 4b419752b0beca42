//! Simulation of the line for months of belt: the very stages of `run` in lockstep, with faults, and a judge that knows the truth.
//!
//! Must not know devices, files or the command line. Everything follows from a configuration and a seed.

mod devices;
pub mod faults;
mod judge;
mod months;
mod motion;
mod plant;
mod play;
mod region;
mod scenario;
mod sensors;
mod shadow;
mod shift;
mod tally;
mod trace;

pub use faults::{Episode, Fault, Faults};
pub use months::{Months, SHIFT, Totals};
pub use plant::Part;
pub use play::{Played, play};
pub use scenario::{Scenario, ScenarioError};
pub use shift::{Done, Shift, run};
pub use tally::{Tally, Violation};
pub use trace::trace;
