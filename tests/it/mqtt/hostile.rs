//! Brokers that do what no broker should: reports go on, nothing is obeyed that should not be, and stopping takes no longer.

use std::sync::Arc;

use castgate::clock::SystemClock;
use castgate::config::Mqtt;
use castgate::remote::RemoteCommand;
use castgate::report::{self, Health, Link, Publisher};
use castgate::units::Span;
use crossbeam_channel::{Receiver, unbounded};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use super::{accounts_balance, identity, open, part, section, stop, wait};
use crate::support::broker::{Behaviour, Scripted, Seen, published};
use crate::support::mosquitto::{Mosquitto, present};
use crate::support::process::LONG;

const COMMAND: &str = "castgate/test/command";

/// With little patience, so that nobody waits for ten seconds.
fn hasty(port: u16) -> Mqtt {
    Mqtt { keep_alive: Span::s(1.0), ..section(port) }
}

fn listening(section: &Mqtt) -> (Box<dyn Publisher>, Receiver<RemoteCommand>) {
    let (told, taken) = unbounded();
    let take = Arc::new(move |command| told.send(command).map_err(|_| "gone".to_owned()));
    let publisher =
        report::open_for_commands(section, identity(), Arc::new(SystemClock), Some(take)).unwrap();
    (publisher, taken)
}

fn because(health: &Health, words: &str) -> bool {
    matches!(&health.link, Link::Unreachable(reason) if reason.contains(words))
}

#[test]
fn a_broker_that_acknowledges_nothing_is_left_and_everything_is_told_to_the_next() {
    for (behaviour, words) in [
        (Behaviour::NeverAcknowledge, "acknowledged nothing for 1 s; see the broker's log"),
        (Behaviour::AcknowledgeOthers, "acknowledged nothing for 1 s, but what was not sent;"),
    ] {
        let broker = Scripted::start(&[behaviour, Behaviour::Serve]);
        let publisher = open(&hasty(broker.port));
        (0..5).for_each(|number| publisher.offer(part(number)));
        wait(&*publisher, "noticed", |health| because(health, words));
        wait(&*publisher, "told to the next", |health| health.acknowledged == 5);
        let health = stop(publisher);
        accounts_balance(&health);
        assert_eq!((health.waiting, health.dropped), (0, 0), "{behaviour:?}");
    }
}

#[test]
fn a_broker_that_closes_after_each_message_loses_none_of_them() {
    let broker = Scripted::start(&[Behaviour::CloseAtOnce, Behaviour::CloseAtOnce, Behaviour::Serve]);
    let publisher = open(&section(broker.port));
    (0..5).for_each(|number| publisher.offer(part(number)));
    wait(&*publisher, "noticed", |health| because(health, "the broker closed the connection"));
    wait(&*publisher, "told at last", |health| health.acknowledged == 5);
    accounts_balance(&stop(publisher));
}

/// A retained message of megabytes on the command topic, and everything else that was not asked for.
fn everything() -> Vec<u8> {
    [
        published(0x33, COMMAND, 1, &vec![b'x'; 3_000_000]),
        published(0x33, COMMAND, 2, b"reset"),
        published(0x3a, COMMAND, 3, b"reset"),
        published(0x34, COMMAND, 4, b"reset"),
        published(0x30, COMMAND, 0, b""),
        published(0x32, COMMAND, 5, &[0xff; 400]),
        published(0x30, "castgate/other/command", 0, b"reset"),
        published(0x30, &"castgate/test/command/".repeat(2900), 0, b"reset"),
        published(0x30, "", 0, b"reset"),
        published(0x32, "castgate/#", 6, b"reset"),
        published(0x30, COMMAND, 0, b"trigger"),
        published(0x32, COMMAND, 7, b"reset"),
    ]
    .concat()
}

#[test]
fn only_a_fresh_command_on_the_topic_that_was_asked_for_is_obeyed_and_reports_go_on() {
    let broker = Scripted::start(&[Behaviour::Say(everything)]);
    let (publisher, taken) = listening(&section(broker.port));
    (0..100).for_each(|number| publisher.offer(part(number)));
    assert_eq!(taken.recv_timeout(LONG), Ok(RemoteCommand::Trigger));
    assert_eq!(taken.recv_timeout(LONG), Ok(RemoteCommand::Reset));
    wait(&*publisher, "all acknowledged", |health| health.acknowledged == 100);
    stop(publisher);
    assert!(taken.is_empty());
    let seen: Vec<Seen> = broker.seen.try_iter().collect();
    let acknowledged: Vec<u16> = seen
        .iter()
        .filter_map(|seen| match seen {
            Seen::Acknowledged(number) => Some(*number),
            _ => None,
        })
        .collect();
    assert_eq!(acknowledged, [1, 2, 3, 5, 6, 7], "so that the broker does not send them again");
    assert_eq!(seen.iter().filter(|seen| **seen == Seen::Accepted).count(), 1, "on one connection");
}

fn flood() -> Vec<u8> {
    let some = [
        published(0x32, COMMAND, 9, b"reset"),
        published(0x30, COMMAND, 0, b"junk"),
        published(0x30, "elsewhere", 0, b"trigger"),
        vec![0x90, 3, 0, 1, 0x80, 0xd0, 0, 0x40, 2, 0x33, 0x33],
    ];
    some.concat().repeat(20_000)
}

#[test]
fn a_flood_of_messages_holds_up_neither_the_reports_nor_the_stop() {
    let broker = Scripted::start(&[Behaviour::Say(flood)]);
    let (publisher, taken) = listening(&section(broker.port));
    (0..100).for_each(|number| publisher.offer(part(number)));
    wait(&*publisher, "all acknowledged", |health| health.acknowledged == 100);
    accounts_balance(&stop(publisher));
    assert!(taken.try_iter().all(|command| command == RemoteCommand::Reset));
}

#[test]
fn no_broker_holds_up_the_stop() {
    for behaviour in [
        Behaviour::Hang,
        Behaviour::StopReading,
        Behaviour::NeverAcknowledge,
        Behaviour::AcknowledgeOthers,
        Behaviour::CloseAtOnce,
        Behaviour::Refuse(3),
        Behaviour::Say(flood),
        Behaviour::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Behaviour::Answer(&[0x20, 2, 0, 0, 0x30, 0xff, 0xff, 0xff, 0x7f, 0]),
    ] {
        let broker = Scripted::start(&[behaviour]);
        let (publisher, _taken) = listening(&section(broker.port));
        (0..200).for_each(|number| publisher.offer(part(number)));
        assert_eq!(broker.seen.recv_timeout(LONG), Ok(Seen::Accepted), "{behaviour:?}");
        accounts_balance(&stop(publisher));
    }
}

#[test]
fn what_is_no_broker_is_said_to_be_none() {
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"220 mail.plant.example ready\r\n", &[0xd0, 0]]
    {
        let broker = Scripted::start(&[Behaviour::Answer(answer)]);
        let told = super::unreachable_because(&section(broker.port));
        assert!(told.starts_with("unreachable: it does not speak MQTT as expected: "), "{told}");
    }
}

#[test]
fn a_large_retained_message_is_ignored_and_commands_and_reports_go_on() {
    if !present("mqtt, large retained message", &[("mosquitto", "-h")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true");
    let mut options = MqttOptions::new("somebody", "localhost", broker.port);
    options.set_max_packet_size(8_000_000, 8_000_000);
    let (client, mut connection) = Client::new(options, 10);
    client.publish(COMMAND, QoS::AtLeastOnce, true, vec![b'x'; 5_000_000]).unwrap();
    let (done, kept) = unbounded();
    let plc = move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::PubAck(_))) => drop(done.send(())),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    std::thread::Builder::new().name("somebody".to_owned()).spawn(plc).unwrap();
    kept.recv_timeout(LONG).expect("the broker keeps the message");

    let (publisher, taken) = listening(&section(broker.port));
    (0..200).for_each(|number| publisher.offer(part(number)));
    wait(&*publisher, "all acknowledged", |health| health.acknowledged == 200);
    assert_eq!(publisher.health().sent, 200, "none was sent twice");
    client.publish(COMMAND, QoS::AtLeastOnce, false, "reset").unwrap();
    assert_eq!(taken.recv_timeout(LONG), Ok(RemoteCommand::Reset));
    accounts_balance(&stop(publisher));
}

#[test]
fn a_broker_whose_machine_hangs_is_noticed_and_the_next_one_gets_everything() {
    if !present("mqtt, broker hangs", &[("mosquitto", "-h")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(folder.path(), "allow_anonymous true");
    let publisher = open(&hasty(broker.port));
    publisher.offer(part(1));
    wait(&*publisher, "acknowledged", |health| health.acknowledged == 1);
    broker.freeze();
    wait(&*publisher, "noticed though nothing is told", |health| because(health, "sign of life"));
    (2..10).for_each(|number| publisher.offer(part(number)));
    broker.kill();
    broker.restart();
    wait(&*publisher, "told after all", |health| health.acknowledged == 9);
    accounts_balance(&stop(publisher));
}
