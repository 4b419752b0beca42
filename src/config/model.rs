//! The `model` section.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
