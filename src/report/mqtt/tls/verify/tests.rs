//! Certificates as the usual openssl commands make them.

use std::process::Command;
use std::time::Duration;

use rustls::crypto::ring;
use rustls_pki_types::pem::PemObject;

use super::*;
use crate::clock::{Clock as _, SystemClock};

const DAY_S: i64 = 24 * 3600;

/// A folder in which openssl makes certificates; `None` where it is not installed.
struct Openssl(tempfile::TempDir);

impl Openssl {
    fn new(test: &str) -> Option<Self> {
        let there = Command::new("openssl").arg("version").output().is_ok();
        if !there {
            println!("skipped {test}: openssl is not installed");
        }
        there.then(|| Self(tempfile::tempdir().unwrap()))
    }

    fn run(&self, line: &str) {
        let done = Command::new("openssl").args(line.split(' ')).current_dir(self.0.path()).output().unwrap();
        assert!(done.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// `openssl req -x509`, the command of most guides.
    fn own(&self, name: &str, subject: &str, more: &str) {
        let key = if more.contains("-newkey") { "" } else { " -newkey ec -pkeyopt ec_paramgen_curve:P-256" };
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        self.run(&format!(
            "req -x509{key} -nodes -days 30 -keyout {name}.key -out {name}.crt -subj /CN={subject}{more}"
        ));
    }

    /// `openssl req` and `openssl x509 -req`, signed by `by`; with a file of extensions where `extensions` has some.
    fn signed(&self, name: &str, by: &str, extensions: &str, more: &str) {
        self.run(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN=localhost"
        ));
        let mut line = format!(
            "x509 -req -in {name}.csr -CA {by}.crt -CAkey {by}.key -CAcreateserial -days 30 -out {name}.crt"
        );
        if !extensions.is_empty() {
            std::fs::write(self.0.path().join("ext"), extensions).unwrap();
            line += " -extfile ext";
        }
        self.run(&format!("{line}{more}"));
    }

    fn certificates(&self, name: &str) -> Vec<CertificateDer<'static>> {
        let pem = std::fs::read(self.0.path().join(format!("{name}.crt"))).unwrap();
        CertificateDer::pem_slice_iter(&pem).map(|der| der.unwrap()).collect()
    }

    /// What is said of the broker's certificate `broker`, `seconds` from now; nothing when it is trusted.
    fn told_at(&self, broker: &str, ca: &str, host: &str, seconds: i64) -> String {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(self.certificates(ca), Path::new(ca), host, &provider).unwrap();
        let now = u64::try_from(SystemClock.wall_ms() / 1000 + seconds).unwrap_or(0);
        let chain = self.certificates(broker);
        let result = verifier.verify_server_cert(
            &chain[0],
            &chain[1..],
            &ServerName::try_from(host.to_owned()).unwrap(),
            &[],
            UnixTime::since_unix_epoch(Duration::from_secs(now)),
        );
        result.err().map(|error| super::super::explain(&error).unwrap()).unwrap_or_default()
    }

    fn told(&self, broker: &str, ca: &str, host: &str) -> String {
        self.told_at(broker, ca, host, 60)
    }
}

#[track_caller]
fn says(told: &str, parts: &[&str]) {
    assert!(
        !told.is_empty() && parts.iter().all(|part| told.contains(part)),
        "{told:?} lacks one of {parts:?}"
    );
}

#[test]
fn a_broker_that_signed_its_own_certificate_is_trusted_when_that_very_one_is_given() {
    let Some(openssl) = Openssl::new("tls, self-signed") else { return };
    openssl.own("plain", "localhost", "");
    openssl.own("named", "whatever", "-addext subjectAltName=DNS:localhost,IP:127.0.0.1");
    openssl.own("again", "localhost", "");
    openssl.own("leaf", "localhost", "-addext basicConstraints=critical,CA:FALSE");
    openssl.own("rsa", "LOCALHOST", "-newkey rsa:2048");
    for (broker, host) in [
        ("plain", "localhost"),
        ("named", "localhost"),
        ("named", "127.0.0.1"),
        ("leaf", "localhost"),
        ("rsa", "localhost"),
    ] {
        assert_eq!(openssl.told(broker, broker, host), "", "{broker} {host}");
    }
    // The same name, made anew: another certificate.
    assert_ne!(openssl.told("again", "plain", "localhost"), "");
    says(
        &openssl.told("plain", "plain", "broker"),
        &["only the common name `localhost`", "-addext subjectAltName=DNS:broker"],
    );
    says(&openssl.told("named", "named", "broker"), &["is for localhost, 127.0.0.1, not for broker"]);
    says(&openssl.told("plain", "plain", "10.0.0.7"), &["subjectAltName=IP:10.0.0.7"]);
    says(&openssl.told("plain", "named", "localhost"), &["CA:TRUE", "put it into mqtt.tls.ca_file"]);
}

#[test]
fn a_clock_that_is_not_right_is_told_with_the_same_words_at_each_attempt() {
    let Some(openssl) = Openssl::new("tls, dates") else { return };
    openssl.own("own", "localhost", "");
    openssl.own("ca", "plant", "");
    openssl.signed("signed", "ca", "subjectAltName=DNS:localhost", "");
    for (broker, ca) in [("own", "own"), ("signed", "ca")] {
        let seconds = |s: i64| s - SystemClock.wall_ms() / 1000;
        let early = openssl.told_at(broker, ca, "localhost", seconds(1000));
        says(&early, &["this board's clock says 1970", "when the clock is right it connects by itself"]);
        assert_eq!(openssl.told_at(broker, ca, "localhost", seconds(2000)), early, "{broker}");
        says(&openssl.told_at(broker, ca, "localhost", 31 * DAY_S), &["the certificate expired on 2"]);
        assert_eq!(openssl.told(broker, ca, "localhost"), "", "{broker}");
    }
}

#[test]
fn certificates_signed_by_an_authority_are_trusted_or_it_is_said_what_is_wrong() {
    let Some(openssl) = Openssl::new("tls, authorities") else { return };
    openssl.own("ca", "plant", "");
    openssl.own("other", "stranger", "");
    openssl.own("short", "short", "-newkey rsa:1024");
    openssl.signed("good", "ca", "subjectAltName=DNS:localhost", "");
    openssl.signed("bare", "ca", "", "");
    openssl.signed("nameless", "ca", "extendedKeyUsage=serverAuth", "");
    openssl.signed("client", "ca", "subjectAltName=DNS:localhost\nextendedKeyUsage=clientAuth", "");
    openssl.signed("middle", "ca", "subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:TRUE", "");
    openssl.signed("forgeable", "ca", "subjectAltName=DNS:localhost", " -sha1");
    openssl.signed("by_short", "short", "subjectAltName=DNS:localhost", "");
    openssl.own("rsa", "localhost", "-newkey rsa:1024");
    openssl.own("sha1", "localhost", "-sha1");
    assert_eq!(openssl.told("good", "ca", "localhost"), "");
    assert_eq!(openssl.told("good", "good", "localhost"), "", "itself given as the authority");
    says(&openssl.told("good", "other", "localhost"), &["mqtt.tls.ca_file holds neither", "`plant`"]);
    says(&openssl.told("good", "ca", "broker"), &["is for localhost, not for broker"]);
    says(&openssl.told("bare", "ca", "localhost"), &["subjectAltName=DNS:localhost"]);
    says(&openssl.told("bare", "bare", "broker"), &["subjectAltName=DNS:broker"]);
    says(&openssl.told("nameless", "ca", "localhost"), &["names no host", "openssl req -addext"]);
    says(&openssl.told("client", "ca", "localhost"), &["is not for servers"]);
    says(&openssl.told("middle", "ca", "localhost"), &["CA:TRUE", "basicConstraints=critical,CA:FALSE"]);
    assert_eq!(openssl.told("middle", "middle", "localhost"), "", "the very one that is given");
    says(&openssl.told("forgeable", "ca", "localhost"), &["SHA-1", "-sha256"]);
    says(&openssl.told("sha1", "sha1", "localhost"), &["SHA-1", "-sha256"]);
    says(&openssl.told("rsa", "rsa", "localhost"), &["RSA key of 1024 bits", "make one of 2048"]);
    says(
        &openssl.told("by_short", "short", "localhost"),
        &["a certificate in mqtt.tls.ca_file", "1024 bits"],
    );
    let bundle = ["other", "ca", "short"]
        .map(|name| std::fs::read(openssl.0.path().join(format!("{name}.crt"))).unwrap());
    std::fs::write(openssl.0.path().join("bundle.crt"), bundle.concat()).unwrap();
    assert_eq!(openssl.told("good", "bundle", "localhost"), "");
}

#[test]
fn what_a_certificate_says_of_itself_is_read_and_nothing_that_is_none() {
    let Some(openssl) = Openssl::new("tls, facts") else { return };
    openssl.own("rsa", "a\u{e9}b", "-utf8 -newkey rsa:2048 -addext subjectAltName=DNS:x.y,IP:::1");
    let der = openssl.certificates("rsa").remove(0);
    let read = facts(&der).unwrap();
    assert_eq!((read.version, read.rsa_bits, read.weak_signature), (3, Some(2048), false));
    assert_eq!(read.names, ["x.y", "::1"]);
    assert_eq!((read.common_name.clone(), read.common_name), (read.issuer, Some("a\u{e9}b".to_owned())));
    assert!(read.not_before < read.not_after && read.not_before.len() == 19, "{}", read.not_before);
    for end in 0..der.len() {
        // Cut anywhere, and with any byte changed, it is read or not, without a panic.
        assert_eq!(facts(&der[..end]), None);
        let mut changed = der.to_vec();
        changed[end] ^= 0xff;
        let _ = facts(&changed);
    }
}
