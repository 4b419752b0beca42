//! The sensor stage: edges and counts of the line, in time order.

use crate::clock::Time;
use crate::sensor::{SensorError, SensorEvent, SensorSource};

/// Owns the sensor.
pub(super) struct SensorStage {
    sensor: Box<dyn SensorSource>,
}

impl SensorStage {
    pub(super) fn new(sensor: Box<dyn SensorSource>) -> Self {
        Self { sensor }
    }

    /// When the next event will be, where that is known.
    pub(super) fn due(&self) -> Option<Time> {
        self.sensor.due()
    }

    /// Appends the events up to `now`.
    pub(super) fn step(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        self.sensor.poll(now, events)
    }
}
