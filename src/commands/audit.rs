//! `castgate audit`: copies, wrong labels and other faults of labelled pictures.

use std::path::PathBuf;

use super::labelled::ManyFolders;
use super::{ExitCode, print};
use crate::audit::compare::COPY;
use crate::clock::{Clock, SystemClock};
use crate::lab::audit;

/// Find copies, wrong labels and shortcuts in labelled pictures
///
/// A model that is tested on copies of its training pictures looks better than it is. This command finds the pictures that show one
/// photograph, within and across splits: the same file, or one that was flipped, turned, shifted, zoomed or slightly distorted. It
/// also finds photographs that stand under both labels, broken files, files that no command reads, odd sizes, and simple numbers
/// (brightness, background, size) that tell the classes apart by themselves.
///
/// With --out it writes the groups of pictures for `castgate train --groups` and `castgate eval --groups`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate audit --data parts
  castgate audit --data casting/train casting/test --out groups.csv --json audit.json

Exit codes: 0 nothing found that makes figures wrong, 1 a leak between splits, a photograph under both labels, a broken file, or a file
that was left aside and is perhaps a picture of a part, 2 the folders cannot be used, 3 a file cannot be written")]
pub(super) struct Args {
    #[command(flatten)]
    folders: ManyFolders,
    /// Write the groups to this file: a line for each picture, with the number of its photograph
    #[arg(long, value_name = "groups.csv")]
    out: Option<PathBuf>,
    /// Write the findings as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Correlation from which two aligned pictures count as one photograph, 0.9 to 1
    #[arg(long, value_name = "CORRELATION", default_value_t = COPY, value_parser = correlation)]
    least: f64,
    /// Do not end with 1 only because files were left aside that may be pictures of parts
    #[arg(long)]
    accept_left_aside: bool,
    /// Threads; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

fn correlation(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.9..=1.0).contains(&value) { Ok(value) } else { Err("not between 0.9 and 1".to_owned()) }
}

/// Runs the command.
///
/// # Errors
/// When a folder cannot be used, or a file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let begin = SystemClock.now();
    let Args { folders, out, json, least, accept_left_aside, threads } = args;
    let report = audit::run(&audit::Options { folders: folders.into(), out, json, least, threads })?;
    // Last: a reader that goes away (`| head`) must not cost the files.
    print(&report.to_string())?;
    print(&format!("took         {:.0} s\n", SystemClock.now().seconds_since(begin)))?;
    let accepted = accept_left_aside || report.left_aside.unasked() == 0;
    Ok(if report.is_clean() && accepted { ExitCode::Ok } else { ExitCode::No })
}
