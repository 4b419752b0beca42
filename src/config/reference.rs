//! Sample, reference and JSON Schema of the configuration, from its doc comments and defaults.
//!
//! Pure text. What a key means is said at its field and nowhere else; the order of keys is that of the fields.

mod models;

use serde_json::{Value, json};

pub use models::models;

use super::Config;
use super::live::is_live;
use crate::strict::yaml;

/// Widest line of the sample's comments, in characters.
const WIDTH: usize = 100;

const SAMPLE_HEAD: &str = "\
# yaml-language-server: $schema=castgate.schema.json
#
# Configuration of castgate. Every key stands here with its default; keys and whole sections may be left out.
# Lengths, times, speeds, rates and shares carry their unit. Relative file names start at this file's folder.
#
#   castgate check --config FILE                      tells every mistake, with line and column
#   castgate config schema > castgate.schema.json     lets editors complete and check this file as it is written
";

const REFERENCE_HEAD: &str = "\
# Configuration

<!-- Generated from the doc comments in src/config; UPDATE_GOLDEN=1 cargo test --test it fresh:: writes it anew. -->

castgate reads one YAML file. Every key has a default, and together the defaults are the demonstration line, so a file only
needs the keys that differ:

```yaml
line:
  name: line-3
  speed: 24m/min
  part_length: 95mm
camera:
  rate: 25fps
gate:
  position: 820mm
```

- `castgate config sample` prints a complete file with comments, ready to edit.
- `castgate check --config FILE` tells every mistake at once, each with line, column and what would be right, and computes
  how much time is left before the gate and how fast the belt may run. Nothing starts with a wrong configuration.
- `castgate config schema` prints a JSON Schema; with it, editors complete and check the file as it is written.
- A running castgate reads its file again on SIGHUP. Keys marked ↻ change at once; a change of any other
  key is told, and waits for the next start.

Lengths, times, speeds, rates and shares are written with their unit. Unknown keys are refused. Relative file names start
at the folder of the configuration file. Positions along the belt are measured in its direction of travel, from the
part-present sensor or from any mark of your own; the position of a part is that of its middle.

What must fit together (`V` view, `C` camera position, `L` part length, `v` speed, `f` rate, `G` gate position, `P` pulse,
`p` least pitch, `d` gate delay, `m` margin):

| rule | why |
|---|---|
| `(V - L) f / v >= 1` | a part is seen whole at least once |
| `(G - P/2 - C - (V - L)/2) / v - d - m >= 0` | the last look is over before the gate must move |
| `P <= 2 p - L` | the gate does not catch the neighbour |
| `C >= V/2 - L` | with a sensor: it announces a part before the camera sees it whole |
";

/// A group of keys.
struct Section {
    /// `mqtt.tls`.
    path: String,
    doc: String,
    keys: Vec<Key>,
}

/// A key of a section.
struct Key {
    name: String,
    doc: String,
    /// What may be written, in words.
    kind: String,
    /// As YAML; `None` when there is no value by default.
    default: Option<String>,
    /// As YAML.
    example: Option<String>,
    /// Words that may be written, and what they mean.
    choices: Vec<(String, String)>,
    /// Keys of a value that is a group by itself, and what they mean.
    parts: Vec<(String, String)>,
}

/// The JSON Schema (draft 2020-12) of the configuration.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    schema["title"] = "castgate configuration".into();
    // A section that was begun and left empty means its defaults.
    if let Some(groups) = schema["$defs"].as_object_mut() {
        for group in
            groups.values_mut().filter(|group| group["type"] == "object" && group["required"].is_null())
        {
            group["type"] = json!(["object", "null"]);
        }
    }
    schema
}

/// A complete configuration with every key, its meaning and its default. Keys without a default are commented out, with an
/// example.
pub fn sample() -> String {
    let mut out = SAMPLE_HEAD.to_owned();
    for section in sections() {
        let depth = section.path.matches('.').count();
        let indent = "  ".repeat(depth);
        out.push('\n');
        comment(&mut out, &indent, "", &section.doc);
        let name = section.path.rsplit('.').next().unwrap_or_default();
        out.push_str(&format!("{indent}{name}:\n"));
        let indent = format!("{indent}  ");
        for key in &section.keys {
            comment(&mut out, &indent, "", &key.doc);
            for (word, doc) in &key.choices {
                comment(&mut out, &indent, "  ", &format!("{word}: {doc}"));
            }
            match (&key.default, &key.example) {
                (Some(default), _) => out.push_str(&format!("{indent}{}: {default}\n", key.name)),
                (None, example) => {
                    let example = example.as_deref().unwrap_or_default();
                    out.push_str(&format!("{indent}# {}: {example}\n", key.name));
                }
            }
        }
    }
    out
}

/// The reference of all keys, as Markdown.
pub fn reference() -> String {
    let mut out = REFERENCE_HEAD.to_owned();
    for section in sections() {
        out.push_str(&format!("\n## `{}`\n\n{}\n\n", section.path, section.doc));
        out.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
        for key in &section.keys {
            let default = key.default.as_ref().map_or_else(|| "none".to_owned(), |text| format!("`{text}`"));
            let example = key.example.as_ref().map(|text| format!(", such as `{text}`")).unwrap_or_default();
            let live = is_live(&format!("{}.{}", section.path, key.name));
            let mut meaning = format!("{}{}", key.doc, if live { " ↻" } else { "" });
            for (word, doc) in key.choices.iter().chain(&key.parts) {
                meaning.push_str(&format!("<br>`{word}`: {doc}"));
            }
            let cells = [format!("`{}`", key.name), format!("{}{example}", key.kind), default, meaning];
            out.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
    }
    out
}

/// Every section with its keys, in the order in which the defaults are written.
fn sections() -> Vec<Section> {
    let schema = schema();
    let defaults = yaml::to_string(&Config::default()).expect("the defaults are plain values");
    let mut sections: Vec<Section> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in defaults.lines() {
        let depth = (line.len() - line.trim_start().len()) / 2;
        let (name, value) = line.trim_start().split_once(':').unwrap_or((line, ""));
        open.truncate(depth);
        let group = property(&schema, &open);
        let field = &group["properties"][name];
        if value.is_empty() {
            open.push(name);
            sections.push(Section { path: open.join("."), doc: doc(field), keys: Vec::new() });
        } else if let Some(section) = sections.iter_mut().find(|section| section.path == open.join(".")) {
            section.keys.push(key(&schema, name, field, value.trim()));
        }
    }
    sections
}

fn key(schema: &Value, name: &str, field: &Value, default: &str) -> Key {
    let target = resolve(schema, field);
    let words = target["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let choices = words.iter().map(|word| (text(&word["const"]), doc(word))).collect();
    let parts = names(&target["required"]).map(|part| (part.to_owned(), doc(&target["properties"][part])));
    let example = field["examples"].get(0).map(|example| match example {
        Value::Object(group) => {
            let parts: Vec<String> =
                names(&target["required"]).map(|part| format!("{part}: {}", group[part])).collect();
            format!("{{{}}}", parts.join(", "))
        }
        _ => text(example),
    });
    Key {
        name: name.to_owned(),
        doc: doc(field),
        kind: kind(target),
        default: (default != "null").then(|| default.to_owned()),
        example,
        choices,
        parts: parts.collect(),
    }
}

/// What may be written, in words.
fn kind(target: &Value) -> String {
    if let Some(words) = target["oneOf"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{}`", text(&word["const"]))).collect();
        return words.join(", ");
    }
    if target["pattern"].is_string() {
        return doc(target).trim_start_matches("a ").to_owned();
    }
    let types: Vec<&str> = match &target["type"] {
        Value::Array(_) => names(&target["type"]).filter(|name| *name != "null").collect(),
        one => one.as_str().into_iter().collect(),
    };
    let words = types.iter().map(|name| match *name {
        "boolean" => "`true` or `false`",
        "integer" => "whole number",
        "number" => "number",
        "object" => "group of keys",
        "array" => "list",
        _ => "text",
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// The schema at a path of group names.
fn property<'a>(schema: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(schema, |at, name| resolve(schema, &at["properties"][*name]))
}

/// Follows a reference; of a value that may be absent, the one that may be present.
fn resolve<'a>(schema: &'a Value, field: &'a Value) -> &'a Value {
    let field = field["anyOf"].get(0).unwrap_or(field);
    match field["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        Some(name) => &schema["$defs"][name],
        None => field,
    }
}

/// The description on one line.
fn doc(field: &Value) -> String {
    let words: Vec<&str> = field["description"].as_str().unwrap_or_default().split_whitespace().collect();
    words.join(" ")
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().map(Vec::as_slice).unwrap_or_default().iter().filter_map(Value::as_str)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Appends `doc` as comment lines; further lines of it stand `hang` to the right.
fn comment(out: &mut String, indent: &str, hang: &str, doc: &str) {
    let mut line = format!("{indent}# {hang}");
    let mut empty = true;
    for word in doc.split(' ') {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = format!("{indent}# {hang}{hang}");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn the_sample_is_the_defaults() {
        assert_eq!(load::parse(&sample()).unwrap(), Config::default());
    }

    #[test]
    fn the_sample_s_examples_are_valid_where_they_stand() {
        let with_examples: String = sample()
            .lines()
            .map(|line| {
                let body = line.trim_start();
                let key = body.strip_prefix("# ").and_then(|rest| rest.split_once(": ")).map(|(key, _)| key);
                let optional = ["path", "region", "threshold", "unsure", "chip", "line", "client_id", "user"];
                let optional = key.is_some_and(|key| {
                    optional.contains(&key) || key.ends_with("_file") || key == "parts_from"
                });
                let line = if optional { line.replacen("# ", "", 1) } else { line.to_owned() };
                line + "\n"
            })
            .collect();
        let config = load::parse(&with_examples).unwrap();
        assert!(
            config.camera.path.is_some() && config.preprocess.region.is_some() && config.gate.line.is_some()
        );
        assert!(config.mqtt.tls.key_file.is_some() && config.simulation.parts_from.is_some());
    }

    #[test]
    fn every_key_is_documented() {
        for section in sections() {
            assert!(!section.doc.is_empty() && !section.keys.is_empty(), "{}", section.path);
            for key in section.keys {
                assert!(!key.doc.is_empty() && !key.kind.is_empty(), "{}.{}", section.path, key.name);
                assert!(
                    key.default.is_some() || key.example.is_some(),
                    "{}.{}: no example",
                    section.path,
                    key.name
                );
                assert!(key.choices.iter().chain(&key.parts).all(|(_, doc)| !doc.is_empty()), "{}", key.name);
            }
        }
    }
}
