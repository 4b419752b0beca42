//! `castgate run`: the line at work, until its end, a signal or a failure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::bounded;

use super::console::Console;
use super::printer::Printer;
use super::{ExitCode, exit};
use crate::clock::{Clock, SystemClock};
use crate::config::load::load_or_demonstration;
use crate::lab::files::{try_out, write_json};
use crate::line::devices::{self, Opened};
use crate::line::keeper;
use crate::line::reload::{Reloader, Running};
use crate::pipeline::{Failure, Stopper, lock_memory, run_threads};
use crate::regular;
use crate::score::summary::Summary;
use crate::service::logging;
use crate::service::notify::Watchdog;
use crate::service::signals::{self, SignalWatch};
use crate::service::socket::CommandSocket;

/// Run the line: camera to gate
///
/// Without --config it runs the demonstration line: a simulated conveyor with drawn castings and the built-in demonstration model.
/// Ctrl-C or SIGTERM ends it in order, with the gate in its safe position and a summary; a second one ends it at once. SIGHUP reads the
/// configuration again, as far as it can change while the line runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate run --parts 20                       watch the demonstration line
  castgate run --config /etc/castgate/castgate.yaml --summary today.json

Exit codes: 0 ended in order, 2 the configuration is wrong, 3 a device or the model failed, 70 castgate is at fault")]
pub(super) struct Args {
    /// Configuration file; without it, the demonstration line
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// End after so many parts have left the line
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    parts: Option<u64>,
    /// Print no line for each part
    #[arg(long)]
    quiet: bool,
    /// Write the summary as JSON to this file at the end; the one that is there stays until then
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    logging::never_wait();
    let loaded = load_or_demonstration(args.config.as_deref())?;
    logging::set_level(loaded.config.line.log_level);
    // Tried first: a long run must not end with a file that cannot be written.
    args.summary.as_deref().map(try_out).transpose()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let at_work = Arc::new(AtomicBool::new(false));
    let working = at_work.clone();
    // Opening a model or a device may take long, nobody there looks at the stopper, and nothing has moved yet.
    let stop = move || {
        if working.load(Ordering::Relaxed) {
            stop.stop();
        } else {
            log::info!("asked to stop before the line was at work");
            signals::end_before_work();
        }
    };
    // One that waits is enough: it reads the newest file.
    let (reload, asked) = bounded(1);
    let hang_up = move || {
        let _ = reload.try_send(());
    };
    let _signals = SignalWatch::with_reload(stop, signals::end_at_once, hang_up)?;
    let Opened { mut line, model, publisher, store, settled, reporting, orders, info } =
        devices::open(&loaded, clock.clone())?;
    let socket = loaded.config.commands.socket.as_deref();
    let socket = socket
        .map(|path| CommandSocket::open(path, orders.taker(clock.clone()), clock.clone()))
        .transpose()?;
    line.parts = args.parts;
    let printer = Printer::start()?;
    if !args.quiet {
        line.listeners.push(Box::new(Console { printer: printer.clone(), started: clock.now() }));
    }
    let watchdog = Watchdog::start(&loaded.config.line.name, line.vitals.clone(), clock.clone())?;
    line.listeners.push(Box::new(watchdog.listener()));
    // All that may take long is behind it: from here on a stop goes through the stages.
    at_work.store(true, Ordering::Relaxed);
    log::info!("line `{}`, configuration {}, model {model}", loaded.config.line.name, loaded.fingerprint);
    let publishing = Arc::downgrade(&publisher);
    let running = Running { loaded, model: info, orders, reporting, publisher: publishing };
    let reloader = Reloader::start(running, asked)?;
    lock_memory();
    let outcome = run_threads(line, &stopper);
    drop((socket, reloader, watchdog));
    keeper::finish(publisher, store.as_deref(), settled.as_ref());
    if let (Ok(outcome), Some(store)) = (&outcome, &store) {
        store.end(outcome.summary.lost_events == 0);
    }
    drop(store);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(failure) => {
            // The parts that left before are printed still; that they cannot be is no news beside the failure.
            let _ = printer.finish(String::new());
            return failed(failure);
        }
    };
    let summary = Summary { resident_mib: resident_mib(), ..outcome.summary };
    if let Some(path) = &args.summary {
        write_json(path, &summary)?;
    }
    printer.finish(summary.to_string())?;
    Ok(ExitCode::Ok)
}

/// Tells why the line ended before its time.
fn failed(failure: Failure) -> anyhow::Result<ExitCode> {
    if !matches!(failure, Failure::Panic { .. }) {
        return Err(failure.into());
    }
    exit::line(&format!("castgate: error: {failure}; this is a fault of castgate, please report it"));
    Ok(ExitCode::Bug)
}

/// Memory of this process in MiB; 0 where the system does not tell.
fn resident_mib() -> f64 {
    let pages = regular::read_text(Path::new("/proc/self/statm"), 4096).ok();
    let resident = pages.as_deref().and_then(|text| text.split_whitespace().nth(1)?.parse::<f64>().ok());
    resident.unwrap_or(0.0) * rustix::param::page_size() as f64 / f64::from(1 << 20)
}
