//! Exit codes, and how a failure is told on standard error.

use std::io;
use std::process::Termination;

use crate::config::load::LoadError;
use crate::lab::UsageError;
use crate::line::CannotOpen;
use crate::printable::{Printable as _, lines};
use crate::service::logging;
use crate::strict::MAX_FAULTS;

/// What the program's exit code means; part of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// It worked, and the answer, where there is one, is yes.
    Ok = 0,
    /// It worked, and the answer is no: a part is rejected, a limit is broken.
    No = 1,
    /// The command line or the configuration is wrong; nothing was started.
    Usage = 2,
    /// A device, a model or a file cannot be used.
    Device = 3,
    /// castgate itself is at fault.
    Bug = 70,
}

impl Termination for ExitCode {
    fn report(self) -> std::process::ExitCode {
        std::process::ExitCode::from(self as u8)
    }
}

/// Tells a failure and gives its exit code. A standard output that was closed by its reader (`| head`) is no failure.
pub fn tell(error: &anyhow::Error) -> ExitCode {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return ExitCode::Ok;
    }
    let load = error.chain().find_map(|cause| cause.downcast_ref::<LoadError>());
    if let Some(LoadError::Problems(problems)) = load {
        for problem in problems {
            line(&problem.to_string());
        }
        let file = problems.first().map(|problem| problem.file.shown().to_string()).unwrap_or_default();
        line(&format!("castgate: error: {} in {file}", count(problems.len())));
        return ExitCode::Usage;
    }
    line(&format!("castgate: error: {error:#}"));
    let is_usage = |cause: &(dyn std::error::Error + 'static)| {
        let line = cause.downcast_ref::<CannotOpen>();
        cause.is::<UsageError>() || line.is_some_and(CannotOpen::is_of_configuration)
    };
    let usage = load.is_some() || error.chain().any(is_usage);
    if usage { ExitCode::Usage } else { ExitCode::Device }
}

/// Tells that castgate itself is at fault, after the panic hook has logged where.
pub fn tell_bug() -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    line(&format!(
        "castgate: error: this is a bug in castgate {version}; please report it, with the log and with what was done"
    ));
    ExitCode::Bug
}

/// `1 problem`, `2 problems`; what is told ends at some number.
pub(super) fn count(problems: usize) -> String {
    match problems {
        1 => "1 problem".to_owned(),
        _ if problems < MAX_FAULTS => format!("{problems} problems"),
        _ => format!("{problems} or more problems"),
    }
}

/// A line on standard error, marked as an error for the journal; whoever closed standard error does not want it.
pub(super) fn line(text: &str) {
    let prefix = logging::priority(log::Level::Error);
    logging::say(&format!("{prefix}{}", lines(text)));
}

/// A line on standard error that tells no failure.
pub(super) fn note(text: &str) {
    logging::say(&lines(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn every_failure_has_its_exit_code() {
        let closed =
            Err::<(), _>(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot print").unwrap_err();
        assert_eq!(tell(&closed), ExitCode::Ok);
        assert_eq!(tell(&UsageError("no".into()).into()), ExitCode::Usage);
        assert_eq!(tell(&anyhow::anyhow!("camera gone")), ExitCode::Device);
        assert_eq!(tell(&CannotOpen::TooSlow("no".into()).into()), ExitCode::Usage);
        assert_eq!(tell(&LoadError::Problems(Vec::new()).into()), ExitCode::Usage);
    }
}
