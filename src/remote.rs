//! Commands from outside the line: which there are, and how they are written.
//!
//! Must not know how they come in or what they do.

use std::fmt;
use std::sync::Arc;

use crate::unseen;

/// What may be asked of a running line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RemoteCommand {
    /// A part's leading edge is at position 0 now, for `decide.trigger: software`.
    Trigger,
    /// The line stop is to end.
    Reset,
}

/// Longest command, in bytes, as it is written.
pub const LONGEST: usize = 256;

/// Takes a command and answers at once; an error says in words why it is not taken.
pub type Take = Arc<dyn Fn(RemoteCommand) -> Result<(), String> + Send + Sync>;

/// Not a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is no command; right would be `trigger` or `reset`{hint}")]
pub struct UnknownCommand {
    shown: String,
    /// What in it cannot be seen.
    hint: String,
}

impl RemoteCommand {
    /// Every command.
    pub const ALL: [Self; 2] = [Self::Trigger, Self::Reset];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Reset => "reset",
        }
    }

    /// Reads a command; blanks around it do not matter.
    ///
    /// # Errors
    /// When it is none; what is repeated of it is short and printable.
    pub fn parse(text: &str) -> Result<Self, UnknownCommand> {
        let word = text.trim();
        Self::ALL.into_iter().find(|command| command.name() == word).ok_or_else(|| {
            let word: String =
                text.trim_matches(|c: char| c.is_ascii_whitespace()).chars().take(40).collect();
            UnknownCommand { shown: word.escape_debug().to_string(), hint: unseen::hint(&word) }
        })
    }
}

impl fmt::Display for RemoteCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read_as_it_is_written_and_nothing_else() {
        for command in RemoteCommand::ALL {
            assert_eq!(RemoteCommand::parse(&format!(" {command}\r\n")), Ok(command));
        }
        for wrong in ["", "Reset", "reset now", "stop", "reset\0", "{\"command\":\"reset\"}"] {
            assert!(RemoteCommand::parse(wrong).is_err(), "{wrong}");
        }
        let told = RemoteCommand::parse(&"\u{1b}x".repeat(400)).unwrap_err().to_string();
        assert!(!told.contains('\u{1b}') && told.len() < 300, "{told}");
    }
}
