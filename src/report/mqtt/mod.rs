//! MQTT: parts, summaries and the line's state for a broker that may be absent, slow, hanging or unwilling; and, where that is
//! wanted, commands from it.
//!
//! ```text
//! line --offer--> bounded queue --> [mqtt: outbox, back-off] --> requests --> [mqtt-io: one connection] --> broker
//!       never waits                  keeps until acknowledged     never full       may hang
//! ```
//! Must not know what a part is; the line must not know what a broker is.

mod backoff;
mod command;
mod ended;
mod outbox;
mod session;
mod settings;
mod shared;
mod stream;
mod talk;
mod teller;
mod tls;
mod trouble;
mod wire;
mod worker;

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use self::settings::Settings;
use self::shared::Shared;
use self::worker::{STOP_WITHIN, Worker};
use super::message::{Identity, Message};
use super::{Health, Link, Publisher, ReportError};
use crate::clock::Clock;
use crate::config;
use crate::remote::Take;

/// Messages between the line and the `mqtt` thread, which empties this queue within microseconds: bursts only.
const OFFERS: usize = 256;
/// Room beyond [`OFFERS`] for changes of the line's state, which must not be lost to a burst of parts.
const STATUS_ROOM: usize = 16;
/// Time that a busy machine may take beyond [`STOP_WITHIN`] to wake the thread and end it.
const STOP_SLACK: Duration = Duration::from_millis(500);
const _: () = assert!(STOP_WITHIN.as_millis() + STOP_SLACK.as_millis() <= super::STOP_WITHIN.as_millis());

/// The line's end of reporting over MQTT.
struct Mqtt {
    shared: Arc<Shared>,
    offers: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    ended: Receiver<()>,
}

/// Tells that the thread ended, also by a panic.
struct Ending {
    shared: Arc<Shared>,
    _ended: Sender<()>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.update(|health| health.link = Link::Off);
    }
}

/// Checks the section and reads its files.
pub(super) fn check(section: &config::Mqtt, line: &str) -> Result<(), ReportError> {
    Settings::check(section, line).map(drop)
}

/// Checks the section, reads its files and starts the thread. Does not wait for the broker. Commands from it go to the first of
/// the ends, the numbers of kept parts that are settled to the second.
pub(super) fn start(
    section: &config::Mqtt,
    identity: Identity,
    clock: Arc<dyn Clock>,
    ends: (Option<Take>, Option<Sender<u64>>),
) -> Result<Box<dyn Publisher>, ReportError> {
    let settings = Settings::check(section, &identity.line)?;
    let shared = Arc::new(Shared::new());
    let (offers, to_worker) = bounded(OFFERS + STATUS_ROOM);
    let (end, ended) = bounded(0);
    let ending = Ending { shared: Arc::clone(&shared), _ended: end };
    let worker = Worker::new(settings, (identity, clock), Arc::clone(&shared), to_worker, ends);
    let thread = thread::Builder::new()
        .name("mqtt".to_owned())
        .spawn(move || {
            let _ending = ending;
            worker.run();
        })
        .map_err(|error| ReportError::Thread(error.to_string()))?;
    Ok(Box::new(Mqtt { shared, offers: Some(offers), thread: Some(thread), ended }))
}

impl Mqtt {
    fn shut(&mut self) {
        drop(self.offers.take());
        let Some(thread) = self.thread.take() else { return };
        if self.ended.recv_timeout(STOP_WITHIN + STOP_SLACK) == Err(RecvTimeoutError::Timeout) {
            log::warn!("mqtt: the thread did not end in time and is left behind");
        } else if thread.join().is_err() {
            log::error!("mqtt: the thread ended by a bug; the line was not affected");
        }
    }
}

impl Publisher for Mqtt {
    fn offer(&self, message: Message) {
        let (is_status, count) = match &message {
            Message::Status(..) | Message::Config(_) => (true, 0),
            Message::Kept(parts) => (false, parts.len() as u64),
            Message::Part(_) | Message::Summary(_) => (false, 1),
        };
        let fits = self
            .offers
            .as_ref()
            .is_some_and(|offers| (is_status || offers.len() < OFFERS) && offers.try_send(message).is_ok());
        self.shared.count_offer(count);
        if !fits {
            self.shared.count_overflow(count);
        }
    }

    fn health(&self) -> Health {
        self.shared.health(self.offers.as_ref().map_or(0, |offers| offers.len() as u64))
    }

    fn wait(&self, timeout: Duration, wanted: &dyn Fn(&Health) -> bool) -> bool {
        self.shared.wait(timeout, wanted)
    }

    fn stop(mut self: Box<Self>) -> Health {
        self.shut();
        self.health()
    }
}

impl Drop for Mqtt {
    fn drop(&mut self) {
        self.shut();
    }
}
