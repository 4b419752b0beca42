//! The guard that puts a gate into its safe position whenever its owner begins or ends, also by a panic.

use std::sync::Arc;

use super::{Gate, GateError, GateState};
use crate::clock::{Clock, Time};

/// Owns a gate; safe on creation and on drop.
pub struct SafeGuard {
    gate: Box<dyn Gate>,
    safe: GateState,
    clock: Arc<dyn Clock>,
    state: GateState,
}

impl SafeGuard {
    /// Takes the gate over and puts it into the position `safe`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn new(mut gate: Box<dyn Gate>, safe: GateState, clock: Arc<dyn Clock>) -> Result<Self, GateError> {
        gate.set(safe, clock.now())?;
        Ok(Self { gate, safe, clock, state: safe })
    }

    /// Moves the gate; does nothing when it is there already. Whether it moved.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn set(&mut self, state: GateState, now: Time) -> Result<bool, GateError> {
        if self.state == state {
            return Ok(false);
        }
        self.gate.set(state, now)?;
        self.state = state;
        Ok(true)
    }
}

impl Drop for SafeGuard {
    /// Commands the safe position even if it was the last one commanded: whoever drops a guard may be unwinding from anything.
    fn drop(&mut self) {
        if let Err(error) = self.gate.set(self.safe, self.clock.now()) {
            log::error!("could not put the gate into its safe position: {error}");
        }
    }
}
