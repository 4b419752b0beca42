//! The `decide` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// What opens a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An edge of the part-present sensor. The safest: a part that the camera misses is still rejected.
    Sensor,
    /// A part that comes into view. A part that the camera misses has no number; the stretch of belt that no healthy frame
    /// showed is rejected all the same.
    Vision,
    /// A command over the local socket or MQTT, at the moment at which the part's leading edge is at position 0.
    Software,
    /// Every frame is a part of its own.
    EveryFrame,
}

/// How the scores of several frames become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The mean of the scores.
    Mean,
    /// The highest score: one frame that shows a defect is enough.
    AnyDefect,
    /// The median of the scores: most frames decide.
    Majority,
    /// The score of the sharpest frame.
    BestFocused,
}

/// What happens to a part whose score lies in the unsure band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unsure {
    /// It is removed like a defect.
    Reject,
    /// It is removed by `second_gate`, for a person to look at; by the first gate when it is too late for that.
    SecondGate,
}

/// How frames become one verdict for a part, and by when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Decide {
    /// What opens a part.
    pub trigger: Trigger,
    /// How the scores of a part's frames become one.
    pub combine: Combine,
    /// What happens to a part whose score lies in the unsure band.
    pub unsure: Unsure,
    /// Least number of healthy frames that must show a part for it to be cleared: 1 to 64. With the trigger `every_frame` one is enough.
    pub min_looks: u32,
    /// Time from the capture of a frame to its score, for the arithmetic of `castgate check`; without it, `check` and `run` measure it
    /// with the model on this machine.
    #[schemars(example = &"15ms")]
    pub inference: Option<Span>,
    /// How long before the gate must be commanded the verdict is final.
    pub margin: Span,
    /// A frame that is older than this when it has been judged clears no part.
    pub stale_after: Span,
    /// Most parts between trigger and gate: 1 to 4096. One more is rejected unseen.
    pub max_parts: u32,
}

impl Default for Decide {
    fn default() -> Self {
        Self {
            trigger: Trigger::Sensor,
            combine: Combine::Mean,
            unsure: Unsure::Reject,
            min_looks: 2,
            inference: None,
            margin: Span::ms(10.0),
            stale_after: Span::ms(500.0),
            max_parts: 64,
        }
    }
}
