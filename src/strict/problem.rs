//! Problems of a file: where they are and what would be right.
//!
//! Owns key paths and how a problem is printed. Must not know what any key means.

use std::fmt;
use std::path::PathBuf;

use crate::printable::short;

/// One step from a group of keys, or from a list, to what is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// To the value of a key.
    Key(String),
    /// To an item of a list, counted from 0.
    Item(usize),
}

/// The way from the top of a file to a value: `camera.rate`. Empty for the file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KeyPath(pub Vec<Step>);

/// Longest piece of a file's own text that is repeated in a message, in characters.
const REPEATED: usize = 60;

impl KeyPath {
    /// From a path without lists, as the rules write it: `camera.rate`.
    pub fn of(dotted: &str) -> Self {
        Self(dotted.split('.').map(|key| Step::Key(key.to_owned())).collect())
    }

    /// Whether this path is `other` or lies above it.
    pub fn covers(&self, other: &KeyPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// The path of the group or list that this path's value is in; empty for the empty path.
    pub fn parent(&self) -> KeyPath {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if nth == 0 => f.write_str(&short(key, REPEATED))?,
                Step::Key(key) => write!(f, ".{}", short(key, REPEATED))?,
                Step::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A place in a text; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// What is wrong in a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key that it is about; empty for the text as a whole.
    pub key: KeyPath,
    /// Where it is; `None` when the key does not stand in the text.
    pub place: Option<Place>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Fault {
    /// Of the text as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { key: KeyPath::default(), place: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "{}:{}: ", place.line, place.column)?;
        }
        if !self.key.0.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// What is wrong in a file: `castgate.yaml:12:9: camera.rate: 0fps is outside 0.1fps to 1000fps`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: PathBuf,
    /// What and where.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = if self.fault.place.is_some() { "" } else { " " };
        write!(f, "{}:{gap}{}", self.file.display(), self.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_prints_as_editors_and_compilers_read_it() {
        let key = KeyPath(vec![Step::Key("camera".into()), Step::Item(2), Step::Key("a\nb".into())]);
        let fault = Fault { key, place: Some(Place { line: 12, column: 9 }), message: "no".into() };
        let mut problem = Problem { file: "castgate.yaml".into(), fault };
        assert_eq!(problem.to_string(), "castgate.yaml:12:9: camera[2].a\\nb: no");
        problem.fault.place = None;
        assert_eq!(problem.to_string(), "castgate.yaml: camera[2].a\\nb: no");
    }

    #[test]
    fn a_path_covers_what_lies_below_it() {
        assert!(KeyPath::of("camera").covers(&KeyPath::of("camera.rate")));
        assert!(!KeyPath::of("camera.rate").covers(&KeyPath::of("camera")));
        assert_eq!(KeyPath::of("camera.rate").parent(), KeyPath::of("camera"));
    }
}
