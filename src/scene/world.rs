//! The one belt that simulated camera, sensor and gate share, and the physical truth of what the gate did.
//!
//! Owns the gate's movements and the tally. A part is removed when the gate is in reject while the part's centre
//! passes it. What is asked later never changes what is true: an outcome follows from the gate's recorded
//! movements alone, so the line may be driven by threads or in lockstep. Must not know the decision that moved the
//! gate.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::Time;
use crate::config::{Config, GateState};
use crate::verdict::Truth;

use super::belt::{Belt, Label, Part};
use super::defect::Defect;

/// How the parts that have passed the gate left it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Good parts that passed.
    pub passed_ok: u64,
    /// Defective parts that passed: escapes.
    pub passed_defect: u64,
    /// Good parts that were removed: false rejects.
    pub removed_ok: u64,
    /// Defective parts that were removed.
    pub removed_defect: u64,
}

impl Tally {
    fn count(&mut self, truth: Truth, removed: bool) {
        let counter = match (truth, removed) {
            (Truth::Ok, false) => &mut self.passed_ok,
            (Truth::Defect, false) => &mut self.passed_defect,
            (Truth::Ok, true) => &mut self.removed_ok,
            (Truth::Defect, true) => &mut self.removed_defect,
        };
        *counter += 1;
    }

    /// All parts that have passed the gate.
    pub fn parts(&self) -> u64 {
        self.passed_ok + self.passed_defect + self.removed_ok + self.removed_defect
    }
}

/// What a part truly is.
#[derive(Debug, Clone, PartialEq)]
pub struct PartTruth {
    /// Its number from the start of the belt.
    pub index: u64,
    /// Whether it has a defect.
    pub truth: Truth,
    /// Its defects, for a drawn part.
    pub defects: Vec<Defect>,
    /// The file that shows it, for a picture.
    pub name: Option<String>,
}

/// Parts that are counted for good lie so much farther than anything that may still ask for them.
const SETTLE_S: f64 = 2.0;
/// Most movements of the gate that are remembered.
const MOVEMENTS: usize = 1 << 16;
/// Most settled parts whose fate is remembered one by one.
const RECENT: usize = 4096;

#[derive(Debug)]
struct State {
    /// When the gate reached a position, in time order; before the first it was in `before`.
    movements: VecDeque<(f64, GateState)>,
    before: GateState,
    /// Parts below this number are in `settled`.
    open: u64,
    settled: Tally,
    /// Whether the last of the parts in `settled` were removed.
    recent: VecDeque<bool>,
    /// Pictures that could not be read: a good part was drawn instead.
    unreadable: BTreeSet<usize>,
}

impl State {
    /// Position of the gate at a moment.
    fn gate_at(&self, seconds: f64) -> GateState {
        let later = self.movements.partition_point(|(at, _)| *at <= seconds);
        later.checked_sub(1).map_or(self.before, |last| self.movements[last].1)
    }
}

/// The simulated line.
#[derive(Debug)]
pub struct World {
    belt: Belt,
    /// When the belt started, in nanoseconds of the run's clock.
    origin: AtomicU64,
    gate_mm: f64,
    delay_s: f64,
    confirm_mm: f64,
    /// Beyond it nobody sees a part any more.
    end_mm: f64,
    state: Mutex<State>,
}

impl World {
    /// The line of a configuration, whose belt starts at `origin` with nothing on it downstream of the sensor.
    /// `labels` are the pictures to lay on it; without any, parts are drawn.
    pub fn new(config: &Config, labels: Vec<Label>, origin: Time) -> Self {
        let belt = Belt::new(config, labels);
        let (gate, camera) = (&config.gate, &config.camera);
        let view_end = camera.position.as_mm() + camera.view.as_mm() / 2.0 + belt.part_length();
        let end_mm = gate.position.as_mm().max(config.confirm.position.as_mm()).max(view_end);
        let state = State {
            movements: VecDeque::new(),
            before: gate.safe,
            open: 0,
            settled: Tally::default(),
            recent: VecDeque::new(),
            unreadable: BTreeSet::new(),
        };
        Self {
            origin: AtomicU64::new(origin.as_nanos()),
            gate_mm: gate.position.as_mm(),
            delay_s: gate.delay.as_s().max(0.0),
            confirm_mm: config.confirm.position.as_mm(),
            end_mm,
            belt,
            state: Mutex::new(state),
        }
    }

    /// The belt.
    pub fn belt(&self) -> &Belt {
        &self.belt
    }

    /// Seconds since the belt started; negative before.
    pub fn seconds(&self, at: Time) -> f64 {
        at.seconds_since(self.origin())
    }

    /// The moment so many seconds after the belt started.
    pub fn time(&self, seconds: f64) -> Time {
        self.origin().plus_s(seconds)
    }

    fn origin(&self) -> Time {
        Time::from_nanos(self.origin.load(Ordering::Relaxed))
    }

    /// The belt starts at this moment, and not when the world was made: what is opened between the two takes its time, and the first parts
    /// would pass a sensor to which nobody listens yet. To be called before anything is asked.
    pub fn begin(&self, at: Time) {
        self.origin.store(at.as_nanos(), Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commands the gate; it reaches `position` after its delay.
    pub fn command(&self, position: GateState, now: Time) {
        let at = self.seconds(now) + self.delay_s;
        let mut state = self.state();
        self.settle(&mut state, self.seconds(now));
        let place = state.movements.partition_point(|(other, _)| *other <= at);
        state.movements.insert(place, (at, position));
        if state.movements.len() > MOVEMENTS {
            self.forget(&mut state, 1);
        }
    }

    fn forget(&self, state: &mut State, count: usize) {
        if let Some((_, position)) = state.movements.drain(..count).next_back() {
            state.before = position;
        }
    }

    /// Counts the parts for good that nobody can ask for any more, and forgets the movements before the first other
    /// one.
    fn settle(&self, state: &mut State, seconds: f64) {
        let mut part = self.belt.part(state.open);
        while self.belt.passes_s(&part, self.end_mm) < seconds - SETTLE_S {
            let removed = state.gate_at(self.gate_s(&part)) == GateState::Reject;
            let truth = self.truth(&part, state);
            state.settled.count(truth, removed);
            state.recent.push_back(removed);
            if state.recent.len() > RECENT {
                state.recent.pop_front();
            }
            state.open += 1;
            part = self.belt.part(state.open);
        }
        let first_needed = self.gate_s(&part);
        let old = state.movements.partition_point(|(at, _)| *at <= first_needed);
        self.forget(state, old.saturating_sub(1));
    }

    fn gate_s(&self, part: &Part) -> f64 {
        self.belt.passes_s(part, self.gate_mm)
    }

    fn truth(&self, part: &Part, state: &State) -> Truth {
        let drawn_instead = part.picture.is_some_and(|picture| state.unreadable.contains(&picture));
        if drawn_instead { Truth::Ok } else { part.truth }
    }

    /// Says that a picture could not be read and a good part lies in its place.
    pub fn mark_unreadable(&self, picture: usize) {
        self.state().unreadable.insert(picture);
    }

    /// Whether the gate has removed this part at `now`. Parts gone for hours count as removed.
    pub fn is_removed(&self, part: &Part, now: Time) -> bool {
        let at = self.gate_s(part);
        // A microsecond for times that were rounded to nanoseconds on their way.
        if at > self.seconds(now) + 1e-6 {
            return false;
        }
        let state = self.state();
        match state.open.checked_sub(part.index + 1) {
            Some(ago) => state.recent.iter().rev().nth(ago as usize).copied().unwrap_or(true),
            None => state.gate_at(at) == GateState::Reject,
        }
    }

    /// What happened to all parts that have passed the gate until `now`.
    pub fn tally(&self, now: Time) -> Tally {
        let seconds = self.seconds(now);
        let mut state = self.state();
        self.settle(&mut state, seconds);
        let mut tally = state.settled;
        for index in state.open.. {
            let part = self.belt.part(index);
            let at = self.gate_s(&part);
            if at > seconds {
                break;
            }
            tally.count(self.truth(&part, &state), state.gate_at(at) == GateState::Reject);
        }
        tally
    }

    /// The part whose leading edge reached the sensor at `trigger`, give or take the time of a quarter of its length.
    pub fn truth_of(&self, trigger: Time) -> Option<PartTruth> {
        let part = self.belt.part_at_sensor(self.seconds(trigger))?;
        let state = self.state();
        let readable = part.picture.filter(|picture| !state.unreadable.contains(picture));
        Some(PartTruth {
            index: part.index,
            truth: self.truth(&part, &state),
            defects: self.belt.defects(&part),
            name: readable.and(self.belt.label(&part)).map(|label| label.name.clone()),
        })
    }

    /// When a part's leading edge reaches the confirm sensor if it is removed, in seconds: not before it is removed.
    pub fn confirms_s(&self, part: &Part) -> f64 {
        self.belt.arrives_s(part, self.confirm_mm).max(self.gate_s(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_nanos(1_000_000_000_000);

    fn world() -> World {
        World::new(&Config::default(), Vec::new(), START)
    }

    /// The moment the centre of a part passes the gate.
    fn at_gate(world: &World, index: u64) -> Time {
        world.time(world.gate_s(&world.belt.part(index)))
    }

    #[test]
    fn a_part_is_removed_when_the_gate_is_in_reject_as_its_centre_passes() {
        let world = world();
        world.command(GateState::Pass, START);
        let passing = at_gate(&world, 2);
        // The delay is 20 ms: in time by 1 ms, and back right after.
        world.command(GateState::Reject, passing.plus_s(-0.021));
        world.command(GateState::Pass, passing.plus_s(-0.019));
        // Too late by 1 ms for the next one.
        world.command(GateState::Reject, at_gate(&world, 3).plus_s(-0.019));
        let removed = |index| world.is_removed(&world.belt.part(index), at_gate(&world, index).plus_s(0.001));
        assert_eq!([0, 1, 2, 3, 4].map(removed), [false, false, true, false, true]);
        assert!(
            !world.is_removed(&world.belt.part(2), passing.plus_s(-0.001)),
            "not before it is at the gate"
        );
    }

    #[test]
    fn every_part_is_tallied_once_by_truth_and_fate() {
        let world = world();
        let mut wanted = Tally::default();
        for index in 0..40 {
            let remove = index % 3 == 0;
            let state = if remove { GateState::Reject } else { GateState::Pass };
            world.command(state, at_gate(&world, index).plus_s(-0.05));
            wanted.count(world.belt.part(index).truth, remove);
            assert_eq!(world.tally(at_gate(&world, index).plus_s(0.0001)), wanted, "after part {index}");
        }
        assert_eq!(world.tally(at_gate(&world, 39).plus_s(0.1)).parts(), 40);
    }

    #[test]
    fn how_often_it_is_asked_changes_nothing_and_hours_take_no_memory() {
        let (often, seldom) = (world(), world());
        for index in 0..20_000 {
            let at = at_gate(&often, index).plus_s(-0.08);
            let state = if index % 7 < 2 { GateState::Reject } else { GateState::Pass };
            often.command(state, at);
            seldom.command(state, at);
            often.tally(at);
        }
        let end = at_gate(&often, 20_000).plus_s(0.01);
        assert_eq!(often.tally(end), seldom.tally(end));
        assert_eq!(often.tally(end).parts(), 20_001);
        assert!(often.state().movements.len() < 30);
    }

    #[test]
    fn before_any_command_the_gate_is_in_its_safe_position() {
        let world = world();
        let tally = world.tally(at_gate(&world, 9).plus_s(0.001));
        assert_eq!(tally.removed_ok + tally.removed_defect, 10);
    }

    #[test]
    fn a_picture_that_cannot_be_read_is_a_good_part_without_a_name() {
        let label = Label { name: "cast_def_1.jpeg".to_owned(), truth: Truth::Defect };
        let world = World::new(&Config::default(), vec![label], START);
        let arrives = world.time(world.belt.arrives_s(&world.belt.part(0), 0.0));
        let truth = world.truth_of(arrives).unwrap();
        assert_eq!((truth.truth, truth.name.as_deref()), (Truth::Defect, Some("cast_def_1.jpeg")));
        world.mark_unreadable(0);
        let truth = world.truth_of(arrives).unwrap();
        assert_eq!((truth.index, truth.truth, truth.name), (0, Truth::Ok, None));
        assert_eq!(world.truth_of(START), None);
    }
}
