//! From a configuration to the devices of a line: the one place that knows every kind.

use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};

use super::answers::{Answers, Hurdle};
use super::error::CannotOpen;
use super::keeper::{self, Kept, Telling};
use super::orders::Orders;
use super::reporter::{Reporter, Sender};
use crate::camera::folder::FolderCamera;
use crate::camera::rate::RateWatch;
use crate::camera::simulated;
use crate::camera::v4l::V4lCamera;
use crate::camera::{CameraError, FrameSource};
use crate::clock::Clock;
use crate::config::load::Loaded;
use crate::config::manifest::Colour;
use crate::config::{CameraKind, Config};
use crate::decide::{PartRecord, Policy, Rules};
use crate::gate::simulated::SimulatedGate;
use crate::gate::{self, Gate};
use crate::model::{self, ModelInfo};
use crate::pipeline::{Begins, Line, Listener, Oracle, Vitals};
use crate::report::message::Identity;
use crate::report::{self, Publisher};
use crate::scene::World;
use crate::sensor::simulated::SimulatedSensor;
use crate::sensor::{self, SensorSource};
use crate::store::Store;
use crate::vision::Preprocessor;

/// Parts that need not be told again and of which the store does not know yet. What finds no room is told again at the next start.
const SETTLED: usize = 4096;

/// An opened line, ready to run.
pub struct Opened {
    /// Its stages, to be run.
    pub line: Line,
    /// The model's name and fingerprint.
    pub model: String,
    /// Sends what is left and says goodbye when it is dropped.
    pub publisher: Arc<dyn Publisher>,
    /// The histories of parts, if they are kept; wants to be told when the run has ended in order.
    pub store: Option<Arc<Store>>,
    /// The numbers of the parts that need not be told again, for [`keeper::finish`]; `None` for a line that reports to nobody.
    pub settled: Option<Receiver<u64>>,
    /// What its messages say of the configuration.
    pub reporting: Sender,
    /// Where orders to the ledger are given.
    pub orders: Orders,
    /// Facts about the model.
    pub info: ModelInfo,
}

/// Where the model says DEFECT: as configured, or else as its manifest says.
pub(super) fn policy(config: &Config, model: &ModelInfo) -> Policy {
    Policy::configured(&config.model, Policy { threshold: model.threshold, unsure: model.unsure })
}

/// Opens the model and every device. Nothing moves yet.
///
/// # Errors
/// When the model or a device cannot be used.
pub fn open(loaded: &Loaded, clock: Arc<dyn Clock>) -> Result<Opened, CannotOpen> {
    let config = &loaded.config;
    let mut classifier = model::open(&config.model.path)?;
    if config.follows_belt() {
        let hurdles = Answers::of(config, classifier.as_mut()).hurdles(config);
        let told: Vec<_> = hurdles.into_iter().map(|Hurdle { key, what }| format!("{key}: {what}")).collect();
        if !told.is_empty() {
            return Err(CannotOpen::TooSlow(told.join("; ")));
        }
    }
    let info = classifier.info().clone();
    let name = format!("{}@{}", info.name, info.id);
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        line: config.line.name.clone(),
        model: name.clone(),
        config: loaded.fingerprint.clone(),
    };
    let (orders, ordered) = Orders::new(config);
    let take = config.commands.mqtt.then(|| orders.taker(clock.clone()));
    let (settle, settled) = bounded(SETTLED);
    let publisher: Arc<dyn Publisher> =
        report::open_for_line(&config.mqtt, identity.clone(), clock.clone(), take, Some(settle))
            .map_err(CannotOpen::Report)?
            .into();
    let reporting = Sender::new(identity.clone());
    let telling = config.mqtt.enabled.then(|| Telling {
        publisher: publisher.clone(),
        sender: reporting.clone(),
        clock: clock.clone(),
        settled,
    });
    let colour = classifier.input().colour != Colour::Grey;
    let devices = devices(config, colour, &clock)?;
    let (second, outputs) = (gate::open_second(config)?, gate::open_outputs(&config.outputs)?);
    // Last, when nothing else can fail: the store expects of a run that was begun that it ends in order.
    let Kept { store, first, stop, keeper } =
        keeper::open(&config.store, &identity, telling.as_ref(), clock.clone())
            .map_err(CannotOpen::Histories)?;
    let reporter = Reporter::new(publisher.clone(), reporting.clone(), clock.clone(), store.is_none());
    let settled = telling.map(|telling| telling.settled);
    let line = Line {
        camera: devices.camera,
        rate: RateWatch::of(config),
        sensor: devices.sensor,
        preprocessor: Preprocessor::for_line(config, classifier.input()),
        rules: Rules::of(config, policy(config, &info)).with_fingerprint(&loaded.fingerprint),
        first,
        stop,
        model: classifier,
        gate: devices.gate,
        safe: config.gate.safe,
        second,
        second_safe: gate::SECOND_SAFE,
        outputs,
        orders: Some(ordered),
        listeners: keeper.into_iter().chain([Box::new(reporter) as Box<dyn Listener>]).collect(),
        oracle: devices.oracle,
        begins: Some(devices.begins),
        parts: None,
        clock,
        vitals: Vitals::default(),
    };
    Ok(Opened { line, model: name, publisher, store, settled, reporting, orders, info })
}

struct Devices {
    camera: Box<dyn FrameSource>,
    sensor: Option<Box<dyn SensorSource>>,
    gate: Box<dyn Gate>,
    oracle: Option<Oracle>,
    begins: Begins,
}

/// The camera alone, for who needs no line; in grey, unless a folder has colour.
///
/// # Errors
/// When it cannot be opened.
pub fn camera(config: &Config, clock: &Arc<dyn Clock>) -> Result<Box<dyn FrameSource>, CameraError> {
    Ok(seen_world(config, false, clock)?.1)
}

/// The simulated belt, the camera, and whether that looks at this belt.
type Simulated = (Arc<World>, Box<dyn FrameSource>, bool);

fn seen_world(config: &Config, colour: bool, clock: &Arc<dyn Clock>) -> Result<Simulated, CameraError> {
    let now = clock.now();
    Ok(match config.camera.kind {
        CameraKind::Simulated => {
            let (world, camera) = simulated::open(config, now)?;
            (world, Box::new(camera), true)
        }
        CameraKind::Folder => {
            let camera = FolderCamera::open(&config.camera, now)?;
            (Arc::new(World::new(config, Vec::new(), now)), Box::new(camera), false)
        }
        CameraKind::V4l => {
            let camera = V4lCamera::open(&config.camera, colour, clock.clone())?;
            (Arc::new(World::new(config, Vec::new(), now)), Box::new(camera), false)
        }
    })
}

fn devices(config: &Config, colour: bool, clock: &Arc<dyn Clock>) -> Result<Devices, CannotOpen> {
    let (world, camera, on_belt) = seen_world(config, colour, clock)?;
    let sensor =
        sensor::open(config, clock.clone(), || Box::new(SimulatedSensor::new(config, world.clone())))?;
    let gate = gate::open(&config.gate, || Box::new(SimulatedGate::new(world.clone())))?;
    let belt = world.clone();
    let begins = Box::new(move |at| belt.begin(at));
    Ok(Devices { camera, sensor, gate, begins, oracle: on_belt.then(|| oracle(world)) })
}

/// What the simulated line knows of a part: its defects, or its picture's file.
fn oracle(world: Arc<World>) -> Oracle {
    Box::new(move |record: &PartRecord| {
        let part = world.truth_of(record.triggered_at)?;
        let kinds: Vec<String> = part.defects.iter().map(|defect| defect.kind.to_string()).collect();
        Some((part.truth, part.name.unwrap_or_else(|| kinds.join(", "))))
    })
}
