//! The `second_gate` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::{Drive, Level};
use crate::units::{Length, Span, Stretch};

/// A second gate, behind the first, that takes the parts of `decide.unsure: second_gate` out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecondGate {
    /// Whether there is a second gate. `gate.kind` says what moves both.
    pub enabled: bool,
    /// Position of the gate.
    pub position: Length,
    /// How long the gate stays in reject for one part, with the part in its middle: a stretch of belt or a time.
    pub pulse: Stretch,
    /// Time from the command to the moved gate.
    pub delay: Span,
    /// Longest time in reject, to protect a coil: then the gate lets pass, the line is stopped, and parts that pass are told as
    /// escapes. Without it there is no limit.
    #[schemars(example = &"10s")]
    pub max_on: Option<Span>,
    /// GPIO chip: path, name or label, for `gate.kind: gpiochip`. Not needed when `line` is a name.
    #[schemars(example = &"gpiochip0")]
    pub chip: Option<String>,
    /// GPIO line: its name or its offset on `chip`.
    #[serde(deserialize_with = "super::name::name_or_number")]
    #[schemars(schema_with = "super::name::name_or_number_schema", example = &"GPIO27")]
    pub line: Option<String>,
    /// Level of the line that means reject.
    pub reject_level: Level,
    /// How the line is driven.
    pub drive: Drive,
}

impl Default for SecondGate {
    fn default() -> Self {
        Self {
            enabled: false,
            position: Length::mm(900.0),
            pulse: Stretch::mm(130.0),
            delay: Span::ms(20.0),
            max_on: None,
            chip: None,
            line: None,
            reject_level: Level::High,
            drive: Drive::PushPull,
        }
    }
}
