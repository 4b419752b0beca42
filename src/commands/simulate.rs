//! `castgate simulate`: months of belt with faults, judged by one who knows the truth.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::PathBuf;

use anyhow::Context as _;

use super::{ExitCode, UsageError, print};
use crate::clock::{Clock, SystemClock};
use crate::config::load::load_or_demonstration;
use crate::lab::files::{try_out, write_json};
use crate::printable::Printable as _;
use crate::regular;
use crate::simulate::faults::{Fault, chosen, unnoticed};
use crate::simulate::{Months, Played, SHIFT, Scenario, Totals, play, trace};

/// Simulate months of belt with faults, and prove that no defective part passes unnoticed
///
/// Runs the same stages as `run`, in lockstep on a simulated clock: a line with the measures of the configuration, plain pictures and
/// a model that reads them. Cameras fail, sensors bounce, the belt stops, the process dies. A judge compares what the line
/// said with what really happened. The same seed gives the same run, bit for bit.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate simulate                                          100000 parts of the demonstration line, all faults
  castgate simulate --config castgate.yaml --hours 1000      your line's measures
  castgate simulate --faults camera_lost,gate_stuck --seed 7

Exit codes: 0 every promise was kept, 1 one was broken, 2 usage or configuration, 3 the model or a file cannot be used")]
pub(super) struct Args {
    /// Configuration whose measures, thresholds and limits to use; without it, those of the demonstration line
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Number of parts [default: 100000]
    #[arg(long, value_name = "N", conflicts_with = "hours", value_parser = clap::value_parser!(u64).range(1..))]
    parts: Option<u64>,
    /// Hours of belt, instead of a number of parts
    #[arg(long, value_name = "H")]
    hours: Option<f64>,
    /// Faults: `all`, `none`, or names with commas between them; `--faults list` names them
    #[arg(long, value_name = "SPEC", default_value = "all")]
    faults: String,
    /// Inject each kind of fault about once in so many seconds of belt
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0)]
    every: f64,
    /// Parts in one shift; the line starts anew with each shift
    #[arg(long, value_name = "N", default_value_t = SHIFT, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    shift: u64,
    /// Play a scenario: a file of parts, faults and expectations, see docs/simulation.md; repeat it for several
    #[arg(long, value_name = "FILE", conflicts_with_all = ["parts", "hours", "config", "json"])]
    scenario: Vec<PathBuf>,
    /// Show what happened from one second of the first shift to another, such as 600-610
    #[arg(long, value_name = "FROM-TO", value_parser = stretch)]
    trace: Option<(f64, f64)>,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.faults == "list" {
        let names: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        print(&(names.join("\n") + "\n"))?;
        return Ok(ExitCode::Ok);
    }
    if !args.scenario.is_empty() {
        return scenarios(&args);
    }
    let mut faults = chosen(&args.faults).map_err(|name| {
        UsageError(format!("`{name}` is no fault; `castgate simulate --faults list` names them"))
    })?;
    let loaded = load_or_demonstration(args.config.as_deref())?;
    args.json.as_deref().map(try_out).transpose()?;
    let config = loaded.config.clone();
    // Who names them gets them.
    let left_out = if args.faults == "all" { unnoticed(&config) } else { Vec::new() };
    faults.retain(|fault| left_out.iter().all(|(other, _)| other != fault));
    let per_hour = 3600.0 * config.line.speed.as_mm_per_s() / config.simulation.pitch.as_mm();
    let parts = match args.hours {
        Some(hours) if hours > 0.0 && hours < 1e6 => (hours * per_hour).ceil().max(1.0) as u64,
        Some(hours) => return Err(UsageError(format!("{hours} hours cannot be simulated")).into()),
        None => args.parts.unwrap_or(100_000),
    };
    if !(args.every >= 1.0 && args.every < 1e9) {
        return Err(UsageError("`--every` is not from 1 second to 1e9 seconds".to_owned()).into());
    }
    let months = Months { config, seed: args.seed, parts, shift: args.shift, faults, every: args.every };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    // What the line says to faults, thousands of times, is for nobody to read.
    let level = log::max_level();
    log::set_max_level(log::LevelFilter::Off);
    if let Some((from, until)) = args.trace {
        let text = months.trace(from, until)?;
        log::set_max_level(level);
        print(&text)?;
        return Ok(ExitCode::Ok);
    }
    let clock = SystemClock;
    let began = clock.now();
    let result = months.run(workers, &|_| {});
    log::set_max_level(level);
    let mut totals = result?;
    totals.parts_per_second = totals.parts as f64 / (clock.now() - began).as_secs_f64().max(1e-9);
    for (fault, why) in &left_out {
        print(&format!("left out            {}: {why}\n", fault.name()))?;
    }
    print(&text(&totals, &args, &months))?;
    if let Some(path) = &args.json {
        write_json(path, &totals)?;
    }
    Ok(if totals.violations.is_empty() { ExitCode::Ok } else { ExitCode::No })
}

/// Largest scenario that is read, in bytes: a shift's worth of parts, one a line, has some 100 KiB.
const LARGEST_SCENARIO: u64 = 1 << 20;

/// Plays scenarios; 1 when one of them does not end as it should.
fn scenarios(args: &Args) -> anyhow::Result<ExitCode> {
    let level = log::max_level();
    let mut code = ExitCode::Ok;
    for path in &args.scenario {
        let text = regular::read_text(path, LARGEST_SCENARIO)
            .with_context(|| format!("cannot read {}", path.shown()))?;
        let scenario =
            Scenario::read(&text).map_err(|error| UsageError(format!("{}:{error}", path.shown())))?;
        log::set_max_level(log::LevelFilter::Off);
        let faults = scenario.faults();
        let played = play(scenario);
        log::set_max_level(level);
        let Played { failures, done } = played?;
        if let Some((from, until)) = args.trace {
            print(&trace(&done, &faults, from, until))?;
        }
        if failures.is_empty() {
            print(&format!("{}: ok, {} parts\n", path.shown(), done.tally.parts))?;
        } else {
            code = ExitCode::No;
            for failure in failures {
                print(&format!("{}: {failure}\n", path.shown()))?;
            }
        }
    }
    Ok(code)
}

/// `600-610`, in seconds.
fn stretch(text: &str) -> Result<(f64, f64), String> {
    let wrong = || format!("`{text}` is no stretch such as `600-610`");
    let (from, until) = text.split_once('-').ok_or_else(wrong)?;
    let (from, until): (f64, f64) = (from.parse().map_err(|_| wrong())?, until.parse().map_err(|_| wrong())?);
    if from <= until { Ok((from, until)) } else { Err(wrong()) }
}

/// The result as people read it.
fn text(totals: &Totals, args: &Args, months: &Months) -> String {
    let mut out = String::new();
    let list = |of: &std::collections::BTreeMap<&'static str, u64>| {
        of.iter().map(|(name, count)| format!("  {name:<22} {count}\n")).collect::<String>()
    };
    let faults: u64 = totals.faults_injected.values().sum();
    // Writing to a text cannot fail.
    let _ = write!(
        out,
        "parts               {} in {:.1} hours of belt, {} shifts, {:.0} parts a second\n\
         faults injected     {faults}\n\
         escapes             {}: {} by the model's own mistakes, {} told, {} untold\n\
         false rejects       {}\n\
         by final state\n{}rejects by reason\n{}line stops\n{}",
        totals.parts,
        totals.hours,
        totals.shifts,
        totals.parts_per_second,
        totals.escapes,
        totals.model_errors,
        totals.escapes - totals.model_errors - totals.unreported_escapes,
        totals.unreported_escapes,
        totals.false_rejects,
        list(&totals.by_final_state),
        list(&totals.by_reason),
        list(&totals.line_stops),
    );
    if totals.violations.is_empty() {
        out.push_str("violations          none\n");
        return out;
    }
    let _ = writeln!(out, "violations          {}", totals.violations.len());
    for violation in totals.violations.iter().take(20) {
        let part = violation.part.map(|n| format!(", part {n}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "  ({}) seed {} at {:.3} s{part}: {}",
            violation.property, violation.seed, violation.at, violation.what
        );
    }
    if let Some(first) = totals.violations.first() {
        let config =
            args.config.as_ref().map(|path| format!(" --config {}", path.shown())).unwrap_or_default();
        let _ = writeln!(
            out,
            "again: castgate simulate{config} --seed {} --parts {} --shift {} --faults {} --every {}",
            first.seed,
            months.parts_of(first.seed),
            args.shift,
            args.faults,
            args.every
        );
    }
    out
}
