//! The reject gate: the actuator that removes a part.
//!
//! Each kind has a file of its own. Must not know when to move or why.

mod guard;
pub mod simulated;

use crate::clock::Time;
pub use crate::config::GateState;
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
