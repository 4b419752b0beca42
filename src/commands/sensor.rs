//! `castgate sensor`: tells what the sensors and inputs say while they are wired up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::span;
use super::{ExitCode, UsageError, print};
use crate::clock::{Clock, SystemClock, Time};
use crate::config::Config;
use crate::config::load::load;
use crate::pipeline::Stopper;
use crate::scene::World;
use crate::sensor::simulated::SimulatedSensor;
use crate::sensor::{self, SensorEvent};
use crate::service::signals::{self, SignalWatch};
use crate::units::Span;

/// Show what the sensors say
///
/// Uses the sensors of the configuration. Stop the service first: only one program can hold them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate sensor watch --config castgate.yaml              each change with its time, until Ctrl-C
  castgate sensor watch --config castgate.yaml --for 30s

Exit codes: 0 ok, 2 usage or configuration, 3 a sensor cannot be used")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show each change of the sensors and inputs, and the encoder's count
    Watch {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// End after this time
        #[arg(long, value_name = "TIME", value_parser = span)]
        r#for: Option<Span>,
    },
}

/// Whose events are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watching {
    /// All of them.
    All,
    /// Those around the gate.
    Gate,
}

/// The encoder is told at most so often.
const EVERY: Duration = Duration::from_millis(500);

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Action::Watch { config, r#for } = args.action;
    watch(&load(&config)?.config, Watching::All, r#for.map(|span| span.duration()))
}

/// Tells events until a signal, or for so long.
pub(super) fn watch(config: &Config, which: Watching, span: Option<Duration>) -> anyhow::Result<ExitCode> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let begin = clock.now();
    let world = Arc::new(World::new(config, Vec::new(), begin));
    let source = sensor::open(config, clock.clone(), || Box::new(SimulatedSensor::new(config, world)))?;
    let mut source = source
        .ok_or_else(|| UsageError("the configuration has no sensor and no input to watch".to_owned()))?;
    let stopper = Stopper::default();
    let (stop, asked) = (stopper.signal(), stopper.clone());
    let _signals = SignalWatch::start(move || asked.stop(), signals::end_at_once)?;
    let (mut events, mut meter) = (Vec::new(), Meter::new(config));
    loop {
        let now = clock.now();
        if stopper.is_stopped() || span.is_some_and(|span| now - begin >= span) {
            return Ok(ExitCode::Ok);
        }
        if let Some(due) = source.due() {
            // A closed channel is the stop, which is looked at above.
            let _ = stop.recv_timeout((due - now).min(EVERY));
        }
        source.poll(clock.now(), &mut events)?;
        for event in events.drain(..) {
            if let Some(line) = meter.line(&event, which) {
                print(&format!("{:>10.3} s  {line}\n", event.at().seconds_since(begin)))?;
            }
        }
    }
}

/// Turns events into lines: times between edges, and the belt's speed by the encoder.
struct Meter {
    per_mm: f64,
    arrived: Option<Time>,
    counted: Option<(Time, i64)>,
}

impl Meter {
    fn new(config: &Config) -> Self {
        Self { per_mm: config.position.pulses_per_mm, arrived: None, counted: None }
    }

    fn line(&mut self, event: &SensorEvent, which: Watching) -> Option<String> {
        let around_gate = matches!(event, SensorEvent::Confirmed { .. } | SensorEvent::Input { .. });
        if which == Watching::Gate && !around_gate {
            return None;
        }
        Some(match *event {
            SensorEvent::PartArrived { at } => {
                let before = self.arrived.replace(at);
                let since = before.map(|before| format!(", {:.0} ms after the one before", ms(at, before)));
                format!("sensor on{}", since.unwrap_or_default())
            }
            SensorEvent::PartLeft { at } => {
                let length = self.arrived.map(|arrived| format!(", after {:.0} ms", ms(at, arrived)));
                format!("sensor off{}", length.unwrap_or_default())
            }
            SensorEvent::SecondSensor { at } => {
                let since =
                    self.arrived.map(|arrived| format!(", {:.0} ms after the sensor", ms(at, arrived)));
                format!("second sensor on{}", since.unwrap_or_default())
            }
            SensorEvent::Confirmed { .. } => "confirm sensor on".to_owned(),
            SensorEvent::Input { input, on, .. } => {
                format!("input {} {}", name(input), if on { "on" } else { "off" })
            }
            SensorEvent::Encoder { at, count, lost } => return self.encoder(at, count, lost),
        })
    }

    fn encoder(&mut self, at: Time, count: i64, lost: u32) -> Option<String> {
        let Some((before, counted)) = self.counted else {
            self.counted = Some((at, count));
            return Some(format!("encoder at {count}"));
        };
        if (at - before < EVERY && lost == 0) || count == counted {
            return None;
        }
        self.counted = Some((at, count));
        let mm = (count - counted) as f64 / self.per_mm;
        let seconds = at.seconds_since(before).max(1e-9);
        let lost = if lost > 0 { format!(", {lost} pulses LOST") } else { String::new() };
        Some(format!("encoder at {count}, {mm:+.1} mm, {:.0} mm/s{lost}", mm / seconds))
    }
}

fn ms(at: Time, before: Time) -> f64 {
    at.seconds_since(before) * 1e3
}

fn name(input: sensor::Input) -> &'static str {
    match input {
        sensor::Input::Running => "running",
        sensor::Input::BinFull => "bin_full",
        sensor::Input::AirLow => "air_low",
        sensor::Input::Inhibit => "inhibit",
        sensor::Input::Reset => "reset",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_told_with_their_distances() {
        let at = |s: f64| Time::ZERO.plus_s(s);
        let mut meter = Meter { per_mm: 2.0, arrived: None, counted: None };
        let mut told = |event| meter.line(&event, Watching::All);
        assert_eq!(told(SensorEvent::PartArrived { at: at(1.0) }).as_deref(), Some("sensor on"));
        assert_eq!(told(SensorEvent::PartLeft { at: at(1.4) }).as_deref(), Some("sensor off, after 400 ms"));
        let on = told(SensorEvent::PartArrived { at: at(2.0) });
        assert_eq!(on.as_deref(), Some("sensor on, 1000 ms after the one before"));
        let encoder = |s, count, lost| SensorEvent::Encoder { at: at(s), count, lost };
        assert_eq!(told(encoder(2.0, 10, 0)).as_deref(), Some("encoder at 10"));
        assert_eq!(told(encoder(2.1, 20, 0)), None, "not for each pulse");
        assert_eq!(
            told(encoder(3.0, 410, 3)).as_deref(),
            Some("encoder at 410, +200.0 mm, 200 mm/s, 3 pulses LOST")
        );
        let mut gate = Meter { per_mm: 2.0, arrived: None, counted: None };
        assert_eq!(gate.line(&SensorEvent::PartArrived { at: at(1.0) }, Watching::Gate), None);
    }
}
