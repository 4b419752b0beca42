//! Many shifts, one after the other on each core, added up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::faults::{Fault, Faults};
use super::shift::{Shift, run};
use super::tally::Violation;
use super::trace::trace;
use crate::config::Config;
use crate::pipeline::Failure;

/// Parts in one shift.
pub const SHIFT: u64 = 4000;
/// From one shift's seed to the next one's (an odd number: all seeds of a run differ).
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// What is to be simulated.
#[derive(Debug, Clone)]
pub struct Months {
    /// The line.
    pub config: Config,
    /// The first shift's seed.
    pub seed: u64,
    /// Number of parts in all.
    pub parts: u64,
    /// Parts in a shift.
    pub shift: u64,
    /// Which faults happen.
    pub faults: Vec<Fault>,
    /// Each kind of fault about once in so many seconds of belt.
    pub every: f64,
}

/// What came of it. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Parts that came to the gate.
    pub parts: u64,
    /// Hours of belt.
    pub hours: f64,
    /// The same in nanoseconds: shifts end in any order, and only whole numbers add up to the same in each.
    #[serde(skip)]
    belt_ns: u64,
    /// Number of shifts: the line is started anew with each.
    pub shifts: u64,
    /// The first shift's seed.
    pub seed: u64,
    /// Broken promises; at most 100.
    pub violations: Vec<Violation>,
    /// Defective parts that passed.
    pub escapes: u64,
    /// Of these, those that a healthy and timely answer of the model cleared: the model's own mistakes.
    pub model_errors: u64,
    /// Of these, those that were neither the model's mistakes nor told by the line.
    pub unreported_escapes: u64,
    /// Good parts that were removed.
    pub false_rejects: u64,
    /// Entries of the ledger by the way they ended.
    pub by_final_state: BTreeMap<&'static str, u64>,
    /// Rejects by reason.
    pub by_reason: BTreeMap<&'static str, u64>,
    /// Line stops by reason.
    pub line_stops: BTreeMap<&'static str, u64>,
    /// Faults by kind.
    pub faults_injected: BTreeMap<&'static str, u64>,
    /// Most parts that were in the ledger at once.
    pub most_parts: usize,
    /// Most windows that were in the gates' books at once.
    pub most_windows: usize,
    /// Most frames that waited at once.
    pub most_frames: usize,
    /// Parts that were simulated in a second of this machine.
    pub parts_per_second: f64,
}

impl Months {
    /// Seed of a shift.
    fn seed_of(&self, shift: u64) -> u64 {
        self.seed.wrapping_add(shift.wrapping_mul(STEP))
    }

    /// Number of parts in a shift.
    fn count_of(&self, shift: u64) -> u64 {
        self.shift.min(self.parts - shift * self.shift)
    }

    /// Number of parts in the shift with this seed; 0 when there is none.
    pub fn parts_of(&self, seed: u64) -> u64 {
        let shifts = self.parts.div_ceil(self.shift.max(1));
        (0..shifts).find(|shift| self.seed_of(*shift) == seed).map_or(0, |shift| self.count_of(shift))
    }

    /// What happened from one second of the first shift to another.
    ///
    /// # Errors
    /// The failure of a simulated device: a bug.
    pub fn trace(&self, from: f64, until: f64) -> Result<String, Failure> {
        let count = self.shift.min(self.parts) as usize;
        let mut shift = Shift::random(&self.config, self.seed, count, &self.faults, self.every);
        shift.keep = true;
        let faults = shift.faults.clone();
        Ok(trace(&run(shift)?, &faults, from, until))
    }

    /// Runs all shifts on `workers` threads. `progress` hears the number of finished parts.
    ///
    /// # Errors
    /// The failure of a simulated device: a bug.
    pub fn run(&self, workers: usize, progress: &(dyn Fn(u64) + Sync)) -> Result<Totals, Failure> {
        let shifts = self.parts.div_ceil(self.shift.max(1)).max(1);
        let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let totals = Mutex::new(Totals { seed: self.seed, ..Totals::default() });
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..workers.max(1) {
                scope.spawn(|| {
                    loop {
                        let shift = next.fetch_add(1, Ordering::Relaxed);
                        if shift >= shifts || stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let count = self.count_of(shift) as usize;
                        let shift =
                            Shift::random(&self.config, self.seed_of(shift), count, &self.faults, self.every);
                        let faults = shift.faults.clone();
                        match run(shift) {
                            Ok(done) => {
                                let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                                totals.add(done, &faults);
                                progress(totals.parts);
                            }
                            Err(error) => {
                                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                                stop.store(true, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
        });
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Shifts end in any order; their violations are told in that of their seeds.
        totals
            .violations
            .sort_by(|a, b| (a.seed, a.property).cmp(&(b.seed, b.property)).then(a.at.total_cmp(&b.at)));
        totals.violations.truncate(100);
        Ok(totals)
    }
}

impl Totals {
    fn add(&mut self, done: super::shift::Done, faults: &Faults) {
        let faults: BTreeMap<&'static str, u64> = faults.count(done.seconds).collect();
        let sum = |into: &mut BTreeMap<&'static str, u64>, from: BTreeMap<&'static str, u64>| {
            from.into_iter()
                .filter(|(_, n)| *n > 0)
                .for_each(|(name, n)| *into.entry(name).or_default() += n);
        };
        let tally = done.tally;
        self.parts += tally.parts;
        self.belt_ns += (done.seconds * 1e9) as u64;
        self.hours = self.belt_ns as f64 / 3.6e12;
        self.shifts += 1;
        self.violations.extend(done.violations);
        self.escapes += tally.escapes;
        self.model_errors += tally.model_errors;
        self.unreported_escapes += tally.unreported_escapes;
        self.false_rejects += tally.false_rejects;
        sum(&mut self.by_final_state, tally.by_final_state);
        sum(&mut self.by_reason, tally.by_reason);
        sum(&mut self.line_stops, tally.line_stops);
        sum(&mut self.faults_injected, faults);
        self.most_parts = self.most_parts.max(done.most.parts);
        self.most_windows = self.most_windows.max(done.most.windows);
        self.most_frames = self.most_frames.max(done.most.frames);
    }
}
