//! The command line: one file per subcommand. The only place that prints.
//!
//! This file owns the table of subcommands, the exit codes, and how a failure is told. Must not do any command's work.

mod arguments;
mod audit;
mod bench;
mod camera;
mod check;
mod completions;
mod config;
mod console;
mod draw;
mod eval;
mod exit;
mod gate;
mod inspect;
mod known;
mod labelled;
mod man;
mod model;
mod printer;
mod progress;
mod run;
mod seen;
mod send;
mod sensor;
mod simulate;
mod threshold;
#[cfg(feature = "train")]
mod train;
#[cfg(not(feature = "train"))]
#[path = "train_off.rs"]
mod train;
#[cfg(not(feature = "train"))]
mod trained_off;
mod verify;
mod why;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use clap::{CommandFactory, FromArgMatches};

pub use exit::{ExitCode, tell, tell_bug};
#[cfg(feature = "train")]
use train::{prune, taper, teach};
#[cfg(not(feature = "train"))]
use {trained_off as prune, trained_off as taper, trained_off as teach};

use crate::lab::UsageError;
use crate::printable;
use crate::service::logging;
use crate::service::signals::{SignalWatch, end_at_once};
use crate::unseen;

/// Declares the subcommands: a group's heading, and in it for each command its name in Rust and its module, which owns
/// `Args` (whose first doc line is its line in `--help`) and `run(Args) -> anyhow::Result<ExitCode>`.
macro_rules! commands {
    ($($heading:literal: { $($name:ident => $module:ident,)+ })+) => {
        #[derive(Debug, clap::Subcommand)]
        enum Subcommand {
            $($($name($module::Args),)+)+
        }

        impl Subcommand {
            fn run(self) -> anyhow::Result<ExitCode> {
                match self {
                    $($(Subcommand::$name(args) => $module::run(args),)+)+
                }
            }
        }

        /// The headings of `--help` and the names below each.
        const GROUPS: &[(&str, &[&str])] = &[$(($heading, &[$(stringify!($module)),+])),+];
    };
}

commands! {
    "On the line": {
        Run => run,
        Why => why,
        Send => send,
        Check => check,
        Config => config,
    }
    "Proof": {
        Simulate => simulate,
        Verify => verify,
    }
    "Models": {
        Inspect => inspect,
        Eval => eval,
        Threshold => threshold,
        Train => train,
        Teach => teach,
        Prune => prune,
        Taper => taper,
        Draw => draw,
        Audit => audit,
        Bench => bench,
        Model => model,
    }
    "Set-up": {
        Camera => camera,
        Sensor => sensor,
        Gate => gate,
        Completions => completions,
        Man => man,
    }
}

/// Inspects castings on a conveyor with a small neural network and drives the reject gate.
#[derive(Debug, clap::Parser)]
#[command(
    name = "castgate",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  castgate run --parts 20                     watch the demonstration line; no hardware, no files
  castgate config sample > castgate.yaml      begin with a complete, commented configuration
  castgate check --config castgate.yaml       find every mistake in it before the line starts

Environment:
  CASTGATE_LOG   log level (off, error, warn, info, debug, trace, or per module); overrides `line.log_level`

Exit codes:
  0 ok   1 the answer is no   2 usage or configuration   3 device, model or file   70 bug

`castgate COMMAND --help` says more about a command."
)]
struct Cli {
    #[command(subcommand)]
    command: Subcommand,
}

/// A command line that was understood.
#[derive(Debug)]
pub struct Invocation(Cli);

impl Invocation {
    /// Reads the program's command line.
    ///
    /// # Errors
    /// With the exit code when there is nothing to run: help and version, which were printed, and usage errors, which
    /// were told.
    pub fn read() -> Result<Self, ExitCode> {
        let parsed = definition().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
        parsed.map(Invocation).map_err(|error| {
            // A closed pipe is no reason to complain about help that nobody reads.
            if std::env::args_os().any(|word| word.to_string_lossy().contains(printable::is_unsafe)) {
                // What was typed, or a file's name that a shell put in its place, comes back in the message: without colours, then.
                exit::note(error.render().to_string().trim_end());
            } else {
                let _ = error.print();
            }
            if let Some(tip) = unseen_tip(std::env::args_os().skip(1)).filter(|_| error.use_stderr()) {
                exit::line(&tip);
            }
            if error.use_stderr() { ExitCode::Usage } else { ExitCode::Ok }
        })
    }

    /// Runs the command.
    ///
    /// # Errors
    /// What failed, for [`tell`].
    pub fn run(self) -> anyhow::Result<ExitCode> {
        self.0.command.run()
    }
}

/// What in a command line that was not understood cannot be seen, or was typed by a word processor.
fn unseen_tip(mut arguments: impl Iterator<Item = std::ffi::OsString>) -> Option<String> {
    arguments.find_map(|argument| {
        let argument = argument.to_string_lossy();
        let hint = unseen::hint(&argument);
        (!hint.is_empty()).then(|| format!("\n  tip: in `{}`{hint}", printable::short(&argument, 60)))
    })
}

/// The definition of the command line, with the subcommands under their headings.
fn definition() -> clap::Command {
    // Settings of training mean nothing where one model is judged.
    let with_folds = |arg: clap::Arg| {
        let is_training = arg.get_help_heading() == Some(train::WITH_FOLDS);
        if is_training { arg.requires("folds") } else { arg }
    };
    let command = Cli::command().mut_subcommand("eval", |eval| eval.mut_args(with_folds));
    let width = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max().unwrap_or(0);
    let mut listing = String::new();
    for (heading, names) in GROUPS {
        listing.push_str(&format!("{heading}:\n"));
        for name in *names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            listing.push_str(&format!("  {name:width$}  {about}\n"));
        }
        listing.push('\n');
    }
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{listing}Options:\n{{options}}{{after-help}}"
    ))
}

/// Writes to standard output, without codes for the terminal that names may hold. A reader that went away ends the command quietly, see
/// [`tell`].
fn print(text: &str) -> anyhow::Result<()> {
    logging::before_output();
    let mut out = io::stdout().lock();
    out.write_all(printable::lines(text).as_bytes())
        .and_then(|()| out.flush())
        .context("cannot write to standard output")
}

/// Sets `stop` on the first signal; the second ends the process.
fn stop_on_signal(stop: &Arc<AtomicBool>) -> anyhow::Result<SignalWatch> {
    let asked = Arc::clone(stop);
    SignalWatch::start(move || asked.store(true, Ordering::Relaxed), end_at_once)
        .context("cannot listen for Ctrl-C")
}

/// A probability on the command line.
fn probability(text: &str) -> Result<f32, String> {
    let value: f32 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("not between 0 and 1".to_owned()) }
}
