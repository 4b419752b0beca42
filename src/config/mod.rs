//! The configuration: plain data with a doc comment per key, from which sample, reference and schema are generated.
//!
//! Every key has a default; together the defaults are the demonstration line. Must not open files or know devices.
//! All positions along the belt are measured in the direction of travel from the part-present sensor
//! (without a sensor: from a mark of one's own choice).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod camera;
mod commands;
mod confirm;
mod decide;
mod gate;
mod inputs;
mod level;
mod line;
mod line_stop;
pub mod live;
pub mod load;
pub mod manifest;
mod model;
mod mqtt;
mod name;
mod outputs;
mod pin;
mod position;
mod preprocess;
pub mod reference;
mod second_gate;
mod sensor;
mod simulation;
mod store;
pub mod timing;
pub mod validate;

pub use camera::{Camera, CameraFormat, CameraKind, LumaRange, Pace, PowerLine};
pub use commands::Commands;
pub use confirm::{Confirm, ConfirmKind, Sees};
pub use decide::{Combine, Decide, Trigger, Unsure};
pub use gate::{Gate, GateKind, GateState};
pub use inputs::Inputs;
pub use level::{Drive, Level};
pub use line::{Line, LogLevel};
pub use line_stop::LineStop;
pub use model::Model;
pub use mqtt::{Mqtt, SECRETS, Tls};
pub use outputs::Outputs;
pub use pin::{Bias, Pin};
pub use position::{EncoderKind, Position, PositionSource};
pub use preprocess::{Preprocess, Region};
pub use second_gate::SecondGate;
pub use sensor::{Sensor, SensorKind};
pub use simulation::Simulation;
pub use store::Store;

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
