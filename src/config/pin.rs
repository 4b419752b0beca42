//! A line of a GPIO character device, as several sections name one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::{Drive, Level};
use crate::units::Span;

/// What the board puts on an input line that nothing drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bias {
    /// What is set already.
    #[default]
    AsIs,
    /// Nothing.
    Off,
    /// A resistor to the supply.
    PullUp,
    /// A resistor to ground.
    PullDown,
}

const fn high() -> Level {
    Level::High
}

/// A line of a GPIO character device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Chip: path, name or label. Not needed when `line` is a name.
    #[serde(default)]
    pub chip: Option<String>,
    /// Line: its name or its offset on `chip`.
    #[serde(deserialize_with = "super::name::name_or_number")]
    #[schemars(schema_with = "super::name::name_or_number_schema")]
    pub line: Option<String>,
    /// Level at which it is on: `high` (default) or `low`.
    #[serde(default = "high")]
    pub active: Level,
    /// Resistor of an input: `as_is` (default), `off`, `pull_up` or `pull_down`.
    #[serde(default)]
    pub bias: Bias,
    /// Time for which an input must be steady; none by default.
    #[serde(default)]
    pub debounce: Option<Span>,
    /// How an output drives it: `push_pull` (default), `open_drain` or `open_source`.
    #[serde(default)]
    pub drive: Drive,
}

/// A pin for the reference.
pub(super) fn example_pin(line: u32) -> Pin {
    Pin {
        chip: Some("gpiochip0".to_owned()),
        line: Some(line.to_string()),
        active: Level::High,
        bias: Bias::PullDown,
        debounce: Some(Span::ms(1.0)),
        drive: Drive::PushPull,
    }
}
