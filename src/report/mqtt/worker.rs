//! The thread `mqtt`: takes what the line offers, keeps it until the broker has it, and connects again and again.
//!
//! Waits for nothing but its own queues and timers, so that it can always be told to stop. What it says of the line is dated by the line's
//! clock, which may be a simulated one; how long a broker takes, and how often the log is written to, by the system's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, never, select};

use super::backoff::Backoff;
use super::command::Commands;
use super::outbox::Outbox;
use super::session::{Happening, Session, WINDOW};
use super::settings::Settings;
use super::shared::Shared;
use super::talk::{News, Request, Tag};
use super::teller::{Figures, Teller};
use super::trouble::Trouble;
use crate::clock::{Clock, SystemClock, Time};
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
    /// The number of the part, if somebody keeps the message until it is settled.
    kept: Option<u64>,
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
    /// The broker has acknowledged something on this connection.
    works: bool,
    teller: Teller,
    /// Who takes commands, if somebody does.
    commands: Option<Commands>,
    /// Who keeps messages until they are settled.
    settled: Option<Sender<u64>>,
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
        (take, settled): (Option<Take>, Option<Sender<u64>>),
    ) -> Self {
        let now = clock.now();
        let teller =
            Teller::new(settings.broker(), settings.client_id.clone(), settings.topics.command.clone());
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
            works: false,
            teller,
            commands: take.map(Commands::new),
            settled,
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
            Message::Part(part) => self.keep(Packet { part: true, payload: json(&part), kept: None }),
            Message::Kept(parts) => parts.into_iter().for_each(|kept| {
                self.keep(Packet { part: true, payload: kept.text, kept: Some(kept.part) });
            }),
            Message::Summary(summary) => {
                self.keep(Packet { part: false, payload: json(&summary), kept: None });
            }
        }
    }

    fn keep(&mut self, packet: Packet) {
        let dropped = self.outbox.push(packet.part, packet);
        self.settle(dropped);
    }

    /// Nothing more becomes of these packets. Who finds no room for their numbers keeps them, and tells them again at the next start.
    fn settle(&self, packets: impl IntoIterator<Item = Packet>) {
        let Some(settled) = &self.settled else { return };
        for part in packets.into_iter().filter_map(|packet| packet.kept) {
            let _ = settled.try_send(part);
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
            if let Some(line) = self.teller.holds(self.figures(), SystemClock.now()) {
                line.log();
            }
        } else {
            self.connect();
        }
    }

    fn hear<E>(&mut self, happening: Result<Happening, E>) {
        if self.session.is_none() {
            return;
        }
        match happening {
            Ok(Happening::News(news)) => self.note(news),
            Ok(Happening::Over(trouble)) => self.over(trouble),
            Err(_) => self.over(Trouble::Unreachable("the mqtt-io thread ended by a bug".to_owned())),
        }
    }

    fn note(&mut self, news: News) {
        let now = SystemClock.now();
        let line = match news {
            News::Connected => {
                self.connected();
                None
            }
            News::Acknowledged(tag) => {
                match tag {
                    Tag::Status => self.status_under_way = false,
                    Tag::Message(ticket) => {
                        let packet = self.outbox.acknowledge(ticket);
                        self.acknowledged += u64::from(packet.is_some());
                        self.settle(packet);
                    }
                }
                let first = !std::mem::replace(&mut self.works, true);
                if first { self.teller.works(self.figures(), now) } else { None }
            }
            News::Command(incoming) => {
                self.commands.as_mut().and_then(|commands| commands.take(incoming, now))
            }
            News::Unasked(count) => self.teller.unasked(count, now),
            News::Listening(granted) => self.teller.listening(granted, now),
        };
        if let Some(line) = line {
            line.log();
        }
    }

    fn connected(&mut self) {
        if let Some(session) = self.session.as_ref().filter(|_| self.commands.is_some()) {
            session.ask(Request::Listen);
        }
        self.link = Link::Connected;
        self.works = false;
        self.timer = after(STEADY_AFTER);
        self.status_due = true;
    }

    fn figures(&self) -> Figures {
        Figures {
            failures: self.backoff.failures(),
            waiting: self.outbox.unacknowledged(),
            dropped: self.dropped(),
        }
    }

    fn over(&mut self, trouble: Trouble) {
        let had_connection = self.link == Link::Connected;
        self.session = None;
        self.status_under_way = false;
        let dropped = self.outbox.connection_lost();
        self.settle(dropped);
        let wait = self.backoff.after_failure();
        self.timer = after(wait);
        if !self.leaving {
            match self.teller.trouble(&trouble, had_connection, SystemClock.now()) {
                Some(line) => line.log(),
                None => log::debug!("mqtt: no change; next attempt in {wait:.1?}"),
            }
        }
        self.link = match trouble {
            Trouble::Refused(reason) => Link::Refused(reason),
            Trouble::Closed => Link::Unreachable("the broker closed the connection".to_owned()),
            Trouble::Unreachable(reason) => Link::Unreachable(reason),
        };
    }

    /// Hands over as much as the window takes. The goodbye status comes last, every other status first.
    fn send(&mut self) {
        if self.link != Link::Connected {
            return;
        }
        if !self.leaving {
            self.send_status();
        }
        let Some(session) = &self.session else { return };
        while let Some((ticket, packet)) = self.outbox.send_next() {
            let topics = &self.settings.topics;
            let topic = if packet.part { &topics.part } else { &topics.summary };
            session.send(Tag::Message(ticket), topic, false, packet.payload.clone());
            self.sent += 1;
        }
        if self.leaving && self.outbox.waiting() == 0 {
            self.send_status();
        }
    }

    /// At most one status is under way, so that the newest one is also the one that stays with the broker.
    fn send_status(&mut self) {
        let Some(session) = &self.session else { return };
        if !self.status_due || self.status_under_way {
            return;
        }
        let (state, since) = self.status;
        let since = Some(WallClock::read(self.clock.as_ref()).rfc3339(since));
        let status = Status { state, identity: self.identity.clone(), since };
        session.send(Tag::Status, &self.settings.topics.status, true, json(&status));
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
                session.ask(Request::Goodbye);
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
        let (kept, lost): (Vec<_>, Vec<_>) = self.outbox.rest().partition(|packet| packet.kept.is_some());
        match (kept.len(), lost.len()) {
            (0, 0) => log::info!("mqtt: stopped"),
            (kept, 0) => log::warn!("mqtt: stopped; parts that the next start tells: {kept}"),
            (0, lost) => log::warn!("mqtt: stopped; messages that were not delivered and are lost: {lost}"),
            (kept, lost) => log::warn!(
                "mqtt: stopped; messages that were not delivered and are lost: {lost}; parts that the next start tells: {kept}"
            ),
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
        if more && let Some(line) = self.teller.full(dropped, SystemClock.now()) {
            line.log();
        }
    }
}
