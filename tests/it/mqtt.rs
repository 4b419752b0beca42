//! Reports over MQTT: at-least-once delivery through every kind of broker trouble, none of which the line feels.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::Builder;

use castgate::clock::{SystemClock, Time};
use castgate::config::Mqtt;
use castgate::decide::{Outcome, PartRecord};
use castgate::report::message::{Identity, Message, Part};
use castgate::report::{self, Health, Link, Publisher, WallClock};
use castgate::verdict::PartNumber;
use crossbeam_channel::unbounded;

use crate::support::broker::{Behaviour, Scripted, Seen};
use crate::support::process::LONG;

mod commands;
mod hostile;
mod real;
mod secure;

fn identity() -> Identity {
    Identity {
        version: "0.1.0".to_owned(),
        line: "test".to_owned(),
        model: "demo@0123456789ab".to_owned(),
        config: "ba9876543210".to_owned(),
    }
}

fn part(number: u64) -> Message {
    let record = PartRecord {
        outcome: Outcome::RejectedConfirmed,
        ..PartRecord::opened(PartNumber(number), Time::ZERO)
    };
    let wall = WallClock { mono: Time::ZERO, wall_ms: 0 };
    Message::Part(Box::new(Part::new(&record, &identity(), wall)))
}

fn section(port: u16) -> Mqtt {
    Mqtt { enabled: true, host: "localhost".to_owned(), port, ..Mqtt::default() }
}

fn open(section: &Mqtt) -> Box<dyn Publisher> {
    report::open(section, identity(), Arc::new(SystemClock)).unwrap()
}

fn wait(publisher: &dyn Publisher, what: &str, wanted: impl Fn(&Health) -> bool) {
    assert!(publisher.wait(LONG, &wanted), "{what}: {:?}", publisher.health());
}

/// Stops on a thread of its own: a stop that hangs fails the test instead of hanging it.
fn stop(publisher: Box<dyn Publisher>) -> Health {
    let (done, stopped) = unbounded();
    let stop = move || done.send(publisher.stop()).unwrap();
    Builder::new().name("stop".to_owned()).spawn(stop).unwrap();
    stopped.recv_timeout(LONG).expect("stop ends")
}

fn accounts_balance(health: &Health) {
    assert_eq!(health.offered, health.acknowledged + health.waiting + health.dropped, "{health:?}");
}

fn unreachable_because(section: &Mqtt) -> String {
    let publisher = open(section);
    publisher.offer(part(1));
    let settled = |health: &Health| !matches!(health.link, Link::Connecting);
    wait(&*publisher, "settled", settled);
    let told = match publisher.health().link {
        Link::Refused(reason) => format!("refused: {reason}"),
        Link::Unreachable(reason) => format!("unreachable: {reason}"),
        link => format!("{link:?}"),
    };
    let health = stop(publisher);
    accounts_balance(&health);
    assert_eq!(health.acknowledged, 0, "{told}");
    told
}

#[test]
fn a_refused_connection_is_said_to_be_refused_with_the_brokers_reason() {
    for (code, reason) in [
        (1, "it does not speak MQTT 3.1.1"),
        (2, "client id rejected; see mqtt.client_id"),
        (3, "service unavailable"),
        (4, "bad user name or password; see mqtt.user and mqtt.password_file"),
        (5, "not authorised; see mqtt.user, mqtt.password_file and the broker's access list"),
    ] {
        let broker = Scripted::start(&[Behaviour::Refuse(code)]);
        assert_eq!(unreachable_because(&section(broker.port)), format!("refused: {reason}"));
    }
    let broker = Scripted::start(&[Behaviour::Refuse(99)]);
    let told = unreachable_because(&section(broker.port));
    assert!(told.starts_with("unreachable: it does not speak MQTT as expected"), "{told}");
}

#[test]
fn an_absent_broker_is_said_to_be_absent() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let told = unreachable_because(&section(port));
    assert_eq!(told, format!("unreachable: nothing listens on port {port}"));
}

#[test]
fn what_was_sent_and_not_acknowledged_is_sent_again_in_order() {
    // The status and four parts are acknowledged, five more are read before the connection is cut.
    let broker = Scripted::start(&[Behaviour::AcknowledgeThenCut(5), Behaviour::Serve]);
    let publisher = open(&section(broker.port));
    (0..20).for_each(|number| publisher.offer(part(number)));
    wait(&*publisher, "all acknowledged", |health| health.acknowledged == 20);
    let health = stop(publisher);
    accounts_balance(&health);
    assert!(health.sent >= 25, "five were sent twice: {health:?}");

    let mut seen = Vec::new();
    while seen.last() != Some(&Seen::Disconnect) {
        seen.push(broker.seen.recv_timeout(LONG).expect("the goodbye"));
    }
    let second = seen.iter().rposition(|event| *event == Seen::Accepted).unwrap();
    let published = |events: &[Seen]| -> Vec<String> {
        let topic_and_number = |event: &Seen| match event {
            Seen::Publish { topic, payload, .. } => {
                let json: serde_json::Value = serde_json::from_str(payload).unwrap();
                Some(format!(
                    "{} {}",
                    topic.rsplit('/').next().unwrap(),
                    json.get("part").unwrap_or(&json["state"])
                ))
            }
            _ => None,
        };
        events.iter().filter_map(topic_and_number).collect()
    };
    let row = |first: &str, numbers: std::ops::Range<u64>| -> Vec<String> {
        std::iter::once(first.to_owned()).chain(numbers.map(|number| format!("part {number}"))).collect()
    };
    assert_eq!(published(&seen[..second]), row("status \"online\"", 0..9));
    // How many of the four acknowledgements came through before the cut is up to the network.
    let parts_again = published(&seen[second..]).len() as u64 - 2;
    assert!((16..=20).contains(&parts_again), "{:?}", published(&seen[second..]));
    let mut again = row("status \"online\"", 20 - parts_again..20);
    again.push("status \"offline\"".to_owned());
    assert_eq!(published(&seen[second..]), again);
}

#[test]
fn a_hanging_broker_delays_neither_the_line_nor_the_stop() {
    for behaviour in [Behaviour::Hang, Behaviour::StopReading] {
        let broker = Scripted::start(&[behaviour]);
        let publisher = open(&Mqtt { queue: 100, ..section(broker.port) });
        assert_eq!(broker.seen.recv_timeout(LONG), Ok(Seen::Accepted));
        // An offer that waited for this broker would never return.
        (0..20_000).for_each(|number| publisher.offer(part(number)));
        let taken = publisher.wait(LONG, &|health| health.waiting + health.dropped == 20_000);
        let health = publisher.health();
        assert!(taken && health.acknowledged == 0, "{behaviour:?}: {health:?}");
        // The queue, and what is on its way to a broker that seems to listen.
        assert!((100..=164).contains(&health.waiting), "{behaviour:?}: {health:?}");
        accounts_balance(&stop(publisher));
    }
}

#[test]
fn a_line_without_a_broker_reports_to_nobody() {
    let publisher = open(&Mqtt::default());
    publisher.offer(part(1));
    assert_eq!(stop(publisher), Health::default());
}
