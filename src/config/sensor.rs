//! The `sensor` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pin::{Pin, example_pin};
use crate::units::{Length, Share};

/// What detects a part before the camera does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SensorKind {
    /// No sensor: `decide.trigger` is `vision`, `software` or `every_frame`.
    None,
    /// The sensor of the simulated line.
    Simulated,
    /// The GPIO line `sensor.pin`.
    Gpiochip,
}

/// Part-present sensor: a light barrier at position 0 that is on while a part is before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sensor {
    /// Which sensor.
    pub kind: SensorKind,
    /// Its GPIO line, for `kind: gpiochip`.
    #[schemars(example = example_pin(17))]
    pub pin: Option<Pin>,
    /// Edges closer than this are one edge: bounce. Less than the gap between two parts.
    pub bounce: Length,
    /// Longest part, as a share of `line.part_length`: what covers the sensor for longer is too long and is rejected; the sensor counts as
    /// stuck on when it is covered for three times that. 100% to 300%.
    pub longest: Share,
    /// Shortest part, as a share of `line.part_length`: what covers the sensor for less, by the encoder, says that the encoder slipped, and
    /// everything on the belt is rejected. 0% switches this off, for parts that the light barrier may graze.
    pub shortest: Share,
    /// Parts in a row that the camera saw and the sensor did not, after which the sensor counts as stuck off: 1 to 100.
    pub missed: u32,
}

impl Default for Sensor {
    fn default() -> Self {
        Self {
            kind: SensorKind::Simulated,
            pin: None,
            bounce: Length::mm(5.0),
            longest: Share::fraction(1.3),
            shortest: Share::fraction(0.75),
            missed: 3,
        }
    }
}
