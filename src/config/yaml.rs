//! YAML: text to values with every fault at once, each with its place, and back.
//!
//! The only file that names the YAML crate. Must not know what any key means.
//!
//! A text is read in two steps. First into a tree of a bounded number of values, so that aliases cannot multiply without end.
//! Then from the tree into the wanted type; whatever the type refuses is noted and taken out of the tree, so that its default
//! applies, until the rest is accepted. The tree has no places, so for a fault the text is walked once more along its key
//! path: a visitor that refuses whatever it meets there makes the parser say where it stands.

use std::fmt;

use serde::Serialize;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};
use serde_path_to_error::Segment;
use serde_yaml::{Mapping, Value};

use super::problem::{Fault, KeyPath, Place, Step};
use super::seek::{Seek, Target};
use super::wording;

/// Longest text in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Most values in one text, aliases expanded.
const MAX_VALUES: usize = 50_000;
/// Most opening brackets and braces: the parser's time grows with the square of their depth.
const MAX_BRACKETS: usize = 2_000;
/// Most faults that are told at once.
pub const MAX_FAULTS: usize = 50;

/// What a text gave.
#[derive(Debug)]
pub struct Read<T> {
    /// The value, with defaults where the text is at fault; `None` when nothing sensible is left.
    pub value: Option<T>,
    /// Everything that is wrong, in the order of the text.
    pub faults: Vec<Fault>,
}

/// Reads a value.
///
/// # Errors
/// Every fault of `text`, each with its place.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Fault>> {
    match read(text) {
        Read { value: Some(value), faults } if faults.is_empty() => Ok(value),
        Read { faults, .. } => Err(faults),
    }
}

/// Reads a value as far as it is right.
pub fn read<T: DeserializeOwned>(text: &str) -> Read<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut tree, mut faults) = match tree(text) {
        Ok(read) => read,
        Err(fault) => return Read { value: None, faults: vec![fault] },
    };
    let value = fit(text, &mut tree, &mut faults);
    faults.sort_by_key(|fault| fault.place);
    Read { value, faults }
}

/// Where the value of `key` stands in `text`; where its group stands if the text does not hold the key itself.
pub fn locate(text: &str, key: &KeyPath) -> Option<Place> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if key.0.is_empty() {
        return None;
    }
    seek(text, key, Target::Value).or_else(|| {
        let mut above = key.parent();
        while !above.0.is_empty() {
            let place = seek(text, &above, Target::Key(1));
            if place.is_some() {
                return place;
            }
            above = above.parent();
        }
        None
    })
}

/// A value cannot be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("cannot write this as YAML")]
pub struct Unwritable(#[from] serde_yaml::Error);

/// Writes a value.
///
/// # Errors
/// When the value has a form that YAML lacks.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, Unwritable> {
    Ok(serde_yaml::to_string(value)?)
}

/// The text as a tree, and its keys that stand twice.
fn tree(text: &str) -> Result<(Value, Vec<Fault>), Fault> {
    if text.len() > MAX_BYTES {
        return Err(wording::whole(format!("more than {} KiB; this is no such file", MAX_BYTES / 1024)));
    }
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_BRACKETS {
        return Err(wording::whole(format!("more than {MAX_BRACKETS} brackets; this is no such file")));
    }
    let mut grown = Grown { left: MAX_VALUES, path: KeyPath::default(), doubles: Vec::new() };
    let tree = Grow(&mut grown)
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| unreadable(text, &error))?;
    let doubles = grown.doubles.into_iter().map(|key| Fault {
        place: seek(text, &key, Target::Key(2)),
        key,
        message: "stands here a second time; keep one of the two".to_owned(),
    });
    match tree {
        Value::Null => Ok((Value::Mapping(Mapping::new()), doubles.collect())),
        Value::Mapping(_) => Ok((tree, doubles.collect())),
        _ => Err(Fault {
            place: Some(Place { line: 1, column: 1 }),
            ..wording::whole("a list or a single value is not a configuration; write `key: value` lines")
        }),
    }
}

fn place_of(error: &serde_yaml::Error) -> Option<Place> {
    error.location().map(|at| Place { line: at.line(), column: at.column() })
}

/// The fault of a text that did not even become a tree.
fn unreadable(text: &str, error: &serde_yaml::Error) -> Fault {
    let place = place_of(error);
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let message = if message.starts_with("deserializing from YAML containing more than one document") {
        "holds more than one YAML document; take out the `---` lines".to_owned()
    } else if message.contains("recursion limit") {
        "nested too deeply".to_owned()
    } else if message.contains("repetition limit") || message.contains(TOO_MANY) {
        TOO_MANY.to_owned()
    } else {
        let line = place.and_then(|at| text.lines().nth(at.line - 1)).unwrap_or_default();
        wording::syntax(message, line)
    };
    Fault { place, ..wording::whole(message) }
}

/// Fits the tree into the wanted type, taking out what does not fit.
fn fit<T: DeserializeOwned>(text: &str, tree: &mut Value, faults: &mut Vec<Fault>) -> Option<T> {
    loop {
        let error = match serde_path_to_error::deserialize::<_, T>(&*tree) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let key = KeyPath(error.path().iter().filter_map(step).collect());
        let message = error.inner().to_string();
        let removed = remove(tree, &key.0);
        if removed && wording::is_empty_group(&message) {
            continue;
        }
        let place = if wording::is_about_key(&message) {
            seek(text, &key, Target::Key(1))
        } else {
            locate(text, &key)
        };
        faults.push(Fault { place, message: wording::reword(&key, &message), key });
        if faults.len() >= MAX_FAULTS {
            faults.push(wording::whole(format!("more than {MAX_FAULTS} problems; the others are not shown")));
            return None;
        }
        if !removed {
            return None;
        }
    }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Takes the value at `steps` out of the tree; `false` when there is none.
fn remove(tree: &mut Value, steps: &[Step]) -> bool {
    let Some((last, above)) = steps.split_last() else {
        return false;
    };
    let mut at = tree;
    for step in above {
        let next = match step {
            Step::Key(key) => at.get_mut(key.as_str()),
            Step::Item(index) => at.get_mut(*index),
        };
        let Some(next) = next else {
            return false;
        };
        at = next;
    }
    match (at, last) {
        (Value::Mapping(group), Step::Key(key)) => group.shift_remove(key.as_str()).is_some(),
        (Value::Sequence(list), Step::Item(index)) if *index < list.len() => {
            list.remove(*index);
            true
        }
        _ => false,
    }
}

const TOO_MANY: &str = "too many values; this is no such file";

/// What a tree's growth keeps in mind.
struct Grown {
    left: usize,
    path: KeyPath,
    doubles: Vec<KeyPath>,
}

/// Grows a tree from what the parser says.
struct Grow<'a>(&'a mut Grown);

impl<'de> DeserializeSeed<'de> for Grow<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.0.left = self.0.left.checked_sub(1).ok_or_else(|| D::Error::custom(TOO_MANY))?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Grow<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.0.path.0.push(Step::Item(list.len()));
            let item = items.next_element_seed(Grow(self.0))?;
            self.0.path.0.pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Sequence(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut group = Mapping::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.path.0.push(Step::Key(key.clone()));
            if group.contains_key(key.as_str()) {
                let known = self.0.doubles.contains(&self.0.path);
                if !known && self.0.doubles.len() < MAX_FAULTS {
                    self.0.doubles.push(self.0.path.clone());
                }
                entries.next_value::<IgnoredAny>()?;
            } else {
                let value = entries.next_value_seed(Grow(self.0))?;
                group.insert(key.into(), value);
            }
            self.0.path.0.pop();
        }
        Ok(Value::Mapping(group))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("a tag such as `!name` has no meaning here; take it out"))
    }
}

fn seek(text: &str, key: &KeyPath, target: Target) -> Option<Place> {
    let seek = Seek::new(&key.0, target);
    seek.deserialize(serde_yaml::Deserializer::from_str(text)).err().as_ref().and_then(place_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, key: &str) -> Option<(usize, usize)> {
        locate(text, &KeyPath::of(key)).map(|place| (place.line, place.column))
    }

    #[test]
    fn a_key_is_found_where_its_value_stands() {
        let text =
            "# first\nline:\n  name: a # ü\n  'min pitch':   \"x\"\n\ncamera: {rate: 1, view: [2, 3]}\n";
        assert_eq!(at(text, "line.name"), Some((3, 9)));
        assert_eq!(at(text, "line.min pitch"), Some((4, 18)));
        assert_eq!(at(text, "camera.rate"), Some((6, 16)));
        let item = KeyPath(vec![Step::Key("camera".into()), Step::Key("view".into()), Step::Item(1)]);
        assert_eq!(locate(text, &item), Some(Place { line: 6, column: 29 }));
        assert_eq!(at(text, "line"), Some((3, 3)), "a group stands where its first key stands");
        assert_eq!(at(text, "camera.path"), Some((6, 1)), "what is missing is shown at its group");
        assert_eq!(at(text, "gate.path"), None);
        assert_eq!(at("\u{feff}line:\r\n  name: b\r\n", "line.name"), Some((2, 9)));
        assert_eq!(at("a: &x {b: 1}\nc: *x\n", "c.b"), Some((1, 11)), "an alias leads to its anchor");
        assert_eq!(at("a:\n  - b: 1\n  - b:\n", "a"), Some((2, 3)));
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Outer {
        inner: Inner,
        list: Vec<u8>,
        name: String,
    }

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Inner {
        a: u8,
        b: Option<f64>,
    }

    fn faults(text: &str) -> String {
        let read = read::<Outer>(text);
        read.faults.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn every_fault_is_told_at_once_and_the_rest_is_kept() {
        let text = "inner:\n  a: 300\n  c: 1\n  b: 1.5\nname: [1]\nname: x\nlist: [1, two, 3]\n";
        assert_eq!(
            faults(text),
            "2:6: inner.a: `300` is not a whole number from 0 to 255\n\
             3:3: inner.c: unknown key; did you mean `a`? keys in `inner`: a, b\n\
             5:7: name: a list is not a text\n\
             6:1: name: stands here a second time; keep one of the two\n\
             7:11: list[1]: `two` is not a whole number from 0 to 255\n"
        );
        let value = read::<Outer>(text).value.unwrap();
        assert_eq!(value.inner, Inner { a: 0, b: Some(1.5) });
        assert_eq!(value.list, [1, 3]);
    }

    #[test]
    fn nothing_and_empty_groups_mean_the_defaults() {
        for text in
            ["", "\n", "# only a comment", "---\n", "inner:\n", "inner:\n  # a: 1\nname: ''\n", "{}", "~"]
        {
            assert_eq!(from_str::<Outer>(text).unwrap(), Outer::default(), "{text:?}");
        }
    }

    #[test]
    fn hostile_texts_are_refused_with_words() {
        for (text, wanted) in [
            ("- a\n".to_owned(), "1:1: a list or a single value is not"),
            ("hello".to_owned(), "1:1: a list or a single value is not"),
            ("a: b: c".to_owned(), "1:5: not valid YAML: mapping values are not allowed"),
            ("inner:\n\ta: 1\n".to_owned(), "indent with spaces, not with tabs"),
            ("a: \"x".to_owned(), "not valid YAML"),
            ("a: 1\0".to_owned(), "not valid YAML: control characters are not allowed"),
            ("--- \na: 1\n--- \nb: 1\n".to_owned(), "holds more than one YAML document"),
            ("a: *b\n".to_owned(), "unknown anchor"),
            ("a: !t b\n".to_owned(), "a tag such as `!name` has no meaning here"),
            ("? [a]\n: b\n".to_owned(), "invalid type: sequence, expected a string"),
            ("a: 99999999999999999999999999999999999999\n".to_owned(), "99999"),
            ("[".repeat(MAX_BYTES), "brackets"),
            ("{a: ".repeat(1000), "nested too deeply"),
            ("- ".repeat(MAX_BYTES / 2), "nested too deeply"),
            ("x".repeat(MAX_BYTES + 1), "more than 1024 KiB"),
            ((0..100_000).map(|n| format!("k{n}: 1\n")).collect(), "too many values"),
            ((0..10_000).map(|n| format!("k{n}: 1\n")).collect(), "more than 50 problems"),
            (format!("a: &a [{}]\nb: [{}]\n", "1,".repeat(9_000), "*a,".repeat(9_000)), "too many values"),
        ] {
            let told = faults(&text);
            assert!(told.contains(wanted), "{:?}: {told}", text.chars().take(40).collect::<String>());
            assert!(told.len() < 20_000);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = to_string(&std::collections::BTreeMap::from([("name", "x: y")])).unwrap();
        assert_eq!(from_str::<Outer>(&text).unwrap().name, "x: y");
    }
}
