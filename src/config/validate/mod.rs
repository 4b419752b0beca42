//! The rules of the configuration: ranges of single keys, and what keys must be to one another.
//!
//! Every broken rule is told, each with its key and what would be right. Must not open files or know where in a file a key
//! stands.

mod devices;
mod keys;
mod limits;
mod line;

use std::fmt::Display;

use super::Config;
use crate::strict::problem::KeyPath;

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The key to change first.
    pub key: KeyPath,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Every broken rule of `config`. Rules between keys are left out where one of them is in `doubtful`: its value is a stand-in for
/// what could not be read, and what follows from it would mislead.
pub fn validate(config: &Config, doubtful: Vec<KeyPath>) -> Vec<Broken> {
    let mut rules = Rules { doubtful, broken: Vec::new() };
    keys::check(config, &mut rules);
    devices::check(config, &mut rules);
    line::check(config, &mut rules);
    limits::check(config, &mut rules);
    rules.broken
}

/// Gathers broken rules.
struct Rules {
    doubtful: Vec<KeyPath>,
    broken: Vec<Broken>,
}

impl Rules {
    /// A key's own rule is broken; rules between keys no longer rely on it.
    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        let key = KeyPath::of(key);
        self.doubtful.push(key.clone());
        self.broken.push(Broken { key, message: message.into() });
    }

    /// `value` must lie from `least` to `most`; NaN never does.
    fn range<T: PartialOrd + Display>(&mut self, key: &str, value: T, least: T, most: T) {
        if !(value >= least && value <= most) {
            self.refuse(key, format!("{value} is outside {least} to {most}"));
        }
    }

    /// A rule between `keys`, told at the first of them.
    fn between(&mut self, keys: &[&str], holds: bool, message: impl FnOnce() -> String) {
        let trusted = |key: &&str| {
            let key = KeyPath::of(key);
            !self.doubtful.iter().any(|doubtful| doubtful.covers(&key))
        };
        if !holds && keys.iter().all(trusted) {
            self.broken.push(Broken { key: KeyPath::of(keys[0]), message: message() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Length, Speed};

    fn told(config: &Config) -> String {
        let broken = validate(config, Vec::new());
        broken.iter().map(|broken| format!("{}: {}\n", broken.key, broken.message)).collect()
    }

    #[test]
    fn the_defaults_break_no_rule() {
        assert_eq!(told(&Config::default()), "");
    }

    #[test]
    fn every_broken_rule_is_told() {
        let mut config = Config::default();
        config.line.name = "line 1".into();
        config.simulation.noise = f64::NAN;
        config.gate.position = Length::mm(300.0);
        let told = told(&config);
        assert!(
            told.contains("line.name: ") && told.contains("simulation.noise: NaN is outside 0 to 64"),
            "{told}"
        );
        assert!(told.contains("gate.position: "), "{told}");
        assert_eq!(told.lines().count(), 3, "{told}");
    }

    #[test]
    fn nothing_is_concluded_from_a_value_that_is_itself_refused() {
        let mut config = Config::default();
        config.line.speed = Speed::mm_per_s(0.0);
        assert_eq!(told(&config), "line.speed: 0m/s is outside 0.001m/s to 20m/s\n");
        config = Config::default();
        config.gate.position = Length::mm(300.0);
        assert_eq!(validate(&config, vec![KeyPath::of("gate")]), []);
        assert_eq!(validate(&config, vec![KeyPath::default()]), []);
    }
}
