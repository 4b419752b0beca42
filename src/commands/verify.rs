//! `castgate verify`: the guided fail-safe test of a line, with a dated report.

mod switched;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::devices::{self, Opened};
use super::orders::Orders;
use super::{ExitCode, create, print};
use crate::clock::{Clock, SystemClock, Time, rfc3339};
use crate::config::load::{Loaded, load, of};
use crate::config::{Config, ConfirmKind};
use crate::decide::{Outcome, PartRecord, StopReason};
use crate::pipeline::{Event, Listener, Order, Stopper, run_threads};
use crate::service::logging;
use crate::service::signals::{self, SignalWatch};
use crate::store::{NoteKind, Reader, Store};
use crate::verify::{Ended, Ending, Meta, Step, Watch, Watching, report};

use switched::{SwitchedCamera, SwitchedSensor, Switches};

/// Test the line fail-safe: a guided test with a dated report
///
/// Three defective parts in a row; defective, clean, defective; then without camera, without confirm sensor, without broker. On your
/// line it says what to do and watches. Without --config the demonstration line tests itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate verify                                          the demonstration line, by itself, in half a minute
  castgate verify --config /etc/castgate/castgate.yaml --report verify-monday.txt

Stop the service before: two programs cannot have one camera. At the end the gate is in its safe position.

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

/// Events that wait for the guide.
const HEARD: usize = 1024;
/// After a line stop, and after the camera is back, the line is left alone for so long.
const SETTLE: Duration = Duration::from_secs(3);

/// What the guide hears of the line.
enum Heard {
    Part(Arc<PartRecord>),
    LineStop(StopReason),
}

struct Ear(Sender<Heard>);

impl Listener for Ear {
    fn hear(&mut self, event: &Event) {
        let heard = match event {
            Event::Part(record) => Heard::Part(record.clone()),
            Event::LineStop { reason: Some(reason), .. } => Heard::LineStop(*reason),
            _ => return,
        };
        // A guide that is behind by a thousand events has stopped listening.
        let _ = self.0.try_send(heard);
    }
}

/// The demonstration line with the parts that the test needs.
fn demonstration() -> Loaded {
    let mut config = Config::default();
    config.simulation.sequence = Some("odddoodod".to_owned());
    // A broker that nobody runs: what is tested is that the line does not mind.
    config.mqtt.enabled = cfg!(feature = "mqtt");
    config.mqtt.host = "127.0.0.1".to_owned();
    config.mqtt.port = 1;
    of(config)
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let by_itself = args.config.is_none();
    let loaded = args.config.as_deref().map_or_else(|| Ok(demonstration()), load)?;
    logging::set_level(if by_itself { crate::config::LogLevel::Off } else { loaded.config.line.log_level });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let began = clock.wall_ms();
    let day = rfc3339(began).chars().take(16).map(|c| if c == ':' { '-' } else { c }).collect::<String>();
    let path = args.report.unwrap_or_else(|| PathBuf::from(format!("castgate-verify-{day}.txt")));
    let mut file = create(&path)?;
    let stopper = Stopper::default();
    let stop = stopper.clone();
    let _signals = SignalWatch::start(move || stop.stop(), signals::end_at_once)?;
    let Opened { mut line, model, publisher, store, orders, .. } = devices::open(&loaded, clock.clone())?;
    let (told, heard) = bounded(HEARD);
    line.listeners.push(Box::new(Ear(told)));
    let switches = by_itself.then(Arc::<Switches>::default);
    if let Some(switches) = &switches {
        line.camera = Box::new(SwitchedCamera(line.camera, switches.clone()));
        let sensor = line.sensor.take();
        line.sensor = sensor.map(|sensor| Box::new(SwitchedSensor(sensor, switches.clone())) as Box<_>);
    }
    let guide = Guide {
        config: loaded.config.clone(),
        heard,
        orders,
        clock: clock.clone(),
        stopper: stopper.clone(),
        switches,
        patience: Duration::from_secs(args.patience),
    };
    let work = std::thread::Builder::new().name("guide".to_owned());
    let work = work.spawn(move || guide.run()).context("cannot start the guide")?;
    let outcome = run_threads(line, &stopper);
    // Nobody listens any more where the line has failed, so the guide ends too.
    let steps = work.join().map_err(|_| anyhow::anyhow!("the guide failed by a bug"))??;
    drop(publisher);
    let outcome = outcome?;
    let complete = steps.len() == Step::ALL.len();
    let since = store.as_ref().and_then(|store| since_last_good(store, &loaded.config, began));
    let meta = Meta {
        at: rfc3339(began),
        line: loaded.config.line.name.clone(),
        model,
        config: loaded.fingerprint.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        since_last_good: since,
    };
    let (good, text) = report(&meta, &steps);
    let good = good && complete;
    if let Some(store) = store {
        store.noted(NoteKind::Verified, if good { "passed" } else { "failed" }, clock.now());
        store.end(outcome.summary.lost_events == 0);
    }
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    print(&format!("\n{text}\nreport: {}\n", path.display()))?;
    Ok(if good { ExitCode::Ok } else { ExitCode::No })
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
    let passed = parts.iter().filter(|part| part.outcome.as_deref() == Some(Outcome::Passed.name())).count();
    let (first, newest) = (parts.first()?.number, parts.last()?.number);
    let since = last.map_or_else(
        || "no good test is on record; ".to_owned(),
        |note| format!("good at {}; ", rfc3339(note.at_ms)),
    );
    Some(format!("{since}{first} to {newest}, {} parts, of which {passed} passed", parts.len()))
}

/// Leads through the steps, beside the running line.
struct Guide {
    config: Config,
    heard: Receiver<Heard>,
    orders: Orders,
    clock: Arc<dyn Clock>,
    stopper: Stopper,
    switches: Option<Arc<Switches>>,
    patience: Duration,
}

impl Guide {
    fn run(self) -> anyhow::Result<Vec<Ended>> {
        let mut ended = Vec::new();
        self.settle();
        for (index, step) in Step::ALL.into_iter().enumerate() {
            print(&format!("{}. {}\n", index + 1, step.name()))?;
            let end = match self.cannot(step) {
                Some(why) => Ended { step, ending: Ending::Skipped(why), parts: Vec::new() },
                None => self.step(step)?,
            };
            let words = match &end.ending {
                Ending::Passed => "passed".to_owned(),
                Ending::Failed(what) => format!("FAILED: {what}"),
                Ending::Skipped(why) => format!("not tried: {why}"),
            };
            print(&format!("   {words}\n"))?;
            ended.push(end);
            if self.stopper.is_stopped() {
                break;
            }
        }
        self.stopper.stop();
        Ok(ended)
    }

    fn cannot(&self, step: Step) -> Option<&'static str> {
        match step {
            Step::ConfirmBlocked if self.config.confirm.kind == ConfirmKind::None => {
                Some("there is no confirm sensor (confirm.kind)")
            }
            Step::BrokerStopped if !self.config.mqtt.enabled => {
                Some("no broker is configured (mqtt.enabled)")
            }
            _ => None,
        }
    }

    fn step(&self, step: Step) -> anyhow::Result<Ended> {
        let how = match &self.switches {
            Some(switches) => {
                switches.handle(step.handling());
                Watching::Truth
            }
            None => {
                print(&format!("   please {}\n", step.instruction()))?;
                Watching::Next
            }
        };
        if matches!(step, Step::CameraBack | Step::BrokerStopped) {
            self.settle();
            // What was taken away may have stopped the line.
            self.orders.give(Order::Reset).map_err(anyhow::Error::msg)?;
        }
        let began = self.clock.now();
        let mut watch = Watch::new(step, how, began, self.config.confirm.kind != ConfirmKind::None);
        while let Ok(heard) = self.heard.recv_timeout(self.left(began)) {
            match heard {
                Heard::LineStop(reason) => {
                    watch.on_line_stop(reason);
                    if step != Step::ConfirmBlocked {
                        print(&format!("   line stop: {}\n", reason.name()))?;
                    }
                }
                Heard::Part(record) => {
                    if let Some(ended) = watch.on_part(&record) {
                        return Ok(ended);
                    }
                }
            }
        }
        Ok(watch.give_up())
    }

    fn left(&self, began: Time) -> Duration {
        if self.stopper.is_stopped() { Duration::ZERO } else { (began + self.patience) - self.clock.now() }
    }

    /// Lets the line run for a while; what happens meanwhile is nobody's test.
    fn settle(&self) {
        let until = self.clock.now() + SETTLE;
        while !self.stopper.is_stopped() && self.heard.recv_timeout(until - self.clock.now()).is_ok() {}
    }
}
