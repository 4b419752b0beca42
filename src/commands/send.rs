//! `castgate send`: a command to the castgate that runs on this machine.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use super::{ExitCode, UsageError, exit, print};
use crate::config::load::load;
use crate::printable::Printable as _;
use crate::remote::RemoteCommand;

/// Longest wait for the answer, which comes at once unless the machine is in trouble.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Send a command to the running line: a software trigger, or the reset of a line stop
///
/// The line takes commands on the local socket that `commands.socket` names. `ok` means that the ledger has the command. A line stop
/// whose cause persists is not reset; the log says so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate send reset --config /etc/castgate/castgate.yaml
  castgate send trigger --socket /run/castgate/command.sock

Exit codes: 0 the line took the command, 1 it did not, 2 usage or configuration, 3 no castgate listens there")]
pub(super) struct Args {
    /// Command to send
    #[arg(value_enum)]
    command: Command,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// Configuration file of the running castgate, which names its socket
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Socket of the running castgate
    #[arg(long, value_name = "FILE")]
    socket: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Command {
    /// A part's leading edge is at position 0 now, for `decide.trigger: software`
    Trigger,
    /// End the line stop
    Reset,
}

impl From<Command> for RemoteCommand {
    fn from(command: Command) -> Self {
        match command {
            Command::Trigger => Self::Trigger,
            Command::Reset => Self::Reset,
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let socket = socket(args.place)?;
    let answer = ask(&socket, args.command.into())?;
    if answer == "ok" {
        print("ok\n")?;
        return Ok(ExitCode::Ok);
    }
    let why = answer.strip_prefix("error: ").unwrap_or(&answer);
    exit::line(&format!("castgate: error: the line does not take the command: {}", why.escape_debug()));
    Ok(ExitCode::No)
}

fn socket(place: Place) -> anyhow::Result<PathBuf> {
    if let Some(socket) = place.socket {
        return Ok(socket);
    }
    // The command line names either.
    let file = place.config.unwrap_or_default();
    let socket = load(&file)?.config.commands.socket;
    socket.ok_or_else(|| UsageError(format!("{} names no commands.socket", file.shown())).into())
}

/// Sends the command and gives the line's answer.
fn ask(socket: &Path, command: RemoteCommand) -> anyhow::Result<String> {
    let place = socket.shown();
    let mut stream = UnixStream::connect(socket).with_context(|| reach(socket))?;
    stream
        .set_read_timeout(Some(ANSWER_WITHIN))
        .and_then(|()| stream.set_write_timeout(Some(ANSWER_WITHIN)))?;
    stream.write_all(format!("{command}\n").as_bytes()).with_context(|| format!("cannot send to {place}"))?;
    let mut answer = String::new();
    let read = BufReader::new(io::Read::take(stream, 1024)).read_line(&mut answer);
    read.with_context(|| format!("no answer from {place}; whether the command was taken is not known"))?;
    anyhow::ensure!(!answer.is_empty(), "{place} closed the connection; the line is stopping, or busy");
    Ok(answer.trim_end().to_owned())
}

/// Why the socket cannot be reached, as far as its file tells.
fn reach(socket: &Path) -> String {
    let place = socket.shown();
    match std::fs::symlink_metadata(socket) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("there is no {place}; does castgate run, with this as its commands.socket?")
        }
        _ => format!(
            "cannot reach castgate at {place}; it may have died, or this user may lack the right (see commands.socket)"
        ),
    }
}
