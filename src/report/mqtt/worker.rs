//! The thread `mqtt`: takes what the line offers, keeps it until the broker has it, and connects again and again.
//!
//! Waits for nothing but its own queues and timers, so that it can always be told to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, never, select};

use super::backoff::Backoff;
use super::command::Commands;
use super::outbox::Outbox;
use super::session::{Happening, Session, Tag, Trouble, WINDOW};
use super::settings::Settings;
use super::shared::Shared;
use crate::clock::{Clock, Time};
use crate::remote::Take;
use crate::report::message::{Identity, Message, State, Status, json};
use crate::report::{Link, WallClock};

/// Longest time for what is left and the goodbye.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(1);
/// A connection that held so long counts as good; a shorter one does not shorten the wait after it, so that two clients
/// with one id, who throw each other out, do not do so each second.
const STEADY_AFTER: Duration = Duration::from_secs(30);

/// A part or summary, ready to go.
struct Packet {
    part: bool,
    payload: String,
}

pub(super) struct Worker {
    settings: Settings,
    identity: Identity,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    offers: Receiver<Message>,
    outbox: Outbox<Packet>,
    backoff: Backoff,
    session: Option<Session>,
    /// With a connection: when it counts as steady. Without: when to try again.
    timer: Receiver<Instant>,
    link: Link,
    status: (State, Time),
    /// The status has not been sent since it changed or since the connection was made.
    status_due: bool,
    status_under_way: bool,
    leaving: bool,
    sent: u64,
    acknowledged: u64,
    /// Since when there is trouble.
    trouble_since: Option<Time>,
    drops_told: bool,
    /// Who takes commands, if somebody does.
    commands: Option<Commands>,
}

/// The same for the same client id, so that a line's waits can be repeated, and different from line to line (FNV-1a).
fn seed(client_id: &str) -> u64 {
    client_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Worker {
    pub(super) fn new(
        settings: Settings,
        (identity, clock): (Identity, Arc<dyn Clock>),
        shared: Arc<Shared>,
        offers: Receiver<Message>,
        take: Option<Take>,
    ) -> Self {
        let now = clock.now();
        Self {
            outbox: Outbox::new(settings.queue, WINDOW),
            backoff: Backoff::new(seed(&settings.client_id)),
            settings,
            identity,
            clock,
            shared,
            offers,
            session: None,
            timer: never(),
            link: Link::Connecting,
            status: (State::Online, now),
            status_due: true,
            status_under_way: false,
            leaving: false,
            sent: 0,
            acknowledged: 0,
            trouble_since: None,
            drops_told: false,
            commands: take.map(Commands::new),
        }
    }

    /// Runs until the line drops its end of the queue, and says goodbye.
    pub(super) fn run(mut self) {
        self.connect();
        loop {
            let events = self.session.as_ref().map_or_else(never, |session| session.events().clone());
            select! {
                recv(self.offers) -> message => match message {
                    Ok(message) => self.take(message),
                    Err(_) => break,
                },
                recv(events) -> news => self.hear(news),
                recv(self.timer) -> _ => self.on_timer(),
            }
            self.send();
            self.tell();
        }
        self.leave();
        self.tell();
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Status(state, since) => {
                self.status = (state, since);
                self.status_due = true;
            }
            Message::Config(fingerprint) => {
                self.identity.config = fingerprint;
                self.status_due = true;
            }
            Message::Part(part) => self.outbox.push(true, Packet { part: true, payload: json(&part) }),
            Message::Summary(summary) => {
                self.outbox.push(false, Packet { part: false, payload: json(&summary) });
            }
        }
    }

    fn connect(&mut self) {
        self.timer = never();
        let will = Status { state: State::Offline, identity: self.identity.clone(), since: None };
        match Session::start(&self.settings, json(&will)) {
            Ok(session) => self.session = Some(session),
            Err(error) => {
                self.over(Trouble::Unreachable(format!("cannot start the mqtt-io thread: {error}")))
            }
        }
    }

    fn on_timer(&mut self) {
        if self.link == Link::Connected {
            self.backoff.reset();
            self.timer = never();
        } else {
            self.connect();
        }
    }

    fn hear<E>(&mut self, news: Result<super::session::Raw, E>) {
        let Some(session) = &mut self.session else { return };
        match session.absorb(news) {
            Happening::Nothing => {}
            Happening::Connected => self.connected(),
            Happening::Acknowledged(Tag::Status) => self.status_under_way = false,
            Happening::Acknowledged(Tag::Message(ticket)) => {
                self.acknowledged += u64::from(self.outbox.acknowledge(ticket));
            }
            Happening::Command(incoming) => {
                if let Some(commands) = &mut self.commands {
                    commands.take(&incoming, self.clock.now());
                }
            }
            Happening::Deaf => log::warn!(
                "mqtt: the broker does not let this client read {}; see its access list and commands.mqtt",
                self.settings.topics.command
            ),
            Happening::Over(trouble) => self.over(trouble),
        }
    }

    fn connected(&mut self) {
        let (broker, id) = (self.settings.broker(), &self.settings.client_id);
        match self.trouble_since.take() {
            Some(since) => log::info!(
                "mqtt: connected to {broker} as {id} after {:.0} s, failed attempts: {}, messages that waited: {}, \
                 messages dropped since the start: {}",
                self.clock.now().seconds_since(since),
                self.backoff.failures(),
                self.outbox.waiting(),
                self.dropped()
            ),
            None => log::info!("mqtt: connected to {broker} as {id}"),
        }
        if let Some(session) = self.session.as_ref().filter(|_| self.commands.is_some()) {
            session.subscribe(&self.settings.topics.command);
        }
        self.link = Link::Connected;
        self.timer = after(STEADY_AFTER);
        self.status_due = true;
        self.drops_told = false;
    }

    fn over(&mut self, trouble: Trouble) {
        let had_connection = self.link == Link::Connected;
        self.session = None;
        self.status_under_way = false;
        self.outbox.connection_lost();
        self.trouble_since.get_or_insert_with(|| self.clock.now());
        let wait = self.backoff.after_failure();
        self.timer = after(wait);
        let before = std::mem::replace(
            &mut self.link,
            match trouble {
                Trouble::Refused(reason) => Link::Refused(reason),
                Trouble::Unreachable(reason) => Link::Unreachable(reason),
            },
        );
        if self.leaving {
            return;
        }
        let broker = self.settings.broker();
        // Each kind of trouble is told once; an attempt that fails as the one before says nothing new.
        match &self.link {
            link if *link == before => log::debug!("mqtt: {broker}: no change; next attempt in {wait:.1?}"),
            Link::Refused(reason) => log::warn!("mqtt: {broker} refuses this client: {reason}; trying again"),
            Link::Unreachable(reason) if had_connection && self.backoff.failures() > 1 => log::warn!(
                "mqtt: lost the connection to {broker} again: {reason}; is another client connected as {}? trying again",
                self.settings.client_id
            ),
            Link::Unreachable(reason) if had_connection => {
                log::warn!("mqtt: lost the connection to {broker}: {reason}; trying again");
            }
            Link::Unreachable(reason) => log::warn!("mqtt: cannot reach {broker}: {reason}; trying again"),
            Link::Off | Link::Connecting | Link::Connected => {}
        }
    }

    /// Hands over as much as the window takes. The goodbye status comes last, every other status first.
    fn send(&mut self) {
        if self.link != Link::Connected {
            return;
        }
        if !self.leaving {
            self.send_status();
        }
        let Some(session) = &mut self.session else { return };
        while let Some((ticket, packet)) = self.outbox.send_next() {
            let topics = &self.settings.topics;
            let topic = if packet.part { &topics.part } else { &topics.summary };
            session.send(Tag::Message(ticket), topic, false, &packet.payload);
            self.sent += 1;
        }
        if self.leaving && self.outbox.waiting() == 0 {
            self.send_status();
        }
    }

    /// At most one status is under way, so that the newest one is also the one that stays with the broker.
    fn send_status(&mut self) {
        let Some(session) = &mut self.session else { return };
        if !self.status_due || self.status_under_way {
            return;
        }
        let (state, since) = self.status;
        let since = Some(WallClock::read(self.clock.as_ref()).rfc3339(since));
        let status = Status { state, identity: self.identity.clone(), since };
        session.send(Tag::Status, &self.settings.topics.status, true, &json(&status));
        self.status_due = false;
        self.status_under_way = true;
    }

    /// Sends what is left and the goodbye, within [`STOP_WITHIN`].
    fn leave(&mut self) {
        let deadline = after(STOP_WITHIN);
        self.leaving = true;
        self.status = (State::Offline, self.clock.now());
        self.status_due = true;
        let messages_left = self.outbox.unacknowledged() > 0;
        match &self.link {
            // Without a connection the last will has put the line offline; only messages are worth an attempt.
            Link::Connecting | Link::Unreachable(_) if messages_left && self.session.is_none() => {
                self.connect()
            }
            Link::Connecting | Link::Unreachable(_) if messages_left => {}
            Link::Connected => {}
            _ => self.session = None,
        }
        let mut goodbye_said = false;
        self.send();
        while let Some(session) = &self.session {
            let at_rest = self.outbox.unacknowledged() == 0 && !self.status_due && !self.status_under_way;
            if at_rest && !goodbye_said {
                session.disconnect();
                goodbye_said = true;
            }
            let events = session.events().clone();
            select! {
                recv(events) -> news => self.hear(news),
                recv(deadline) -> _ => break,
            }
            self.send();
        }
        self.session = None;
        match self.outbox.unacknowledged() {
            0 => log::info!("mqtt: stopped"),
            left => log::warn!("mqtt: stopped; messages that were not delivered and are lost: {left}"),
        }
    }

    /// Messages lost so far because a queue was full.
    fn dropped(&self) -> u64 {
        self.outbox.dropped() + self.shared.overflowed()
    }

    /// Makes the state known, and drops when they begin.
    fn tell(&mut self) {
        let dropped = self.dropped();
        let (link, waiting) = (&self.link, self.outbox.unacknowledged() as u64);
        let more = self.shared.update(|health| {
            let more = dropped > health.dropped;
            if health.link != *link {
                health.link = link.clone();
            }
            (health.sent, health.acknowledged) = (self.sent, self.acknowledged);
            (health.waiting, health.dropped) = (waiting, dropped);
            more
        });
        if more && !self.drops_told {
            self.drops_told = true;
            log::warn!(
                "mqtt: the queue is full; the oldest part messages are dropped ({dropped} so far); see mqtt.queue"
            );
        }
    }
}
