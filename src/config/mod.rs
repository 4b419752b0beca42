//! The configuration: plain data with a doc comment per key, from which sample, reference and schema are generated.
//!
//! Every key has a default; together the defaults are the demonstration line. Must not open files or know devices.
//! All positions along the belt are measured in the direction of travel from the part-present sensor
//! (without a sensor: from a mark of one's own choice).

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use crate::units::{Length, Speed};

mod camera;
mod decide;
mod gate;
mod io;
mod level;
pub mod live;
pub mod load;
pub mod manifest;
mod mqtt;
pub mod reference;
mod simulation;
mod store;
pub mod timing;
pub mod validate;

pub use camera::{Camera, CameraFormat, CameraKind, LumaRange, Pace, PowerLine, Preprocess, Region};
pub use decide::{Combine, Decide, LineStop, Model, Trigger, Unsure};
pub use gate::{Confirm, ConfirmKind, Gate, GateKind, GateState, SecondGate, Sees};
pub use io::{Bias, EncoderKind, Inputs, Outputs, Pin, Position, PositionSource, Sensor, SensorKind};
pub use level::{Drive, Level};
pub use mqtt::{Mqtt, SECRETS, Tls};
pub use simulation::Simulation;
pub use store::{Commands, Store};

/// The whole configuration file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The line: its name and its belt.
    pub line: Line,
    /// Part-present sensor, which opens a part.
    pub sensor: Sensor,
    /// How castgate knows how far the belt has moved.
    pub position: Position,
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
    /// A second gate, for parts of which the model is unsure.
    pub second_gate: SecondGate,
    /// The sensor behind the gate that proves what the gate did.
    pub confirm: Confirm,
    /// When castgate asks for the line to be stopped.
    pub line_stop: LineStop,
    /// Further inputs.
    pub inputs: Inputs,
    /// Outputs to the PLC.
    pub outputs: Outputs,
    /// Commands from outside.
    pub commands: Commands,
    /// The histories of parts.
    pub store: Store,
    /// Reports over MQTT.
    pub mqtt: Mqtt,
    /// The simulated line, used where a `kind` is `simulated`.
    pub simulation: Simulation,
}

impl Config {
    /// Whether parts come on a belt that is followed to a gate, and not as pictures of single parts at any pace.
    pub fn follows_belt(&self) -> bool {
        self.decide.trigger != Trigger::EveryFrame || self.gate.kind != GateKind::Simulated
    }

    /// Every input and output that is a GPIO line, with its key; the gates are not among them.
    pub fn pins(&self) -> [(&'static str, &Option<Pin>); 17] {
        let Config { sensor, confirm, position, inputs, outputs, .. } = self;
        [
            ("sensor.pin", &sensor.pin),
            ("confirm.pin", &confirm.pin),
            ("position.a", &position.a),
            ("position.b", &position.b),
            ("position.second_sensor", &position.second_sensor),
            ("inputs.running", &inputs.running),
            ("inputs.bin_full", &inputs.bin_full),
            ("inputs.air_low", &inputs.air_low),
            ("inputs.inhibit", &inputs.inhibit),
            ("inputs.reset", &inputs.reset),
            ("outputs.ready", &outputs.ready),
            ("outputs.busy", &outputs.busy),
            ("outputs.fault", &outputs.fault),
            ("outputs.pass", &outputs.pass),
            ("outputs.reject", &outputs.reject),
            ("outputs.line_stop", &outputs.line_stop),
            ("outputs.life", &outputs.life),
        ]
    }

    /// What tells the belt's position; without a belt, time.
    pub fn position_source(&self) -> PositionSource {
        if self.follows_belt() { self.position.source } else { PositionSource::Speed }
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Errors only.
    Error,
    /// Also warnings.
    Warn,
    /// Also rare events.
    Info,
    /// Also frequent events.
    Debug,
    /// Everything.
    Trace,
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
    /// Log level; the variable `CASTGATE_LOG` overrides it.
    pub log_level: LogLevel,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            name: "demo".to_owned(),
            speed: Speed::mm_per_s(500.0),
            part_length: Length::mm(120.0),
            min_pitch: Length::mm(150.0),
            log_level: LogLevel::Info,
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
