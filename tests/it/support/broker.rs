//! A broker that misbehaves on demand: it speaks just enough MQTT 3.1.1 to be connected to.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, unbounded};

/// What the broker does with one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Behaviour {
    /// Accepts the TCP connection and does nothing more.
    Hang,
    /// Answers the connection request with this code.
    Refuse(u8),
    /// Accepts the client, acknowledges this many messages, and closes after reading as many again.
    AcknowledgeThenCut(usize),
    /// Accepts the client and never reads again.
    StopReading,
    /// Accepts the client and answers everything but messages.
    NeverAcknowledge,
    /// Accepts the client and acknowledges other messages than those that come.
    AcknowledgeOthers,
    /// Accepts the client and closes after its first message, unacknowledged.
    CloseAtOnce,
    /// Does what a broker should, and says this when the client has subscribed.
    Say(fn() -> Vec<u8>),
    /// Answers the connection request with this.
    Answer(&'static [u8]),
    /// Does what a broker should.
    Serve,
}

/// What the broker saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A TCP connection.
    Accepted,
    /// A message.
    Publish { topic: String, payload: String, retain: bool },
    /// A goodbye.
    Disconnect,
    /// The acknowledgement of a message from the broker.
    Acknowledged(u16),
}

/// See the module. Connections beyond the script get its last behaviour.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    pub(crate) seen: Receiver<Seen>,
}

impl Scripted {
    pub(crate) fn start(script: &[Behaviour]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (to_test, seen) = unbounded();
        let script = script.to_vec();
        let accept = move || {
            let mut kept = Vec::new();
            for (number, stream) in listener.incoming().enumerate() {
                let behaviour = *script.get(number).or(script.last()).unwrap();
                let mut stream = stream.unwrap();
                if to_test.send(Seen::Accepted).is_err() {
                    return;
                }
                kept.push(stream.try_clone().unwrap());
                let to_test = to_test.clone();
                let converse = move || {
                    // A client that goes away in the middle of a packet is no failure of the test.
                    let _ = converse(&mut stream, behaviour, &to_test);
                };
                Builder::new().name("broker-connection".to_owned()).spawn(converse).unwrap();
            }
        };
        Builder::new().name("broker".to_owned()).spawn(accept).unwrap();
        Self { port, seen }
    }
}

fn packet(stream: &mut TcpStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    let kind = byte[0];
    let (mut length, mut shift) = (0usize, 0);
    loop {
        stream.read_exact(&mut byte)?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((kind, body))
}

fn converse(stream: &mut TcpStream, behaviour: Behaviour, seen: &Sender<Seen>) -> std::io::Result<()> {
    if matches!(behaviour, Behaviour::Hang) {
        return Ok(());
    }
    packet(stream)?;
    match behaviour {
        Behaviour::Refuse(code) => return stream.write_all(&[0x20, 2, 0, code]),
        Behaviour::Answer(bytes) => return stream.write_all(bytes),
        _ => stream.write_all(&[0x20, 2, 0, 0])?,
    }
    if matches!(behaviour, Behaviour::StopReading) {
        return Ok(());
    }
    let (mut published, limit) = (
        0,
        match behaviour {
            Behaviour::AcknowledgeThenCut(count) => count,
            _ => usize::MAX,
        },
    );
    loop {
        let (kind, body) = packet(stream)?;
        match kind >> 4 {
            3 => {
                let topic_end = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let publish = Seen::Publish {
                    topic: text(&body[2..topic_end]),
                    payload: text(&body[topic_end + 2..]),
                    retain: kind & 1 == 1,
                };
                assert_eq!(kind & 0b110, 0b010, "QoS 1");
                let _ = seen.send(publish);
                let number = match behaviour {
                    Behaviour::CloseAtOnce => return stream.shutdown(std::net::Shutdown::Both),
                    Behaviour::NeverAcknowledge => None,
                    Behaviour::AcknowledgeOthers => Some([0x70, body[topic_end + 1]]),
                    _ => (published < limit).then(|| [body[topic_end], body[topic_end + 1]]),
                };
                if let Some(number) = number {
                    stream.write_all(&[0x40, 2, number[0], number[1]])?;
                }
                published += 1;
                if published >= limit.saturating_mul(2) {
                    return stream.shutdown(std::net::Shutdown::Both);
                }
            }
            4 => drop(seen.send(Seen::Acknowledged(u16::from_be_bytes([body[0], body[1]])))),
            8 => {
                stream.write_all(&[0x90, 3, body[0], body[1], 1])?;
                if let Behaviour::Say(what) = behaviour {
                    stream.write_all(&what())?;
                }
            }
            12 => stream.write_all(&[0xd0, 0])?,
            14 => {
                let _ = seen.send(Seen::Disconnect);
                return Ok(());
            }
            _ => {}
        }
    }
}

/// A message from the broker; `first` has the flags of a PUBLISH, with a quality of service above 0 if `number` is above 0.
pub(crate) fn published(first: u8, topic: &str, number: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = (topic.len() as u16).to_be_bytes().to_vec();
    body.extend(topic.as_bytes());
    if number > 0 {
        body.extend(number.to_be_bytes());
    }
    body.extend(payload);
    let (mut bytes, mut length) = (vec![first], body.len());
    while length > 0x7f {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}
