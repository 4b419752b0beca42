//! The `mqtt` section, checked and with its files read.
//!
//! Owns the rules of values and files. Must not connect.

use std::path::Path;
use std::time::Duration;

use super::tls;
use crate::config;
use crate::regular;
use crate::report::ReportError;
use crate::units::Span;

/// Largest password that an MQTT connection can carry, in bytes.
const LARGEST_PASSWORD: u64 = 65_535;
/// Longest client id, topic prefix or host name taken, in bytes; brokers differ in what they take, and none needs more.
const LONGEST_NAME: usize = 250;

/// What is needed to connect and to publish.
#[derive(Clone)]
pub(super) struct Settings {
    /// Host name or address; an IPv6 address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) client_id: String,
    /// User and password.
    pub(super) login: Option<(String, String)>,
    /// Whole seconds, as they go over the wire.
    pub(super) keep_alive: Duration,
    /// Most messages kept.
    pub(super) queue: usize,
    pub(super) topics: Topics,
    pub(super) tls: Option<tls::Config>,
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topics {
    pub(super) status: String,
    pub(super) part: String,
    pub(super) summary: String,
    pub(super) command: String,
}

fn wrong(key: &'static str, what: impl Into<String>) -> ReportError {
    ReportError::Setting { key, what: what.into() }
}

fn name(key: &'static str, text: &str, forbidden: &[char]) -> Result<(), ReportError> {
    if text.is_empty() || text.len() > LONGEST_NAME {
        return Err(wrong(key, format!("needs 1 to {LONGEST_NAME} bytes, has {}", text.len())));
    }
    if let Some(bad) = text.chars().find(|c| c.is_control() || forbidden.contains(c)) {
        return Err(wrong(key, format!("`{}` must not contain {bad:?}", text.escape_debug())));
    }
    Ok(())
}

fn host(text: &str) -> Result<String, ReportError> {
    const KEY: &str = "mqtt.host";
    if text.contains('/') {
        return Err(wrong(
            KEY,
            format!("`{text}` is not a host name or address; leave out `mqtt://` and any path"),
        ));
    }
    name(KEY, text, &[' ', '@'])?;
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if !bare.contains(':') {
        return Ok(text.to_owned());
    }
    if bare.parse::<std::net::Ipv6Addr>().is_err() {
        return Err(wrong(
            KEY,
            format!("`{text}` is not a host name or address; the port has a key of its own"),
        ));
    }
    Ok(bare.to_owned())
}

fn keep_alive(span: Span) -> Result<Duration, ReportError> {
    let seconds = span.as_s();
    if !(1.0..=64_800.0).contains(&seconds) {
        return Err(wrong("mqtt.keep_alive", format!("{span} is outside 1s to 18h")));
    }
    Ok(Duration::from_secs(seconds as u64))
}

/// Reads a whole file of at most `limit` bytes.
pub(super) fn read(key: &'static str, path: &Path, limit: u64) -> Result<Vec<u8>, ReportError> {
    let fail = |what: String| ReportError::File { key, path: path.display().to_string(), what };
    regular::read(path, limit).map_err(|error| fail(error.to_string()))
}

fn login(section: &config::Mqtt) -> Result<Option<(String, String)>, ReportError> {
    let Some(user) = &section.user else {
        return match section.password_file {
            Some(_) => Err(wrong("mqtt.password_file", "needs mqtt.user too")),
            None => Ok(None),
        };
    };
    name("mqtt.user", user, &[])?;
    let Some(path) = &section.password_file else {
        return Ok(Some((user.clone(), String::new())));
    };
    const KEY: &str = "mqtt.password_file";
    let fail =
        |what: &str| ReportError::File { key: KEY, path: path.display().to_string(), what: what.to_owned() };
    let text =
        String::from_utf8(read(KEY, path, LARGEST_PASSWORD)?).map_err(|_| fail("is not UTF-8 text"))?;
    let password =
        text.strip_suffix('\n').map_or(text.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest));
    if password.is_empty() {
        return Err(fail("holds no password"));
    }
    Ok(Some((user.clone(), password.to_owned())))
}

impl Settings {
    /// Checks `section` and reads the files that it names.
    pub(super) fn check(section: &config::Mqtt, line: &str) -> Result<Self, ReportError> {
        if section.port == 0 {
            return Err(wrong(
                "mqtt.port",
                "0 is outside 1 to 65535; brokers usually listen on 1883, with TLS on 8883",
            ));
        }
        if !(1..=100_000).contains(&section.queue) {
            return Err(wrong("mqtt.queue", format!("{} is outside 1 to 100000", section.queue)));
        }
        let client_id = section.client_id.clone().unwrap_or_else(|| format!("castgate-{line}"));
        name("mqtt.client_id", &client_id, &[])?;
        name("line.name", line, &['/', '+', '#'])?;
        let prefix = &section.prefix;
        name("mqtt.prefix", prefix, &['+', '#'])?;
        if prefix.starts_with(['/', '$']) || prefix.ends_with('/') {
            return Err(wrong(
                "mqtt.prefix",
                format!("`{prefix}` must not begin with `/` or `$`, nor end with `/`"),
            ));
        }
        let topic = |kind| format!("{prefix}/{line}/{kind}");
        let host = host(&section.host)?;
        let tls = tls::config(&section.tls, &host)?;
        let settings = Self {
            host,
            port: section.port,
            client_id,
            login: login(section)?,
            keep_alive: keep_alive(section.keep_alive)?,
            queue: section.queue as usize,
            topics: Topics {
                status: topic("status"),
                part: topic("part"),
                summary: topic("summary"),
                command: topic("command"),
            },
            tls,
        };
        if settings.tls.is_none() && settings.login.as_ref().is_some_and(|(_, password)| !password.is_empty())
        {
            log::warn!(
                "mqtt: the password for {} goes over the network unencrypted; see mqtt.tls",
                settings.broker()
            );
        }
        Ok(settings)
    }

    /// Host and port, as people write them.
    pub(super) fn broker(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn section() -> config::Mqtt {
        config::Mqtt { enabled: true, ..config::Mqtt::default() }
    }

    fn problem(section: &config::Mqtt) -> String {
        Settings::check(section, "demo").err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_default_section_is_usable() {
        let settings = Settings::check(&section(), "demo").ok().unwrap();
        assert_eq!(
            (settings.broker().as_str(), settings.client_id.as_str()),
            ("localhost:1883", "castgate-demo")
        );
        assert_eq!(settings.topics.status, "castgate/demo/status");
    }

    #[test]
    fn every_value_that_could_not_be_sent_or_would_be_misread_is_refused_by_its_key() {
        let cases: [(config::Mqtt, &str); 12] = [
            (config::Mqtt { port: 0, ..section() }, "mqtt.port: 0 is outside 1 to 65535"),
            (config::Mqtt { queue: 0, ..section() }, "mqtt.queue: 0 is outside 1 to 100000"),
            (
                config::Mqtt { keep_alive: Span::ms(500.0), ..section() },
                "mqtt.keep_alive: 500ms is outside 1s to 18h",
            ),
            (config::Mqtt { keep_alive: Span::s(f64::MAX), ..section() }, "mqtt.keep_alive: "),
            (config::Mqtt { keep_alive: Span::s(-3.0), ..section() }, "mqtt.keep_alive: -3s is outside"),
            (
                config::Mqtt { client_id: Some(String::new()), ..section() },
                "mqtt.client_id: needs 1 to 250 bytes, has 0",
            ),
            (
                config::Mqtt { prefix: "a/#".to_owned(), ..section() },
                "mqtt.prefix: `a/#` must not contain '#'",
            ),
            (config::Mqtt { prefix: "$SYS".to_owned(), ..section() }, "mqtt.prefix: `$SYS` must not begin"),
            (
                config::Mqtt { host: "mqtt://broker".to_owned(), ..section() },
                "mqtt.host: `mqtt://broker` is not a host name",
            ),
            (
                config::Mqtt { host: "broker:1883".to_owned(), ..section() },
                "mqtt.host: `broker:1883` is not a host name",
            ),
            (
                config::Mqtt { host: "a\nb".to_owned(), ..section() },
                "mqtt.host: `a\\nb` must not contain '\\n'",
            ),
            (
                config::Mqtt { password_file: Some("x".into()), ..section() },
                "mqtt.password_file: needs mqtt.user too",
            ),
        ];
        for (section, beginning) in cases {
            let problem = problem(&section);
            assert!(problem.starts_with(beginning), "{problem}");
        }
    }

    #[test]
    fn an_ipv6_address_is_taken_with_and_without_brackets() {
        for host in ["::1", "[::1]"] {
            let section = config::Mqtt { host: host.to_owned(), ..section() };
            let settings = Settings::check(&section, "demo").ok().unwrap();
            assert_eq!((settings.broker().as_str(), settings.host.as_str()), ("[::1]:1883", "::1"));
        }
    }

    #[test]
    fn a_line_end_is_not_part_of_the_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let section =
            config::Mqtt { user: Some("line".to_owned()), password_file: Some(path.clone()), ..section() };
        for (content, password) in
            [("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), (" a b ", " a b "), ("x\n\n", "x\n")]
        {
            std::fs::write(&path, content).unwrap();
            let settings = Settings::check(&section, "demo").ok().unwrap();
            assert_eq!(settings.login, Some(("line".to_owned(), password.to_owned())));
        }
        for (content, end) in [(&b"\n"[..], "holds no password"), (&b"\xff\xfe"[..], "is not UTF-8 text")] {
            std::fs::write(&path, content).unwrap();
            assert!(problem(&section).ends_with(end), "{}", problem(&section));
        }
    }

    #[test]
    fn files_that_are_missing_or_endless_are_named() {
        for (path, end) in [
            ("/nowhere/pw", "(os error 2)"),
            ("/dev/zero", "it is a device, not a regular file"),
            ("/", "it is a folder; name the file in it"),
        ] {
            let section = config::Mqtt {
                user: Some("line".to_owned()),
                password_file: Some(PathBuf::from(path)),
                ..section()
            };
            let problem = problem(&section);
            assert!(
                problem.starts_with(&format!("mqtt.password_file: \"{path}\": ")) && problem.ends_with(end),
                "{problem}"
            );
        }
    }
}
