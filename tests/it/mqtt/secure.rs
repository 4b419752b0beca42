//! Encryption with certificates as people make them, against a real broker and what is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use castgate::config::{Mqtt, Tls};
use castgate::report;

use super::{accounts_balance, open, part, section, stop, unreachable_because, wait};
use crate::support::broker::{Behaviour, Scripted};
use crate::support::mosquitto::{Mosquitto, present};

const PROGRAMS: &[(&str, &str)] = &[("mosquitto", "-h"), ("openssl", "version")];

fn openssl(folder: &Path, line: &str) {
    let done = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The command of most guides, as it stands there: an RSA key, no names, and itself an authority.
fn make_own(folder: &Path, name: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout {name}.key -out {name}.crt -subj /CN=localhost"
        ),
    );
}

fn trusting(port: u16, ca_file: PathBuf) -> Mqtt {
    Mqtt { tls: Tls { enabled: true, ca_file: Some(ca_file), ..Tls::default() }, ..section(port) }
}

#[test]
fn a_broker_with_a_certificate_of_its_own_is_trusted_by_that_certificate_alone() {
    if !present("mqtt, certificate of its own", PROGRAMS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_own(folder.path(), "own");
    make_own(folder.path(), "again");
    let path = |name: &str| folder.path().join(name);
    let settings = format!(
        "allow_anonymous true\ncertfile {}\nkeyfile {}",
        path("own.crt").display(),
        path("own.key").display()
    );
    let broker = Mosquitto::start(folder.path(), &settings);
    let publisher = open(&trusting(broker.port, path("own.crt")));
    // More than one record of the encryption, so that pieces of messages lie across them.
    (0..2000).for_each(|number| publisher.offer(part(number)));
    wait(&*publisher, "acknowledged", |health| health.acknowledged + health.dropped == 2000);
    accounts_balance(&stop(publisher));

    let told = unreachable_because(&trusting(broker.port, path("again.crt")));
    assert!(told.starts_with("unreachable: TLS failed: "), "{told}");
    let other = Mqtt { host: "127.0.0.1".to_owned(), ..trusting(broker.port, path("own.crt")) };
    let told = unreachable_because(&other);
    assert!(told.contains("names no host") && told.contains("subjectAltName=IP:127.0.0.1"), "{told}");
}

#[test]
fn a_port_that_does_not_speak_tls_is_said_not_to() {
    if !present("mqtt, TLS to a port without", &[("openssl", "version")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_own(folder.path(), "own");
    let ca_file = folder.path().join("own.crt");
    let answers = Scripted::start(&[Behaviour::Answer(b"HTTP/1.1 400 Bad Request\r\n\r\n")]);
    let silent = Scripted::start(&[Behaviour::Hang]);
    for (port, words) in [(answers.port, "TLS"), (silent.port, "no answer within 5 s; does port")] {
        let told = unreachable_because(&trusting(port, ca_file.clone()));
        assert!(told.starts_with("unreachable: ") && told.contains(words), "{told}");
    }
}

#[test]
fn files_that_are_something_else_are_said_to_be_that() {
    if !present("mqtt, other files", &[("openssl", "version")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    make_own(folder.path(), "own");
    make_own(folder.path(), "other");
    openssl(folder.path(), "x509 -in own.crt -outform der -out own.der");
    openssl(folder.path(), "x509 -in own.crt -trustout -out own.trusted");
    openssl(folder.path(), "req -new -key own.key -subj /CN=x -out own.csr");
    openssl(folder.path(), "x509 -in own.crt -text -out own.text");
    std::fs::write(folder.path().join("empty"), "").unwrap();
    let path = |name: &str| folder.path().join(name);
    let problem = |tls: Tls| {
        let section = Mqtt { tls, ..section(8883) };
        report::check(&section, "test").err().map(|error| error.to_string()).unwrap_or_default()
    };
    let ca = |name: &str| Tls { enabled: true, ca_file: Some(path(name)), ..Tls::default() };
    for (name, words) in [
        ("own.key", "but a private key"),
        ("empty", "is empty"),
        ("own.der", "openssl x509 -inform der"),
        ("own.trusted", "OpenSSL's own form"),
        ("own.csr", "but a request to be signed"),
    ] {
        let told = problem(ca(name));
        assert!(told.starts_with("mqtt.tls.ca_file: ") && told.contains(words), "{name}: {told}");
    }
    assert_eq!(problem(ca("own.text")), "", "with its text before it");
    let with = |certificate: &str, key: &str| {
        problem(Tls { cert_file: Some(path(certificate)), key_file: Some(path(key)), ..ca("own.crt") })
    };
    assert_eq!(with("own.crt", "own.key"), "");
    assert!(with("own.crt", "other.key").contains("does not go with"), "{}", with("own.crt", "other.key"));
    assert!(with("own.crt", "own.crt").contains("holds no `BEGIN PRIVATE KEY` but a certificate"));
    assert!(with("own.key", "own.key").starts_with("mqtt.tls.cert_file: "));
}
