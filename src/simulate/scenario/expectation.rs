//! What is expected of a scenario: the words after `expect`.

use super::{number, seconds};
use crate::decide::{Outcome, StopReason};
use crate::verdict::Reason;

/// What is to come of it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simulate) struct Expectation {
    /// Line of the file.
    pub line: usize,
    /// As it was written.
    pub text: String,
    pub what: Expected,
}

/// See [`Expectation`]. Parts are counted from 1, in the order of their times.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::simulate) enum Expected {
    /// A part is rejected, for this reason, with the gate in reject for it at this moment.
    Reject { part: usize, reason: Option<String>, at: Option<f64> },
    /// A part passes.
    Pass { part: usize },
    /// A part ends in this state.
    Ends { part: usize, how: String },
    /// A part is physically removed, or not.
    Removed { part: usize, removed: bool },
    /// A part has no record.
    NoRecord { part: usize },
    /// A line stop for this reason, at this moment.
    LineStop { reason: String, at: Option<f64> },
    /// No line stop at all.
    NoLineStop,
    /// The gate is told this at a moment.
    Gate { reject: bool, at: f64 },
    /// Number of records.
    Records { count: usize },
}

impl Expected {
    pub(super) fn part(&self) -> Option<usize> {
        match self {
            Expected::Reject { part, .. }
            | Expected::Pass { part }
            | Expected::Ends { part, .. }
            | Expected::Removed { part, .. }
            | Expected::NoRecord { part } => Some(*part),
            _ => None,
        }
    }

    /// The moment that it is about, in seconds.
    pub(super) fn at(&self) -> Option<f64> {
        match self {
            Expected::Reject { at, .. } | Expected::LineStop { at, .. } => *at,
            Expected::Gate { at, .. } => Some(*at),
            _ => None,
        }
    }
}

/// A word out of these.
fn known(word: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(format!("`{word}` is none of {}", words.join(", ")))
}

/// `reject part 3 for defect at 870ms`.
pub(super) fn expectation(text: &str) -> Result<Expected, String> {
    let (reasons, stops) = (|| Reason::ALL.map(Reason::name), || StopReason::ALL.map(StopReason::name));
    let words: Vec<&str> = text.split_whitespace().collect();
    let part = |text: &str| {
        let part: usize = number(text)?;
        if part == 0 { Err("parts are counted from 1".to_owned()) } else { Ok(part) }
    };
    Ok(match words.as_slice() {
        ["reject", "part", n] => Expected::Reject { part: part(n)?, reason: None, at: None },
        ["reject", "part", n, "for", reason] => {
            Expected::Reject { part: part(n)?, reason: Some(known(reason, &reasons())?), at: None }
        }
        ["reject", "part", n, "at", at] => {
            Expected::Reject { part: part(n)?, reason: None, at: Some(seconds(at)?) }
        }
        ["reject", "part", n, "for", reason, "at", at] => Expected::Reject {
            part: part(n)?,
            reason: Some(known(reason, &reasons())?),
            at: Some(seconds(at)?),
        },
        ["pass", "part", n] => Expected::Pass { part: part(n)? },
        ["end", "part", n, how] => {
            Expected::Ends { part: part(n)?, how: known(how, &Outcome::ALL.map(Outcome::name))? }
        }
        ["removed", "part", n] => Expected::Removed { part: part(n)?, removed: true },
        ["unharmed", "part", n] => Expected::Removed { part: part(n)?, removed: false },
        ["no", "record", "of", "part", n] => Expected::NoRecord { part: part(n)? },
        ["line", "stop", reason] => Expected::LineStop { reason: known(reason, &stops())?, at: None },
        ["line", "stop", reason, "at", at] => {
            Expected::LineStop { reason: known(reason, &stops())?, at: Some(seconds(at)?) }
        }
        ["no", "line", "stop"] => Expected::NoLineStop,
        ["gate", "reject", "at", at] => Expected::Gate { reject: true, at: seconds(at)? },
        ["gate", "pass", "at", at] => Expected::Gate { reject: false, at: seconds(at)? },
        ["records", count] => Expected::Records { count: number(count)? },
        _ => {
            return Err(
                "right would be `reject part N [for REASON] [at TIME]`, `pass part N`, `end part N STATE`, `removed part N`, `unharmed part \
                 N`, `no record of part N`, `line stop REASON [at TIME]`, `no line stop`, `gate reject|pass at TIME` or `records N`"
                    .to_owned(),
            );
        }
    })
}
