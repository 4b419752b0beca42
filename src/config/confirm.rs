//! The `confirm` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pin::{Pin, example_pin};
use crate::units::Length;

/// What sees a part after the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmKind {
    /// Nothing: a removed part is never confirmed.
    None,
    /// The confirm sensor of the simulated line.
    Simulated,
    /// The GPIO line `confirm.pin`.
    Gpiochip,
}

/// Which parts the confirm sensor sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// Removed parts, as in the chute of the gate: a part that was to be removed and is not seen may have passed, and stops the line.
    Removed,
    /// Parts that stay on the belt, as behind the gate: a part that was to be removed and is seen has escaped.
    Passed,
}

/// The sensor behind the gate that proves what the gate did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Confirm {
    /// Which sensor.
    pub kind: ConfirmKind,
    /// Which parts it sees.
    pub sees: Sees,
    /// How far a part's leading edge has travelled from position 0 when the sensor sees it.
    pub position: Length,
    /// How far from there the part may still be; without it, half of `line.min_pitch`.
    #[schemars(example = &"60mm")]
    pub tolerance: Option<Length>,
    /// Its GPIO line, for `kind: gpiochip`.
    #[schemars(example = example_pin(23))]
    pub pin: Option<Pin>,
}

impl Default for Confirm {
    fn default() -> Self {
        Self {
            kind: ConfirmKind::Simulated,
            sees: Sees::Removed,
            position: Length::mm(700.0),
            tolerance: None,
            pin: None,
        }
    }
}
