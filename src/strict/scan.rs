//! What a look at the text of a YAML file shows beyond its grammar: characters that nobody sees, and texts that wait for a program to fill
//! them in.
//!
//! Owns where comments begin, as far as a line shows it. Must not know what any key means.

use serde_json::Value;

use super::problem::{Fault, KeyPath, Place, Step};
use super::tree::MAX_FAULTS;
use crate::printable::short;
use crate::unseen;

/// Longest text that is repeated in a message, in characters.
const REPEATED: usize = 60;

/// The line without its comment.
fn code(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '#' && before.is_whitespace() => return &line[..at],
            // An apostrophe in the middle of a word opens nothing.
            None if matches!(c, '"' | '\'') && (before.is_whitespace() || "[{,:-".contains(before)) => {
                quote = Some(c);
            }
            None => {}
        }
        before = c;
    }
    line
}

/// Every character outside comments that cannot be seen.
pub(super) fn hidden(text: &str) -> Vec<Fault> {
    let of_line = |(index, line)| {
        unseen::hidden(code(line)).into_iter().map(move |found| Fault {
            place: Some(Place { line: index + 1, column: found.column }),
            ..Fault::whole(format!("{}; {}", found.words, found.remedy))
        })
    };
    text.lines().enumerate().flat_map(of_line).take(MAX_FAULTS).collect()
}

/// What in the key at `place` is taken for a plain character; empty when nothing is.
pub(super) fn hint_at_key(text: &str, place: Option<Place>, key: &KeyPath) -> String {
    let Some(Step::Key(name)) = key.0.last() else { return String::new() };
    // It may stand in quotes.
    hint(text, place, |column| column + name.chars().count() + 2)
}

/// The same of the value that begins at `place`.
pub(super) fn hint_at_value(text: &str, place: Option<Place>) -> String {
    hint(text, place, |_| usize::MAX)
}

fn hint(text: &str, place: Option<Place>, until: impl Fn(usize) -> usize) -> String {
    let Some(Place { line, column }) = place else { return String::new() };
    let found = text.lines().nth(line - 1).and_then(|text| {
        let code = code(text);
        unseen::look_alike(code, column, until(column), true)
    });
    found.map_or_else(String::new, |found| words(line, &found))
}

/// What may be why the parser stopped at `place`: the last character before it that is taken for a plain one.
pub(super) fn hint_before(text: &str, place: Option<Place>) -> String {
    let last = place.map_or(usize::MAX, |place| place.line);
    let of_line = |(index, line): (usize, &str)| {
        let found = unseen::look_alike(code(line), 1, usize::MAX, false)?;
        Some(words(index + 1, &found))
    };
    text.lines().take(last).enumerate().filter_map(of_line).last().unwrap_or_default()
}

fn words(line: usize, found: &unseen::Found) -> String {
    format!("; line {line}, column {}: {}", found.column, found.words)
}

/// Texts in the tree that mean something else than they say: those that a program is to fill in, and those in quotes of a word processor.
/// `secrets` says where a secret goes instead.
pub(super) fn meant_otherwise(tree: &Value, secrets: Option<&str>) -> Vec<(KeyPath, String)> {
    let mut found = Vec::new();
    walk(tree, secrets, &mut KeyPath::default(), &mut found);
    found
}

fn walk(value: &Value, secrets: Option<&str>, path: &mut KeyPath, found: &mut Vec<(KeyPath, String)>) {
    if found.len() >= MAX_FAULTS {
        return;
    }
    let mut into = |step: Step, value: &Value| {
        path.0.push(step);
        walk(value, secrets, path, found);
        path.0.pop();
    };
    match value {
        Value::Object(group) => {
            group.iter().for_each(|(key, value)| into(Step::Key(key.clone()), value));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| into(Step::Item(index), value));
        }
        Value::String(text) => {
            if let Some(message) = substitution(text, secrets).or_else(|| quoted(text)) {
                found.push((path.clone(), message));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn quoted(text: &str) -> Option<String> {
    let quote = unseen::opening_quote(text)?;
    let text = short(text, REPEATED);
    Some(format!("`{text}` begins with {quote}, which is then part of the text; write plain quotes"))
}

/// Why a text is no value but a place for one.
fn substitution(text: &str, secrets: Option<&str>) -> Option<String> {
    let shown = || short(text, REPEATED);
    if text.starts_with("~/") {
        return Some(format!(
            "`{}` begins with `~`, which only a shell replaces; write the whole path, such as `/home/line/model.onnx`",
            shown()
        ));
    }
    let opened =
        |open: &str, close: char| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    let whole_variable = text.strip_prefix('$').is_some_and(|rest| {
        let name = rest.split('/').next().unwrap_or_default();
        is_variable(name)
    });
    let between_percents =
        text.split('%').skip(1).step_by(2).any(is_variable) && text.matches('%').count() >= 2;
    let waits = opened("${", '}')
        || opened("$(", ')')
        || opened("{{", '}')
        || opened("<%", '>')
        || whole_variable
        || between_percents;
    waits.then(|| {
        let secrets = secrets.map(|secrets| format!(" ({secrets})")).unwrap_or_default();
        format!(
            "`{}` stands for a value that castgate does not fill in; write the value itself{secrets}",
            shown()
        )
    })
}

fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.len() >= 2 && name.chars().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_left_alone_and_quotes_are_seen_through() {
        assert_eq!(code("a: b # c"), "a: b ");
        assert_eq!(code("a: 'b # c' # d"), "a: 'b # c' ");
        assert_eq!(code("a: b#c"), "a: b#c");
        assert_eq!(code("a: Bob's # c"), "a: Bob's ");
        assert_eq!(code("# c"), "");
        let told: Vec<String> =
            hidden("# \u{a0}\na: 1 # \u{200b}\n\u{a0}b: 1\n").iter().map(ToString::to_string).collect();
        assert_eq!(told, ["3:1: a no-break space (U+00A0) stands before `b:`; write a plain space, or none"]);
    }

    #[test]
    fn what_waits_for_a_program_is_told_from_what_is_plain() {
        for text in [
            "${PW}",
            "a-${X:-b}",
            "$HOME",
            "$HOME/m.onnx",
            "%APPDATA%\\x",
            "{{ host }}",
            "$(cat pw)",
            "<%= a %>",
        ] {
            assert!(
                substitution(text, Some("a secret")).is_some_and(|told| told.ends_with("itself (a secret)")),
                "{text}"
            );
        }
        assert!(substitution("~/m.onnx", None).unwrap().contains("only a shell"));
        for text in ["100%", "5% of 10%", "$5", "a$B", "/data/$recycle", "C$", "%", "", "~", "50%A%"] {
            assert_eq!(substitution(text, None), None, "{text}");
        }
    }
}
