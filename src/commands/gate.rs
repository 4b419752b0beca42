//! `castgate gate`: moves the gate by hand while it is wired up, and puts it into its safe position.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::arguments::span;
use super::printer::Printer;
use super::sensor::{self, Watching};
use super::{ExitCode, UsageError, print};
use crate::clock::{Clock, SystemClock, Time};
use crate::config::load::load;
use crate::config::{Config, GateKind};
use crate::gate::{self, Gate, GateState, SafeGuard};
use crate::pipeline::Stopper;
use crate::service::logging;
use crate::service::signals::{self, SignalWatch};
use crate::units::Span;

/// Move the gate by hand
///
/// Uses the gate of the configuration. Stop the service first: only one program can hold the gate.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate gate pulse --config castgate.yaml --times 5    five rejects, a second apart
  castgate gate safe --config castgate.yaml               into the safe position, outputs off, line stop on
  castgate gate watch --config castgate.yaml              tell what the inputs around the gate say

Exit codes: 0 ok, 2 usage or configuration, 3 the gate cannot be moved")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Move to reject and back, with the length of a reject
    Pulse {
        #[command(flatten)]
        place: Place,
        /// Number of rejects
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        times: u32,
        /// How long to stay in reject, such as 200ms; without it, as long as for one part at the line's speed
        #[arg(long, value_name = "TIME", value_parser = span)]
        length: Option<Span>,
        /// Time from the start of one reject to the start of the next
        #[arg(long, value_name = "TIME", value_parser = span, default_value = "1s")]
        every: Span,
        /// Move the second gate
        #[arg(long)]
        second: bool,
    },
    /// Move into the safe position, switch the outputs off and `line_stop` on, and release the lines
    Safe {
        #[command(flatten)]
        place: Place,
    },
    /// Show each change of the confirm sensor and the inputs, until Ctrl-C; the gate stays in its safe position
    Watch {
        #[command(flatten)]
        place: Place,
        /// End after this time
        #[arg(long, value_name = "TIME", value_parser = span)]
        r#for: Option<Span>,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    logging::never_wait();
    match args.action {
        Action::Pulse { place, times, length, every, second } => {
            let config = real(&place.config)?;
            let length = length.map_or_else(|| pulse_length(&config, second), |span| span.duration());
            pulse(&config, second, times, length, every.duration())
        }
        Action::Safe { place } => {
            let config = load(&place.config)?.config;
            if config.gate.kind == GateKind::Simulated {
                print("the gate is simulated: there is nothing to move\n")?;
                return Ok(ExitCode::Ok);
            }
            make_safe(&config)
        }
        Action::Watch { place, r#for } => {
            let config = real(&place.config)?;
            let _gates =
                (open(&config, false)?, config.second_gate.enabled.then(|| open(&config, true)).transpose()?);
            sensor::watch(&config, Watching::Gate, r#for.map(|span| span.duration()))
        }
    }
}

/// The configuration, whose gate is a real one.
fn real(path: &Path) -> anyhow::Result<Config> {
    let config = load(path)?.config;
    if config.gate.kind == GateKind::Simulated {
        let what = "gate.kind: the gate is simulated; `gpiochip` would be a real one";
        return Err(UsageError(what.to_owned()).into());
    }
    Ok(config)
}

/// How long one part keeps the gate in reject at the line's speed.
fn pulse_length(config: &Config, second: bool) -> Duration {
    let speed = config.line.speed.as_mm_per_s();
    let pulse = if second { config.second_gate.pulse } else { config.gate.pulse };
    Duration::try_from_secs_f64(pulse.mm_at(speed) / speed).unwrap_or(Duration::ZERO)
}

/// Opens a gate in its safe position, to which it returns at the end.
fn open(config: &Config, second: bool) -> anyhow::Result<SafeGuard> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let simulated = || Box::new(gate::simulated::NoSecondGate) as Box<dyn Gate>;
    let (gate, safe) = match second {
        false => (gate::open(&config.gate, simulated)?, config.gate.safe),
        true => {
            let second = gate::open_second(config)?;
            let second = second.ok_or_else(|| {
                UsageError("second_gate.enabled: is false; there is no second gate".to_owned())
            })?;
            (second, gate::SECOND_SAFE)
        }
    };
    Ok(SafeGuard::new(gate, safe, clock)?)
}

/// Whether the wait went to its end.
fn wait(stop: &Receiver<()>, until: Time, clock: &dyn Clock) -> bool {
    matches!(stop.recv_timeout(until - clock.now()), Err(RecvTimeoutError::Timeout))
}

fn pulse(
    config: &Config,
    second: bool,
    times: u32,
    length: Duration,
    every: Duration,
) -> anyhow::Result<ExitCode> {
    if every <= length {
        return Err(
            UsageError(format!("--every: must be longer than a reject, which takes {length:?}")).into()
        );
    }
    let printer = Printer::start()?;
    let mut gate = open(config, second)?;
    let stopper = Stopper::default();
    let (stop, asked) = (stopper.signal(), stopper.clone());
    let _signals = SignalWatch::start(move || asked.stop(), signals::end_at_once)?;
    let clock = SystemClock;
    gate.set(GateState::Pass, clock.now())?;
    let begin = clock.now() + length.min(Duration::from_millis(200));
    for n in 0..times {
        let from = begin + every * n;
        if !wait(&stop, from, &clock) {
            break;
        }
        gate.set(GateState::Reject, clock.now())?;
        let whole = wait(&stop, from + length, &clock);
        gate.set(GateState::Pass, clock.now())?;
        let took = (clock.now() - from).as_secs_f64() * 1e3;
        printer.print(format!("{:>4}  reject for {took:.0} ms\n", n + 1));
        if !whole {
            break;
        }
    }
    drop(gate);
    printer.finish("the gate is in its safe position; from now on the wiring alone holds it\n".to_owned())?;
    Ok(ExitCode::Ok)
}

/// Opening a device puts it into its safe position, and closing it again does.
fn make_safe(config: &Config) -> anyhow::Result<ExitCode> {
    let first = open(config, false);
    let second = if config.second_gate.enabled { open(config, true).map(drop) } else { Ok(()) };
    let outputs = gate::open_outputs(&config.outputs).map(drop).map_err(anyhow::Error::from);
    // The first failure is told, and kept no other device from being made safe.
    first.map(drop).and(second).and(outputs)?;
    print("the gate is in its safe position; from now on the wiring alone holds it\n")?;
    Ok(ExitCode::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_is_as_long_as_for_one_part() {
        let config = Config::default();
        let wanted = config.gate.pulse.mm_at(1.0) / config.line.speed.as_mm_per_s();
        assert!((pulse_length(&config, false).as_secs_f64() - wanted).abs() < 1e-6);
        assert_eq!(span("250ms").map(|span| span.duration()), Ok(Duration::from_millis(250)));
        assert!(span("soon").is_err());
    }
}
