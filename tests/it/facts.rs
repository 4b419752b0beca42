//! What the documents say of the program holds: log lines, keys, exit codes, reasons, files and figures.

use std::collections::BTreeSet;
use std::fs;

use castgate::commands::ExitCode;
use castgate::config::Config;
use castgate::config::live::is_live;
use castgate::decide::{Outcome, StopReason};
use castgate::store;
use castgate::train::augment::{Augment, Kind};
use castgate::verdict::Reason;
use serde_json::Value;

use crate::golden::{path, run};

/// Ends of lines that come from SQLite or the system, and so stand in no source of castgate.
const WORDS_OF_OTHERS: &[&str] = &["database or disk is full", "database is locked", "Permission denied"];

fn document(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The first cells of all tables whose head begins with one of `heads`.
fn first_cells<'a>(text: &'a str, heads: &[&str]) -> Vec<&'a str> {
    let mut cells = Vec::new();
    let mut wanted = false;
    let mut before = "";
    for line in text.lines() {
        let cell = line.strip_prefix("| ").and_then(|row| row.split(" | ").next());
        match cell {
            Some(head) if !before.starts_with('|') => wanted = heads.contains(&head),
            Some(cell) if wanted => cells.push(cell),
            _ => {}
        }
        before = line;
    }
    cells
}

/// All code of `src/` outside comments and unit tests, with texts that go over several lines joined.
fn code() -> String {
    let mut all = String::new();
    let mut folders = vec![path("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|ending| ending == "rs") && !file.ends_with("tests.rs") {
                let text = fs::read_to_string(file).unwrap();
                let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
                for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
                    all.push_str(line.strip_suffix('\\').unwrap_or(line));
                    if !line.ends_with('\\') {
                        all.push('\n');
                    }
                }
            }
        }
    }
    all.replace('`', "")
}

/// Whether a word of a quoted line stands for another one: `N`, `WHY`, `20.0`, `camera.KEY:`, and what is left out. A key goes by a name
/// of its own in the sources.
fn stands_for_another(word: &str) -> bool {
    let core = word.trim_matches(|c: char| !c.is_alphanumeric());
    let key = core.contains(['.', '_']) && core.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c));
    let capitals = core.chars().filter(|c| c.is_ascii_uppercase()).count();
    let placeholder = capitals > 1 || (capitals == 1 && core.len() == 1);
    key || placeholder || core.is_empty() || core.chars().any(|c| c.is_ascii_digit())
}

/// The fixed words of a quoted line, in pieces that must each stand in the sources as they are. What follows a colon may come from
/// elsewhere.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces = vec![Vec::new()];
    for word in line.split_whitespace() {
        if stands_for_another(word) {
            pieces.push(Vec::new());
            continue;
        }
        pieces.last_mut().unwrap().push(word);
        if word.ends_with([':', ';']) {
            pieces.push(Vec::new());
        }
    }
    let ends = |c: char| ",:;?()".contains(c);
    let joined = pieces.into_iter().map(|words| words.join(" ").trim_matches(ends).to_owned());
    joined.filter(|piece| !piece.is_empty()).collect()
}

#[test]
fn every_line_that_a_document_explains_is_one_that_castgate_writes() {
    let code = code();
    let mut wrong = Vec::new();
    let mut lines = 0;
    let heads = ["line", "status", "WHY", "log line", "log line or error", "`TLS failed:`"];
    for name in ["docs/operations.md", "docs/mqtt.md", "docs/store.md"] {
        for cell in first_cells(&document(name), &heads) {
            for line in quoted(cell).filter(|line| line.contains(' ')) {
                lines += 1;
                for piece in pieces(line) {
                    // Errors of the store are `cannot DO: WHY` or `it IS`.
                    let rest = piece.strip_prefix("cannot ").or_else(|| piece.strip_prefix("it "));
                    let there = code.contains(&piece) || rest.is_some_and(|rest| code.contains(rest));
                    if !there && !WORDS_OF_OTHERS.contains(&piece.as_str()) {
                        wrong.push(format!("{name}: no source says `{piece}`, of `{line}`"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(lines > 90, "only {lines} lines found: are the tables' heads other ones now?");
}

/// The paths of all keys below `value`.
fn keys(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(group) => {
            for (key, value) in group {
                let dot = if at.is_empty() { "" } else { "." };
                keys(value, &format!("{at}{dot}{key}"), into);
            }
        }
        _ => into.push(at.to_owned()),
    }
}

#[test]
fn the_keys_that_take_effect_at_a_reload_are_those_of_the_table_in_the_code() {
    let text = document("docs/operations.md");
    let list = text.split_once("these keys take effect").unwrap().1.split_once("\n\n").unwrap().0;
    let list = list.split_once("[config.md]").unwrap().0;
    let told: BTreeSet<&str> = quoted(list).collect();
    let mut all = Vec::new();
    keys(&serde_json::to_value(Config::default()).unwrap(), "", &mut all);
    let covers = |entry: &str, key: &str| {
        key.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    for key in &all {
        let listed = told.iter().any(|entry| covers(entry, key));
        assert_eq!(listed, is_live(key), "{key}: listed in docs/operations.md, and live");
    }
    for entry in &told {
        assert!(all.iter().any(|key| covers(entry, key)), "{entry} is no key");
    }
}

/// Every exit code; the compiler says when one is missing.
fn exit_codes() -> Vec<u8> {
    let all = [ExitCode::Ok, ExitCode::No, ExitCode::Usage, ExitCode::Device, ExitCode::Bug];
    for code in all {
        match code {
            ExitCode::Ok | ExitCode::No | ExitCode::Usage | ExitCode::Device | ExitCode::Bug => {}
        }
    }
    all.map(|code| code as u8).to_vec()
}

fn numbers(text: &str) -> Vec<u8> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn the_exit_codes_that_are_documented_are_those_of_the_code() {
    let text = document("docs/operations.md");
    let table: Vec<u8> = first_cells(&text, &["code"]).iter().filter_map(|cell| cell.parse().ok()).collect();
    assert_eq!(table, exit_codes(), "docs/operations.md");
    let readme = document("README.md");
    let line = readme.split_once("Exit codes:").unwrap().1.lines().next().unwrap();
    assert_eq!(numbers(line), exit_codes(), "README.md");
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let line = help.split_once("Exit codes:").unwrap().1.lines().nth(1).unwrap();
    assert_eq!(numbers(line), exit_codes(), "--help");
}

#[test]
fn reasons_outcomes_and_line_stops_are_listed_as_the_code_names_them() {
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    let outcomes: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    for (name, row, wanted) in [
        ("docs/json.md", "| `rejected_by_reason` | ", &reasons),
        ("docs/json.md", "| `by_outcome` | ", &outcomes),
        ("docs/mqtt.md", "| `reason` | ", &reasons),
        ("docs/mqtt.md", "| `outcome` | ", &outcomes),
    ] {
        let text = document(name);
        let (_, row) = text.split_once(row).unwrap();
        let listed: Vec<&str> = quoted(row.lines().next().unwrap()).filter(|word| *word != "null").collect();
        assert_eq!(&listed, wanted, "{name}");
    }
    let text = document("docs/operations.md");
    let cells = first_cells(&text, &["reason"]);
    let listed: Vec<&str> = cells.iter().flat_map(|cell| quoted(cell)).collect();
    assert_eq!(listed, StopReason::ALL.map(|reason| reason.name()), "docs/operations.md");
}

#[test]
fn the_map_names_every_room_of_the_sources_and_only_files_that_are_there() {
    let text = document("docs/architecture.md");
    let (_, map) = text.split_once("## Layers").unwrap();
    let map = map.split("```").nth(1).unwrap();
    let named: BTreeSet<&str> = map.split_whitespace().collect();
    for entry in fs::read_dir(path("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let room = name.trim_end_matches(".rs");
        let known = room == "lib"
            || [format!("{room}/"), format!("{room}.rs")].iter().any(|n| named.contains(n.as_str()));
        assert!(known, "docs/architecture.md names no src/{name} under Layers");
    }
    let paths = quoted(&text).filter(|word| !word.contains([' ', ':', '[']) && word.contains('/'));
    for name in
        paths.chain(named.iter().copied().filter(|word| word.ends_with(['/']) || word.ends_with(".rs")))
    {
        let there = ["src", "."].iter().any(|below| {
            let place = path(below).join(name);
            place.exists() || place.with_extension("rs").exists()
        });
        assert!(there, "docs/architecture.md names {name}, which is not there");
    }
}

#[test]
fn the_sets_of_augment_have_the_documented_amounts() {
    let text = document("docs/training.md");
    let (_, table) = text.split_once("| kind | amount | flips | full | paper |").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').skip(1).map(str::trim).collect())
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(names, Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    for (column, set) in [(2, "flips"), (3, "full"), (4, "paper")] {
        let augment: Augment = set.parse().unwrap();
        for (row, kind) in rows.iter().zip(Kind::ALL) {
            let told: f64 = if row[column].is_empty() { 0.0 } else { row[column].parse().unwrap() };
            assert_eq!(told, augment.amount(*kind), "{} of {set}", kind.name());
        }
    }
}

#[test]
fn files_of_the_project_that_documents_name_are_there() {
    let mut pages = vec![path("README.md"), path("models/README.md")];
    for folder in ["docs", "docs/decisions"] {
        pages.extend(fs::read_dir(path(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let rooms = ["src/", "tests/", "docs/", "systemd/", "cross/", ".dev/", ".ci/"];
    for page in pages.iter().filter(|page| page.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(page).unwrap();
        for name in quoted(&text).filter(|word| rooms.iter().any(|room| word.starts_with(room))) {
            let plain = !name.contains(['*', ' ', ':', '\n']);
            assert!(!plain || path(name).exists(), "{} names {name}, which is not there", page.display());
        }
    }
}

#[test]
fn the_end_of_the_store_takes_no_longer_than_documented() {
    let told = format!("The end takes {} s at most", store::STOP_WITHIN.as_secs());
    assert!(document("docs/store.md").contains(&told), "docs/store.md: {told}");
}

#[cfg(feature = "train")]
#[test]
fn the_heat_maps_of_the_built_in_models_have_the_documented_size_and_step() {
    use castgate::model::read::trained;
    use castgate::train::explain::Explainer;

    let text = document("docs/evaluation.md");
    for name in ["demo", "casting"] {
        let model = trained(name.as_ref()).unwrap();
        let side = model.manifest.input.width;
        let mut explainer =
            Explainer::new(model.network, &model.parameters, model.statistics, model.inverted);
        let map = explainer.map(&vec![0.0; side * model.manifest.input.height]);
        let size = format!("`{name}`: {} x {} places", map.size.height, map.size.width);
        let step = format!("{} pixels apart in an input of {side} x {side}", map.step);
        assert!(text.contains(&size) && text.contains(&step), "docs/evaluation.md: {size}, {step}");
    }
}

#[test]
fn the_glossary_is_in_order_and_linked_from_where_one_begins() {
    let text = document("docs/glossary.md");
    let words: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split("**").next())
        .map(str::to_lowercase)
        .collect();
    assert!(words.len() > 50 && words.is_sorted(), "{words:?}");
    assert!(document("README.md").contains("(docs/glossary.md)"));
    assert!(document("docs/architecture.md").contains("(glossary.md)"));
}
