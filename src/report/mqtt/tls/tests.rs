//! Sections and files that are wrong.

use std::path::PathBuf;

use super::*;

fn problem(section: &config::Tls) -> String {
    config(section, "localhost").err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn half_a_section_is_refused() {
    let file = || Some(PathBuf::from("/nowhere"));
    let off = config::Tls { ca_file: file(), ..config::Tls::default() };
    assert_eq!(problem(&off), "mqtt.tls.ca_file: is given although mqtt.tls.enabled is false");
    let on = config::Tls { enabled: true, ..config::Tls::default() };
    assert!(problem(&on).starts_with("mqtt.tls.ca_file: is needed"), "{}", problem(&on));
    let missing = config::Tls { ca_file: file(), ..on };
    assert!(
        problem(&missing).starts_with("mqtt.tls.ca_file: \"/nowhere\": No such file"),
        "{}",
        problem(&missing)
    );
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let section = config::Tls { enabled: true, ca_file: Some(path.clone()), ..config::Tls::default() };
    let framed = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    for (content, what) in [
        (String::new(), "is empty"),
        (" \n\n".to_owned(), "is empty"),
        ("broker".to_owned(), "holds no `BEGIN CERTIFICATE`; it must be PEM"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n".to_owned(), "but a private key"),
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n".to_owned(),
            "but a request to be signed",
        ),
        ("0\u{201a}".to_owned(), "holds no `BEGIN CERTIFICATE`"),
        (framed("????"), "is not PEM"),
        (framed("AAAA"), "holds no usable certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n".to_owned(), "is not PEM"),
    ] {
        std::fs::write(&path, content).unwrap();
        assert!(problem(&section).contains(what), "{}", problem(&section));
    }
    std::fs::write(
        &path,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .unwrap();
    assert!(private_key(&path).unwrap_err().to_string().contains("is encrypted"));
}
