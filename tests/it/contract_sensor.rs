//! What every source of sensor events must do: the same suite on the simulated sensors, a counter, several sources as one, and on
//! real GPIO lines where gpio-sim is there.

use std::sync::Arc;

use castgate::clock::{Clock, SimClock, SystemClock, Time};
use castgate::config::{Config, ConfirmKind, EncoderKind, PositionSource, SensorKind};
use castgate::scene::World;
use castgate::sensor::simulated::SimulatedSensor;
use castgate::sensor::{self, SensorError, SensorEvent, SensorSource};

use crate::support::gpiosim::{GpioSim, gpio_sim};

const START: Time = Time::from_nanos(5_000_000_000);

/// Polls a source that knows its moments whenever it is due, for 5 s of its clock.
fn suite(what: &str, source: &mut dyn SensorSource, clock: &SimClock) {
    let mut events: Vec<SensorEvent> = Vec::new();
    let (mut polls, end) = (0, START.plus_s(5.0));
    while let Some(due) = source.due().filter(|due| *due <= end) {
        let before = events.len();
        if let Some(early) = (due > clock.now()).then(|| Time::from_nanos(due.as_nanos() - 1)) {
            source.poll(early, &mut events).unwrap();
            assert_eq!(events.len(), before, "{what}: nothing before it is due");
        }
        clock.advance_to(due);
        source.poll(due, &mut events).unwrap();
        assert!(events.len() > before, "{what}: something when it is due");
        assert!(source.due().is_none_or(|next| next > due), "{what}: what is told is told");
        polls += 1;
    }
    assert!(polls > 20, "{what}: {polls}");
    assert!(events.is_sorted_by_key(SensorEvent::at), "{what}: in order");
    assert!(events.iter().all(|event| event.at() >= START && event.at() <= end), "{what}: on the clock");
}

/// The source that `config` asks for, with the sensors of a simulated line that begins at the start.
fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Box<dyn SensorSource>>, SensorError> {
    let begin = clock.now();
    sensor::open(config, clock, || {
        Box::new(SimulatedSensor::new(config, Arc::new(World::new(config, Vec::new(), begin))))
    })
}

#[test]
fn sources_whose_moments_are_known_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("count");
    std::fs::write(&path, "4711\n").unwrap();
    let counter = |config: &mut Config| {
        config.position.encoder = EncoderKind::Sysfs;
        config.position.path = Some(path.clone());
    };
    let simulated = Config::default();
    let mut mixed = Config::default();
    counter(&mut mixed);
    let mut counted = mixed.clone();
    (counted.sensor.kind, counted.confirm.kind) = (SensorKind::None, ConfirmKind::None);
    for (what, config) in [("simulated", simulated), ("mixed", mixed), ("counter", counted)] {
        let clock = Arc::new(SimClock::new(START));
        let mut source = open(&config, clock.clone()).unwrap().unwrap();
        suite(what, &mut *source, &clock);
    }
}

#[test]
fn a_line_without_sensors_has_no_source() {
    let mut config = Config::default();
    (config.sensor.kind, config.confirm.kind) = (SensorKind::None, ConfirmKind::None);
    config.position.source = PositionSource::Speed;
    assert!(open(&config, Arc::new(SimClock::default())).unwrap().is_none());
}

/// A line whose inputs all are on GPIO lines: the sensor on 8, confirm on 9, the encoder on 10 and 11, switches from 12 on.
fn wired(sim: &GpioSim) -> Config {
    let mut config = Config::default();
    (config.sensor.kind, config.sensor.pin) = (SensorKind::Gpiochip, sim.pin(8, ""));
    (config.confirm.kind, config.confirm.pin) = (ConfirmKind::Gpiochip, sim.pin(9, r#", "active": "low""#));
    config.position.encoder = EncoderKind::Gpiochip;
    (config.position.a, config.position.b) = (sim.pin(10, ""), sim.pin(11, ""));
    (config.inputs.running, config.inputs.bin_full) = (sim.pin(12, ""), sim.pin(13, r#", "active": "low""#));
    config.inputs.reset = sim.pin(14, "");
    config
}

fn open_wired(config: &Config) -> Result<Box<dyn SensorSource>, SensorError> {
    open(config, Arc::new(SystemClock)).map(|source| source.expect("lines are configured"))
}

/// Polls until as many events came as are wanted, and once more: nothing else may come.
fn poll(source: &mut dyn SensorSource, wanted: usize) -> Vec<SensorEvent> {
    let mut events = Vec::new();
    for _ in 0..2000 {
        assert_eq!(source.due(), None, "it waits by itself");
        let before = events.len();
        source.poll(SystemClock.now(), &mut events).unwrap();
        assert!(events[before..].is_sorted_by_key(SensorEvent::at), "{events:?}");
        if events.len() >= wanted {
            break;
        }
    }
    source.poll(SystemClock.now(), &mut events).unwrap();
    assert_eq!(events.len(), wanted, "{events:?}");
    // A busy machine's kernel may hand an edge over late, but it stamps it when it happens.
    events.sort_by_key(SensorEvent::at);
    events
}

fn kinds(events: &[SensorEvent]) -> Vec<String> {
    let name = |event: &SensorEvent| match *event {
        SensorEvent::PartArrived { .. } => "arrived".to_owned(),
        SensorEvent::PartLeft { .. } => "left".to_owned(),
        SensorEvent::SecondSensor { .. } => "second".to_owned(),
        SensorEvent::Confirmed { .. } => "confirmed".to_owned(),
        SensorEvent::Encoder { count, lost, .. } => format!("count {count} lost {lost}"),
        SensorEvent::Input { input, on, .. } => format!("{input:?} {on}"),
    };
    events.iter().map(name).collect()
}

#[test]
fn gpio_lines_tell_levels_at_the_start_and_then_every_edge() {
    let Some(sim) = gpio_sim("sensor contract on GPIO lines") else { return };
    sim.pull(12, true);
    let begin = SystemClock.now();
    let mut source = open_wired(&wired(&sim)).unwrap();
    // Nothing pulls line 13, so the bin's switch, active low, is on.
    assert_eq!(kinds(&poll(&mut *source, 2)), ["Running true", "BinFull true"]);
    sim.pull(8, true);
    let middle = SystemClock.now();
    // Line 9 is active low: this is its trailing edge, of which nothing is told.
    sim.pull(9, true);
    sim.pull(13, true);
    sim.pull(12, false);
    sim.pull(14, true);
    let events = poll(&mut *source, 4);
    assert_eq!(kinds(&events), ["arrived", "BinFull false", "Running false", "Reset true"]);
    assert!(begin < events[0].at() && events[0].at() < middle && middle < events[1].at(), "on one clock");
    assert!(events[3].at() < SystemClock.now());
    sim.pull(9, false);
    sim.pull(8, false);
    assert_eq!(kinds(&poll(&mut *source, 2)), ["confirmed", "left"]);
}

/// Turns an encoder of one or two tracks by so many quarters of a pulse. gpio-sim makes one edge of two that come too close, so the
/// reading after each edge that counts is waited for.
fn turn(
    sim: &GpioSim,
    source: &mut dyn SensorSource,
    (tracks, phase, quarters): (u32, &mut i32, i32),
) -> Vec<SensorEvent> {
    const LEVELS: [(bool, bool); 4] = [(false, false), (true, false), (true, true), (false, true)];
    let mut events = Vec::new();
    for _ in 0..quarters.abs() {
        let before = LEVELS[phase.rem_euclid(4) as usize];
        *phase += quarters.signum();
        let (a, b) = LEVELS[phase.rem_euclid(4) as usize];
        let begin = SystemClock.now();
        if a == before.0 {
            sim.pull(11, b)
        } else {
            sim.pull(10, a)
        }
        let counts = tracks == 2 || (a && !before.0);
        let read = |event: &SensorEvent| matches!(event, SensorEvent::Encoder { at, .. } if *at >= begin);
        for _ in 0..2000 {
            if !counts || events.last().is_some_and(read) {
                break;
            }
            source.poll(SystemClock.now(), &mut events).unwrap();
        }
    }
    events
}

/// The last count and the pulses lost on the way, among `events` and what still comes.
fn count(source: &mut dyn SensorSource, mut events: Vec<SensorEvent>) -> (i64, u32) {
    for _ in 0..20 {
        source.poll(SystemClock.now(), &mut events).unwrap();
    }
    assert!(events.is_sorted_by_key(SensorEvent::at), "{events:?}");
    events.iter().fold((0, 0), |(last, lost), event| match *event {
        SensorEvent::Encoder { count, lost: more, .. } => (count, lost + more),
        _ => (last, lost),
    })
}

#[test]
fn an_encoder_on_gpio_lines_is_followed_forwards_and_backwards() {
    let Some(sim) = gpio_sim("encoder on GPIO lines") else { return };
    let (mut source, mut phase) = (open_wired(&wired(&sim)).unwrap(), 0);
    for (quarters, expected) in [(81, 20), (-161, -20), (3, -20), (77, 0)] {
        let events = turn(&sim, &mut *source, (2, &mut phase, quarters));
        assert_eq!(count(&mut *source, events), (expected, 0), "{quarters} quarters");
    }
    drop(source);

    let mut config = wired(&sim);
    config.position.b = None;
    let mut source = open_wired(&config).unwrap();
    let events = turn(&sim, &mut *source, (1, &mut phase, 40));
    assert_eq!(count(&mut *source, events), (10, 0));
    let events = turn(&sim, &mut *source, (1, &mut phase, -40));
    assert_eq!(count(&mut *source, events), (20, 0), "one track does not tell the direction");
}

#[test]
fn readings_are_exact_and_stand_before_the_events_after_them() {
    let Some(sim) = gpio_sim("readings of an encoder") else { return };
    let (mut source, mut phase) = (open_wired(&wired(&sim)).unwrap(), 0);
    poll(&mut *source, 2);
    let mut events = turn(&sim, &mut *source, (2, &mut phase, 12));
    let middle = SystemClock.now();
    sim.pull(8, true);
    while !events.iter().any(|event| matches!(event, SensorEvent::PartArrived { .. })) {
        source.poll(SystemClock.now(), &mut events).unwrap();
    }
    let [.., SensorEvent::Encoder { at, count: 3, lost: 0 }, SensorEvent::PartArrived { .. }] = events[..]
    else {
        panic!("{events:?}")
    };
    assert!(at < middle, "{events:?}");
    for _ in 0..20 {
        source.poll(SystemClock.now(), &mut events).unwrap();
    }
    assert!(
        matches!(events.last(), Some(SensorEvent::PartArrived { .. })),
        "a belt that stands has no readings"
    );
}

#[test]
fn edges_that_the_kernel_had_no_room_for_are_told_as_lost_pulses() {
    let Some(sim) = gpio_sim("lost edges") else { return };
    let mut source = open_wired(&wired(&sim)).unwrap();
    poll(&mut *source, 2);
    // Twice what the kernel keeps, although it makes one of some that come too close.
    (0..8000).for_each(|k| sim.pull(10, k % 2 == 0));
    let (counted, lost) = count(&mut *source, Vec::new());
    assert!(lost >= 100, "{counted} counted, {lost} lost");
    let mut phase = 0;
    let events = turn(&sim, &mut *source, (2, &mut phase, 40));
    assert_eq!(count(&mut *source, events), (counted + 10, 0), "later ones count as ever");
}

#[test]
fn bounce_shorter_than_the_debounce_time_is_no_edge() {
    let Some(sim) = gpio_sim("debounce") else { return };
    let mut config = wired(&sim);
    config.sensor.pin = sim.pin(8, r#", "debounce": "20ms""#);
    let mut source = open_wired(&config).unwrap();
    poll(&mut *source, 2);
    (0..10).for_each(|k| sim.pull(8, k % 2 == 0));
    sim.pull(8, true);
    assert_eq!(kinds(&poll(&mut *source, 1)), ["arrived"]);
}

#[test]
fn lines_of_two_chips_come_in_one_order() {
    let (Some(one), Some(other)) = (gpio_sim("two chips"), gpio_sim("two chips")) else { return };
    let mut config = wired(&one);
    (config.confirm.pin, config.inputs.reset) = (other.pin(3, ""), other.pin(4, ""));
    let mut source = open_wired(&config).unwrap();
    poll(&mut *source, 2);
    one.pull(8, true);
    other.pull(3, true);
    one.pull(12, true);
    other.pull(4, true);
    one.pull(13, true);
    let expected = ["arrived", "confirmed", "Running true", "Reset true", "BinFull false"];
    assert_eq!(kinds(&poll(&mut *source, 5)), expected);
}

#[test]
fn problems_with_gpio_lines_name_the_key_and_what_to_do() {
    let Some(sim) = gpio_sim("problems of GPIO lines") else { return };
    let told = |change: &dyn Fn(&mut Config)| {
        let mut config = wired(&sim);
        change(&mut config);
        open_wired(&config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let mut source = open_wired(&wired(&sim)).unwrap();
    let busy = told(&|_| {});
    assert!(
        busy.starts_with("sensor.pin (gpiochip") && busy.contains(" line 8): is in use by `castgate`"),
        "{busy}"
    );
    sim.unplug();
    let gone =
        (0..100).find_map(|_| source.poll(SystemClock.now(), &mut Vec::new()).err()).unwrap().to_string();
    assert!(gone.contains("): the chip is gone; look at `dmesg`"), "{gone}");
    let missing = told(&|_| {});
    assert!(missing.starts_with("sensor.pin.chip: there is no chip `castgate-"), "{missing}");

    let Some(sim) = gpio_sim("problems of GPIO lines") else { return };
    let told = |change: &dyn Fn(&mut Config)| {
        let mut config = wired(&sim);
        change(&mut config);
        open_wired(&config).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let twice = told(&|config| config.inputs.reset = sim.pin(8, ""));
    assert!(
        twice.starts_with("inputs.reset (") && twice.contains("is the line of `sensor.pin` too"),
        "{twice}"
    );
    let beyond = told(&|config| config.inputs.reset = sim.pin(99, ""));
    assert!(
        beyond.contains("inputs.reset.line: gpiochip") && beyond.contains("has no line 99: it has 32"),
        "{beyond}"
    );
    assert_eq!(told(&|_| {}), "", "after all these the lines are free");
}
