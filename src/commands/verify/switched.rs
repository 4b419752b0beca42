//! A camera that can be unplugged and a confirm sensor that can be covered, without hands: for the demonstration line.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::camera::{CameraError, Captured, FrameSource};
use crate::clock::Time;
use crate::frame::Frame;
use crate::sensor::{SensorError, SensorEvent, SensorSource};
use crate::verify::Handling;

/// What is taken away.
#[derive(Debug, Default)]
pub(super) struct Switches {
    camera: AtomicBool,
    confirm: AtomicBool,
}

impl Switches {
    /// Does what a person would do.
    pub(super) fn handle(&self, handling: Handling) {
        let (camera, confirm) = (&self.camera, &self.confirm);
        match handling {
            Handling::None => {}
            Handling::UnplugCamera => camera.store(true, Ordering::Relaxed),
            Handling::PlugCamera => camera.store(false, Ordering::Relaxed),
            Handling::BlockConfirm => confirm.store(true, Ordering::Relaxed),
            Handling::StopBroker => confirm.store(false, Ordering::Relaxed),
        }
    }
}

/// See the module.
pub(super) struct SwitchedCamera(pub Box<dyn FrameSource>, pub Arc<Switches>);

impl FrameSource for SwitchedCamera {
    fn due(&self) -> Option<Time> {
        self.0.due()
    }

    fn waits(&self) -> bool {
        self.0.waits()
    }

    fn dates_arrival(&self) -> bool {
        self.0.dates_arrival()
    }

    fn agreed(&self) -> Option<f64> {
        self.0.agreed()
    }

    fn next(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        let captured = self.0.next(now, frame)?;
        let unplugged = self.1.camera.load(Ordering::Relaxed);
        let picture = matches!(captured, Captured::Frame | Captured::Damaged { .. });
        Ok(if unplugged && picture { Captured::Nothing } else { captured })
    }
}

/// See the module.
pub(super) struct SwitchedSensor(pub Box<dyn SensorSource>, pub Arc<Switches>);

impl SensorSource for SwitchedSensor {
    fn due(&self) -> Option<Time> {
        self.0.due()
    }

    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        let before = events.len();
        self.0.poll(now, events)?;
        if self.1.confirm.load(Ordering::Relaxed) {
            let new = events.split_off(before);
            events.extend(new.into_iter().filter(|event| !matches!(event, SensorEvent::Confirmed { .. })));
        }
        Ok(())
    }
}
