//! From the line's events to the publisher's messages.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::pipeline::{Event, Listener};
use crate::report::interval::Interval;
use crate::report::message::{Identity, Message, Part, State};
use crate::report::{Publisher, WallClock};

/// What messages say of their sender; a reload changes it.
#[derive(Clone)]
pub struct Sender(Arc<Mutex<Identity>>);

impl Sender {
    /// Of a line that begins as `identity`.
    pub fn new(identity: Identity) -> Self {
        Self(Arc::new(Mutex::new(identity)))
    }

    /// As it is now.
    pub fn identity(&self) -> Identity {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another configuration is in force.
    pub fn set_config(&self, fingerprint: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).config = fingerprint.to_owned();
    }
}

/// Tells a publisher what happens; the publisher never waits, so neither does this.
pub(super) struct Reporter {
    /// Whether it tells of parts, or somebody else does.
    parts: bool,
    publisher: Arc<dyn Publisher>,
    sender: Sender,
    clock: Arc<dyn Clock>,
    interval: Interval,
}

impl Reporter {
    /// `parts`: whether it tells of parts too.
    pub(super) fn new(
        publisher: Arc<dyn Publisher>,
        sender: Sender,
        clock: Arc<dyn Clock>,
        parts: bool,
    ) -> Self {
        let interval = Interval::new(clock.now());
        Self { parts, publisher, sender, clock, interval }
    }
}

impl Listener for Reporter {
    fn hear(&mut self, event: &Event) {
        let wall = WallClock::read(self.clock.as_ref());
        let message = match event {
            Event::Ready => Message::Status(State::Online, self.clock.now()),
            Event::Part(record) if self.parts => {
                Message::Part(Box::new(Part::new(record, &self.sender.identity(), wall)))
            }
            Event::Summary(run) => {
                let dropped = self.publisher.health().dropped;
                Message::Summary(Box::new(self.interval.summary(run, dropped, &self.sender.identity(), wall)))
            }
            _ => return,
        };
        self.publisher.offer(message);
    }
}
