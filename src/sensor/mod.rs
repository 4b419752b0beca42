//! Sensors: edges and counts of the line, stamped on the monotonic clock.
//!
//! Each kind has a file of its own. Must not know what an edge means for a part.

mod encoder;
mod gpiochip;
mod merged;
pub mod simulated;
mod sysfs;

use std::path::Path;
use std::sync::Arc;

use crate::clock::{Clock, Time};
use crate::config::{Config, EncoderKind, PositionSource};
pub use crate::decide::Input;
pub use merged::Merged;

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
    /// The leading edge of a part reached the second sensor, by which the belt's speed is measured.
    SecondSensor {
        /// When.
        at: Time,
    },
    /// The leading edge of a part reached the confirm sensor.
    Confirmed {
        /// When.
        at: Time,
    },
    /// State of the encoder.
    Encoder {
        /// When it was read.
        at: Time,
        /// Pulses since some beginning; less when the belt runs backwards.
        count: i64,
        /// Pulses that are missing from the count since the last reading, because the kernel could not deliver them.
        lost: u32,
    },
    /// An input changed.
    Input {
        /// Which.
        input: Input,
        /// Whether it is on.
        on: bool,
        /// When.
        at: Time,
    },
}

impl SensorEvent {
    /// When it happened.
    pub const fn at(&self) -> Time {
        match *self {
            SensorEvent::PartArrived { at }
            | SensorEvent::PartLeft { at }
            | SensorEvent::SecondSensor { at }
            | SensorEvent::Confirmed { at }
            | SensorEvent::Encoder { at, .. }
            | SensorEvent::Input { at, .. } => at,
        }
    }
}

/// A sensor cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{device}: {what}")]
pub struct SensorError {
    /// The key of the configuration, chip and line, or the file.
    pub device: String,
    /// What failed, and what to do.
    pub what: String,
}

/// A source of sensor events.
pub trait SensorSource: Send {
    /// When the next event will be, where that is known beforehand; the caller sleeps until then. `None` when it is not known:
    /// then [`SensorSource::poll`] is called at once and waits by itself, for a few milliseconds at most.
    fn due(&self) -> Option<Time>;

    /// Appends all events up to `now`, in time order; a source that waits by itself also those that come meanwhile.
    ///
    /// # Errors
    /// When the device failed.
    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError>;
}

/// Whether the kernel's counter at `path`, for `position.path`, can be read.
///
/// # Errors
/// When the file cannot be read or holds no number.
pub fn check_counter(path: &Path) -> Result<(), SensorError> {
    sysfs::open(path, Time::ZERO).map(drop)
}

/// Opens every sensor and input that `config` asks for, as one source; `None` when there is none. `simulated` gives the sensors of
/// the simulated line, if some of them are wanted.
///
/// # Errors
/// When a device is missing, in use or not permitted.
pub fn open(
    config: &Config,
    clock: Arc<dyn Clock>,
    simulated: impl FnOnce() -> Box<dyn SensorSource>,
) -> Result<Option<Box<dyn SensorSource>>, SensorError> {
    let now = clock.now();
    let mut sources: Vec<Box<dyn SensorSource>> = Vec::new();
    if simulated::Seen::of(config).anything() {
        sources.push(simulated());
    }
    sources.extend(gpiochip::open(config, now)?);
    let position = &config.position;
    let counts =
        config.position_source() == PositionSource::Encoder && position.encoder == EncoderKind::Sysfs;
    if let Some(path) = position.path.as_ref().filter(|_| counts) {
        sources.push(sysfs::open(path, now)?);
    }
    Ok(match sources.len() {
        0 | 1 => sources.pop(),
        _ => Some(Box::new(Merged::new(sources, clock))),
    })
}
