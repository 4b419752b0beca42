//! The reject gate: the actuator that removes a part. And the outputs that tell the PLC of it.
//!
//! Each kind has a file of its own. Must not know when to move or why.

use crate::clock::Time;
use crate::config;
pub use crate::config::GateState;
use crate::config::{Config, GateKind};
pub use crate::decide::Signals;
use crate::gpio::{LineError, Named};

mod gpiochip;
mod guard;
mod outputs;
pub mod simulated;

pub use guard::SafeGuard;
pub use outputs::open_outputs;

/// The gate or an output cannot be moved.
#[derive(Debug, thiserror::Error)]
#[error("{device}: {what}; {remedy}")]
pub struct GateError {
    /// The key of the configuration, chip and line.
    pub device: String,
    /// What failed.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl From<LineError> for GateError {
    fn from(LineError { device, what, remedy }: LineError) -> Self {
        Self { device, what, remedy }
    }
}

/// An actuator.
pub trait Gate: Send {
    /// Moves the gate to `state` at once; `now` is for the record of simulated gates.
    ///
    /// # Errors
    /// When the device refuses.
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError>;
}

/// The outputs to the PLC.
pub trait Outputs: Send {
    /// Sets the outputs.
    ///
    /// # Errors
    /// When a device refuses.
    fn show(&mut self, signals: &Signals) -> Result<(), GateError>;
}

/// Opens the gate that `section` asks for, in its safe position. `simulated` gives the gate of the simulated line, for
/// `kind: simulated`.
///
/// # Errors
/// When the device is missing, in use or not permitted.
pub fn open(
    section: &config::Gate,
    simulated: impl FnOnce() -> Box<dyn Gate>,
) -> Result<Box<dyn Gate>, GateError> {
    let named = Named { key: "gate", chip: section.chip.as_deref(), line: section.line.as_deref() };
    match section.kind {
        GateKind::Simulated => Ok(simulated()),
        GateKind::Gpiochip => gpiochip::open(named, (section.reject_level, section.drive), section.safe),
    }
}

/// Position of the second gate on start, on stop and on a fault, whatever level that is. In doubt the first gate removes a part,
/// the unsure ones included; a second gate that stood in reject would put parts that nobody has judged among those that a person is
/// to look at.
pub const SECOND_SAFE: GateState = GateState::Pass;

/// Opens the second gate, if there is one, in the position [`SECOND_SAFE`].
///
/// # Errors
/// As [`open`].
pub fn open_second(config: &Config) -> Result<Option<Box<dyn Gate>>, GateError> {
    let section = &config.second_gate;
    if !section.enabled {
        return Ok(None);
    }
    let named = Named { key: "second_gate", chip: section.chip.as_deref(), line: section.line.as_deref() };
    Ok(Some(match config.gate.kind {
        GateKind::Simulated => Box::new(simulated::NoSecondGate),
        GateKind::Gpiochip => gpiochip::open(named, (section.reject_level, section.drive), SECOND_SAFE)?,
    }))
}
