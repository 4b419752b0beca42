//! The whole simulated line with the shipped model, in lockstep on a simulated clock.

use std::path::Path;
use std::sync::Arc;

use castgate::camera::simulated;
use castgate::clock::{Clock, SimClock, Time};
use castgate::config::{Config, GateState, Region};
use castgate::decide::{Outcome, PartRecord, Policy, Rules};
use castgate::gate::simulated::SimulatedGate;
use castgate::gate::{Gate, GateError};
use castgate::model;
use castgate::pipeline::{Line, Listener, run_lockstep};
use castgate::scene::World;
use castgate::score::summary::Summary;
use castgate::sensor::simulated::SimulatedSensor;
use castgate::units::Length;
use castgate::verdict::{Reason, Truth, Verdict};
use castgate::vision::Preprocessor;

use crate::support::castings::castings;
use crate::support::line::{Heard, Recorder};

/// Moves the simulated gate and writes down when.
struct Both(SimulatedGate, Recorder);

impl Gate for Both {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        self.1.set(state, now)?;
        self.0.set(state, now)
    }
}

struct Run {
    summary: Summary,
    records: Vec<PartRecord>,
    moves: Vec<(Time, GateState)>,
    world: Arc<World>,
    end: Time,
}

/// Runs `parts` parts of the line that `change` makes of the demonstration line.
fn run(parts: u64, change: impl FnOnce(&mut Config), listeners: Vec<Box<dyn Listener>>) -> Run {
    run_with("demo", parts, change, listeners)
}

/// The same with one of the models.
fn run_with(
    model: &str,
    parts: u64,
    change: impl FnOnce(&mut Config),
    listeners: Vec<Box<dyn Listener>>,
) -> Run {
    let mut config = Config::default();
    change(&mut config);
    let clock = Arc::new(SimClock::default());
    let (world, camera) = simulated::open(&config, clock.now()).unwrap();
    let model = model::open(Path::new(model)).unwrap();
    let policy = Policy { threshold: model.info().threshold, unsure: model.info().unsure };
    let (heard, moves, told) = (Heard::default(), Recorder::default(), world.clone());
    let mut all: Vec<Box<dyn Listener>> = vec![Box::new(heard.clone())];
    all.extend(listeners);
    let preprocessor = Preprocessor::for_line(&config, model.input());
    let gate = Both(SimulatedGate::new(world.clone()), moves.clone());
    let devices = (Box::new(camera) as Box<_>, preprocessor, model);
    let rules = Rules::of(&config, policy);
    let line = Line {
        sensor: Some(Box::new(SimulatedSensor::new(&config, world.clone()))),
        listeners: all,
        oracle: Some(Box::new(move |record| {
            told.truth_of(record.triggered_at).map(|part| (part.truth, String::new()))
        })),
        parts: Some(parts),
        ..Line::new(devices, rules, Box::new(gate), clock.clone())
    };
    let outcome = run_lockstep(line, clock.clone(), Time::ZERO.plus_s(3600.0)).unwrap();
    let (records, moves) = (heard.0.lock().unwrap().clone(), moves.moves.lock().unwrap().clone());
    Run { summary: outcome.summary, records, moves, world, end: clock.now() }
}

#[test]
fn the_demonstration_line_lets_no_defect_pass_and_accounts_for_everything() {
    let run = run(40, |_| {}, Vec::new());
    assert_eq!((run.summary.parts, run.summary.escapes), (40, Some(0)));
    assert!(run.summary.false_rejects <= Some(1), "{}", run.summary);
    assert_eq!(run.summary.frames.captured, run.summary.frames.inspected);
    let defective = run.records.iter().filter(|r| r.truth == Some(Truth::Defect)).count();
    assert!(defective > 3, "the run shows something: {defective}");
    let ends = (run.moves.first().map(|m| m.1), run.moves.last().map(|m| m.1));
    assert_eq!(ends, (Some(GateState::Reject), Some(GateState::Reject)), "safe before and after");
}

/// What was wrong with a run in which everything is healthy: good parts that were not cleared, and escapes.
fn wrong(run: &Run) -> Vec<String> {
    let ended = run.records.iter().filter(|r| r.outcome != Outcome::UnresolvedAtStop);
    let good = ended.filter(|r| r.truth == Some(Truth::Ok) && r.verdict != Verdict::Ok);
    let told = good.map(|r| format!("part {} is good: {:?}, {:?}", r.number, r.verdict, r.outcome));
    let escapes = (run.summary.escapes != Some(0)).then(|| format!("{:?} escapes", run.summary.escapes));
    told.chain(escapes).collect()
}

#[test]
fn three_hundred_parts_of_the_demonstration_line_end_as_they_should() {
    let run = run(300, |_| {}, Vec::new());
    assert_eq!((run.summary.parts, wrong(&run)), (300, Vec::new()));
    assert_eq!(run.summary.false_rejects, Some(0), "{}", run.summary);
}

#[test]
fn real_castings_on_the_demonstration_line_end_as_they_should() {
    let Some(folder) = castings("test/ok_front") else { return };
    let run = run_with(
        "casting",
        100,
        |config| config.simulation.parts_from = Some(folder.join("test")),
        Vec::new(),
    );
    assert_eq!((run.summary.parts, wrong(&run)), (100, Vec::new()));
}

#[test]
fn a_region_narrower_than_the_view_takes_no_trigger_for_an_empty_place() {
    let narrow = |config: &mut Config| {
        config.camera.view = Length::mm(420.0);
        (config.camera.width, config.camera.height) = (840, 420);
        config.preprocess.region = Some(Region { x: 300, y: 0, width: 520, height: 420 });
    };
    let run = run(40, narrow, Vec::new());
    assert_eq!((run.summary.parts, wrong(&run)), (40, Vec::new()));
    assert_eq!(run.summary.troubles.surplus_triggers, 0, "{}", run.summary);
}

#[test]
fn what_the_records_say_is_what_happened_on_the_belt() {
    let run = run(30, |_| {}, Vec::new());
    for record in run.records.iter().filter(|r| r.outcome != Outcome::UnresolvedAtStop) {
        let part = run.world.truth_of(record.triggered_at).expect("the sensor saw a real part");
        let removed = run.world.is_removed(&run.world.belt().part(part.index), run.end);
        assert_eq!(removed, record.outcome != Outcome::Passed, "part {} {:?}", record.number, record.outcome);
        assert_ne!(
            record.outcome,
            Outcome::RejectedUnconfirmed,
            "the confirm sensor sees every removed part"
        );
    }
}

#[test]
fn a_dead_camera_rejects_every_part() {
    // One frame in a hundred seconds: the first parts are never seen.
    let run = run(6, |c| c.camera.rate = castgate::units::Rate::per_s(0.01), Vec::new());
    assert_eq!((run.summary.ok, run.summary.escapes), (0, Some(0)));
    let silent = |r: &&PartRecord| r.verdict == Verdict::Reject(Reason::CameraLost);
    assert!(run.records.iter().filter(silent).count() >= 5, "{:?}", run.summary.rejected_by_reason);
}

#[cfg(feature = "mqtt")]
#[test]
fn gate_times_are_the_same_with_without_and_with_a_hanging_broker() {
    use castgate::pipeline::Event;
    use castgate::report::message::{Identity, Message, Part};
    use castgate::report::{self, Publisher, WallClock};

    struct Reporter(Arc<dyn Publisher>, Identity, Arc<SimClock>);
    impl Listener for Reporter {
        fn hear(&mut self, event: &Event) {
            if let Event::Part(record) = event {
                let wall = WallClock::read(self.2.as_ref());
                self.0.offer(Message::Part(Box::new(Part::new(record, &self.1, wall))));
            }
        }
    }
    let reporter = |port: u16| -> Box<dyn Listener> {
        let settings = castgate::config::Mqtt { enabled: true, port, queue: 2, ..Default::default() };
        let [version, line, model, config] = ["0", "demo", "demo", "0"].map(str::to_owned);
        let identity = Identity { version, line, model, config };
        let clock = Arc::new(SimClock::default());
        let publisher = report::open(&settings, identity.clone(), clock.clone()).unwrap();
        Box::new(Reporter(publisher.into(), identity, clock))
    };
    // A broker that takes the connection and never says a word; and one that is not there.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let absent = {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        closed.local_addr().unwrap().port()
    };
    let without = run(12, |_| {}, Vec::new());
    for port in [hanging.local_addr().unwrap().port(), absent] {
        let with = run(12, |_| {}, vec![reporter(port)]);
        assert_eq!(with.moves, without.moves);
        assert_eq!(with.records, without.records);
    }
}
