//! Commands that come over MQTT: reading them, and saying once a minute what was not taken.
//!
//! Must not know what a command does.

use std::time::Duration;

use serde::Deserialize;

use crate::clock::Time;
use crate::remote::{LONGEST, RemoteCommand, Take};

/// At most one line of the log in so long says what was ignored: whoever may publish must not fill the log.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// What came on the command topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming {
    pub(super) payload: Vec<u8>,
    /// The broker kept it from before: it may be as old as the broker.
    pub(super) retained: bool,
}

impl Incoming {
    /// A message as it came; of one that is too long for any command, no more than shows that.
    pub(super) fn new(payload: &[u8], retained: bool) -> Self {
        Self { payload: payload[..payload.len().min(LONGEST + 1)].to_vec(), retained }
    }
}

/// `{"command": "reset"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    command: String,
}

/// Hands commands on.
pub(super) struct Commands {
    take: Take,
    ignored: u64,
    told: Option<Time>,
}

impl Commands {
    pub(super) fn new(take: Take) -> Self {
        Self { take, ignored: 0, told: None }
    }

    /// Takes what came. What is not taken is counted, and told once a minute.
    pub(super) fn take(&mut self, incoming: &Incoming, now: Time) {
        let done = read(incoming).and_then(|command| {
            log::info!("mqtt: {command}: a command came from the broker");
            (self.take)(command).map_err(|why| format!("{command}: {why}"))
        });
        let Err(why) = done else { return };
        self.ignored += 1;
        if self.told.is_none_or(|told| now >= told + TOLD_EVERY) {
            self.told = Some(now);
            log::warn!("mqtt: a command is ignored: {why} (ignored so far: {})", self.ignored);
        }
    }
}

fn read(incoming: &Incoming) -> Result<RemoteCommand, String> {
    if incoming.retained {
        return Err(
            "it is retained, and would come again with every connection; publish it without".to_owned()
        );
    }
    if incoming.payload.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let text = std::str::from_utf8(&incoming.payload).map_err(|_| "it is no text".to_owned())?;
    let word = if text.trim_start().starts_with('{') {
        serde_json::from_str::<Wrapped>(text).map_err(|error| format!("it is no command: {error}"))?.command
    } else {
        text.to_owned()
    };
    RemoteCommand::parse(&word).map_err(|unknown| unknown.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn of(payload: &[u8]) -> Result<RemoteCommand, String> {
        read(&Incoming::new(payload, false))
    }

    #[test]
    fn commands_come_as_words_and_as_json() {
        assert_eq!(of(b"reset"), Ok(RemoteCommand::Reset));
        assert_eq!(of(b"trigger\n"), Ok(RemoteCommand::Trigger));
        assert_eq!(of(br#" {"command": "reset"}"#), Ok(RemoteCommand::Reset));
        assert!(of(&[b'x'; 300]).unwrap_err().contains("more than 256 bytes"));
        for wrong in [
            &b""[..],
            b"\xff",
            b"RESET",
            b"\"reset\"",
            br#"{"command": "stop"}"#,
            br#"{"command": "reset", "force": true}"#,
            br#"{"command": 1}"#,
            br#"[{"command": "reset"}]"#,
        ] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_retained_command_is_ignored_and_the_log_is_not_filled() {
        let (told, taken) = crossbeam_channel::unbounded();
        let take = move |command| told.send(command).map_err(|_| "gone".to_owned());
        let mut commands = Commands::new(Arc::new(take));
        let mut at = |s: u64, payload: &[u8], retained| {
            commands.take(&Incoming::new(payload, retained), Time::ZERO + Duration::from_secs(s));
            (commands.ignored, commands.told)
        };
        let first = Some(Time::ZERO);
        assert_eq!(at(0, b"reset", true), (1, first));
        assert_eq!(at(1, b"reset", false), (1, first));
        assert_eq!(at(59, b"nonsense", false), (2, first));
        assert_eq!(at(60, b"nonsense", false), (3, Some(Time::ZERO + TOLD_EVERY)));
        assert_eq!(taken.try_iter().count(), 1);
    }
}
