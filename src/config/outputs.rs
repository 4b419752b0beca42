//! The `outputs` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pin::{Pin, example_pin};
use crate::units::Span;

/// Outputs to the PLC, each a GPIO line, none needed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Outputs {
    /// On while parts can be judged: camera and model are well and no line stop stands.
    #[schemars(example = example_pin(12))]
    pub ready: Option<Pin>,
    /// On while a part is between trigger and gate.
    #[schemars(example = example_pin(13))]
    pub busy: Option<Pin>,
    /// On while a device is at fault: camera, model, sensor or encoder.
    #[schemars(example = example_pin(19))]
    pub fault: Option<Pin>,
    /// A pulse for every cleared part.
    #[schemars(example = example_pin(20))]
    pub pass: Option<Pin>,
    /// A pulse for every rejected part.
    #[schemars(example = example_pin(21))]
    pub reject: Option<Pin>,
    /// On while the line is to stand. Wire it so that a dead line stops the belt: `active: low` with a pull-down resistor.
    #[schemars(example = example_pin(7))]
    pub line_stop: Option<Pin>,
    /// Changes every `life_period`. A PLC that sees no change for two periods knows that castgate is dead.
    #[schemars(example = example_pin(8))]
    pub life: Option<Pin>,
    /// Time between two changes of `life`.
    pub life_period: Span,
    /// Length of the pulses of `pass` and `reject`.
    pub pulse: Span,
}

impl Default for Outputs {
    fn default() -> Self {
        Self {
            ready: None,
            busy: None,
            fault: None,
            pass: None,
            reject: None,
            line_stop: None,
            life: None,
            life_period: Span::ms(500.0),
            pulse: Span::ms(50.0),
        }
    }
}
