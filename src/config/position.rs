//! The `position` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pin::{Pin, example_pin};
use crate::units::{Length, Share, Span};

/// What tells how far the belt has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PositionSource {
    /// Time and `line.speed`. The belt must run evenly; when `inputs.running` tells of a stop, everything on the belt is rejected.
    Speed,
    /// An encoder on the belt. Only this follows stops and changes of speed.
    Encoder,
    /// Time and the speed that two sensors measure with every part.
    TwoSensors,
}

/// Where pulses come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EncoderKind {
    /// The encoder of the simulated line.
    Simulated,
    /// The GPIO lines `position.a` and, for the direction, `position.b`.
    Gpiochip,
    /// A counter of the kernel: the file `position.path` holds the count.
    Sysfs,
}

/// How castgate knows how far the belt has moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Position {
    /// Source of the belt's position.
    pub source: PositionSource,
    /// Where an encoder's pulses come from.
    pub encoder: EncoderKind,
    /// Pulses for each millimetre of belt: 0.01 to 1000.
    pub pulses_per_mm: f64,
    /// GPIO line of the encoder's track A, for `encoder: gpiochip`.
    #[schemars(example = example_pin(5))]
    pub a: Option<Pin>,
    /// GPIO line of track B, which tells the direction; without it the belt never runs backwards.
    #[schemars(example = example_pin(6))]
    pub b: Option<Pin>,
    /// File that holds the count, for `encoder: sysfs`.
    #[schemars(example = &"/sys/bus/counter/devices/counter0/count0/count")]
    pub path: Option<PathBuf>,
    /// An encoder that gives no pulse for so long has stopped or failed: without `inputs.running` everything on the belt is rejected.
    pub silent_after: Span,
    /// Greatest error of a part's position. A smaller error widens its pulse; with a greater one the part is rejected. At most 250mm.
    pub tolerance: Length,
    /// How much the measured speed may differ from `line.speed`.
    pub speed_tolerance: Share,
    /// Distance of the second sensor from the first, for `source: two_sensors`.
    pub second_sensor_at: Length,
    /// GPIO line of the second sensor.
    #[schemars(example = example_pin(18))]
    pub second_sensor: Option<Pin>,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            source: PositionSource::Encoder,
            encoder: EncoderKind::Simulated,
            pulses_per_mm: 2.0,
            a: None,
            b: None,
            path: None,
            silent_after: Span::ms(200.0),
            tolerance: Length::mm(25.0),
            speed_tolerance: Share::fraction(0.5),
            second_sensor_at: Length::mm(60.0),
            second_sensor: None,
        }
    }
}
