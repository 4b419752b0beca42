//! The `model`, `decide` and `line_stop` sections.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Share, Span};

/// The model and where it says DEFECT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// ONNX file, with its manifest beside it (`casting.onnx` and `casting.yaml`); `demo` is the built-in demonstration model and
    /// `casting` the built-in model of the casting data.
    pub path: PathBuf,
    /// Score from which a part is a defect, 0 to 1; without it, the manifest's.
    #[schemars(example = 0.5)]
    pub threshold: Option<f32>,
    /// Half width of the band around the threshold in which the model counts as unsure, 0 to 0.5; without it, the manifest's.
    /// `decide.unsure` says what becomes of such parts.
    #[schemars(example = 0.1)]
    pub unsure: Option<f32>,
}

impl Default for Model {
    fn default() -> Self {
        Self { path: PathBuf::from("demo"), threshold: None, unsure: None }
    }
}

impl Model {
    /// Whether `path` names a model inside the program and not a file.
    pub fn is_built_in(&self) -> bool {
        self.path == Path::new("demo") || self.path == Path::new("casting")
    }
}

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

/// When castgate asks for the line to be stopped. A line stop latches: it ends by the reset input or a reset command only, and while
/// it stands no part is cleared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineStop {
    /// Stop after so many rejects in a row; 0 switches this off. At most 10000.
    pub consecutive_rejects: u32,
    /// Stop when more than this share of the last `reject_window` parts was rejected; 100% switches this off.
    pub reject_rate: Share,
    /// Number of parts over which `reject_rate` is taken: 2 to 4096.
    pub reject_window: u32,
    /// Stop on an escape: a part that was to be removed and was seen passing, was not confirmed, or for which the gate did not move; and on a
    /// removal that nobody commanded.
    pub escape: bool,
    /// Stop on a part-present sensor that is stuck, on an encoder that is silent although parts move, and on a gate held in reject for too long.
    pub device: bool,
}

impl Default for LineStop {
    fn default() -> Self {
        Self {
            consecutive_rejects: 20,
            reject_rate: Share::fraction(0.8),
            reject_window: 50,
            escape: true,
            device: true,
        }
    }
}
