//! Why a connection ended or did not come about, in words that say where to look.
//!
//! Pure. Must not know when the words are said.

use std::error::Error;
use std::io;

/// Why a connection ended or did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The broker refused this client.
    Refused(String),
    /// The broker, or the network, closed a connection that it had accepted.
    Closed,
    /// Anything else.
    Unreachable(String),
}

impl Trouble {
    /// The other side is no broker.
    pub(super) fn no_mqtt(what: &str) -> Self {
        Self::Unreachable(format!("it does not speak MQTT as expected: {what}"))
    }
}

/// The answer to a connection request that was not accepted.
pub(super) fn refusal(code: u8) -> Trouble {
    Trouble::Refused(
        match code {
            1 => "it does not speak MQTT 3.1.1",
            2 => "client id rejected; see mqtt.client_id",
            3 => "service unavailable",
            4 => "bad user name or password; see mqtt.user and mqtt.password_file",
            5 => "not authorised; see mqtt.user, mqtt.password_file and the broker's access list",
            _ => return Trouble::no_mqtt(&format!("code {code} in the answer to the connection request")),
        }
        .to_owned(),
    )
}

/// The first error in the chain that is of this kind.
pub(super) fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    inner.and_then(|inner| find(inner)).or_else(|| find(error.source()?))
}
