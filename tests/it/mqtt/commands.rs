//! Commands over MQTT, through a real broker.

use std::sync::Arc;
use std::thread::Builder;

use castgate::clock::SystemClock;
use castgate::remote::RemoteCommand;
use castgate::report::message::Message;
use castgate::report::{self, Publisher};
use crossbeam_channel::{Receiver, unbounded};
use rumqttc::{Client, Event, MqttOptions, Outgoing, Packet, QoS};

use super::{identity, section};
use crate::support::mosquitto::{Got, Mosquitto, present, subscribe};
use crate::support::process::LONG;

const TOPIC: &str = "castgate/test/command";

/// Publishes messages in order and returns when the broker has all of them.
fn publish(port: u16, messages: &[(&str, bool)]) {
    let (client, mut connection) = Client::new(MqttOptions::new("plc", "localhost", port), 10);
    for (payload, retain) in messages {
        client.publish(TOPIC, QoS::AtLeastOnce, *retain, *payload).unwrap();
    }
    let (mut left, (done, finished)) = (messages.len(), unbounded());
    let work = move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::PubAck(_))) => left -= 1,
                Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_) => return,
                Ok(_) => {}
            }
            if left == 0 {
                let _ = done.send(());
            }
        }
    };
    Builder::new().name("plc".to_owned()).spawn(work).unwrap();
    finished.recv_timeout(LONG).expect("the broker takes the commands");
    let _ = client.disconnect();
}

fn open(port: u16) -> (Box<dyn Publisher>, Receiver<RemoteCommand>) {
    let (told, taken) = unbounded();
    let take = Arc::new(move |command| told.send(command).map_err(|_| "gone".to_owned()));
    let clock = Arc::new(SystemClock);
    (report::open_for_commands(&section(port), identity(), clock, Some(take)).unwrap(), taken)
}

fn status(messages: &Receiver<Got>) -> serde_json::Value {
    messages.recv_timeout(LONG).expect("a status").json
}

#[test]
fn commands_come_from_the_broker_and_everything_else_is_ignored() {
    if !present("mqtt, commands", &[("mosquitto", "-h")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(folder.path(), "allow_anonymous true");
    let reader = || subscribe(MqttOptions::new("reader", "localhost", broker.port), "castgate/test/status");
    let statuses = reader();
    publish(broker.port, &[("reset", true)]);
    let (publisher, taken) = open(broker.port);
    // Asked for before the status is sent, on one connection: from here on nothing is missed.
    assert_eq!(status(&statuses)["state"], "online");
    let garbage = "x".repeat(5000);
    publish(
        broker.port,
        &[(r#"{"command":"trigger"}"#, false), ("stop", false), (&garbage, false), ("reset", false)],
    );
    for expected in [RemoteCommand::Trigger, RemoteCommand::Reset] {
        assert_eq!(taken.recv_timeout(LONG), Ok(expected));
    }
    assert!(taken.is_empty(), "the retained reset does not act");

    broker.kill();
    broker.restart();
    let statuses = subscribe(MqttOptions::new("reader2", "localhost", broker.port), "castgate/test/status");
    assert_eq!(status(&statuses)["state"], "online");
    publish(broker.port, &[("trigger", false)]);
    assert_eq!(taken.recv_timeout(LONG), Ok(RemoteCommand::Trigger), "also after a lost connection");
    super::stop(publisher);
}

#[test]
fn the_status_tells_the_newest_configuration() {
    if !present("mqtt, reload", &[("mosquitto", "-h")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true");
    let statuses = subscribe(MqttOptions::new("reader", "localhost", broker.port), "castgate/test/status");
    let (publisher, _taken) = open(broker.port);
    assert_eq!(status(&statuses)["config"], identity().config);
    publisher.offer(Message::Config("0123456789ab".to_owned()));
    assert_eq!(status(&statuses)["config"], "0123456789ab");
    super::stop(publisher);
}
