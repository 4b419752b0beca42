//! `castgate check`: what a check of the configuration finds, on the terminal.

use std::path::PathBuf;

use super::{ExitCode, exit, print};
use crate::config::load::load_or_demonstration;
use crate::line::check::{Amiss, Findings, check};

/// Check a configuration and the files that it names, without starting anything
///
/// Prints every problem with its line and column, or what follows from the configuration: how long a part is in view, how many
/// looks the camera gets, how much time is left before the gate, and how fast the belt may run at most.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate check --config /etc/castgate/castgate.yaml
  castgate check                                        the built-in demonstration line

Exit codes: 0 nothing is wrong, 2 the configuration is wrong, 3 the model cannot be used")]
pub(super) struct Args {
    /// Configuration file; without it, the demonstration line
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let loaded = load_or_demonstration(args.config.as_deref())?;
    let Findings { facts, problems } = check(&loaded);
    if !problems.is_empty() {
        for (_, problem) in &problems {
            exit::line(&problem.to_string());
        }
        exit::line(&format!("castgate: error: {} in {}", exit::count(problems.len()), loaded.name()));
        let usage = problems.iter().any(|(amiss, _)| *amiss == Amiss::Configuration);
        return Ok(if usage { ExitCode::Usage } else { ExitCode::Device });
    }
    let mut report = format!("{}: ok, fingerprint {}\n", loaded.name(), loaded.fingerprint);
    for (topic, fact) in facts {
        report.push_str(&format!("  {topic:<6} {fact}\n"));
    }
    print(&report)?;
    Ok(ExitCode::Ok)
}
