//! One conversation with a broker: what is said when, which messages are under way, and how long an answer may take.
//!
//! Pure: bytes and moments come in, bytes and news go out. Must not know sockets or threads.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::Incoming as Command;
use super::outbox::Ticket;
use super::settings::Settings;
use super::trouble::{Trouble, refusal};
use super::wire::{self, Decoder, Incoming, Malformed, Published};
use crate::clock::Time;

/// Longest wait for an answer to a connection attempt.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
/// Longest wait for the next acknowledgement, and for the answer to a sign of life, where `mqtt.keep_alive` is no shorter.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the answers that wait behind one message too long for a command may be late on that account.
const LONG_MESSAGE: Duration = Duration::from_secs(60);
/// While so many bytes wait to be taken by the broker, nothing more is read from it.
const MOST_OUT: usize = 256 * 1024;

const NO_ANSWER: &str = "something else than an answer to the connection request";

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// The status.
    Status,
    /// A message of the outbox.
    Message(Ticket),
}

/// What is to be said.
#[derive(Debug)]
pub(super) enum Request {
    /// Publish, with quality of service 1.
    Publish { tag: Tag, topic: String, retain: bool, payload: String },
    /// Ask for what is published on the command topic.
    Listen,
    /// Say goodbye.
    Goodbye,
}

/// What the broker let this side know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It accepted this client.
    Connected,
    /// It has this.
    Acknowledged(Tag),
    /// Somebody published on the command topic.
    Command(Command),
    /// So many messages came that nobody had asked for.
    Unasked(u64),
    /// Whether it lets this client hear the command topic.
    Listening(bool),
}

/// See the module.
pub(super) struct Talk {
    command_topic: String,
    keep_alive: Duration,
    patience: Duration,
    decoder: Decoder,
    out: Vec<u8>,
    accepted: bool,
    listening: bool,
    goodbye_said: bool,
    under_way: BTreeMap<u16, Tag>,
    last_id: u16,
    /// When the answer to CONNECT or to the last sign of life is overdue.
    answer_due: Time,
    ping_at: Time,
    /// When the next acknowledgement is overdue.
    acknowledgement_due: Time,
    /// Since when a message that is too long comes in.
    long_since: Option<Time>,
    /// The broker acknowledged what was not sent.
    strange: bool,
}

impl Talk {
    /// Begins with the connection request.
    pub(super) fn new(settings: &Settings, last_will: &str, now: Time) -> Self {
        let mut out = Vec::new();
        wire::connect(settings, last_will, &mut out);
        Self {
            command_topic: settings.topics.command.clone(),
            keep_alive: settings.keep_alive,
            patience: settings.keep_alive.min(PATIENCE),
            decoder: Decoder::default(),
            out,
            accepted: false,
            listening: false,
            goodbye_said: false,
            under_way: BTreeMap::new(),
            last_id: 0,
            answer_due: now + ANSWER,
            ping_at: Time::MAX,
            acknowledgement_due: Time::MAX,
            long_since: None,
            strange: false,
        }
    }

    /// The next number that nothing under way has. There is one: far fewer are under way than there are numbers.
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.under_way.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Says something.
    pub(super) fn ask(&mut self, request: Request, now: Time) {
        match request {
            Request::Publish { tag, topic, retain, payload } => {
                let id = self.next_id();
                if self.under_way.is_empty() {
                    self.acknowledgement_due = now + self.patience;
                }
                self.under_way.insert(id, tag);
                wire::publish(id, &topic, retain, &payload, &mut self.out);
            }
            Request::Listen => {
                let id = self.next_id();
                self.listening = true;
                wire::subscribe(id, &self.command_topic, &mut self.out);
            }
            Request::Goodbye => {
                if self.accepted {
                    wire::disconnect(&mut self.out);
                }
                self.goodbye_said = true;
            }
        }
    }

    /// What is to go to the broker.
    pub(super) fn out(&self) -> &[u8] {
        &self.out
    }

    /// The broker took the first `count` bytes of it.
    pub(super) fn taken(&mut self, count: usize) {
        self.out.drain(..count);
    }

    /// Whether more may be read: a broker that takes nothing must not make this side pile up answers.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() < MOST_OUT
    }

    /// Whether the goodbye has been said and taken.
    pub(super) fn is_over(&self) -> bool {
        self.goodbye_said && self.out.is_empty()
    }

    /// Takes what the broker sent. News of before a trouble is in `news` all the same.
    pub(super) fn hear(&mut self, bytes: &[u8], now: Time, news: &mut Vec<News>) -> Result<(), Trouble> {
        // What is no broker is known by its first byte: the length that the next ones seem to say may never come.
        let first = bytes.first().filter(|_| !self.accepted && self.decoder.is_between());
        if first.is_some_and(|first| *first != wire::ANSWER_TO_CONNECT) {
            return Err(Trouble::no_mqtt(NO_ANSWER));
        }
        let mut decoder = std::mem::take(&mut self.decoder);
        let (mut trouble, mut unasked) = (None, 0);
        let fed = decoder.feed(bytes, |packet| {
            if trouble.is_none() {
                trouble = self.packet(packet, now, &mut unasked, news).err();
            }
        });
        self.wait_for_long_message(decoder.passes_over().is_some(), now);
        self.decoder = decoder;
        if unasked > 0 {
            news.push(News::Unasked(unasked));
        }
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        fed.map_err(|Malformed(what)| Trouble::no_mqtt(what))
    }

    /// Answers cannot overtake a message that comes in.
    fn wait_for_long_message(&mut self, comes_in: bool, now: Time) {
        if !comes_in {
            self.long_since = None;
            return;
        }
        let since = *self.long_since.get_or_insert(now);
        if now - since < LONG_MESSAGE {
            let later = now + self.patience;
            for due in [&mut self.answer_due, &mut self.acknowledgement_due] {
                if *due != Time::MAX {
                    *due = (*due).max(later);
                }
            }
        }
    }

    fn packet(
        &mut self,
        packet: Incoming<'_>,
        now: Time,
        unasked: &mut u64,
        news: &mut Vec<News>,
    ) -> Result<(), Trouble> {
        match packet {
            Incoming::ConnAck(0) if !self.accepted => {
                self.accepted = true;
                self.answer_due = Time::MAX;
                self.ping_at = now + self.keep_alive;
                news.push(News::Connected);
            }
            Incoming::ConnAck(code) if !self.accepted => return Err(refusal(code)),
            _ if !self.accepted => {
                return Err(Trouble::no_mqtt(NO_ANSWER));
            }
            Incoming::ConnAck(_) => {
                return Err(Trouble::no_mqtt("a second answer to the connection request"));
            }
            Incoming::PubAck(id) => match self.under_way.remove(&id) {
                Some(tag) => {
                    self.acknowledgement_due =
                        if self.under_way.is_empty() { Time::MAX } else { now + self.patience };
                    news.push(News::Acknowledged(tag));
                }
                None => self.strange = true,
            },
            Incoming::Publish(published) => {
                self.answer(&published);
                match self.command(&published) {
                    Some(command) => news.push(News::Command(command)),
                    None => *unasked += 1,
                }
            }
            Incoming::PubRel(id) => wire::complete(id, &mut self.out),
            Incoming::SubAck(granted) => news.push(News::Listening(granted)),
            Incoming::PingResp => self.answer_due = Time::MAX,
            Incoming::Other => {}
        }
        Ok(())
    }

    fn answer(&mut self, published: &Published<'_>) {
        match published.id {
            Some(id) if published.exactly_once => wire::received(id, &mut self.out),
            Some(id) => wire::acknowledge(id, &mut self.out),
            None => {}
        }
    }

    /// What was asked for: the command topic itself, with no more than the quality of service that was asked for.
    fn command(&self, published: &Published<'_>) -> Option<Command> {
        let asked =
            self.listening && published.topic == self.command_topic.as_bytes() && !published.exactly_once;
        asked.then(|| Command {
            payload: published.payload.to_vec(),
            retained: published.retained,
            repeated: published.repeated,
        })
    }

    /// When [`Talk::on_time`] must be called next.
    pub(super) fn next_due(&self) -> Time {
        self.answer_due.min(self.ping_at).min(self.acknowledgement_due)
    }

    /// Sends a sign of life when it is time, and ends what has become hopeless.
    pub(super) fn on_time(&mut self, now: Time) -> Result<(), Trouble> {
        let waited = self.patience.as_secs();
        if now >= self.acknowledgement_due {
            // Without a count, so that every attempt has the same words.
            let strange = if self.strange { ", but what was not sent" } else { "" };
            return Err(Trouble::Unreachable(format!(
                "the broker took messages and has acknowledged nothing for {waited} s{strange}; see the broker's log"
            )));
        }
        if now >= self.answer_due {
            return Err(Trouble::Unreachable(match self.accepted {
                false => format!("no answer within {} s", ANSWER.as_secs()),
                true => format!("no answer to a sign of life within {waited} s"),
            }));
        }
        if now >= self.ping_at {
            wire::ping(&mut self.out);
            self.ping_at = now + self.keep_alive;
            self.answer_due = self.answer_due.min(now + self.patience);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
