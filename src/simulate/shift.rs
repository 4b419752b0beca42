//! One simulated shift: the very stages of `run` in lockstep, on a plant with faults, watched by a judge.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::devices::{Camera, PlantGate, input, model};
use super::faults::{Episode, Fault, Faults};
use super::judge::Judge;
use super::plant::{Part, Plant};
use super::region::{self, plain};
use super::sensors::Sensors;
use super::tally::{Tally, Violation};
use crate::clock::{Clock, SimClock};
use crate::config::{Config, GateState};
use crate::decide::{PartRecord, Policy, Rules};
use crate::pipeline::{Delays, Event, Failure, Hooks, Line, Listener, Load, Lockstep, Order};
use crate::verdict::{PartNumber, Truth};
use crate::vision::Preprocessor;

/// The operator looks at the line so often, and resets a line stop after so long, in seconds.
const LOOKS_S: f64 = 0.5;
const RESETS_AFTER_S: f64 = 3.0;
/// A healthy model takes so long for a frame, in seconds.
const INFERENCE_S: f64 = 0.012;

/// What is to be simulated.
pub struct Shift {
    /// The line.
    pub config: Config,
    /// Seed of everything random in it.
    pub seed: u64,
    /// Its parts, in order.
    pub parts: Vec<Part>,
    /// What goes wrong.
    pub faults: Faults,
    /// When somebody orders something, in seconds, in order.
    pub orders: Vec<(f64, Order)>,
    /// Whether an operator resets line stops.
    pub operator: bool,
    /// Whether every record is kept.
    pub keep: bool,
    /// The least length in seconds.
    pub at_least: f64,
}

/// What came of it.
pub struct Done {
    /// Broken promises.
    pub violations: Vec<Violation>,
    /// What happened to the parts.
    pub tally: Tally,
    /// Every record, if they were kept.
    pub records: Vec<PartRecord>,
    /// Whether each part was physically removed, if records were kept.
    pub removed: Vec<bool>,
    /// Movements of the gate, if records were kept: when, and to where.
    pub moves: Vec<(f64, GateState)>,
    /// What else happened, if records were kept: seconds and words.
    pub notes: Vec<(f64, String)>,
    /// Length in seconds.
    pub seconds: f64,
    /// The most that was under way at once.
    pub most: Load,
}

impl Shift {
    /// A shift of `count` random parts with random faults of the chosen kinds, each about once in `every` seconds.
    pub fn random(config: &Config, seed: u64, count: usize, chosen: &[Fault], every: f64) -> Self {
        let mut config = plain(config);
        region::vary(&mut config, seed);
        let speed = config.line.speed.as_mm_per_s();
        let seconds = count as f64 * config.simulation.pitch.as_mm() / speed * 1.6 + 30.0;
        let faults = Faults::random(seed, seconds, every, chosen);
        let parts = Plant::parts(&config, seed, count, &faults);
        Self { config, seed, parts, faults, orders: Vec::new(), operator: true, keep: false, at_least: 0.0 }
    }
}

/// Shared between the devices of a run and the judge.
struct Watched {
    judge: Mutex<Judge>,
    moves: Mutex<Vec<(f64, GateState)>>,
    notes: Mutex<Vec<(f64, String)>>,
    clock: Arc<SimClock>,
    keep: bool,
    /// The process is about to end: the gate goes into its safe position.
    ending: AtomicBool,
}

impl Watched {
    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, at: f64, what: String) {
        if self.keep {
            self.notes.lock().unwrap_or_else(PoisonError::into_inner).push((at, what));
        }
    }
}

struct Ear(Arc<Watched>);

impl Listener for Ear {
    fn hear(&mut self, event: &Event) {
        let now = self.0.clock.now().as_s();
        match event {
            Event::LineStop { reason: Some(reason), at } => {
                self.0.note(at.as_s(), format!("line stop {}", reason.name()));
            }
            Event::LineStop { reason: None, at } => self.0.note(at.as_s(), "line stop ended".to_owned()),
            Event::Position { loss: Some(_), at } => self.0.note(at.as_s(), "position lost".to_owned()),
            Event::Position { loss: None, at } => self.0.note(at.as_s(), "position known".to_owned()),
            _ => {}
        }
        self.0.judge().hear(event, now);
    }
}

/// Runs a shift to its end.
///
/// # Errors
/// The failure of a device: none of these can fail, so it is a bug.
pub fn run(shift: Shift) -> Result<Done, Failure> {
    let Shift { config, seed, parts, faults, mut orders, operator, keep, at_least } = shift;
    let plant = Arc::new(Plant::new(config, parts, faults));
    let clock = Arc::new(SimClock::default());
    let watched = Arc::new(Watched {
        judge: Mutex::new(Judge::new(plant.clone(), seed, keep)),
        moves: Mutex::default(),
        notes: Mutex::default(),
        clock: clock.clone(),
        keep,
        ending: AtomicBool::new(false),
    });
    orders.sort_by(|a, b| b.0.total_cmp(&a.0));
    let end = plant.parts.last().map_or(0.0, |part| plant.confirms(part) + 3.0).max(at_least);
    let restarts: Vec<Episode> = plant.faults.of(Fault::Restart).to_vec();
    let mut most = Load::default();
    let mut at = 0.0;
    for restart in restarts.iter().map(Some).chain([None]) {
        let until = restart.map_or(end, |restart| restart.from.min(end));
        if until <= at && restart.is_some() {
            continue;
        }
        let mut line = start(&plant, &clock, &watched)?;
        while at < until {
            let next_order = orders.last().map_or(f64::INFINITY, |(when, _)| when.max(at));
            at = (at + LOOKS_S).min(until).min(next_order);
            line.run(Plant::moment(at))?;
            if orders.last().is_some_and(|(when, _)| *when <= at)
                && let Some((_, order)) = orders.pop()
            {
                line.order(order)?;
            }
            let stopped = watched.judge().stopped_since();
            if operator && stopped.is_some_and(|(_, since)| at >= since + RESETS_AFTER_S) {
                line.order(Order::Reset)?;
            }
            watched.judge().settle(at, false);
        }
        let load = line.most();
        most.parts = most.parts.max(load.parts);
        most.windows = most.windows.max(load.windows);
        most.frames = most.frames.max(load.frames);
        watched.ending.store(true, Ordering::Relaxed);
        match restart.filter(|_| at < end) {
            Some(restart) => {
                // The process is killed: nothing is told any more, and the gate's line goes to its safe level.
                drop(line);
                watched.judge().died();
                watched.note(at, "the process died".to_owned());
                at = restart.until().min(end);
                clock.advance_to(Plant::moment(at));
            }
            None => {
                line.stop();
                break;
            }
        }
    }
    if keep {
        for part in &plant.parts {
            let (what, fate) = (
                if part.truth == Truth::Ok { "good" } else { "defective" },
                if plant.is_removed(part) { "removed" } else { "passes" },
            );
            let there = plant.at_gate(part);
            watched.note(
                plant.arrives(part),
                format!("a {what} part arrives; at the gate at {there:.3} s it {fate}"),
            );
        }
    }
    let mut judge = watched.judge();
    judge.end(at);
    let limit = &plant.config.decide.max_parts;
    bounded(&mut judge, &most, *limit as usize, at, seed);
    Ok(Done {
        violations: std::mem::take(&mut judge.violations),
        tally: std::mem::take(&mut judge.tally),
        records: judge.kept.take().unwrap_or_default(),
        removed: if keep {
            plant.parts.iter().map(|part| plant.is_removed(part)).collect()
        } else {
            Vec::new()
        },
        moves: std::mem::take(&mut *watched.moves.lock().unwrap_or_else(PoisonError::into_inner)),
        notes: std::mem::take(&mut *watched.notes.lock().unwrap_or_else(PoisonError::into_inner)),
        seconds: at,
        most,
    })
}

/// (f) Queues and books stay bounded.
fn bounded(judge: &mut Judge, most: &Load, limit: usize, at: f64, seed: u64) {
    for (name, found, most) in
        [("parts", most.parts, limit), ("windows", most.windows, 4 * limit + 64), ("frames", most.frames, 8)]
    {
        if found > most {
            let what = format!("{found} {name} at once, more than {most}");
            judge.violations.push(Violation { property: 'f', seed, at, part: None, what });
        }
    }
}

/// Starts the line, as a process does.
fn start(plant: &Arc<Plant>, clock: &Arc<SimClock>, watched: &Arc<Watched>) -> Result<Lockstep, Failure> {
    let since = clock.now().as_s();
    watched.ending.store(false, Ordering::Relaxed);
    watched.judge().begin(since);
    let config = &plant.config;
    // What the store keeps over the death of a process.
    let first = PartNumber(watched.judge().last_number + 1);
    let stop = watched.judge().stopped_since().map(|(reason, _)| reason);
    let sensors = Sensors::new(plant.clone(), since);
    let (times, gates) = (clock.clone(), watched.clone());
    // The first movement, and the last one of a process that ends, are into the safe position.
    let mut first_move = true;
    let gate = PlantGate(
        plant.clone(),
        Box::new(move |state, now| {
            let safe = std::mem::replace(&mut first_move, false);
            if gates.keep {
                gates.moves.lock().unwrap_or_else(PoisonError::into_inner).push((now.as_s(), state));
            }
            let ending = gates.ending.load(Ordering::Relaxed);
            gates.judge().moved(state, now, safe || ending);
        }),
    );
    let classifier = model(plant.clone(), move || times.now().as_s());
    let policy = Policy::configured(&config.model, Policy { threshold: 0.5, unsure: 0.1 });
    let rules = Rules::of(config, policy);
    let devices = (
        Box::new(Camera::new(plant.clone(), since)) as Box<_>,
        Preprocessor::for_line(config, &input()),
        Box::new(classifier) as Box<_>,
    );
    let line = Line {
        sensor: Some(Box::new(sensors)),
        first,
        stop,
        safe: config.gate.safe,
        listeners: vec![Box::new(Ear(watched.clone()))],
        ..Line::new(devices, rules, Box::new(gate), clock.clone())
    };
    let taps = watched.clone();
    let hooks = Hooks {
        delays: Some(delays(plant.clone())),
        tap: Some(Box::new(move |command, now| taps.judge().commanded(command, now))),
    };
    Lockstep::new(line, clock.clone(), hooks)
}

/// How long a frame takes to its score.
fn delays(plant: Arc<Plant>) -> Delays {
    Box::new(move |_, now| {
        let at = now.as_s();
        let faults = &plant.faults;
        let slow = faults.at(Fault::ModelSlow, at).or_else(|| faults.at(Fault::QueueOverflow, at));
        let hangs = faults.at(Fault::ModelHangs, at).map(|fault| fault.until() - at);
        let seconds = hangs.or_else(|| slow.map(|fault| fault.amount)).unwrap_or(INFERENCE_S);
        Some(Duration::from_secs_f64(seconds))
    })
}
