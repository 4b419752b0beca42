//! Keeps a gate safe: in its safe position from the start, and again at the end, however the end comes.
//!
//! Owns the promise only; must not know what the gate is made of or when it moves.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Gate, GateError, GateState};
use crate::clock::{Clock, Time};

/// A gate that is in its safe position when this value begins and when it is dropped, unwinding included.
pub struct SafeGuard {
    gate: Box<dyn Gate>,
    safe: GateState,
    clock: Arc<dyn Clock>,
}

impl SafeGuard {
    /// Puts `gate` into its position `safe`.
    ///
    /// # Errors
    /// When the device refuses; such a gate must not be used.
    pub fn new(gate: Box<dyn Gate>, safe: GateState, clock: Arc<dyn Clock>) -> Result<Self, GateError> {
        let mut guard = Self { gate, safe, clock };
        guard.make_safe()?;
        Ok(guard)
    }

    /// Its safe position.
    pub fn safe(&self) -> GateState {
        self.safe
    }

    /// Moves the gate into its safe position; as often as wanted.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn make_safe(&mut self) -> Result<(), GateError> {
        let now = self.clock.now();
        self.gate.set(self.safe, now)
    }
}

impl Gate for SafeGuard {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        self.gate.set(state, now)
    }
}

impl Drop for SafeGuard {
    fn drop(&mut self) {
        // A panic in here would end the process at once if another one is already under way.
        match catch_unwind(AssertUnwindSafe(|| self.make_safe())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::error!("{error}; the gate may not be in its safe position"),
            Err(_) => log::error!("the gate failed by a bug and may not be in its safe position"),
        }
    }
}
