//! What the engine says to the gates and to those who are told. Data only.

use super::line_stop::StopReason;
use super::odometer::Loss;
use super::record::{GateId, PartRecord};
use super::rules::GateTiming;
use super::schedule::Owner;
use super::signals::Signals;
use crate::clock::Time;
use crate::verdict::PartNumber;

/// For the gates, in order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Command {
    /// The first frame has been judged: the gate may leave its safe position.
    Begin,
    /// A gate is to be in reject in this window; replaces the owner's window.
    Arm {
        /// Which gate.
        gate: GateId,
        /// Whose window.
        owner: Owner,
        /// From when.
        from: Time,
        /// Until when.
        until: Time,
    },
    /// The part's verdict is final.
    Settle {
        /// The part.
        part: PartNumber,
        /// Whether the main gate lets it pass.
        pass: bool,
        /// When the frame that decided was captured, if one did.
        captured_at: Option<Time>,
        /// The window of the second gate, which removes it instead.
        divert: Option<(Time, Time)>,
    },
    /// The belt at the gate is known between these moments; before and after, the gate rejects.
    Know {
        /// From when.
        from: Time,
        /// Until when.
        until: Time,
    },
    /// Other times of the gate.
    Timing(GateTiming),
    /// Levels of the outputs.
    Signals(Signals),
}

/// What the engine wants done or told.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// For the gates.
    Gate(Command),
    /// A part was opened.
    Opened {
        /// Its number.
        part: PartNumber,
        /// When.
        at: Time,
    },
    /// The part has left; its history is complete.
    Finished(Box<PartRecord>),
    /// A line stop began, with its reason, or ended.
    LineStop(Option<StopReason>),
    /// The belt's position was lost, or is known again.
    Position(Option<Loss>),
}
