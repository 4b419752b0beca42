//! Reports: what happened, published once inside the process, for any number of listeners that cannot slow the line.
//!
//! Owns messages and publishers. Must not know stages, and never assumes a broker.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::clock::Clock;
use crate::config;
use crate::remote::Take;

pub mod interval;
pub mod message;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(not(feature = "mqtt"))]
#[path = "mqtt_off.rs"]
mod mqtt;

pub use crate::clock::WallClock;
use message::{Identity, Message};

/// Time that the end of a publisher takes at most; the unit's `TimeoutStopSec` counts it.
pub const STOP_WITHIN: Duration = Duration::from_millis(1500);

/// Reports cannot be opened as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// A value or a combination of values of the `mqtt` section.
    #[error("{key}: {what}")]
    Setting {
        /// Path of the key.
        key: &'static str,
        /// What is wrong with it and what would be right.
        what: String,
    },
    /// A file that the `mqtt` section names.
    #[error("{key}: \"{path}\": {what}")]
    File {
        /// Path of the key.
        key: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// The system gave no thread.
    #[error("cannot start the mqtt thread: {0}")]
    Thread(String),
    /// Left out of this build.
    #[error(
        "mqtt.enabled: this build has no `mqtt` feature; set it to false, or build castgate with its default features"
    )]
    NotBuilt,
}

/// Whether the broker takes messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Link {
    /// Nothing is sent: no broker is wanted, or reporting has stopped.
    #[default]
    Off,
    /// The first attempt is under way.
    Connecting,
    /// The broker accepted this client.
    Connected,
    /// The broker answered and refused this client; in its own words.
    Refused(String),
    /// No connection to the broker, and why.
    Unreachable(String),
}

/// How reporting goes. `offered` = `acknowledged` + `waiting` + `dropped`, once the queues have come to rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Whether the broker takes messages.
    pub link: Link,
    /// Part and summary messages that the line offered.
    pub offered: u64,
    /// Transmissions of these; a message that was sent again counts again.
    pub sent: u64,
    /// Messages that the broker acknowledged.
    pub acknowledged: u64,
    /// Messages that are kept for the broker.
    pub waiting: u64,
    /// Messages lost because a queue was full.
    pub dropped: u64,
}

/// A listener to what happens on the line.
pub trait Publisher: Send + Sync {
    /// Takes a message and returns at once, whatever the listener does; what does not fit is dropped and counted.
    fn offer(&self, message: Message);

    /// How it goes.
    fn health(&self) -> Health;

    /// Waits until `wanted` holds, at most `timeout`; whether it came to hold. For tests and checks, not for the line.
    fn wait(&self, timeout: Duration, wanted: &dyn Fn(&Health) -> bool) -> bool;

    /// Sends what is left and says goodbye, at most about a second; what is left then is counted in `waiting`, and lost unless it is kept
    /// elsewhere.
    /// Dropping does the same.
    fn stop(self: Box<Self>) -> Health;
}

/// The publisher of a line that reports to nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Publisher for Nobody {
    fn offer(&self, _: Message) {}

    fn health(&self) -> Health {
        Health::default()
    }

    fn wait(&self, _: Duration, wanted: &dyn Fn(&Health) -> bool) -> bool {
        wanted(&Health::default())
    }

    fn stop(self: Box<Self>) -> Health {
        Health::default()
    }
}

/// Checks the `mqtt` section and the files that it names, without connecting or starting anything.
///
/// # Errors
/// As [`open`].
pub fn check(settings: &config::Mqtt, line: &str) -> Result<(), ReportError> {
    if settings.enabled { mqtt::check(settings, line) } else { Ok(()) }
}

/// Opens what the `mqtt` section asks for. Returns without waiting for the broker.
///
/// # Errors
/// When a value or a file of the section cannot be used, or when this build has no MQTT. A broker that is absent is no
/// error: see [`Health::link`].
pub fn open(
    settings: &config::Mqtt,
    identity: Identity,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Publisher>, ReportError> {
    open_for_commands(settings, identity, clock, None)
}

/// As [`open`]; commands that come from the broker go to `take`, if one is given. It is called on a thread of reporting and must
/// answer at once.
///
/// # Errors
/// As [`open`].
pub fn open_for_commands(
    settings: &config::Mqtt,
    identity: Identity,
    clock: Arc<dyn Clock>,
    take: Option<Take>,
) -> Result<Box<dyn Publisher>, ReportError> {
    open_for_line(settings, identity, clock, take, None)
}

/// As [`open_for_commands`]. The numbers of the parts of [`Message::Kept`] go to `settled` when the broker has acknowledged them, or when
/// they were dropped because the queue was full; one that finds no room there is not told.
///
/// # Errors
/// As [`open`].
pub fn open_for_line(
    settings: &config::Mqtt,
    identity: Identity,
    clock: Arc<dyn Clock>,
    take: Option<Take>,
    settled: Option<Sender<u64>>,
) -> Result<Box<dyn Publisher>, ReportError> {
    if settings.enabled {
        mqtt::start(settings, identity, clock, (take, settled))
    } else {
        Ok(Box::new(Nobody))
    }
}
