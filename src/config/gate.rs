//! The `gate` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::{Drive, Level};
use crate::units::{Length, Span, Stretch};

/// What moves the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// The gate of the simulated line.
    Simulated,
    /// A line of a GPIO character device.
    Gpiochip,
}

/// A position of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Parts pass.
    Pass,
    /// Parts are removed.
    Reject,
}

/// The reject gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// What moves the gate.
    pub kind: GateKind,
    /// Position of the gate. All gates of a line stand downstream of the camera.
    pub position: Length,
    /// How long the gate stays in reject for one part, with the part in its middle: a stretch of belt or a time.
    pub pulse: Stretch,
    /// How much earlier than that it moves: a stretch of belt or a time.
    pub lead: Stretch,
    /// Time from the command to the moved gate.
    pub delay: Span,
    /// Time that the gate needs to be ready for its next movement; pulses closer than this become one.
    pub recovery: Span,
    /// Longest time in reject, to protect a coil: then the gate goes to `safe`, which must be `pass`, the line is stopped, and parts
    /// that pass are told as escapes. Without it there is no limit, which suits a gate that is wired de-energise-to-reject.
    #[schemars(example = &"10s")]
    pub max_on: Option<Span>,
    /// GPIO chip: path, name or label, for `kind: gpiochip`. Not needed when `line` is a name.
    #[schemars(example = &"gpiochip0")]
    pub chip: Option<String>,
    /// GPIO line: its name or its offset on `chip`.
    #[serde(deserialize_with = "super::name::name_or_number")]
    #[schemars(schema_with = "super::name::name_or_number_schema", example = &"GPIO17")]
    pub line: Option<String>,
    /// Level of the line that means reject.
    pub reject_level: Level,
    /// How the line is driven.
    pub drive: Drive,
    /// Position of the gate on start, on stop and on a fault.
    pub safe: GateState,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            kind: GateKind::Simulated,
            position: Length::mm(600.0),
            pulse: Stretch::mm(130.0),
            lead: Stretch::mm(0.0),
            delay: Span::ms(20.0),
            recovery: Span::ms(20.0),
            max_on: None,
            chip: None,
            line: None,
            reject_level: Level::Low,
            drive: Drive::PushPull,
            safe: GateState::Reject,
        }
    }
}
