//! What every gate must do: the same suite on a recorder, and on a real GPIO line where one is named.
//!
//! `CASTGATE_GPIO_CHIP` names a chip of the kernel's gpio-sim whose lines show their level under /sys.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use castgate::clock::{Clock, SimClock, Time};
use castgate::config::{self, GateKind, Level};
use castgate::gate::{self, Gate, GateError, GateState, SafeGuard};

/// A place to open gates and to see what they did.
trait Bench {
    fn open(&self, section: &config::Gate) -> Box<dyn Gate>;
    /// Level of the line now.
    fn is_high(&self) -> bool;
}

/// Keeps the level that a line would have.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Option<bool>>>);

struct RecordedGate {
    record: Recorder,
    reject_level: Level,
}

impl Gate for RecordedGate {
    fn set(&mut self, state: GateState, _: Time) -> Result<(), GateError> {
        let high = (state == GateState::Reject) == (self.reject_level == Level::High);
        *self.record.0.lock().unwrap() = Some(high);
        Ok(())
    }
}

impl Bench for Recorder {
    fn open(&self, section: &config::Gate) -> Box<dyn Gate> {
        let mut gate = RecordedGate { record: self.clone(), reject_level: section.reject_level };
        gate.set(section.safe, Time::ZERO).unwrap();
        Box::new(gate)
    }

    fn is_high(&self) -> bool {
        self.0.lock().unwrap().unwrap()
    }
}

/// Line 3 of a gpio-sim chip.
struct GpioSim {
    chip: String,
    value_file: PathBuf,
    /// There is one line for all tests.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

const LINE: &str = "3";

impl Bench for GpioSim {
    fn open(&self, section: &config::Gate) -> Box<dyn Gate> {
        gate::open(&self.section(section, LINE), || unreachable!("a real gate is wanted")).unwrap()
    }

    fn is_high(&self) -> bool {
        std::fs::read_to_string(&self.value_file).unwrap().trim() == "1"
    }
}

impl GpioSim {
    fn section(&self, section: &config::Gate, line: &str) -> config::Gate {
        config::Gate {
            kind: GateKind::Gpiochip,
            chip: Some(self.chip.clone()),
            line: Some(line.to_owned()),
            ..section.clone()
        }
    }

    fn problem(&self, line: &str) -> String {
        let section = self.section(&config::Gate::default(), line);
        gate::open(&section, || unreachable!("a real gate is wanted")).err().unwrap().to_string()
    }
}

/// Entries of `folder` whose names begin so.
fn entries(folder: PathBuf, beginning: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(move |path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning))
    })
}

fn real(test: &str) -> Option<GpioSim> {
    let Ok(chip) = std::env::var("CASTGATE_GPIO_CHIP") else {
        println!("skipped {test}: CASTGATE_GPIO_CHIP names no gpio-sim chip");
        return None;
    };
    let value_file = entries("/sys/devices/platform".into(), "gpio-sim.")
        .flat_map(|device| entries(device, "gpiochip"))
        .map(|chip| chip.join(format!("sim_gpio{LINE}/value")))
        .find(|file| file.exists())
        .expect("CASTGATE_GPIO_CHIP is for gpio-sim");
    Some(GpioSim { chip, value_file, _alone: ALONE.lock().unwrap_or_else(PoisonError::into_inner) })
}

/// Lets a test look at a gate after the guard that owned it is gone, while the line is still held.
#[derive(Clone)]
struct Held(Arc<Mutex<Box<dyn Gate>>>);

impl Gate for Held {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        self.0.lock().unwrap().set(state, now)
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SimClock::default())
}

fn high(state: GateState, reject_level: Level) -> bool {
    (state == GateState::Reject) == (reject_level == Level::High)
}

fn suite(bench: &dyn Bench) {
    for (safe, reject_level) in [
        (GateState::Reject, Level::High),
        (GateState::Reject, Level::Low),
        (GateState::Pass, Level::High),
        (GateState::Pass, Level::Low),
    ] {
        let what = format!("safe {safe:?}, reject level {reject_level:?}");
        let section = config::Gate { safe, reject_level, ..config::Gate::default() };
        let level_of = |state| high(state, reject_level);
        let gate = bench.open(&section);
        assert_eq!(bench.is_high(), level_of(safe), "safe from the request on: {what}");

        let held = Held(Arc::new(Mutex::new(gate)));
        for state in
            [GateState::Reject, GateState::Reject, GateState::Pass, GateState::Pass, GateState::Reject]
        {
            held.clone().set(state, Time::ZERO).unwrap();
            assert_eq!(bench.is_high(), level_of(state), "{state:?}: {what}");
        }

        let other = if safe == GateState::Reject { GateState::Pass } else { GateState::Reject };
        held.clone().set(other, Time::ZERO).unwrap();
        let mut guard = SafeGuard::new(Box::new(held.clone()), safe, clock()).unwrap();
        assert_eq!(bench.is_high(), level_of(safe), "safe when the guard begins: {what}");
        guard.set(other, Time::ZERO).unwrap();
        assert_eq!(bench.is_high(), level_of(other), "the guard lets it move: {what}");
        guard.make_safe().unwrap();
        guard.make_safe().unwrap();
        assert_eq!(bench.is_high(), level_of(safe), "safe when asked: {what}");
        guard.set(other, Time::ZERO).unwrap();
        drop(guard);
        assert_eq!(bench.is_high(), level_of(safe), "safe when the guard ends: {what}");

        let stage = || {
            let mut guard = SafeGuard::new(Box::new(held.clone()), safe, clock()).unwrap();
            guard.set(other, Time::ZERO).unwrap();
            panic!("a stage fails");
        };
        assert!(catch_unwind(AssertUnwindSafe(stage)).is_err());
        assert_eq!(bench.is_high(), level_of(safe), "safe when a stage panics: {what}");
    }
}

#[test]
fn a_recorded_gate_keeps_the_contract() {
    suite(&Recorder::default());
}

#[test]
fn a_gpio_line_keeps_the_contract() {
    let Some(bench) = real("gate contract on a GPIO line") else { return };
    suite(&bench);

    let by_label = bench.open(&config::Gate::default());
    let busy = bench.problem(LINE);
    assert!(busy.contains(" line 3): is in use by `castgate`; stop that"), "{busy}");
    drop(by_label);
    drop(bench.open(&config::Gate::default()));

    let beyond = bench.problem("4000");
    assert!(beyond.contains("has no line 4000: it has "), "{beyond}");
    let missing = GpioSim { chip: "no-such-chip".to_owned(), ..bench }.problem(LINE);
    assert!(missing.contains("there is no chip `no-such-chip`: there are gpiochip"), "{missing}");
}

#[test]
fn a_gpio_line_is_found_by_its_name() {
    let Some(bench) = real("gate by line name") else { return };
    let name = entries("/sys/kernel/config/gpio-sim".into(), "")
        .flat_map(|device| entries(device, ""))
        .find_map(|bank| std::fs::read_to_string(bank.join(format!("line{LINE}/name"))).ok());
    let Some(name) = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) else {
        println!("skipped gate by line name: line {LINE} of the gpio-sim chip has no name");
        return;
    };
    for chip in [None, Some(bench.chip.clone())] {
        let section = config::Gate { chip, ..bench.section(&config::Gate::default(), &name) };
        drop(gate::open(&section, || unreachable!("a real gate is wanted")).unwrap());
    }
    let unnamed = bench.problem("NO_SUCH_LINE");
    assert!(unnamed.contains("has no line named `NO_SUCH_LINE`"), "{unnamed}");
}

/// A device that fails in every way that a guard must survive.
struct Broken {
    panics: bool,
}

impl Gate for Broken {
    fn set(&mut self, state: GateState, _: Time) -> Result<(), GateError> {
        match (state, self.panics) {
            (GateState::Pass, _) => Ok(()),
            (GateState::Reject, true) => panic!("the device driver has a bug"),
            (GateState::Reject, false) => {
                Err(GateError { device: "test".to_owned(), what: "broken".to_owned(), remedy: "replace it" })
            }
        }
    }
}

/// Breaks on the second and every later move.
struct BreaksLater(Broken, u32);

impl Gate for BreaksLater {
    fn set(&mut self, state: GateState, now: Time) -> Result<(), GateError> {
        self.1 += 1;
        if self.1 > 1 { self.0.set(state, now) } else { Ok(()) }
    }
}

#[test]
fn a_gate_that_fails_at_the_start_is_refused_and_one_that_fails_at_the_end_brings_nothing_down() {
    let refused = SafeGuard::new(Box::new(Broken { panics: false }), GateState::Reject, clock());
    assert_eq!(refused.err().unwrap().to_string(), "test: broken; replace it");
    for panics in [false, true] {
        let gate = Box::new(BreaksLater(Broken { panics }, 0));
        drop(SafeGuard::new(gate, GateState::Reject, clock()).unwrap());
        let stage = || {
            let gate = Box::new(BreaksLater(Broken { panics }, 0));
            let _guard = SafeGuard::new(gate, GateState::Reject, clock()).unwrap();
            panic!("a stage fails");
        };
        assert!(catch_unwind(stage).is_err());
    }
}
