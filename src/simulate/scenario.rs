//! Scenarios that an operator can write: parts, faults, orders, and what is to come of them.
//!
//! ```text
//! # A defective part while the camera is away
//! set decide.trigger sensor
//! part@2000ms defect
//! camera lost@2s for 800ms
//! expect reject part 1 for camera_lost at 3250ms
//! ```
//! Owns the words. Must not know files.

use super::faults::{Episode, Fault, Faults};
use super::plant::Part;
use super::shift::Shift;
use crate::config::{Config, load};
use crate::pipeline::Order;
use crate::units::Span;
use crate::verdict::Truth;

/// What is to come of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expectation {
    /// Line of the file.
    pub line: usize,
    /// As it was written.
    pub text: String,
    pub what: Expected,
}

/// See [`Expectation`]. Parts are counted from 1, in the order of their times.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expected {
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

/// A scenario that was read.
pub struct Scenario {
    pub(super) shift: Shift,
    pub(super) expectations: Vec<Expectation>,
}

/// What is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {what}")]
pub struct ScenarioError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// A moment or a length of time in seconds.
fn seconds(text: &str) -> Result<f64, String> {
    let span: Span = text.parse().map_err(|_| format!("`{text}` is no time such as `120ms` or `2s`"))?;
    if span.as_s() < 0.0 { Err(format!("`{text}` is negative")) } else { Ok(span.as_s()) }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

/// What a scenario is made of, until its end is reached.
#[derive(Default)]
struct Draft {
    keys: Vec<(usize, String, String)>,
    parts: Vec<(f64, Truth, f32, f64)>,
    faults: Vec<Episode>,
    orders: Vec<(f64, Order)>,
    operator: bool,
    until: f64,
    expectations: Vec<Expectation>,
}

impl Draft {
    fn statement(&mut self, line: usize, text: &str) -> Result<(), String> {
        let (head, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match head {
            "set" => {
                let (key, value) =
                    rest.split_once(char::is_whitespace).ok_or("right would be `set KEY VALUE`")?;
                self.keys.push((line, key.to_owned(), value.trim().to_owned()));
            }
            "operator" => self.operator = true,
            "run" => self.until = seconds(rest.strip_prefix("for").unwrap_or(rest).trim())?,
            "expect" => {
                let what = expectation(rest)?;
                self.expectations.push(Expectation { line, text: text.to_owned(), what });
            }
            _ if head.starts_with("part@") => self.part(&head[5..], rest)?,
            _ if head.starts_with("trigger@") => self.orders.push((seconds(&head[8..])?, Order::Trigger)),
            _ if head.starts_with("reset@") => self.orders.push((seconds(&head[6..])?, Order::Reset)),
            _ => self.fault(text)?,
        }
        Ok(())
    }

    /// `part@120ms defect`, `part@1s score 0.4 long 1.5`.
    fn part(&mut self, at: &str, rest: &str) -> Result<(), String> {
        let at = seconds(at)?;
        let mut words = rest.split_whitespace();
        let (mut truth, mut score, mut long) = (Truth::Ok, None, 1.0);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` needs a number"));
            match word {
                "ok" => truth = Truth::Ok,
                "defect" => truth = Truth::Defect,
                "score" => score = Some(number::<f32>(value()?)?),
                "long" => long = number::<f64>(value()?)?,
                _ => {
                    return Err(format!(
                        "`{word}` says nothing of a part; right would be `ok`, `defect`, `score N`, `long N`"
                    ));
                }
            }
        }
        let score = score.unwrap_or(if truth == Truth::Ok { 0.05 } else { 0.95 });
        if !(0.0..=1.0).contains(&score) || !(0.2..=5.0).contains(&long) {
            return Err(
                "a score is from 0 to 1, and a part 0.2 to 5 times as long as it should be".to_owned()
            );
        }
        self.parts.push((at, truth, score, long));
        Ok(())
    }

    /// `camera lost@2s for 800ms`, `frame late@1s for 2s by 0.3`.
    fn fault(&mut self, text: &str) -> Result<(), String> {
        let (name, rest) = text.split_once('@').ok_or_else(|| unknown(text))?;
        let name = name.trim().replace(' ', "_");
        let fault = Fault::named(&name).ok_or_else(|| unknown(&name))?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (from, lasts, amount) = match words.as_slice() {
            [from] => (from, "50ms", "0"),
            [from, "for", lasts] => (from, *lasts, "0"),
            [from, "by", amount] => (from, "50ms", *amount),
            [from, "for", lasts, "by", amount] => (from, *lasts, *amount),
            _ => return Err("right would be `FAULT@TIME for TIME by AMOUNT`".to_owned()),
        };
        let episode =
            Episode { fault, from: seconds(from)?, lasts: seconds(lasts)?, amount: number(amount)? };
        self.faults.push(episode);
        Ok(())
    }

    fn config(&self) -> Result<Config, ScenarioError> {
        let mut tree = serde_json::Map::new();
        for (line, key, value) in &self.keys {
            let mut at = &mut tree;
            let mut names = key.split('.').peekable();
            while let Some(name) = names.next() {
                if names.peek().is_none() {
                    let value = serde_json::from_str(value).unwrap_or_else(|_| value.as_str().into());
                    at.insert(name.to_owned(), value);
                    break;
                }
                let inner = at.entry(name).or_insert_with(|| serde_json::Map::new().into());
                at = inner
                    .as_object_mut()
                    .ok_or_else(|| ScenarioError { line: *line, what: format!("`{key}` is no key") })?;
            }
        }
        let first = self.keys.first().map_or(1, |(line, ..)| *line);
        // JSON is YAML, too.
        load::parse(&serde_json::Value::Object(tree).to_string()).map_err(|faults| {
            let words: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", fault.key, fault.message)).collect();
            ScenarioError { line: first, what: words.join("; ") }
        })
    }
}

fn unknown(text: &str) -> String {
    format!(
        "`{text}` is no statement; a statement is `set`, `part@`, `trigger@`, `reset@`, `operator`, `run for`, `expect`, or a fault of \
         `castgate simulate --faults list`"
    )
}

/// `reject part 3 for defect at 870ms`.
fn expectation(text: &str) -> Result<Expected, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let part = |text: &str| {
        let part: usize = number(text)?;
        if part == 0 { Err("parts are counted from 1".to_owned()) } else { Ok(part) }
    };
    Ok(match words.as_slice() {
        ["reject", "part", n] => Expected::Reject { part: part(n)?, reason: None, at: None },
        ["reject", "part", n, "for", reason] => {
            Expected::Reject { part: part(n)?, reason: Some((*reason).to_owned()), at: None }
        }
        ["reject", "part", n, "at", at] => {
            Expected::Reject { part: part(n)?, reason: None, at: Some(seconds(at)?) }
        }
        ["reject", "part", n, "for", reason, "at", at] => {
            Expected::Reject { part: part(n)?, reason: Some((*reason).to_owned()), at: Some(seconds(at)?) }
        }
        ["pass", "part", n] => Expected::Pass { part: part(n)? },
        ["end", "part", n, how] => Expected::Ends { part: part(n)?, how: (*how).to_owned() },
        ["removed", "part", n] => Expected::Removed { part: part(n)?, removed: true },
        ["unharmed", "part", n] => Expected::Removed { part: part(n)?, removed: false },
        ["no", "record", "of", "part", n] => Expected::NoRecord { part: part(n)? },
        ["line", "stop", reason] => Expected::LineStop { reason: (*reason).to_owned(), at: None },
        ["line", "stop", reason, "at", at] => {
            Expected::LineStop { reason: (*reason).to_owned(), at: Some(seconds(at)?) }
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

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first statement that is wrong, with its line.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let mut draft = Draft::default();
        for (index, line) in text.lines().enumerate() {
            let statement = line.split('#').next().unwrap_or_default().trim();
            if !statement.is_empty() {
                draft
                    .statement(index + 1, statement)
                    .map_err(|what| ScenarioError { line: index + 1, what })?;
            }
        }
        let mut config = draft.config()?;
        config.preprocess.region = None;
        config.preprocess.min_sharpness = 4.0;
        draft.parts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let faults = Faults::new(draft.faults);
        let motion = super::plant::motion(&config, &faults);
        let length = config.line.part_length.as_mm();
        let parts: Vec<Part> = draft
            .parts
            .iter()
            .map(|&(at, truth, score, long)| Part {
                edge: motion.travel(at),
                length: length * long,
                truth,
                score,
            })
            .collect();
        if let Some(bad) =
            draft.expectations.iter().find_map(|e| e.what.part().filter(|n| *n > parts.len()).map(|_| e))
        {
            return Err(ScenarioError {
                line: bad.line,
                what: format!("there are only {} parts", parts.len()),
            });
        }
        let shift = Shift {
            config,
            seed: 0,
            parts,
            faults,
            orders: draft.orders,
            operator: draft.operator,
            keep: true,
            at_least: draft.until,
        };
        Ok(Self { shift, expectations: draft.expectations })
    }
}

impl Scenario {
    /// Its faults, for [`super::trace()`].
    pub fn faults(&self) -> Faults {
        self.shift.faults.clone()
    }
}

impl Expected {
    fn part(&self) -> Option<usize> {
        match self {
            Expected::Reject { part, .. }
            | Expected::Pass { part }
            | Expected::Ends { part, .. }
            | Expected::Removed { part, .. }
            | Expected::NoRecord { part } => Some(*part),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        Scenario::read(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_scenario_is_read() {
        let text = "# a comment\nset line.speed 0.4m/s\npart@120ms defect long 1.5 # another\ncamera lost@2s for 800ms\nreset@3s\n\
                    expect reject part 1 for odd_size at 870ms\n";
        let scenario = Scenario::read(text).unwrap();
        let part = scenario.shift.parts[0];
        assert_eq!((part.edge, part.length, part.truth), (48.0, 180.0, Truth::Defect));
        assert!(scenario.shift.faults.at(Fault::CameraLost, 2.5).is_some());
        assert_eq!(scenario.shift.orders, [(3.0, Order::Reset)]);
        let reason = Some("odd_size".to_owned());
        assert_eq!(scenario.expectations[0].what, Expected::Reject { part: 1, reason, at: Some(0.87) });
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(wrong("\npart@5mm ok"), "2: `5mm` is no time such as `120ms` or `2s`");
        assert!(wrong("kamera lost@2s").starts_with("1: `kamera_lost` is no statement"));
        assert_eq!(wrong("part@1s ok\nexpect pass part 2"), "2: there are only 1 parts");
        assert!(wrong("set line.sped 3").contains("line"), "{}", wrong("set line.sped 3"));
        assert!(wrong("set line.speed.x 3").contains("line"));
        for text in [
            "expect",
            "part@1s green",
            "part@1s score 2",
            "frame late@1s for",
            "set x",
            "run for ever",
            "expect pass part 0",
        ] {
            assert!(!wrong(text).is_empty(), "{text}");
        }
    }
}
