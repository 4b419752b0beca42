//! From the line's events to the publisher's messages.

use std::sync::Arc;

use crate::clock::Clock;
use crate::pipeline::{Event, Listener};
use crate::report::interval::Interval;
use crate::report::message::{Identity, Message, Part, State};
use crate::report::{Publisher, WallClock};

/// Tells a publisher what happens; the publisher never waits, so neither does this.
pub(super) struct Reporter {
    publisher: Arc<dyn Publisher>,
    identity: Identity,
    clock: Arc<dyn Clock>,
    interval: Interval,
}

impl Reporter {
    pub(super) fn new(publisher: Arc<dyn Publisher>, identity: Identity, clock: Arc<dyn Clock>) -> Self {
        let interval = Interval::new(clock.now());
        Self { publisher, identity, clock, interval }
    }
}

impl Listener for Reporter {
    fn hear(&mut self, event: &Event) {
        let wall = WallClock::read(self.clock.as_ref());
        let message = match event {
            Event::Ready => Message::Status(State::Online, self.clock.now()),
            Event::Part(record) => Message::Part(Box::new(Part::new(record, &self.identity, wall))),
            Event::Summary(run) => {
                let dropped = self.publisher.health().dropped;
                Message::Summary(Box::new(self.interval.summary(run, dropped, &self.identity, wall)))
            }
            Event::Judged { .. } | Event::Settled { .. } | Event::Unusable { .. } => return,
        };
        self.publisher.offer(message);
    }
}
