//! The `line` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Length, Speed};

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Errors only.
    Error,
    /// Also warnings.
    Warn,
    /// Also rare events.
    Info,
    /// Also frequent events.
    Debug,
    /// Everything.
    Trace,
}

/// The line: its name and its belt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Line {
    /// Name of the line in topics, logs and messages: letters, digits, `-` and `_`, at most 64.
    pub name: String,
    /// Belt speed.
    pub speed: Speed,
    /// Length of a part along the belt.
    pub part_length: Length,
    /// Least distance between the centres of two parts; closer parts cannot be told apart.
    pub min_pitch: Length,
    /// Log level; the variable `CASTGATE_LOG` overrides it.
    pub log_level: LogLevel,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            name: "demo".to_owned(),
            speed: Speed::mm_per_s(500.0),
            part_length: Length::mm(120.0),
            min_pitch: Length::mm(150.0),
            log_level: LogLevel::Info,
        }
    }
}
