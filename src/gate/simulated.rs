//! The gates of the simulated line.

use std::sync::Arc;

use super::{Gate, GateError, GateState};
use crate::clock::Time;
use crate::scene::World;

/// Moves the gate of a world, which then decides which parts are removed.
#[derive(Debug)]
pub struct SimulatedGate(Arc<World>);

impl SimulatedGate {
    /// The gate of `world`.
    pub fn new(world: Arc<World>) -> Self {
        Self(world)
    }
}

impl Gate for SimulatedGate {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        self.0.command(state, now);
        Ok(())
    }
}

/// The simulated line has no second gate: what it would remove goes on along the belt.
#[derive(Debug)]
pub struct NoSecondGate;

impl Gate for NoSecondGate {
    fn set(&mut self, state: GateState, _: Time) -> Result<(), GateError> {
        log::debug!("the simulated line has no second gate to move to {state:?}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_the_gate_is_told_the_world_sees() {
        let world = Arc::new(World::new(&Config::default(), Vec::new(), Time::ZERO));
        SimulatedGate::new(Arc::clone(&world)).set(GateState::Pass, Time::ZERO).unwrap();
        let tally = world.tally(Time::ZERO.plus_s(20.0));
        assert_eq!(tally.removed_ok + tally.removed_defect, 0);
        assert!(tally.passed_ok > 10 && tally.passed_defect > 1);
    }
}
