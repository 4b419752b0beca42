//! The configuration: plain data with a doc comment per key, from which sample, reference and schema are generated.
//!
//! Every key has a default; together the defaults are the demonstration line. Must not open files or know devices.
//! All positions along the belt are measured in the direction of travel from the part-present sensor
//! (without a sensor: from a mark of one's own choice).

use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::units::{Length, Rate, Share, Span, Speed};

pub mod load;
pub mod manifest;
mod mqtt;
pub mod problem;
pub mod reference;
mod seek;
mod simulation;
pub mod timing;
mod tree;
pub mod validate;
mod wording;
pub mod yaml;

pub use mqtt::{Mqtt, Tls};
pub use simulation::Simulation;

/// The whole configuration file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The line: its name and its belt.
    pub line: Line,
    /// Part-present sensor, which opens a part.
    pub sensor: Sensor,
    /// Camera, the stretch of belt that it sees, and where it stands.
    pub camera: Camera,
    /// How a part is cut out of the frame.
    pub preprocess: Preprocess,
    /// The model and where it says DEFECT.
    pub model: Model,
    /// How frames become one verdict for a part, and by when.
    pub decide: Decide,
    /// The reject gate.
    pub gate: Gate,
    /// Reports over MQTT.
    pub mqtt: Mqtt,
    /// The simulated line, used where a `kind` is `simulated`.
    pub simulation: Simulation,
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
}

impl Default for Line {
    fn default() -> Self {
        Self {
            name: "demo".to_owned(),
            speed: Speed::mm_per_s(500.0),
            part_length: Length::mm(120.0),
            min_pitch: Length::mm(150.0),
        }
    }
}

/// What detects a part before the camera does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SensorKind {
    /// No sensor: `decide.trigger` is `vision` or `every_frame`.
    None,
    /// The sensor of the simulated line.
    Simulated,
}

/// Part-present sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sensor {
    /// Which sensor.
    pub kind: SensorKind,
}

impl Default for Sensor {
    fn default() -> Self {
        Self { kind: SensorKind::Simulated }
    }
}

/// Where frames come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// Frames of the simulated line.
    Simulated,
    /// Pictures of a folder, in the order of their names.
    Folder,
}

/// How fast a folder camera goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// At `camera.rate`; a line that cannot follow drops frames, as with a live camera.
    Rate,
    /// As fast as the line takes them; nothing is dropped.
    Full,
}

/// Camera, the stretch of belt that it sees, and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Camera {
    /// Which camera.
    pub kind: CameraKind,
    /// Position of the middle of the view.
    pub position: Length,
    /// Length of belt that the camera sees, across the whole width of the picture. The belt runs from the picture's
    /// left to its right.
    pub view: Length,
    /// Width of the picture in pixels, for cameras that can choose: 16 to 4096.
    pub width: u32,
    /// Height of the picture in pixels: 16 to 4096.
    pub height: u32,
    /// Frames a second.
    pub rate: Rate,
    /// Folder of pictures (JPEG, PNG, BMP), for `kind: folder`; its subfolders are read too, and `ok_front` and `def_front` among
    /// them say what the parts truly are.
    #[schemars(example = &"/var/lib/castgate/pictures")]
    pub path: Option<PathBuf>,
    /// Pace of a folder camera.
    pub pace: Pace,
    /// Whether a folder camera begins again after the last picture.
    pub repeat: bool,
    /// The camera counts as lost when no frame came for so long.
    pub lost_after: Span,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            kind: CameraKind::Simulated,
            position: Length::mm(250.0),
            view: Length::mm(320.0),
            width: 640,
            height: 320,
            rate: Rate::per_s(20.0),
            path: None,
            pace: Pace::Rate,
            repeat: false,
            lost_after: Span::s(1.0),
        }
    }
}

/// A rectangle of the frame, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 16.
    pub width: u32,
    /// Height, at least 16.
    pub height: u32,
}

/// How a part is cut out of the frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preprocess {
    /// Part of the frame to look at; without it, all of it.
    #[schemars(example = Region { x: 0, y: 40, width: 640, height: 240 })]
    pub region: Option<Region>,
    /// Whether to look for parts on the belt. If not, the whole region is taken for one part, as in a folder of
    /// single parts.
    pub find: bool,
    /// Least difference between part and belt that counts, in grey levels (1 to 255).
    pub contrast: u8,
    /// Room on each side of a part, as a share of `line.part_length`: the model sees a square of `line.part_length` and twice this.
    pub margin: Share,
    /// How much the length of a found thing may differ from `line.part_length` for it to be a part.
    pub tolerance: Share,
}

impl Default for Preprocess {
    fn default() -> Self {
        Self {
            region: None,
            find: true,
            contrast: 24,
            margin: Share::fraction(0.10),
            tolerance: Share::fraction(0.25),
        }
    }
}

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
    /// Unsure parts are rejected.
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
    /// A part that comes into view. A part that the camera misses passes unseen.
    Vision,
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
}

/// How frames become one verdict for a part, and by when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Decide {
    /// What opens a part.
    pub trigger: Trigger,
    /// How the scores of a part's frames become one.
    pub combine: Combine,
    /// Time before the gate must move at which the verdict is final.
    pub margin: Span,
    /// A frame older than this when it is judged clears no part.
    pub stale_after: Span,
    /// Most parts between trigger and gate: 1 to 4096. One more is rejected unseen.
    pub max_parts: u32,
}

impl Default for Decide {
    fn default() -> Self {
        Self {
            trigger: Trigger::Sensor,
            combine: Combine::Mean,
            margin: Span::ms(10.0),
            stale_after: Span::ms(500.0),
            max_parts: 64,
        }
    }
}

/// What moves the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateKind {
    /// The gate of the simulated line.
    Simulated,
    /// A line of a GPIO character device.
    Gpiochip,
}

/// A position of the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// Parts pass.
    Pass,
    /// Parts are removed.
    Reject,
}

/// Level of the line that means reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// A high line rejects (energise to reject).
    High,
    /// A low line rejects: also what a dead board gives with a pull-down resistor (de-energise to reject).
    Low,
}

/// The reject gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// What moves the gate.
    pub kind: GateKind,
    /// Position of the gate.
    pub position: Length,
    /// Stretch of belt during which the gate stays in reject for one part, with the part in its middle.
    pub pulse: Length,
    /// Time from the command to the moved gate.
    pub delay: Span,
    /// Position of the sensor behind the gate that sees removed parts leave, for the simulated line.
    pub confirm: Length,
    /// GPIO chip: path, name or label, for `kind: gpiochip`. Not needed when `line` is a name.
    #[schemars(example = &"gpiochip0")]
    pub chip: Option<String>,
    /// GPIO line: its name or its offset on `chip`.
    #[serde(deserialize_with = "name_or_number")]
    #[schemars(schema_with = "name_or_number_schema", example = &"GPIO17")]
    pub line: Option<String>,
    /// Level of the line that means reject.
    pub reject_level: Level,
    /// Position that the gate takes on start, on stop and on a fault.
    pub safe: GateState,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            kind: GateKind::Simulated,
            position: Length::mm(600.0),
            pulse: Length::mm(130.0),
            delay: Span::ms(20.0),
            confirm: Length::mm(700.0),
            chip: None,
            line: None,
            reject_level: Level::Low,
            safe: GateState::Reject,
        }
    }
}

/// Reads a name that may also be a number: `line: 17` and `line: "17"` mean the same.
fn name_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "neither a name nor a number from 0 up")]
    enum Either {
        Number(u32),
        Name(String),
    }
    Ok(Option::<Either>::deserialize(from)?.map(|either| match either {
        Either::Number(number) => number.to_string(),
        Either::Name(name) => name,
    }))
}

fn name_or_number_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer", "null"], "minimum": 0 })
}
