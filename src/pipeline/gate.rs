//! The gate stage: owns the actuator and the book of windows in which it must reject.

use super::decide::Command;
use super::event::Event;
use crate::clock::Time;
use crate::decide::Schedule;
use crate::gate::{Gate, GateError, GateState, SafeGuard};
use crate::verdict::PartNumber;

/// Owns the gate.
pub(super) struct GateStage {
    guard: SafeGuard,
    schedule: Schedule,
    /// Until the first frame has been judged the gate stays in its safe position.
    begun: bool,
    /// Where the gate was last told to go, other than into its safe position.
    last: Option<GateState>,
}

impl GateStage {
    pub(super) fn new(guard: SafeGuard) -> Self {
        Self { guard, schedule: Schedule::default(), begun: false, last: None }
    }

    /// Takes in a command. A clearance that came too late is handed back.
    pub(super) fn step(
        &mut self,
        command: Command,
        now: Time,
        events: &mut Vec<Event>,
    ) -> Option<PartNumber> {
        match command {
            Command::Begin => {
                self.begun = true;
                None
            }
            Command::Arm { part, from, until } => {
                self.schedule.arm(part, from, until);
                None
            }
            Command::Settle { part, pass, captured_at } => {
                if let Some(captured_at) = captured_at {
                    events.push(Event::Settled { frame_to_gate: now - captured_at });
                }
                (pass && self.schedule.clear(part, now).is_err()).then_some(part)
            }
        }
    }

    /// Moves the gate to where it must be at `now`.
    pub(super) fn on_deadline(&mut self, now: Time) -> Result<(), GateError> {
        let state = self.schedule.state_at(now);
        if self.begun && self.last != Some(state) {
            self.guard.set(state, now)?;
            self.last = Some(state);
            log::debug!("gate moves to {state:?}");
        }
        Ok(())
    }

    /// When [`GateStage::on_deadline`] must be called next.
    pub(super) fn next_deadline(&self, now: Time) -> Option<Time> {
        self.schedule.next_change(now)
    }
}
