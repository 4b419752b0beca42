//! Plays a scenario and compares what came of it with what was expected.

use super::plant::Part;
use super::scenario::{Expectation, Expected, Scenario};
use super::shift::{Done, run};
use crate::decide::{Outcome, PartRecord};
use crate::pipeline::Failure;
use crate::verdict::{Reason, Verdict};

/// A moment in a scenario is met by what happens within so many seconds of it.
const MOMENT_S: f64 = 0.1;

/// What became of a scenario.
pub struct Played {
    /// Expectations that were not met, and promises that were broken, in words; none is as it should be.
    pub failures: Vec<String>,
    /// The whole shift.
    pub done: Done,
}

/// Plays a scenario.
///
/// # Errors
/// The failure of a simulated device: a bug.
pub fn play(scenario: Scenario) -> Result<Played, Failure> {
    let Scenario { shift, expectations } = scenario;
    let (parts, config) = (shift.parts.clone(), shift.config.clone());
    let motion = super::plant::motion(&config, &shift.faults);
    let arrives: Vec<f64> = parts.iter().map(|part: &Part| motion.time(part.edge)).collect();
    let done = run(shift)?;
    let mut failures: Vec<String> = done
        .violations
        .iter()
        .map(|v| format!("({}) broken at {:.3} s: {}", v.property, v.at, v.what))
        .collect();
    for Expectation { line, text, what } in &expectations {
        if let Some(found) = unmet(what, &done, &arrives) {
            failures.push(format!("line {line}: `{text}`, but {found}"));
        }
    }
    Ok(Played { failures, done })
}

/// The records of a part: those whose trigger is nearest to its arrival.
fn records<'a>(done: &'a Done, arrives: &[f64], part: usize) -> Vec<&'a PartRecord> {
    let nearest = |record: &PartRecord| {
        let at = record.triggered_at.as_s();
        let off = |index: &usize| (arrives[*index] - at).abs();
        (0..arrives.len())
            .min_by(|a, b| off(a).total_cmp(&off(b)))
            .filter(|index| off(index) < 2.0 * MOMENT_S)
    };
    done.records.iter().filter(|record| nearest(record) == Some(part - 1)).collect()
}

fn told(records: &[&PartRecord]) -> String {
    if records.is_empty() {
        return "it has no record".to_owned();
    }
    let words = records.iter().map(|record| {
        let verdict = match record.verdict {
            Verdict::Ok => "OK".to_owned(),
            Verdict::Reject(reason) => format!("REJECT for {reason}"),
        };
        let (from, until) = (record.window.0.as_s(), record.window.1.as_s());
        format!("it is {verdict}, {}, gate {from:.3} to {until:.3} s", record.outcome.name())
    });
    words.collect::<Vec<_>>().join("; ")
}

/// What was found instead, if an expectation is not met.
fn unmet(what: &Expected, done: &Done, arrives: &[f64]) -> Option<String> {
    let of = |part: usize| records(done, arrives, part);
    let met = |part: usize, test: &dyn Fn(&PartRecord) -> bool| {
        let records = of(part);
        (!records.iter().any(|record| test(record))).then(|| told(&records))
    };
    match what {
        Expected::Reject { part, reason, at } => met(*part, &|record| {
            let rejected = record
                .verdict
                .reason()
                .is_some_and(|r: Reason| reason.as_ref().is_none_or(|wanted| wanted == r.name()));
            let inside = |at: &f64| (record.window.0.as_s()..record.window.1.as_s()).contains(at);
            rejected && record.outcome != Outcome::Escaped && at.as_ref().is_none_or(inside)
        }),
        Expected::Pass { part } => met(*part, &|record| record.outcome == Outcome::Passed),
        Expected::Ends { part, how } => met(*part, &|record| record.outcome.name() == how),
        Expected::Removed { part, removed } => {
            let found = done.removed.get(part - 1).copied();
            (found != Some(*removed))
                .then(|| if *removed { "it passed" } else { "it was removed" }.to_owned())
        }
        Expected::NoRecord { part } => {
            let records = of(*part);
            (!records.is_empty()).then(|| told(&records))
        }
        Expected::LineStop { reason, at } => {
            let wanted = format!("line stop {reason}");
            let there = |(when, note): &&(f64, String)| {
                *note == wanted && at.is_none_or(|at| (when - at).abs() <= MOMENT_S)
            };
            let stops = || notes(done, "line stop");
            done.notes.iter().find(there).is_none().then(stops)
        }
        Expected::NoLineStop => done
            .notes
            .iter()
            .any(|(_, note)| note.starts_with("line stop "))
            .then(|| notes(done, "line stop")),
        Expected::Gate { reject, at } => {
            let before = done.moves.iter().rev().find(|(when, _)| when <= at);
            let found = before.is_none_or(|(_, state)| *state == crate::config::GateState::Reject);
            (found != *reject).then(|| if found { "it is in reject" } else { "it is in pass" }.to_owned())
        }
        Expected::Records { count } => {
            (done.records.len() != *count).then(|| format!("there are {}", done.records.len()))
        }
    }
}

fn notes(done: &Done, of: &str) -> String {
    let notes = done.notes.iter().filter(|(_, note)| note.starts_with(of));
    let words: Vec<String> = notes.map(|(at, note)| format!("{note} at {at:.3} s")).collect();
    if words.is_empty() { format!("there was no {of}") } else { words.join(", ") }
}
