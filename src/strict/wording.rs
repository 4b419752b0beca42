//! Turns what serde says of a wrong value into what a person at the line understands.
//!
//! Pure text. Must not know YAML or any key.

use super::problem::{KeyPath, Step};
use crate::printable::short;

/// Longest message, in characters.
pub(super) const LONGEST: usize = 600;

/// The words for a fault at `key`, from serde's `message`.
pub(super) fn reword(key: &KeyPath, message: &str) -> String {
    let text = if let Some(rest) = message.strip_prefix("unknown field `") {
        unknown_key(key, rest)
    } else if let Some(rest) = message.strip_prefix("unknown variant `") {
        unknown_choice(rest)
    } else if let Some(rest) = message.strip_prefix("missing field `") {
        format!("the key `{}` is missing here", rest.trim_end_matches('`'))
    } else if let Some(rest) =
        message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))
    {
        rest.rsplit_once(", expected ").map_or_else(|| message.to_owned(), |(got, wanted)| wrong(got, wanted))
    } else {
        message.to_owned()
    };
    short(&text, LONGEST)
}

/// Whether serde's `message` says that a group of keys was begun and left empty, which means its defaults.
pub(super) fn is_empty_group(message: &str) -> bool {
    message.starts_with("invalid type: null, expected struct ")
}

/// Whether serde's `message` is about the key itself and not about its value.
pub(super) fn is_about_key(message: &str) -> bool {
    message.starts_with("unknown field `")
}

fn unknown_key(key: &KeyPath, rest: &str) -> String {
    let Some(Step::Key(name)) = key.0.last() else {
        return format!("unknown key `{rest}");
    };
    let Some((_, allowed)) = rest.split_once("`, ") else {
        return "unknown key".to_owned();
    };
    let allowed = quoted(allowed);
    let parent = key.parent();
    let home = if parent.0.is_empty() { "at the top".to_owned() } else { format!("in `{parent}`") };
    let list = allowed.join(", ");
    match nearest(name, &allowed) {
        Some(near) => format!("unknown key; did you mean `{near}`? keys {home}: {list}"),
        None => format!("unknown key; keys {home}: {list}"),
    }
}

fn unknown_choice(rest: &str) -> String {
    let Some((got, allowed)) = rest.rsplit_once("`, expected ") else {
        return format!("`{rest} is not known");
    };
    let allowed = quoted(allowed);
    let list = allowed.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let got = short(got, 60);
    match nearest(got.trim(), &allowed) {
        Some(near) => format!("`{got}` is none of {list}; did you mean `{near}`?"),
        None => format!("`{got}` is none of {list}"),
    }
}

fn wrong(got: &str, wanted: &str) -> String {
    let wanted = match wanted {
        "a string" => "a text",
        "path string" => "a file name",
        "a boolean" => "`true` or `false`",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number from 0 up",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        _ if wanted.starts_with("struct ") => "a group of `key: value` lines",
        _ if wanted.starts_with("enum ") => "a single word",
        other => other,
    };
    if got == "null" {
        return format!("has no value; write {wanted}, or take the key out");
    }
    let shown = match got {
        "map" => "a group of keys".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => format!("`{}`", short(literal(got), 60)),
    };
    let hint = if wanted == "a text" && shown.starts_with('`') { "; put it in quotes" } else { "" };
    format!("{shown} is not {wanted}{hint}")
}

/// What stands between the outermost quotes of "string \"x\"" or "integer `5`".
fn literal(got: &str) -> &str {
    let quote = |c| c == '"' || c == '`';
    match (got.find(quote), got.rfind(quote)) {
        (Some(from), Some(to)) if from < to => &got[from + 1..to],
        _ => got,
    }
}

/// Every text in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The name that was probably meant: at most a third of the letters differ.
fn nearest<'a>(name: &str, allowed: &[&'a str]) -> Option<&'a str> {
    if name.chars().count() > 64 {
        return None;
    }
    let begun =
        |other: &&&str| name.len() >= 2 && other.strip_prefix(name).is_some_and(|rest| rest.starts_with('_'));
    if let Some(whole) = allowed.iter().find(begun) {
        return Some(whole);
    }
    let limit = (name.chars().count() / 3).max(1);
    let near = allowed.iter().map(|other| (distance(name, other), *other)).min()?;
    (near.0 <= limit).then_some(near.1)
}

/// Levenshtein distance without regard to case, with a swap of neighbours as one step (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let width = b.len() + 1;
    let mut cost = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let at = |i: usize, j: usize| cost[i * width + j];
            cost[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let replaced = at(i - 1, j - 1) + usize::from(a[i - 1] != b[j - 1]);
                let best = replaced.min(at(i - 1, j) + 1).min(at(i, j - 1) + 1);
                if swap { best.min(at(i - 2, j - 2) + 1) } else { best }
            };
        }
    }
    cost[cost.len() - 1]
}

/// The words for a text that is not YAML at all: `message` is the parser's, without places.
pub(super) fn syntax(message: &str, line: &str) -> String {
    let hint = if line.trim_start_matches(' ').starts_with('\t') {
        "; indent with spaces, not with tabs"
    } else if message.contains("mapping values are not allowed") {
        "; check the indentation, and put a text with `: ` in it into quotes"
    } else if ["{{", "{%", "${"].iter().any(|open| line.contains(open)) {
        "; castgate fills in neither variables nor templates: write the value itself"
    } else if message.contains("cannot start any token") {
        "; put a text that begins with a special character into quotes"
    } else {
        ""
    };
    short(&format!("not valid YAML: {message}{hint}"), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_one_step_and_far_names_are_not_offered() {
        assert_eq!(distance("rate", "arte"), 1);
        assert_eq!(distance("part-length", "part_length"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(nearest("speeed", &["name", "speed"]), Some("speed"));
        assert_eq!(nearest("voltage", &["name", "speed"]), None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn serde_becomes_plain_words() {
        let key = KeyPath::of("camera.wdith");
        for (serde, plain) in [
            (
                "unknown field `wdith`, expected one of `width`, `height`",
                "unknown key; did you mean `width`? keys in `camera`: width, height",
            ),
            (
                "unknown variant `foldr`, expected `simulated` or `folder`",
                "`foldr` is none of `simulated`, `folder`; did you mean `folder`?",
            ),
            ("missing field `x`", "the key `x` is missing here"),
            (
                "invalid type: null, expected u32",
                "has no value; write a whole number from 0 up, or take the key out",
            ),
            ("invalid type: string \"a, expected b\", expected f64", "`a, expected b` is not a number"),
            ("invalid type: integer `12`, expected a string", "`12` is not a text; put it in quotes"),
            ("invalid type: map, expected a string", "a group of keys is not a text"),
            ("invalid value: integer `300`, expected u8", "`300` is not a whole number from 0 to 255"),
            ("something else", "something else"),
        ] {
            assert_eq!(reword(&key, serde), plain);
        }
    }
}
