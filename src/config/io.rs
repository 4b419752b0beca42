//! The `sensor`, `position`, `inputs` and `outputs` sections: what castgate reads off the line, and what it tells the PLC.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::level::{Drive, Level};
use crate::units::{Length, Share, Span};

/// What the board puts on an input line that nothing drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bias {
    /// What is set already.
    #[default]
    AsIs,
    /// Nothing.
    Off,
    /// A resistor to the supply.
    PullUp,
    /// A resistor to ground.
    PullDown,
}

const fn high() -> Level {
    Level::High
}

/// A line of a GPIO character device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Chip: path, name or label. Not needed when `line` is a name.
    #[serde(default)]
    pub chip: Option<String>,
    /// Line: its name or its offset on `chip`.
    #[serde(deserialize_with = "super::name_or_number")]
    #[schemars(schema_with = "super::name_or_number_schema")]
    pub line: Option<String>,
    /// Level at which it is on: `high` (default) or `low`.
    #[serde(default = "high")]
    pub active: Level,
    /// Resistor of an input: `as_is` (default), `off`, `pull_up` or `pull_down`.
    #[serde(default)]
    pub bias: Bias,
    /// Time for which an input must be steady; none by default.
    #[serde(default)]
    pub debounce: Option<Span>,
    /// How an output drives it: `push_pull` (default), `open_drain` or `open_source`.
    #[serde(default)]
    pub drive: Drive,
}

/// A pin for the reference.
pub(super) fn example_pin(line: u32) -> Pin {
    Pin {
        chip: Some("gpiochip0".to_owned()),
        line: Some(line.to_string()),
        active: Level::High,
        bias: Bias::PullDown,
        debounce: Some(Span::ms(1.0)),
        drive: Drive::PushPull,
    }
}

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
