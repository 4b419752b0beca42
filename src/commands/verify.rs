//! `castgate verify`: the guided fail-safe test of a line, with a dated report.

mod broker;
mod course;
mod guide;
mod switched;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::{ExitCode, print};
use crate::clock::{Clock, SimClock, SystemClock, rfc3339};
use crate::config::Config;
use crate::config::load::{Loaded, load, of};
use crate::decide::Outcome;
use crate::lab::files::{try_out, write_whole};
use crate::line::devices::{self, Opened};
use crate::line::keeper;
use crate::pipeline::{Hooks, Lockstep, Stopper, run_threads};
use crate::printable::Printable as _;
use crate::service::logging;
use crate::service::signals::{self, SignalWatch};
use crate::store::{MOST_PARTS, NoteKind, Reader, Store};
use crate::verify::{Ended, Meta, report};

use broker::StandIn;
use course::{Attended, Demonstration, Ear};
use guide::Guide;
use switched::{SwitchedCamera, SwitchedSensor, Switches};

/// Test the line fail-safe: a guided test with a dated report
///
/// The test is: three defective parts in a row; defective, clean, defective; then without camera, without confirm sensor, without broker.
/// On your line the command says what to do and watches. Without --config the demonstration line tests itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate verify                                          the demonstration line, by itself, on a simulated clock
  castgate verify --config /etc/castgate/castgate.yaml --report verify-monday.txt

Stop the service first: only one program can use the camera. At the end the gate is in its safe position.

Exit codes: 0 passed, 1 failed, 2 the configuration is wrong, 3 a device or the model failed")]
pub(super) struct Args {
    /// Configuration file; without it, the demonstration line
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the report to this file [default: castgate-verify-DATE.txt]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Seconds to wait for the parts of a step
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86400))]
    patience: u64,
}

/// The demonstration line with the parts that the test needs, reporting to `broker`.
fn demonstration(broker: Option<&StandIn>) -> Loaded {
    let mut config = Config::default();
    config.simulation.sequence = Some("odddoodod".to_owned());
    if let Some(broker) = broker {
        config.mqtt.enabled = true;
        config.mqtt.host = "127.0.0.1".to_owned();
        config.mqtt.port = broker.port();
    }
    of(config)
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    logging::never_wait();
    let by_itself = args.config.is_none();
    let broker = (by_itself && cfg!(feature = "mqtt")).then(StandIn::start).transpose();
    let broker = broker.context("cannot open a local port for the demonstration's broker")?;
    let loaded = args.config.as_deref().map_or_else(|| Ok(demonstration(broker.as_ref())), load)?;
    logging::set_level(if by_itself { crate::config::LogLevel::Off } else { loaded.config.line.log_level });
    let began = SystemClock.wall_ms();
    let day = rfc3339(began).chars().take(19).map(|c| if c == ':' { '-' } else { c }).collect::<String>();
    let path = args.report.unwrap_or_else(|| PathBuf::from(format!("castgate-verify-{day}.txt")));
    // Written at the end, whole: a test that breaks off leaves an earlier report as it is.
    try_out(&path)?;
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let _signals = SignalWatch::start(move || stop.stop(), signals::end_at_once)?;
    let patience = Duration::from_secs(args.patience);
    let Tested { steps, model, store, in_order, failure } = if by_itself {
        alone(&loaded, patience, stopper, broker)?
    } else {
        attended(&loaded, patience, stopper)?
    };
    let since = store.as_ref().and_then(|store| since_last_good(store, &loaded.config, began));
    let meta = Meta {
        at: rfc3339(began),
        line: loaded.config.line.name.clone(),
        model,
        config: loaded.fingerprint.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        broken_off: failure.as_ref().map(|failure| format!("{failure:#}")),
        since_last_good: since,
    };
    let (good, text) = report(&meta, &steps);
    if let Some(store) = store {
        store.noted(NoteKind::Verified, if good { "passed" } else { "failed" }, SystemClock.now());
        store.end(in_order);
    }
    write_whole(&path, text.as_bytes())?;
    print(&format!("\n{text}\nreport: {}\n", path.shown()))?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    Ok(if good { ExitCode::Ok } else { ExitCode::No })
}

/// What is known after the steps.
struct Tested {
    steps: Vec<Ended>,
    /// Name and fingerprint of the model.
    model: String,
    store: Option<Arc<Store>>,
    /// Whether every part was told.
    in_order: bool,
    /// Why the line broke off the test.
    failure: Option<anyhow::Error>,
}

/// The configured line on its threads, with a person at the belt.
fn attended(loaded: &Loaded, patience: Duration, stopper: Stopper) -> anyhow::Result<Tested> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let Opened { mut line, model, publisher, store, settled, orders, .. } =
        devices::open(loaded, clock.clone())?;
    let (ear, heard) = Ear::new();
    line.listeners.push(Box::new(ear));
    let mut course =
        Attended { heard, orders, clock, publisher: publisher.clone(), stopper: stopper.clone() };
    let config = loaded.config.clone();
    let work = std::thread::Builder::new().name("guide".to_owned());
    let work = work.spawn(move || {
        let steps = Guide { config: &config, patience }.lead(&mut course);
        course.stopper.stop();
        steps
    });
    let work = work.context("cannot start the guide")?;
    let outcome = run_threads(line, &stopper);
    // Nobody listens any more where the line has failed, so the guide ends too.
    let steps = work.join().map_err(|_| anyhow::anyhow!("the guide failed by a bug"))??;
    keeper::finish(publisher, store.as_deref(), settled.as_ref());
    let in_order = outcome.as_ref().is_ok_and(|outcome| outcome.summary.lost_events == 0);
    Ok(Tested { steps, model, store, in_order, failure: outcome.err().map(anyhow::Error::from) })
}

/// The demonstration line on a simulated clock: by itself, and as fast as the machine can.
fn alone(
    loaded: &Loaded,
    patience: Duration,
    stopper: Stopper,
    broker: Option<StandIn>,
) -> anyhow::Result<Tested> {
    let clock = Arc::new(SimClock::default());
    let Opened { mut line, model, publisher, store, settled, .. } = devices::open(loaded, clock.clone())?;
    let (ear, heard) = Ear::new();
    line.listeners.push(Box::new(ear));
    let switches = Arc::<Switches>::default();
    line.camera = Box::new(SwitchedCamera(line.camera, switches.clone()));
    let sensor = line.sensor.take();
    line.sensor = sensor.map(|sensor| Box::new(SwitchedSensor(sensor, switches.clone())) as Box<_>);
    let line = Lockstep::new(line, clock.clone(), Hooks::default())?;
    let mut course =
        Demonstration { line, clock, heard, switches, publisher: publisher.clone(), broker, stopper };
    let steps = Guide { config: &loaded.config, patience }.lead(&mut course)?;
    let summary = course.line.stop();
    drop(course.publisher);
    keeper::finish(publisher, store.as_deref(), settled.as_ref());
    Ok(Tested { steps, model, store, in_order: summary.lost_events == 0, failure: None })
}

/// The parts since the last good test, in words.
fn since_last_good(store: &Store, config: &Config, until: i64) -> Option<String> {
    store.flush();
    let reader = Reader::open(&config.store.path).ok()?;
    let notes = reader.notes_between(0, until).ok()?;
    let good =
        |note: &&crate::store::StoredNote| note.kind == NoteKind::Verified.name() && note.detail == "passed";
    let last = notes.iter().rev().find(good);
    let parts = reader.parts_between(last.map_or(0, |note| note.at_ms), until).ok()?;
    if parts.is_empty() {
        return None;
    }
    let since = last.map_or_else(
        || "no good test is on record".to_owned(),
        |note| format!("good at {}", rfc3339(note.at_ms)),
    );
    let mut by_end = BTreeMap::<&str, Vec<u64>>::new();
    for part in &parts {
        by_end.entry(part.outcome.as_deref().unwrap_or("end unknown")).or_default().push(part.number);
    }
    let lines = by_end.iter().map(|(end, numbers)| {
        let held = *end == Outcome::RejectedConfirmed.name();
        let named = if held { String::new() } else { format!(": {}", ranges(numbers)) };
        format!("\n  {end:<22} {:>6}{named}", numbers.len())
    });
    let more = if parts.len() < MOST_PARTS {
        String::new()
    } else {
        format!(
            "\n  and those after part {}: only the first {MOST_PARTS} are named",
            parts[parts.len() - 1].number
        )
    };
    Some(since + &lines.collect::<String>() + &more)
}

/// Part numbers in rising order in words, such as `4 to 9, 12`.
fn ranges(numbers: &[u64]) -> String {
    /// Ranges that are written out; a report is for paper.
    const MOST: usize = 500;
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers.iter().copied() {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let named = ranges.iter().take(MOST).map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first} to {last}"),
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if let (Some((next, _)), Some((_, last))) = (ranges.get(MOST), ranges.last()) {
        text.push_str(&format!(", and others from {next} to {last}: see the store"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_numbers_are_told_in_ranges() {
        assert_eq!(ranges(&[4, 5, 6, 9, 11, 12]), "4 to 6, 9, 11 to 12");
        assert_eq!(ranges(&[]), "");
        let odd: Vec<u64> = (0..600).map(|n| 2 * n + 1).collect();
        assert!(ranges(&odd).ends_with("999, and others from 1001 to 1199: see the store"));
    }
}
