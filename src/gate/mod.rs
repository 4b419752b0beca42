//! The reject gate: the actuator that removes a part.
//!
//! Each kind has a file of its own. Must not know when to move or why.

use crate::clock::Time;
use crate::config;
use crate::config::GateKind;
pub use crate::config::GateState;

#[cfg(feature = "gpio")]
mod gpiochip;
#[cfg(not(feature = "gpio"))]
#[path = "gpiochip_off.rs"]
mod gpiochip;
mod guard;
pub mod simulated;

pub use guard::SafeGuard;

/// The gate cannot be moved.
#[derive(Debug, thiserror::Error)]
#[error("gate {device}: {what}; {remedy}")]
pub struct GateError {
    /// Chip and line.
    pub device: String,
    /// What failed.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

/// An actuator.
pub trait Gate: Send {
    /// Moves the gate to `state` at once; `now` is for the record of simulated gates.
    ///
    /// # Errors
    /// When the device refuses.
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError>;
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
    match section.kind {
        GateKind::Simulated => Ok(simulated()),
        GateKind::Gpiochip => gpiochip::open(section),
    }
}
