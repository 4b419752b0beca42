//! The `inputs` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pin::{Pin, example_pin};

/// Further inputs, each a GPIO line, none needed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Inputs {
    /// On while the belt is driven. Tells a stopped belt from a dead encoder.
    #[schemars(example = example_pin(22))]
    pub running: Option<Pin>,
    /// On when the bin for removed parts is full: stops the line.
    #[schemars(example = example_pin(24))]
    pub bin_full: Option<Pin>,
    /// On when the gate's air pressure is low: stops the line.
    #[schemars(example = example_pin(25))]
    pub air_low: Option<Pin>,
    /// On while inspection is suspended. Nothing is cleared meanwhile: every part is rejected.
    #[schemars(example = example_pin(26))]
    pub inhibit: Option<Pin>,
    /// Its leading edge ends a line stop, when the cause has gone.
    #[schemars(example = example_pin(16))]
    pub reset: Option<Pin>,
}
