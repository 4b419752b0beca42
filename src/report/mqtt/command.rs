//! Commands that come over MQTT: reading them, and saying now and then what came and what was not taken.
//!
//! Must not know what a command does.

use std::time::Duration;

use log::Level;
use serde::Deserialize;

use super::teller::Line;
use crate::clock::Time;
use crate::limit::Limiter;
use crate::remote::{LONGEST, RemoteCommand, Take};

/// At most one line of the log in so long says what was ignored: whoever may publish must not fill the log.
const IGNORED: (u32, Duration) = (1, Duration::from_secs(60));
/// Lines at once about one kind of command that was taken, and then one each so long.
const TAKEN: (u32, Duration) = (10, Duration::from_secs(10));

/// What came on the command topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incoming {
    /// Of one that is too long for any command, no more than shows that.
    pub(super) payload: Vec<u8>,
    /// The broker kept it from before: it may be as old as the broker.
    pub(super) retained: bool,
    /// The broker has sent it before.
    pub(super) repeated: bool,
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
    ignored: Limiter,
    /// One for each kind, so that none hides another.
    taken: [Limiter; RemoteCommand::ALL.len()],
    /// The retained message that was told: it comes again with every connection.
    retained: Option<Vec<u8>>,
}

impl Commands {
    pub(super) fn new(take: Take) -> Self {
        let limiter = |(burst, per)| Limiter::new(burst, per);
        Self {
            take,
            ignored: limiter(IGNORED),
            taken: RemoteCommand::ALL.map(|_| limiter(TAKEN)),
            retained: None,
        }
    }

    /// Takes what came. What is not taken is counted, and told once a minute.
    pub(super) fn take(&mut self, incoming: Incoming, now: Time) -> Option<Line> {
        let why = match read(&incoming) {
            Ok(command) => match (self.take)(command) {
                Ok(()) => {
                    let kind = RemoteCommand::ALL.iter().position(|one| *one == command)?;
                    let more = self.taken[kind].allow(now)?;
                    return Some(Line(
                        Level::Info,
                        format!("{command}: a command came from the broker{more}"),
                    ));
                }
                Err(why) => format!("{command}: {why}"),
            },
            Err(_) if incoming.retained && self.retained.as_ref() == Some(&incoming.payload) => return None,
            Err(why) => why,
        };
        let more = self.ignored.allow(now)?;
        self.retained = incoming.retained.then_some(incoming.payload).or(self.retained.take());
        Some(Line(Level::Warn, format!("a command is ignored: {why}{more}")))
    }
}

fn read(incoming: &Incoming) -> Result<RemoteCommand, String> {
    if incoming.retained {
        return Err(
            "it is retained, and comes again with every connection; publish commands without, and remove this one with an empty retained message"
                .to_owned(),
        );
    }
    if incoming.repeated {
        return Err("it was sent before, and may be old".to_owned());
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

    fn incoming(payload: &[u8]) -> Incoming {
        Incoming { payload: payload.to_vec(), retained: false, repeated: false }
    }

    fn of(payload: &[u8]) -> Result<RemoteCommand, String> {
        read(&incoming(payload))
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

    fn commands() -> (Commands, crossbeam_channel::Receiver<RemoteCommand>) {
        let (told, taken) = crossbeam_channel::unbounded();
        let take = move |command| told.send(command).map_err(|_| "gone".to_owned());
        (Commands::new(Arc::new(take)), taken)
    }

    fn at(s: u64) -> Time {
        Time::ZERO + Duration::from_secs(s)
    }

    #[test]
    fn a_retained_command_is_never_obeyed_and_told_once() {
        let (mut commands, taken) = commands();
        let retained = |payload: &[u8]| Incoming { retained: true, ..incoming(payload) };
        assert!(commands.take(retained(b"reset"), at(0)).unwrap().1.contains("it is retained"));
        for hour in 1..100 {
            assert_eq!(commands.take(retained(b"reset"), at(hour * 3600)), None, "with each connection");
        }
        assert!(commands.take(retained(b"trigger"), at(400_000)).is_some(), "another one is news");
        let repeated = Incoming { repeated: true, ..incoming(b"reset") };
        assert!(commands.take(repeated, at(500_000)).unwrap().1.contains("sent before"));
        assert!(taken.is_empty());
    }

    #[test]
    fn floods_of_commands_and_of_junk_do_not_fill_the_log_and_are_counted() {
        let (mut commands, taken) = commands();
        let mut lines = Vec::new();
        for n in 0..60_000_u64 {
            let payload: &[u8] = [&b"reset"[..], b"junk", b""][n as usize % 3];
            lines.extend(commands.take(incoming(payload), Time::ZERO + Duration::from_millis(n)));
        }
        lines.extend(commands.take(incoming(b"junk"), at(61)));
        assert_eq!(taken.try_iter().count(), 20_000);
        assert!(lines.len() <= 10 + 6 + 2, "{lines:?}");
        assert!(lines.last().unwrap().1.ends_with("(and 39999 more like it)"), "{:?}", lines.last());
        let (mut commands, _taken) = self::commands();
        (0..50).for_each(|_| drop(commands.take(incoming(b"trigger"), at(1))));
        let reset = commands.take(incoming(b"reset"), at(1));
        assert_eq!(reset.unwrap().1, "reset: a command came from the broker", "triggers hide no reset");
    }
}
