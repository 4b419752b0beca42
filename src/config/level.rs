//! How an output drives its line, and which level means what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Level of the line that means reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A high line rejects (energise to reject).
    High,
    /// A low line rejects: also what a dead board gives with a pull-down resistor (de-energise to reject).
    Low,
}

/// How an output drives its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drive {
    /// High and low.
    #[default]
    PushPull,
    /// Low only; a resistor makes it high.
    OpenDrain,
    /// High only; a resistor makes it low.
    OpenSource,
}
