//! What the end of a connection, or an attempt to connect that failed, means.
//!
//! Pure. Must not know when the words are said.

use std::io;

use super::talk::ANSWER;
use super::tls;
use super::trouble::Trouble;

/// The end of a connection: an error, or none when the other side closed it. `accepted`: the broker had accepted this client.
pub(super) fn of_end(error: Option<&io::Error>, accepted: bool, port: u16) -> Trouble {
    if let Some(reason) = error.and_then(|error| tls::explain(error)) {
        return Trouble::Unreachable(format!("TLS failed: {reason}"));
    }
    match error {
        Some(error) if !is_closing(error) => Trouble::Unreachable(of_attempt(error, port)),
        _ if accepted => Trouble::Closed,
        _ => Trouble::Unreachable(
            "the broker closed the connection without an answer; does this port want TLS, or this user other rights?"
                .to_owned(),
        ),
    }
}

fn is_closing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// An attempt to connect that failed.
pub(super) fn of_attempt(error: &io::Error, port: u16) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nothing listens on port {port}"),
        io::ErrorKind::TimedOut => format!("no answer within {} s", ANSWER.as_secs()),
        _ => error.to_string(),
    }
}
