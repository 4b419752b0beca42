//! Against a real broker: mosquitto, with and without encryption, killed and restarted.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use castgate::clock::{Clock, SystemClock};
use castgate::config::{Mqtt, Tls};
use castgate::report::message::{Message, State};
use castgate::report::{self, Link};
use crossbeam_channel::Receiver;
use rumqttc::{MqttOptions, TlsConfiguration, Transport};

use super::{accounts_balance, open, part, section, stop, unreachable_because, wait};
use crate::support::mosquitto::{Got, Mosquitto, make_certificates, present, subscribe};
use crate::support::process::{LONG, Running};

const MOSQUITTO: &[(&str, &str)] = &[("mosquitto", "-h")];
const MOSQUITTO_AND_TLS: &[(&str, &str)] =
    &[("mosquitto", "-h"), ("mosquitto_passwd", "-h"), ("openssl", "version")];

fn next(messages: &Receiver<Got>, topic: &str) -> Got {
    loop {
        let got = messages.recv_timeout(LONG).unwrap_or_else(|_| panic!("no message on {topic}"));
        if got.topic == topic {
            return got;
        }
    }
}

fn subscriber(port: u16) -> Receiver<Got> {
    subscribe(MqttOptions::new("subscriber", "localhost", port), "castgate/#")
}

fn part_numbers(messages: &Receiver<Got>, wanted: usize) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    while numbers.len() < wanted {
        numbers.insert(next(messages, "castgate/test/part").json["part"].as_u64().unwrap());
    }
    numbers
}

#[test]
fn parts_arrive_with_qos_1_and_the_status_stays_with_the_broker() {
    if !present("mqtt, real broker", MOSQUITTO) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true");
    let messages = subscriber(broker.port);
    let publisher = open(&section(broker.port));
    let online = next(&messages, "castgate/test/status");
    assert_eq!((online.json["state"].as_str(), online.qos), (Some("online"), 1));
    (0..200).for_each(|number| publisher.offer(part(number)));
    assert_eq!(part_numbers(&messages, 200), (0..200).collect());
    publisher.offer(Message::Status(State::Fault, SystemClock.now()));
    assert_eq!(next(&messages, "castgate/test/status").json["state"], "fault");

    let late = subscribe(MqttOptions::new("latecomer", "localhost", broker.port), "castgate/+/status");
    let kept = next(&late, "castgate/test/status");
    assert_eq!((kept.json["state"].as_str(), kept.retain), (Some("fault"), true));

    wait(&*publisher, "all acknowledged", |health| health.acknowledged == 200);
    let health = stop(publisher);
    accounts_balance(&health);
    assert_eq!((health.acknowledged, health.waiting, health.link), (200, 0, Link::Off));
    let offline = next(&messages, "castgate/test/status");
    assert_eq!(offline.json["state"], "offline");
    assert!(offline.json["since"].is_string(), "an orderly goodbye knows when: {offline:?}");
}

/// Not a test of its own: the process that [`the_last_will_speaks_for_a_killed_process`] starts and kills.
#[test]
fn process_to_be_killed() {
    let Ok(port) = std::env::var("CASTGATE_TEST_BROKER_PORT") else { return };
    let publisher = open(&section(port.parse().unwrap()));
    publisher.offer(part(1));
    wait(&*publisher, "acknowledged", |health| health.acknowledged == 1);
    println!("ready to be killed");
    std::io::stdout().flush().unwrap();
    // Until the other side kills this process, or dies itself.
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn the_last_will_speaks_for_a_killed_process() {
    if !present("mqtt, last will", MOSQUITTO) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true");
    let messages = subscriber(broker.port);
    let process = Running::start(
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "mqtt::real::process_to_be_killed", "--nocapture"])
            .env("CASTGATE_TEST_BROKER_PORT", broker.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null()),
    );
    assert_eq!(next(&messages, "castgate/test/status").json["state"], "online");
    next(&messages, "castgate/test/part");
    drop(process);
    let will = next(&messages, "castgate/test/status");
    assert_eq!((will.json["state"].as_str(), will.json["since"].is_null()), (Some("offline"), true));
}

#[test]
fn no_accepted_message_is_lost_when_the_broker_is_killed_and_restarted() {
    if !present("mqtt, broker restart", MOSQUITTO) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A broker that keeps its subscribers' sessions, so that none of them misses what comes before it is back.
    let settings = format!(
        "allow_anonymous true\npersistence true\npersistence_location {}/\nautosave_interval 1\nautosave_on_changes true",
        folder.path().display()
    );
    let mut broker = Mosquitto::start(folder.path(), &settings);
    let before = subscriber(broker.port);
    let publisher = open(&section(broker.port));
    (0..50).for_each(|number| publisher.offer(part(number)));
    let mut numbers = part_numbers(&before, 50);
    wait(&*publisher, "all acknowledged", |health| health.acknowledged == 50);

    broker.kill();
    (50..150).for_each(|number| publisher.offer(part(number)));
    wait(&*publisher, "loss noticed", |health| matches!(health.link, Link::Unreachable(_)));
    broker.restart();
    let after = subscriber(broker.port);
    wait(&*publisher, "connected again", |health| health.acknowledged == 150);
    // The broker may repeat what it had delivered before; nothing may be missing.
    while numbers.len() < 150 {
        numbers.extend(part_numbers(&after, 1));
    }
    assert_eq!(numbers, (0..150).collect());

    let health = stop(publisher);
    accounts_balance(&health);
    assert_eq!((health.dropped, health.waiting), (0, 0));
}

fn secure_broker(folder: &Path) -> Mosquitto {
    make_certificates(folder);
    let password_file = folder.join("users");
    std::fs::write(&password_file, "").unwrap();
    for (user, password) in [("line", "s3cret"), ("reader", "r3ader")] {
        let add =
            |command: &mut Command| command.arg("-b").arg(&password_file).args([user, password]).output();
        let done = add(&mut Command::new("mosquitto_passwd")).unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    std::fs::write(
        folder.join("acl"),
        "user line\ntopic write castgate/test/#\nuser reader\ntopic read castgate/#\n",
    )
    .unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = format!(
        "cafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\nallow_anonymous false\npassword_file {}\nacl_file {}",
        path("ca.crt"),
        path("server.crt"),
        path("server.key"),
        path("users"),
        path("acl")
    );
    Mosquitto::start(folder, &settings)
}

fn secure_section(folder: &Path, port: u16) -> Mqtt {
    let path = |name: &str| Some(folder.join(name));
    std::fs::write(folder.join("password"), "s3cret\n").unwrap();
    Mqtt {
        user: Some("line".to_owned()),
        password_file: path("password"),
        tls: Tls {
            enabled: true,
            ca_file: path("ca.crt"),
            cert_file: path("client.crt"),
            key_file: path("client.key"),
        },
        ..section(port)
    }
}

#[test]
fn tls_with_client_certificate_password_and_access_list_works_and_each_failure_is_named() {
    if !present("mqtt, TLS", MOSQUITTO_AND_TLS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = secure_broker(folder.path());
    let good = secure_section(folder.path(), broker.port);

    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let tls = client_tls(&read("ca.crt"), &read("client.crt"), &read("client.key"));
    let mut options = MqttOptions::new("reader", "localhost", broker.port);
    options.set_credentials("reader", "r3ader").set_transport(Transport::tls_with_config(tls));
    let messages = subscribe(options, "castgate/#");
    let publisher = open(&good);
    publisher.offer(part(7));
    assert_eq!(part_numbers(&messages, 1), [7].into());
    wait(&*publisher, "acknowledged", |health| health.acknowledged == 1);
    assert_eq!(stop(publisher).waiting, 0);

    let file = |name: &str| -> Option<PathBuf> { Some(folder.path().join(name)) };
    std::fs::write(folder.path().join("wrong"), "guess\n").unwrap();
    let told = unreachable_because(&Mqtt { password_file: file("wrong"), ..good.clone() });
    assert!(told.starts_with("refused: not authorised; see mqtt.user"), "{told}");

    let strange = Tls { ca_file: file("other.crt"), ..good.tls.clone() };
    let told = unreachable_because(&Mqtt { tls: strange, ..good.clone() });
    assert!(told.starts_with("unreachable: TLS failed: mqtt.tls.ca_file holds neither"), "{told}");

    let no_certificate = Tls { cert_file: None, key_file: None, ..good.tls.clone() };
    let told = unreachable_because(&Mqtt { tls: no_certificate, ..good.clone() });
    assert!(
        told.starts_with("unreachable: TLS failed: the broker wants a certificate of this client"),
        "{told}"
    );

    let told = unreachable_because(&Mqtt { host: "127.0.0.1".to_owned(), ..good.clone() });
    assert!(told.contains("the broker's certificate is for localhost, not for 127.0.0.1"), "{told}");

    let told = unreachable_because(&Mqtt { tls: Tls::default(), ..good.clone() });
    assert!(told.starts_with("unreachable: the broker closed the connection"), "{told}");

    let crossed = Tls { key_file: file("server.key"), ..good.tls.clone() };
    let error = report::check(&Mqtt { tls: crossed, ..good }, "test").unwrap_err();
    assert!(error.to_string().contains("does not go with"), "{error}");
}

fn client_tls(ca: &[u8], certificate: &[u8], key: &[u8]) -> TlsConfiguration {
    use rustls_pki_types::pem::PemObject;
    use rustls_pki_types::{CertificateDer, PrivateKeyDer};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    TlsConfiguration::Rustls(Arc::new(config))
}
