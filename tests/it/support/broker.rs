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
    let code = if let Behaviour::Refuse(code) = behaviour { code } else { 0 };
    stream.write_all(&[0x20, 2, 0, code])?;
    if matches!(behaviour, Behaviour::Refuse(_) | Behaviour::StopReading) {
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
                if published < limit {
                    stream.write_all(&[0x40, 2, body[topic_end], body[topic_end + 1]])?;
                }
                published += 1;
                if published >= limit.saturating_mul(2) {
                    return stream.shutdown(std::net::Shutdown::Both);
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
