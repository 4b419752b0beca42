//! A gate on one line of a GPIO character device.
//!
//! Holds the line for life; the request itself puts it into its safe position, so that no other level comes in between.
//! What the line does once the process is gone is up to the kernel and the wiring.

use super::{Gate, GateError, GateState};
use crate::clock::Time;
use crate::config::{Drive, Level};
use crate::gpio::{Named, OutputLine};

struct Gpiochip {
    line: OutputLine,
    reject_level: Level,
}

/// Whether the line is high with the gate in `state`.
fn is_high(state: GateState, reject_level: Level) -> bool {
    (state == GateState::Reject) == (reject_level == Level::High)
}

impl Gate for Gpiochip {
    fn set(&mut self, state: GateState, _: Time) -> Result<(), GateError> {
        Ok(self.line.set(is_high(state, self.reject_level))?)
    }
}

/// Requests a line as an output in the position `safe`.
///
/// # Errors
/// When chip or line are missing, ambiguous, in use or not permitted.
pub(super) fn open(
    named: Named<'_>,
    (reject_level, drive): (Level, Drive),
    safe: GateState,
) -> Result<Box<dyn Gate>, GateError> {
    let line = OutputLine::open(named, drive, is_high(safe, reject_level))?;
    Ok(Box::new(Gpiochip { line, reject_level }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reject_gives_the_configured_level_and_pass_the_other() {
        assert!(is_high(GateState::Reject, Level::High));
        assert!(!is_high(GateState::Pass, Level::High));
        assert!(!is_high(GateState::Reject, Level::Low));
        assert!(is_high(GateState::Pass, Level::Low));
    }
}
