//! YAML: text to values with every fault at once, each with its place, and back.
//!
//! The only file that names the YAML crate. Must not know what any key means.
//!
//! A text is read in two steps. First into a tree of a bounded number of values, so that aliases cannot multiply without end.
//! Then from the tree into the wanted type; whatever the type refuses is noted and taken out of the tree, so that its default
//! applies, until the rest is accepted. The tree has no places, so for a fault the text is walked once more along its key
//! path: a visitor that refuses whatever it meets there makes the parser say where it stands.

use serde::Serialize;
use serde::de::{DeserializeOwned, DeserializeSeed};
use serde_json::Value;

use super::problem::{Fault, KeyPath, Place};
use super::scan;
use super::seek::{Seek, Target};
use super::tree::{Grow, Grown, Refusal, TOO_MANY, fit};
use super::wording;
use crate::printable::short;
use crate::unseen;

/// Longest text in bytes.
pub const MAX_BYTES: usize = 256 << 10;
/// Most opening brackets and braces: the parser's time grows with the square of their depth.
const MAX_BRACKETS: usize = 2_000;
/// How the parser refuses characters that YAML does not allow.
const CONTROL: &str = "control characters are not allowed";

/// What a text gave.
#[derive(Debug)]
pub struct Read<T> {
    /// The value, with defaults where the text is at fault; `None` when nothing sensible is left.
    pub value: Option<T>,
    /// Everything that is wrong, in the order of the text.
    pub faults: Vec<Fault>,
    /// What in `value` is a stand-in: keys that were refused, and groups with unknown keys, which may be misspelt ones.
    pub doubtful: Vec<KeyPath>,
}

/// What a kind of file has of its own for its reader.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner<'a> {
    /// Keys below which texts are for people and mean what they say.
    pub notes: &'a [&'a str],
    /// Where a secret goes, said of a text such as `${PASSWORD}`.
    pub secrets: Option<&'a str>,
}

/// Reads a value.
///
/// # Errors
/// Every fault of `text`, each with its place.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Fault>> {
    match read(text, &Manner::default()) {
        Read { value: Some(value), faults, .. } if faults.is_empty() => Ok(value),
        Read { faults, .. } => Err(faults),
    }
}

/// Reads a value as far as it is right.
pub fn read<T: DeserializeOwned>(text: &str, manner: &Manner<'_>) -> Read<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let hidden = scan::hidden(text);
    let (mut tree, mut faults) = match tree(text) {
        Ok(read) => read,
        Err(fault) => return Read { value: None, faults: with(hidden, fault), doubtful: Vec::new() },
    };
    let mut doubtful: Vec<KeyPath> = faults.iter().map(|double| double.key.clone()).collect();
    faults.extend(hidden);
    let mut otherwise = scan::meant_otherwise(&tree, manner.secrets);
    otherwise.retain(|(key, _)| !manner.notes.iter().any(|note| KeyPath::of(note).covers(key)));
    let fitted = fit(&mut tree);
    for Refusal { key, message } in fitted.refusals {
        let words = wording::reword(&key, &message);
        let (place, hint) = if wording::is_about_key(&message) {
            doubtful.push(key.parent());
            let place = seek(text, &key, Target::Key(1));
            (place, scan::hint_at_key(text, place, &key))
        } else {
            doubtful.push(key.clone());
            // What the value was meant to be says more than that it is none.
            if otherwise.iter().any(|(other, _)| *other == key) {
                continue;
            }
            let place = locate(text, &key);
            (place, scan::hint_at_value(text, place))
        };
        faults.push(Fault { place, message: words + &hint, key });
    }
    for (key, message) in otherwise {
        doubtful.push(key.clone());
        faults.push(Fault { place: locate(text, &key), message, key });
    }
    sort(&mut faults);
    Read { value: fitted.value, faults, doubtful }
}

/// What cannot be seen in a text that is no YAML, and why it is none.
fn with(mut hidden: Vec<Fault>, mut fault: Fault) -> Vec<Fault> {
    // The parser stops at the first character that the look at the text has named already.
    if hidden.iter().any(|known| known.place == fault.place && fault.message.contains(CONTROL)) {
        return hidden;
    }
    fault.message = short(&fault.message, wording::LONGEST);
    hidden.push(fault);
    sort(&mut hidden);
    hidden
}

/// Puts faults into the order of the text, those without a place last.
pub fn sort(faults: &mut [Fault]) {
    faults.sort_by_key(|fault| (fault.place.is_none(), fault.place));
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

/// Those of the keys `needed`, each with an example, that a text does not hold, with what to say of each. Of a group that is missing as
/// a whole nothing further is said.
pub fn missing(text: &str, needed: &[(&str, &str)]) -> Vec<(KeyPath, Fault)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Ok((tree, _)) = tree(text) else { return Vec::new() };
    let mut found: Vec<(KeyPath, Fault)> = Vec::new();
    for (key, example) in needed {
        let key = KeyPath::of(key);
        let is_there = tree.pointer(&format!("/{}", key.to_string().replace('.', "/"))).is_some();
        if is_there || found.iter().any(|(above, _)| above.covers(&key)) {
            continue;
        }
        let (parent, name) = (key.parent(), key.0.last().map(|_| key.to_string()).unwrap_or_default());
        let name = name.rsplit('.').next().unwrap_or_default();
        let place = if parent.0.is_empty() {
            Some(Place { line: 1, column: 1 })
        } else {
            seek(text, &parent, Target::Key(1))
        };
        let message = format!("the key `{name}` is missing here, such as `{example}`");
        found.push((key.clone(), Fault { key: parent, place, message }));
    }
    found
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
    let text = serde_yaml::to_string(value)?;
    let odd = |c: char| c != '\n' && unseen::is_hidden(c);
    if !text.contains(odd) {
        return Ok(text);
    }
    // Such characters are read only where they are written as numbers, which JSON has room for, and YAML holds JSON.
    let json = serde_json::to_value(value).map_err(serde::ser::Error::custom).map_err(Unwritable)?;
    let mut escaped = String::new();
    for c in format!("{json:#}\n").chars() {
        match c {
            c if odd(c) => escaped.push_str(&format!("\\U{:08X}", c as u32)),
            c => escaped.push(c),
        }
    }
    Ok(escaped)
}

/// The text as a tree, and its keys that stand twice.
fn tree(text: &str) -> Result<(Value, Vec<Fault>), Fault> {
    if text.len() > MAX_BYTES {
        return Err(Fault::whole(format!("more than {} KiB; this is no such file", MAX_BYTES / 1024)));
    }
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_BRACKETS {
        return Err(Fault::whole(format!("more than {MAX_BRACKETS} brackets; this is no such file")));
    }
    let mut grown = Grown::default();
    let tree = Grow(&mut grown)
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .map_err(|error| unreadable(text, &error))?;
    let doubles = grown.doubles.into_iter().map(|key| Fault {
        place: seek(text, &key, Target::Key(2)),
        key,
        message: "stands here a second time; keep one of the two".to_owned(),
    });
    match tree {
        Value::Null => Ok((Value::Object(serde_json::Map::new()), doubles.collect())),
        Value::Object(_) => Ok((tree, doubles.collect())),
        _ => Err(Fault {
            place: Some(Place { line: 1, column: 1 }),
            ..Fault::whole("a list or a single value is not a configuration; write `key: value` lines")
        }),
    }
}

/// The place of a byte.
pub fn at_byte(text: &[u8], offset: usize) -> Place {
    let before = &text[..offset.min(text.len())];
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    Place {
        line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
        column: String::from_utf8_lossy(&before[start..]).chars().count() + 1,
    }
}

fn place_of(error: &serde_yaml::Error) -> Option<Place> {
    error.location().map(|at| Place { line: at.line(), column: at.column() })
}

/// The fault of a text that did not even become a tree.
fn unreadable(text: &str, error: &serde_yaml::Error) -> Fault {
    let mut place = place_of(error);
    let mut message = error.to_string();
    if let Some(at) = place {
        message = message.replacen(&format!(" at line {} column {}", at.line, at.column), "", 1);
    }
    if let Some((words, offset)) = message.rsplit_once(" at position ")
        && let Ok(offset) = offset.parse()
    {
        place = Some(at_byte(text.as_bytes(), offset));
        message = words.to_owned();
    }
    let message = if message.starts_with("deserializing from YAML containing more than one document") {
        "holds more than one YAML document; take out the `---` lines".to_owned()
    } else if message.contains("recursion limit") {
        "nested too deeply".to_owned()
    } else if message.contains("repetition limit") || message.contains(TOO_MANY) {
        TOO_MANY.to_owned()
    } else {
        let line = place.and_then(|at| text.lines().nth(at.line - 1)).unwrap_or_default();
        wording::syntax(&message, line) + &scan::hint_before(text, place)
    };
    Fault { place, ..Fault::whole(message) }
}

fn seek(text: &str, key: &KeyPath, target: Target) -> Option<Place> {
    let seek = Seek::new(&key.0, target);
    seek.deserialize(serde_yaml::Deserializer::from_str(text)).err().as_ref().and_then(place_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strict::problem::Step;

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
        let read = read::<Outer>(text, &Manner::default());
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
        let value = read::<Outer>(text, &Manner::default()).value.unwrap();
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
            ("a: 1\0".to_owned(), "1:5: a NUL (U+0000) stands after `1`"),
            ("--- \na: 1\n--- \nb: 1\n".to_owned(), "holds more than one YAML document"),
            ("a: *b\n".to_owned(), "unknown anchor"),
            ("a: !t b\n".to_owned(), "a tag such as `!name` has no meaning here"),
            ("? [a]\n: b\n".to_owned(), "invalid type: sequence, expected a string"),
            ("a: 99999999999999999999999999999999999999\n".to_owned(), "too large a number"),
            ("[".repeat(MAX_BYTES), "brackets"),
            ("{a: ".repeat(1000), "nested too deeply"),
            ("- ".repeat(MAX_BYTES / 2), "nested too deeply"),
            ("x".repeat(MAX_BYTES + 1), "more than 256 KiB"),
            ((0..25_000).map(|n| format!("k{n}: 1\n")).collect(), "too many values"),
            (
                (0..10_000).map(|n| format!("k{n}: 1\n")).collect(),
                "unknown key; keys at the top: inner, list, name",
            ),
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
        let odd = "a\u{a0}b \u{200b}\u{e0001}\t\"“c";
        let text = to_string(&std::collections::BTreeMap::from([("name", odd)])).unwrap();
        assert_eq!(from_str::<Outer>(&text).unwrap().name, odd, "{text}");
    }
}
