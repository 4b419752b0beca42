//! One connection to the broker, from the attempt to its end, on a thread of its own (`mqtt-io`).
//!
//! The only file that names rumqttc. Each session starts from a fresh client with a clean session, because a resumed one
//! drops what it had sent when the broker does not know it any more; the outbox sends it again instead. Must not know
//! what messages say, nor when to connect again.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};
use rumqttc::{
    Client, ConnectReturnCode, ConnectionError, Event, LastWill, MqttOptions, Outgoing, Packet, QoS,
    StateError, SubscribeReasonCode, TlsConfiguration, Transport,
};

use super::command::Incoming;
use super::outbox::Ticket;
use super::settings::Settings;
use super::tls;

/// Most messages that are sent and not acknowledged.
pub(super) const WINDOW: usize = 64;
/// Room for requests inside the client library: the window, one status, one subscription and the goodbye, so that none ever waits.
const REQUESTS: usize = WINDOW + 8;
/// Packet numbers go round after so many, far behind the window, so that none is given twice at a time.
const PACKET_NUMBERS: u16 = 1024;
/// Longest wait for an answer to a connection attempt, and for a broker that stops reading, in seconds.
const ANSWER_S: u64 = 5;
/// Largest packet in bytes; the longest file name in a part message makes 2 KiB. A larger one on the command topic ends the
/// connection.
const LARGEST_PACKET: usize = 64 * 1024;

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// The status.
    Status,
    /// A message of the outbox.
    Message(Ticket),
}

/// Why a connection ended or did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The broker refused this client.
    Refused(String),
    /// Anything else.
    Unreachable(String),
}

/// What a session tells its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Happening {
    /// The broker accepted this client.
    Connected,
    /// The broker has it.
    Acknowledged(Tag),
    /// Somebody published on the command topic.
    Command(Incoming),
    /// The broker does not let this client hear the command topic.
    Deaf,
    /// Nothing that matters.
    Nothing,
    /// The session is over, and its thread with it.
    Over(Trouble),
}

/// What the thread tells the session.
pub(super) enum Raw {
    Ready(Client),
    Connected,
    Numbered(u16),
    Acknowledged(u16),
    Command(Incoming),
    Deaf,
    Over(Trouble),
}

/// See the module. Dropping it ends the connection without waiting for that.
pub(super) struct Session {
    events: Receiver<Raw>,
    client: Option<Client>,
    unnumbered: VecDeque<Tag>,
    numbered: HashMap<u16, Tag>,
}

impl Session {
    /// Begins to connect. `last_will` goes to the status topic when this side is gone without a goodbye.
    pub(super) fn start(settings: &Settings, last_will: String) -> io::Result<Self> {
        let options = options(settings, last_will);
        let (to_owner, events) = bounded(REQUESTS);
        thread::Builder::new().name("mqtt-io".to_owned()).spawn(move || {
            let over = converse(options, &to_owner);
            // An owner that has left does not want to know.
            let _ = to_owner.send(Raw::Over(over));
        })?;
        Ok(Self { events, client: None, unnumbered: VecDeque::new(), numbered: HashMap::new() })
    }

    /// Where the thread's news arrives; each goes into [`Session::absorb`].
    pub(super) fn events(&self) -> &Receiver<Raw> {
        &self.events
    }

    /// Takes one piece of news; an error means that the thread is gone.
    pub(super) fn absorb<E>(&mut self, news: Result<Raw, E>) -> Happening {
        match news {
            Ok(Raw::Ready(client)) => self.client = Some(client),
            Ok(Raw::Connected) => return Happening::Connected,
            Ok(Raw::Numbered(number)) => {
                if let Some(tag) = self.unnumbered.pop_front() {
                    self.numbered.insert(number, tag);
                }
            }
            Ok(Raw::Acknowledged(number)) => {
                if let Some(tag) = self.numbered.remove(&number) {
                    return Happening::Acknowledged(tag);
                }
            }
            Ok(Raw::Command(incoming)) => return Happening::Command(incoming),
            Ok(Raw::Deaf) => return Happening::Deaf,
            Ok(Raw::Over(trouble)) => return Happening::Over(trouble),
            Err(_) => {
                return Happening::Over(Trouble::Unreachable("the mqtt-io thread ended by a bug".to_owned()));
            }
        }
        Happening::Nothing
    }

    /// Hands over one message with QoS 1; never waits. A message that cannot be handed over is never acknowledged.
    pub(super) fn send(&mut self, tag: Tag, topic: &str, retain: bool, payload: &str) {
        let Some(client) = &self.client else { return };
        if client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok() {
            self.unnumbered.push_back(tag);
        }
    }

    /// Asks for what is published on `topic`; never waits.
    pub(super) fn subscribe(&self, topic: &str) {
        if let Some(client) = &self.client {
            // There is room: this is the first request of a connection.
            let _ = client.try_subscribe(topic, QoS::AtLeastOnce);
        }
    }

    /// Says goodbye, so that the broker does not publish the last will.
    pub(super) fn disconnect(&self) {
        if let Some(client) = &self.client {
            // A full queue means that the broker does not read; then the connection ends without a goodbye.
            let _ = client.try_disconnect();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.disconnect();
    }
}

fn options(settings: &Settings, last_will: String) -> MqttOptions {
    let mut options = MqttOptions::new(&settings.client_id, &settings.host, settings.port);
    options.set_keep_alive(settings.keep_alive);
    options.set_clean_session(true);
    options.set_inflight(PACKET_NUMBERS);
    options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
    options.set_last_will(LastWill::new(&settings.topics.status, last_will, QoS::AtLeastOnce, true));
    if let Some((user, password)) = &settings.login {
        options.set_credentials(user, password);
    }
    if let Some(tls) = &settings.tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
    }
    options
}

/// Runs one connection to its end. Dropping the connection can wait for a name server, so this is done before the owner
/// hears of the end: there is never more than one thread. An owner that left is noticed at the next news.
fn converse(options: MqttOptions, events: &Sender<Raw>) -> Trouble {
    let (host, port) = options.broker_address();
    let (client, mut connection) = Client::new(options, REQUESTS);
    let mut network = connection.eventloop.network_options();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(ANSWER_S);
    connection.eventloop.set_network_options(network);
    let closed = || Trouble::Unreachable("closed".to_owned());
    if events.send(Raw::Ready(client)).is_err() {
        return closed();
    }
    let mut connected = false;
    loop {
        let event = match connection.recv() {
            Ok(Ok(event)) => event,
            Ok(Err(error)) => {
                // Acknowledgements that came with the end are still in the library's hands.
                let rest = connection.eventloop.state.events.drain(..).filter_map(|event| news(&event));
                rest.for_each(|raw| drop(events.send(raw)));
                return explain(&error, connected, &host, port);
            }
            Err(_) => return closed(),
        };
        if event == Event::Outgoing(Outgoing::Disconnect) {
            return closed();
        }
        let raw = news(&event);
        connected |= matches!(raw, Some(Raw::Connected));
        if raw.is_some_and(|raw| events.send(raw).is_err()) {
            return closed();
        }
    }
}

fn news(event: &Event) -> Option<Raw> {
    match event {
        Event::Incoming(Packet::ConnAck(_)) => Some(Raw::Connected),
        Event::Incoming(Packet::PubAck(ack)) => Some(Raw::Acknowledged(ack.pkid)),
        Event::Incoming(Packet::Publish(publish)) => {
            Some(Raw::Command(Incoming::new(&publish.payload, publish.retain)))
        }
        Event::Incoming(Packet::SubAck(answer)) => {
            answer.return_codes.contains(&SubscribeReasonCode::Failure).then_some(Raw::Deaf)
        }
        Event::Outgoing(Outgoing::Publish(number)) => Some(Raw::Numbered(*number)),
        _ => None,
    }
}

fn refusal(code: ConnectReturnCode) -> &'static str {
    match code {
        ConnectReturnCode::Success => "no reason given",
        ConnectReturnCode::RefusedProtocolVersion => "it does not speak MQTT 3.1.1",
        ConnectReturnCode::BadClientId => "client id rejected; see mqtt.client_id",
        ConnectReturnCode::ServiceUnavailable => "service unavailable",
        ConnectReturnCode::BadUserNamePassword => {
            "bad user name or password; see mqtt.user and mqtt.password_file"
        }
        ConnectReturnCode::NotAuthorized => {
            "not authorised; see mqtt.user, mqtt.password_file and the broker's access list"
        }
    }
}

/// Puts an end into words that say where to look.
fn explain(error: &ConnectionError, connected: bool, host: &str, port: u16) -> Trouble {
    if let ConnectionError::ConnectionRefused(code) = error {
        return Trouble::Refused(refusal(*code).to_owned());
    }
    if let Some(reason) = tls::explain(error) {
        return Trouble::Unreachable(format!("TLS failed: {reason}; see mqtt.tls"));
    }
    Trouble::Unreachable(match error {
        ConnectionError::NetworkTimeout => format!("no answer within {ANSWER_S} s"),
        ConnectionError::FlushTimeout => format!("the broker took nothing for {ANSWER_S} s"),
        ConnectionError::MqttState(StateError::AwaitPingResp) => {
            "no answer to a sign of life within mqtt.keep_alive".to_owned()
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) if connected => {
            "the broker closed the connection".to_owned()
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => {
            "the broker closed the connection without an answer; does this port want TLS, or this user other rights?"
                .to_owned()
        }
        error => match io_error(error) {
            Some(io) => explain_io(io, host, port),
            None => format!("it does not speak MQTT as expected: {error}"),
        },
    })
}

fn explain_io(error: &io::Error, host: &str, port: u16) -> String {
    // The standard library has no kind for this.
    if error.to_string().contains("failed to lookup address") {
        return format!("the name `{host}` cannot be resolved ({error}); see mqtt.host");
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens on port {port}"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "the broker closed the connection".to_owned()
        }
        _ => error.to_string(),
    }
}

fn io_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a io::Error> {
    error.downcast_ref().or_else(|| io_error(error.source()?))
}
