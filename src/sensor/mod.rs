//! Sensors: edges and counts of the line, stamped on the monotonic clock.
//!
//! Each kind has a file of its own. Must not know what an edge means for a part.

pub mod simulated;

use crate::clock::Time;

/// What a sensor saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SensorEvent {
    /// The leading edge of a part reached the part-present sensor.
    PartArrived {
        /// When.
        at: Time,
    },
    /// The trailing edge of a part left the part-present sensor.
    PartLeft {
        /// When.
        at: Time,
    },
    /// The leading edge of a removed part reached the confirm sensor.
    Confirmed {
        /// When.
        at: Time,
    },
    /// State of the encoder.
    Encoder {
        /// When it was read.
        at: Time,
        /// Pulses since the start.
        pulses: u64,
    },
}

/// A sensor cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{device}: {what}")]
pub struct SensorError {
    /// Chip and line.
    pub device: String,
    /// What failed.
    pub what: String,
}

/// A source of sensor events.
pub trait SensorSource: Send {
    /// When the next event will be, where that is known beforehand; the caller sleeps until then.
    fn due(&self) -> Option<Time>;

    /// Appends all events up to `now`, in time order.
    ///
    /// # Errors
    /// When the device failed.
    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError>;
}
