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

mod expectation;

use super::faults::{Episode, Fault, Faults};
use super::plant::Part;
use super::region::plain;
use super::shift::Shift;
use crate::config::{Config, load};
use crate::pipeline::Order;
use crate::units::Span;
use crate::verdict::Truth;

use expectation::expectation;
pub(super) use expectation::{Expectation, Expected};

/// Nothing in a scenario is later, or lasts longer, than so many seconds.
const LONGEST_S: f64 = 36_000.0;
/// Greatest amount of a fault.
const MOST: f64 = 10_000.0;

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
    match span.as_s() {
        s if s < 0.0 => Err(format!("`{text}` is negative")),
        s if s > LONGEST_S => Err(format!("`{text}` is longer than 10 hours")),
        s => Ok(s),
    }
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
            "operator" if rest.is_empty() => self.operator = true,
            "run" => self.until = seconds(rest.strip_prefix("for").unwrap_or(rest).trim())?,
            "expect" => {
                let what = expectation(rest)?;
                self.expectations.push(Expectation { line, text: text.to_owned(), what });
            }
            _ if head.starts_with("part@") => self.part(&head[5..], rest)?,
            _ if head.starts_with("trigger@") && rest.is_empty() => {
                self.orders.push((seconds(&head[8..])?, Order::Trigger));
            }
            _ if head.starts_with("reset@") && rest.is_empty() => {
                self.orders.push((seconds(&head[6..])?, Order::Reset));
            }
            _ if ["operator", "trigger@", "reset@"].iter().any(|word| head.starts_with(word)) => {
                return Err(format!("`{rest}` says nothing of `{head}`"));
            }
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
        if self.parts.iter().any(|(other, ..)| *other == at) {
            return Err("there is a part at this moment already".to_owned());
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
        // Only a clock and a count can be off in either direction.
        let least = if matches!(fault, Fault::ClockStep | Fault::EncoderJump) { -MOST } else { 0.0 };
        if !(least..=MOST).contains(&episode.amount) {
            return Err(format!("the amount of `{name}` is from {least} to {MOST}"));
        }
        let during = |other: &Episode| {
            other.fault == fault && other.from < episode.until() && episode.from < other.until()
        };
        if self.faults.iter().any(during) {
            return Err(format!("`{name}` comes while another one of its kind lasts"));
        }
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
        // The line that set a key, or a key above it.
        let line_of = |wrong: &str| {
            let sets = |key: &str| {
                wrong.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            let setting = self.keys.iter().rev().find(|(_, key, _)| sets(key));
            setting.or(self.keys.first()).map_or(1, |(line, ..)| *line)
        };
        // JSON is YAML, too.
        load::parse(&serde_json::Value::Object(tree).to_string()).map_err(|faults| {
            let words: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", fault.key, fault.message)).collect();
            let line = line_of(&faults.first().map(|fault| fault.key.to_string()).unwrap_or_default());
            ScenarioError { line, what: words.join("; ") }
        })
    }
}

fn unknown(text: &str) -> String {
    format!(
        "`{text}` is no statement; a statement is `set`, `part@`, `trigger@`, `reset@`, `operator`, `run for`, `expect`, or a fault of \
         `castgate simulate --faults list`"
    )
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The first statement that is wrong, with its line.
    pub fn read(text: &str) -> Result<Self, ScenarioError> {
        let mut draft = Draft::default();
        // Some editors begin a file with a mark that nobody sees.
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let statement = line.split('#').next().unwrap_or_default().trim();
            if !statement.is_empty() {
                draft
                    .statement(index + 1, statement)
                    .map_err(|what| ScenarioError { line: index + 1, what })?;
            }
        }
        let config = plain(&draft.config()?);
        if draft.parts.is_empty() && draft.faults.is_empty() && draft.expectations.is_empty() {
            let what = "nothing happens and nothing is expected; `part@1s defect` is a beginning".to_owned();
            return Err(ScenarioError { line: 1, what });
        }
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
            at_least: draft.expectations.iter().filter_map(|e| e.what.at()).fold(draft.until, f64::max),
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
        assert!(wrong("set line.speed 1m/s\npart@1s\nset gate.puls 3mm").starts_with("3: gate.puls"));
        assert!(wrong("expect line stop tired").contains("bin_full"));
        assert_eq!(wrong("\u{feff}part@1s ok"), "");
        assert!(wrong("# only words\n").starts_with("1: nothing happens"));
        let late = Scenario::read("part@1s ok\nexpect gate reject at 20s").unwrap();
        assert_eq!(late.shift.at_least, 20.0, "it runs until the last moment that something is expected of");
        for text in [
            "part@1s ok\npart@1s defect",
            "part@99999999h ok",
            "model slow@1s for 2s by -1",
            "model slow@1s for 2s by nan",
            "camera lost@1s for 2s\ncamera lost@2s",
            "operator sleeps",
            "trigger@2s twice",
            "part@1s\nexpect reject part 1 for fun",
            "part@1s\nexpect end part 1 happily",
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
