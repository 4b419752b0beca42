//! MQTT 3.1.1 as bytes: what this side sends, and what it understands of what a broker sends.
//!
//! Pure. Owns the wire format, and how much memory a broker can make this side use: of each packet the head is kept, and what goes
//! beyond any command is passed over as it comes. Must not know connections or times.

use super::settings::Settings;
use crate::remote::LONGEST;

/// Bytes that are kept of a packet: the longest topic, its length, a packet number, and so much that a command that is too long is
/// known to be.
const HEAD: usize = 2 + 65_535 + 2 + LONGEST + 1;
/// The first byte of CONNACK.
pub(super) const ANSWER_TO_CONNECT: u8 = 0x20;
/// Quality of service 1 in the first byte of a PUBLISH.
const AT_LEAST_ONCE: u8 = 0b0010;

/// What a broker sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// The answer to the connection request: 0 is yes.
    ConnAck(u8),
    /// A message that somebody published.
    Publish(Published<'a>),
    /// A message of this side has arrived.
    PubAck(u16),
    /// A message with quality of service 2 is to be released.
    PubRel(u16),
    /// The answer to the subscription: whether it was granted.
    SubAck(bool),
    /// The answer to a sign of life.
    PingResp,
    /// An answer to something that this side does not send.
    Other,
}

/// A message that somebody published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Published<'a> {
    pub(super) topic: &'a [u8],
    /// Its packet number; `None` with quality of service 0.
    pub(super) id: Option<u16>,
    /// Quality of service 2: it wants more than an acknowledgement.
    pub(super) exactly_once: bool,
    /// The broker kept it from before.
    pub(super) retained: bool,
    /// It was sent before.
    pub(super) repeated: bool,
    /// Its content; of one that is too long for any command, no more than shows that.
    pub(super) payload: &'a [u8],
}

/// What came is no MQTT, or nothing that a broker sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) &'static str);

#[derive(Debug, Clone, Copy, Default)]
enum Place {
    #[default]
    First,
    Length {
        first: u8,
        length: usize,
        shift: u32,
    },
    Body {
        first: u8,
        length: usize,
    },
}

/// Takes bytes as they come and gives packets.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    place: Place,
    /// The head of the packet at hand.
    head: Vec<u8>,
    /// How much of its body has come.
    come: usize,
}

impl Decoder {
    /// Takes `bytes`; every packet that they end goes to `take`.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(Incoming<'_>),
    ) -> Result<(), Malformed> {
        while let Some((&byte, rest)) = bytes.split_first() {
            match self.place {
                Place::First => {
                    self.place = Place::Length { first: byte, length: 0, shift: 0 };
                    bytes = rest;
                }
                Place::Length { first, length, shift } => {
                    let length = length | usize::from(byte & 0x7f) << shift;
                    bytes = rest;
                    self.place = match byte & 0x80 {
                        0 if length == 0 => {
                            take(packet(first, &[], 0)?);
                            Place::First
                        }
                        0 => Place::Body { first, length },
                        _ if shift == 21 => return Err(Malformed("a length of more than four bytes")),
                        _ => Place::Length { first, length, shift: shift + 7 },
                    };
                }
                Place::Body { first, length } => {
                    let (now, rest) = bytes.split_at(bytes.len().min(length - self.come));
                    let kept = now.len().min(HEAD - self.head.len());
                    self.head.extend_from_slice(&now[..kept]);
                    self.come += now.len();
                    bytes = rest;
                    if self.come == length {
                        take(packet(first, &self.head, length)?);
                        self.head.clear();
                        (self.place, self.come) = (Place::First, 0);
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the next byte is the first of a packet.
    pub(super) fn is_between(&self) -> bool {
        matches!(self.place, Place::First)
    }

    /// The length of the packet at hand, if it is one of which the rest is passed over.
    pub(super) fn passes_over(&self) -> Option<usize> {
        match self.place {
            Place::Body { length, .. } if self.come > HEAD => Some(length),
            _ => None,
        }
    }
}

fn number(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]))
}

/// Reads a packet of whose body of `length` bytes the `head` was kept.
fn packet(first: u8, head: &[u8], length: usize) -> Result<Incoming<'_>, Malformed> {
    let id = || number(head).filter(|id| *id != 0).ok_or(Malformed("an answer without a packet number"));
    Ok(match first >> 4 {
        2 => Incoming::ConnAck(*head.get(1).ok_or(Malformed("an answer to CONNECT without a code"))?),
        3 => Incoming::Publish(published(first, head, length)?),
        4 => Incoming::PubAck(id()?),
        6 => Incoming::PubRel(id()?),
        9 => Incoming::SubAck(*head.get(2).ok_or(Malformed("an answer to SUBSCRIBE without a code"))? < 0x80),
        13 => Incoming::PingResp,
        5 | 7 | 11 => Incoming::Other,
        _ => return Err(Malformed("a packet that no broker sends")),
    })
}

fn published(first: u8, head: &[u8], length: usize) -> Result<Published<'_>, Malformed> {
    const SHORT: Malformed = Malformed("a message that is shorter than its topic");
    let quality = first >> 1 & 0b11;
    let topic_length = usize::from(number(head).ok_or(SHORT)?);
    let numbered = if quality == 0 { 0 } else { 2 };
    if 2 + topic_length + numbered > length {
        return Err(SHORT);
    }
    let (topic, rest) = head[2..].split_at(topic_length);
    let (id, payload) = rest.split_at(numbered);
    let id = number(id);
    if quality == 3 || id == Some(0) {
        return Err(Malformed("a message without a packet number or with an unknown quality of service"));
    }
    Ok(Published {
        topic,
        id,
        exactly_once: quality == 2,
        retained: first & 0b0001 != 0,
        repeated: first & 0b1000 != 0,
        payload: &payload[..payload.len().min(LONGEST + 1)],
    })
}

fn frame(first: u8, body: &[&[u8]], out: &mut Vec<u8>) {
    out.push(first);
    let mut length: usize = body.iter().map(|part| part.len()).sum();
    loop {
        let more = if length > 0x7f { 0x80 } else { 0 };
        out.push((length & 0x7f) as u8 | more);
        length >>= 7;
        if length == 0 {
            break;
        }
    }
    body.iter().for_each(|part| out.extend_from_slice(part));
}

/// A text with its length before it. The settings allow none that is longer than the length can say.
fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut field = length.to_be_bytes().to_vec();
    field.extend_from_slice(&bytes[..usize::from(length)]);
    field
}

/// CONNECT with a clean session and a last will for the status topic, which the broker keeps.
pub(super) fn connect(settings: &Settings, last_will: &str, out: &mut Vec<u8>) {
    const CLEAN: u8 = 0x02;
    const WILL_KEPT_AT_LEAST_ONCE: u8 = 0x04 | 0x08 | 0x20;
    const USER_AND_PASSWORD: u8 = 0x80 | 0x40;
    let login = if settings.login.is_some() { USER_AND_PASSWORD } else { 0 };
    let mut head = text(b"MQTT");
    head.extend([4, CLEAN | WILL_KEPT_AT_LEAST_ONCE | login]);
    head.extend(u16::try_from(settings.keep_alive.as_secs()).unwrap_or(u16::MAX).to_be_bytes());
    let mut fields = vec![settings.client_id.as_str(), settings.topics.status.as_str(), last_will];
    if let Some((user, password)) = &settings.login {
        fields.extend([user.as_str(), password.as_str()]);
    }
    let fields: Vec<u8> = fields.iter().flat_map(|field| text(field.as_bytes())).collect();
    frame(0x10, &[&head, &fields], out);
}

/// PUBLISH with quality of service 1.
pub(super) fn publish(id: u16, topic: &str, retain: bool, payload: &str, out: &mut Vec<u8>) {
    let body: [&[u8]; 3] = [&text(topic.as_bytes()), &id.to_be_bytes(), payload.as_bytes()];
    frame(0x30 | AT_LEAST_ONCE | u8::from(retain), &body, out);
}

/// SUBSCRIBE with quality of service 1.
pub(super) fn subscribe(id: u16, topic: &str, out: &mut Vec<u8>) {
    frame(0x82, &[&id.to_be_bytes(), &text(topic.as_bytes()), &[1]], out);
}

/// PUBACK.
pub(super) fn acknowledge(id: u16, out: &mut Vec<u8>) {
    frame(0x40, &[&id.to_be_bytes()], out);
}

/// PUBREC: the first answer to a message with quality of service 2.
pub(super) fn received(id: u16, out: &mut Vec<u8>) {
    frame(0x50, &[&id.to_be_bytes()], out);
}

/// PUBCOMP: the last answer to a message with quality of service 2.
pub(super) fn complete(id: u16, out: &mut Vec<u8>) {
    frame(0x70, &[&id.to_be_bytes()], out);
}

/// PINGREQ, a sign of life.
pub(super) fn ping(out: &mut Vec<u8>) {
    frame(0xc0, &[], out);
}

/// DISCONNECT, the goodbye after which the broker does not publish the last will.
pub(super) fn disconnect(out: &mut Vec<u8>) {
    frame(0xe0, &[], out);
}

#[cfg(test)]
mod tests;
