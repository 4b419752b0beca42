//! What the guide leads through: a line on its threads and the real clock, or the demonstration line in lockstep on a simulated one.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::broker::StandIn;
use super::switched::Switches;
use crate::clock::{Clock, SimClock, Time};
use crate::commands::print;
use crate::config::Sees;
use crate::decide::{PartRecord, StopReason};
use crate::line::orders::Orders;
use crate::pipeline::{Event, Listener, Lockstep, Order, Stopper};
use crate::report::{Link, Publisher};
use crate::verify::{Handling, Step, Watching};

/// Events that wait for the guide.
const HEARD: usize = 1024;
/// Time that a connection to the broker may take.
const BROKER_WITHIN: Duration = Duration::from_secs(5);
/// The simulated line runs for so long before the guide looks again.
const SLICE: Duration = Duration::from_millis(10);

/// What the guide hears of the line.
pub(super) enum Heard {
    Part(Arc<PartRecord>),
    LineStop(StopReason),
}

/// Tells the guide.
pub(super) struct Ear(Sender<Heard>);

impl Ear {
    /// An ear, and where the guide listens.
    pub(super) fn new() -> (Self, Receiver<Heard>) {
        let (told, heard) = bounded(HEARD);
        (Self(told), heard)
    }
}

impl Listener for Ear {
    fn hear(&mut self, event: &Event) {
        let heard = match event {
            Event::Part(record) => Heard::Part(record.clone()),
            Event::LineStop { reason: Some(reason), .. } => Heard::LineStop(*reason),
            _ => return,
        };
        // A guide that is behind by a thousand events has stopped listening.
        let _ = self.0.try_send(heard);
    }
}

/// A line that the guide can lead through the steps.
pub(super) trait Course {
    /// The moment now, on the line's clock.
    fn now(&self) -> Time;
    /// The next that is heard of the line; `None` when nothing is until then, or when the line has ended.
    ///
    /// # Errors
    /// The failure of a device.
    fn hear(&mut self, until: Time) -> anyhow::Result<Option<Heard>>;
    /// Asks for the end of a line stop.
    ///
    /// # Errors
    /// When the line does not take it.
    fn reset(&mut self) -> anyhow::Result<()>;
    /// Does, or has done, what the step wants before its parts come. Tells how its parts are known.
    ///
    /// # Errors
    /// When the person cannot be told.
    fn prepare(&mut self, step: Step, sees: Option<Sees>) -> anyhow::Result<Watching>;
    /// Who reports for the line.
    fn publisher(&self) -> &dyn Publisher;
    /// Whether the broker takes reports; waits for it a little.
    fn has_broker(&self) -> bool {
        self.publisher().wait(BROKER_WITHIN, &|health| health.link == Link::Connected)
    }
    /// Whether the broker has taken every report; waits for it a little.
    fn has_reported(&self) -> bool;
    /// Whether the line has ended, or is to.
    fn is_over(&self) -> bool;
}

/// The configured line, running on its threads; a person does what is asked for.
pub(super) struct Attended {
    pub heard: Receiver<Heard>,
    pub orders: Orders,
    pub clock: Arc<dyn Clock>,
    pub publisher: Arc<dyn Publisher>,
    pub stopper: Stopper,
}

impl Course for Attended {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn hear(&mut self, until: Time) -> anyhow::Result<Option<Heard>> {
        let left = if self.is_over() { Duration::ZERO } else { until - self.now() };
        Ok(self.heard.recv_timeout(left).ok())
    }

    fn reset(&mut self) -> anyhow::Result<()> {
        self.orders.give(Order::Reset).map_err(anyhow::Error::msg)
    }

    fn prepare(&mut self, step: Step, sees: Option<Sees>) -> anyhow::Result<Watching> {
        print(&format!("   please {}\n", step.instruction(sees)))?;
        Ok(Watching::Next)
    }

    fn publisher(&self) -> &dyn Publisher {
        self.publisher.as_ref()
    }

    fn has_reported(&self) -> bool {
        // A pulled cable looks like a connection for long; but nobody acknowledges.
        self.publisher.wait(BROKER_WITHIN, &|health| health.link == Link::Connected && health.waiting == 0)
    }

    fn is_over(&self) -> bool {
        self.stopper.is_stopped()
    }
}

/// The demonstration line on a simulated clock; it does itself what is asked for.
pub(super) struct Demonstration {
    pub line: Lockstep,
    pub clock: Arc<SimClock>,
    pub heard: Receiver<Heard>,
    pub switches: Arc<Switches>,
    pub publisher: Arc<dyn Publisher>,
    pub broker: Option<StandIn>,
    pub stopper: Stopper,
}

impl Course for Demonstration {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn hear(&mut self, until: Time) -> anyhow::Result<Option<Heard>> {
        while !self.is_over() {
            if let Ok(heard) = self.heard.try_recv() {
                return Ok(Some(heard));
            }
            if self.now() >= until {
                break;
            }
            self.line.run((self.now() + SLICE).min(until))?;
        }
        Ok(None)
    }

    fn reset(&mut self) -> anyhow::Result<()> {
        Ok(self.line.order(Order::Reset)?)
    }

    fn prepare(&mut self, step: Step, _: Option<Sees>) -> anyhow::Result<Watching> {
        self.switches.handle(step.handling());
        if let (Handling::StopBroker, Some(broker)) = (step.handling(), &self.broker) {
            broker.stop();
            self.publisher.wait(BROKER_WITHIN, &|health| health.link != Link::Connected);
        }
        Ok(Watching::Truth)
    }

    fn publisher(&self) -> &dyn Publisher {
        self.publisher.as_ref()
    }

    fn has_reported(&self) -> bool {
        self.publisher.health().link == Link::Connected
    }

    fn is_over(&self) -> bool {
        self.stopper.is_stopped()
    }
}
