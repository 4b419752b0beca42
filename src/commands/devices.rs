//! From a configuration to the devices of a line: the one place that knows every kind.

use std::sync::Arc;

use anyhow::Context as _;

use super::reporter::Reporter;
use crate::camera::FrameSource;
use crate::camera::folder::FolderCamera;
use crate::camera::simulated;
use crate::clock::Clock;
use crate::config::load::Loaded;
use crate::config::{CameraKind, Config, SensorKind};
use crate::decide::{PartRecord, Policy, Rules};
use crate::gate::simulated::SimulatedGate;
use crate::gate::{self, Gate};
use crate::model;
use crate::pipeline::{Line, Oracle};
use crate::report::message::Identity;
use crate::report::{self, Publisher};
use crate::scene::World;
use crate::sensor::SensorSource;
use crate::sensor::simulated::SimulatedSensor;
use crate::vision::Preprocessor;

/// An opened line, ready to run.
pub(super) struct Opened {
    pub line: Line,
    /// The model's name and fingerprint.
    pub model: String,
    /// Sends what is left and says goodbye when it is dropped.
    pub publisher: Arc<dyn Publisher>,
}

/// Opens the model and every device. Nothing moves yet.
///
/// # Errors
/// When the model or a device cannot be used.
pub(super) fn open(loaded: &Loaded, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let config = &loaded.config;
    let classifier = model::open(&config.model.path)?;
    let info = classifier.info().clone();
    let policy = Policy {
        threshold: config.model.threshold.unwrap_or(info.threshold),
        unsure: config.model.unsure.unwrap_or(info.unsure),
    };
    let name = format!("{}@{}", info.name, info.id);
    let identity = Identity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        line: config.line.name.clone(),
        model: name.clone(),
        config: loaded.fingerprint.clone(),
    };
    let publisher: Arc<dyn Publisher> =
        report::open(&config.mqtt, identity.clone(), clock.clone()).context("cannot report")?.into();
    let devices = devices(config, clock.as_ref())?;
    let confirm = devices.sensor.is_some();
    let line = Line {
        camera: devices.camera,
        sensor: devices.sensor,
        preprocessor: Preprocessor::for_line(config, classifier.input()),
        rules: Rules::of(config, policy, confirm),
        model: classifier,
        gate: devices.gate,
        safe: config.gate.safe,
        listeners: vec![Box::new(Reporter::new(publisher.clone(), identity, clock.clone()))],
        oracle: devices.oracle,
        parts: None,
        clock,
    };
    Ok(Opened { line, model: name, publisher })
}

struct Devices {
    camera: Box<dyn FrameSource>,
    sensor: Option<Box<dyn SensorSource>>,
    gate: Box<dyn Gate>,
    oracle: Option<Oracle>,
}

fn devices(config: &Config, clock: &dyn Clock) -> anyhow::Result<Devices> {
    let now = clock.now();
    let (world, camera, on_belt): (Arc<World>, Box<dyn FrameSource>, bool) = match config.camera.kind {
        CameraKind::Simulated => {
            let (world, camera) = simulated::open(config, now)?;
            (world, Box::new(camera), true)
        }
        CameraKind::Folder => {
            let camera = FolderCamera::open(&config.camera, now)?;
            (Arc::new(World::new(config, Vec::new(), now)), Box::new(camera), false)
        }
    };
    let sensor = match config.sensor.kind {
        SensorKind::Simulated => {
            Some(Box::new(SimulatedSensor::new(config, world.clone())) as Box<dyn SensorSource>)
        }
        SensorKind::None => None,
    };
    let gate = gate::open(&config.gate, || Box::new(SimulatedGate::new(world.clone())))?;
    Ok(Devices { camera, sensor, gate, oracle: on_belt.then(|| oracle(world)) })
}

/// What the simulated line knows of a part: its defects, or its picture's file.
fn oracle(world: Arc<World>) -> Oracle {
    Box::new(move |record: &PartRecord| {
        let part = world.truth_of(record.triggered_at)?;
        let kinds: Vec<String> = part.defects.iter().map(|defect| defect.kind.to_string()).collect();
        Some((part.truth, part.name.unwrap_or_else(|| kinds.join(", "))))
    })
}

/// Memory of this process in MiB; 0 where the system does not tell.
pub(super) fn resident_mib() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let resident = pages.as_deref().and_then(|text| text.split_whitespace().nth(1)?.parse::<f64>().ok());
    resident.unwrap_or(0.0) * rustix::param::page_size() as f64 / f64::from(1 << 20)
}
