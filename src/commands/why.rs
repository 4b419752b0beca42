//! `castgate why`: everything that is known of one part.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::{ExitCode, UsageError, exit, print};
use crate::config::load::load_or_demonstration;
use crate::printable::Printable as _;
use crate::store::{Reader, StoredNote, StoredPart};

mod text;

/// Tell why a part passed or was removed
///
/// Prints what happened to the part, step by step: its trigger, each frame that counted, its verdict with the reason in words, the
/// gate's window, what the confirm sensor saw, and what happened to the line meanwhile. Reads the store, also while the line runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate why last-reject --config /etc/castgate/castgate.yaml
  castgate why 4711 --store /var/lib/castgate/parts.db --json

Exit codes: 0 the part is known, 1 the store does not hold it, 2 no store is configured, 3 the store cannot be read")]
pub(super) struct Args {
    /// Number of the part, or `last`, or `last-reject`
    #[arg(value_name = "PART", value_parser = which)]
    part: Which,
    /// Configuration file that names the store
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store's database, instead of the configuration's
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    store: Option<PathBuf>,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
}

/// Which part is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Number(u64),
    Last,
    LastReject,
}

fn which(text: &str) -> Result<Which, String> {
    match text {
        "last" => Ok(Which::Last),
        "last-reject" => Ok(Which::LastReject),
        number => number
            .parse()
            .map(Which::Number)
            .map_err(|_| "neither a part's number nor `last` nor `last-reject`".to_owned()),
    }
}

/// A part and what happened to the line in its life. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Serialize)]
struct Answer {
    part: StoredPart,
    /// What stood when it came, then what happened until it left.
    notes: Vec<StoredNote>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let file = match args.store {
        Some(file) => file,
        None => configured(args.config.as_deref())?,
    };
    let reader = Reader::open(&file)?;
    let part = match args.part {
        Which::Number(number) => reader.part(number)?,
        Which::Last => reader.latest(1)?.pop(),
        Which::LastReject => reader.last_reject()?,
    };
    let Some(part) = part else {
        return unknown(&reader, args.part, &file);
    };
    let mut notes = reader.standing_at(part.opened_at_ms)?;
    notes.extend(reader.notes_between(part.opened_at_ms, part.finished_at_ms.unwrap_or(i64::MAX))?);
    let answer = Answer { part, notes };
    print(&if args.json { serde_json::to_string(&answer)? + "\n" } else { text::tell(&answer) })?;
    Ok(ExitCode::Ok)
}

/// The store of a configuration.
fn configured(config: Option<&Path>) -> anyhow::Result<PathBuf> {
    let Some(config) = config else {
        let what = "which store? name the line's configuration with --config, or the database with --store";
        return Err(UsageError(what.to_owned()).into());
    };
    let loaded = load_or_demonstration(Some(config))?;
    let store = loaded.config.store;
    // What was kept before it was switched off can still be read.
    if !store.enabled && !store.path.exists() {
        let (config, file) = (config.shown(), store.path.shown());
        let what = format!("{config} keeps no histories: set store.enabled to true, then {file} is written");
        return Err(UsageError(what).into());
    }
    Ok(store.path)
}

fn unknown(reader: &Reader, part: Which, file: &Path) -> anyhow::Result<ExitCode> {
    let what = match part {
        Which::Number(number) => format!("no part {number}"),
        Which::Last => "no part".to_owned(),
        Which::LastReject => "no rejected part".to_owned(),
    };
    let range = reader.range().context("cannot tell which parts there are")?;
    let holds = range.map_or_else(
        || "it is empty".to_owned(),
        |(first, last)| format!("it holds parts between {first} and {last}"),
    );
    exit::line(&format!("castgate: {what} in {}; {holds}", file.shown()));
    Ok(ExitCode::No)
}
