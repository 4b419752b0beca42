//! The rules of the house that a compiler does not check, read off the sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::golden::path;

/// Layers from the lowest to the highest, by the first part of a module's path. A module may use what stands on a line before its
/// own, and itself; besides, the modules of the pure layer may use one another, devices may not.
const LAYERS: &[&[&str]] = &[
    &["units", "clock", "frame", "regular", "unseen", "printable", "verdict", "remote", "limit", "strict"],
    &["config", "picture"],
    &["vision", "decide", "score", "train", "kernels", "network", "scene", "audit", "album", "chart"],
    &["gpio", "folder"],
    &["camera", "model", "gate", "sensor", "report", "store"],
    &["pipeline"],
    &["simulate", "verify", "web"],
    &["service"],
    &["lab", "line"],
    &["commands"],
    &["main", "lib"],
];

/// Layers whose modules may use one another.
const SOCIABLE: [usize; 2] = [0, 2];

/// Crates that are named in one place, and where; a folder stands for all files in it.
const HOMES: &[(&str, &[&str])] = &[
    ("serde_yaml", &["strict/yaml.rs"]),
    ("tract_core", &["model/engine/"]),
    ("tract_onnx", &["model/engine/"]),
    ("rustls", &["report/mqtt/tls"]),
    ("gpiocdev", &["gpio/"]),
    ("nokhwa", &["camera/v4l"]),
    ("zune_jpeg", &["picture/jpeg"]),
    ("embedded_graphics", &["chart/picture.rs"]),
    ("sd_notify", &["service/notify.rs"]),
    ("env_logger", &["service/logging"]),
    ("signal_hook", &["service/signals.rs"]),
    ("rusqlite", &["store/sqlite"]),
    ("jiff", &["clock/wall.rs"]),
    ("anyhow", &["commands/", "lab/"]),
    ("clap", &["commands/"]),
];

/// Ways to open a file that may wait for ever, or read without end, and where they may stand; `regular` has one for every need.
const OPENINGS: &[(&str, &[&str])] = &[
    ("fs::read(", &[]),
    ("fs::read_to_string(", &[]),
    ("File::open(", &[]),
    ("File::options(", &[]),
    // For files that are made, and must not be there.
    ("OpenOptions", &["regular.rs", "store/sqlite.rs", "store/reserve.rs", "lab/files.rs"]),
];

/// Longest file, in lines of code: comments and empty lines not counted.
const LONGEST: usize = 400;

pub(crate) struct Source {
    /// Below `src/`, with `/`.
    pub name: String,
    text: String,
}

impl Source {
    /// The part before the unit tests, without comments.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let all_tests = self.name.ends_with("/tests.rs");
        let first_test = self.text.find("\n#[cfg(test)]\nmod tests").unwrap_or(self.text.len());
        let end = if all_tests { 0 } else { first_test };
        self.text[..end]
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
    }

    fn module(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let root = path(folder);
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    let read = |file: PathBuf| Source {
        name: file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&file).unwrap(),
    };
    files.into_iter().map(read).collect()
}

pub(crate) fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn is_code(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with("//")
}

/// Whether `word` stands in `line` as a whole word.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

#[test]
fn every_file_says_what_it_owns_and_stays_short() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests"] {
        for source in sources(folder) {
            let lines = source.text.lines().filter(|line| is_code(line)).count();
            if !source.text.starts_with("//!") {
                wrong.push(format!("{folder}/{}: begins without `//!`", source.name));
            }
            if lines > LONGEST {
                wrong.push(format!("{folder}/{}: {lines} lines of code, more than {LONGEST}", source.name));
            }
        }
    }
    none(wrong);
}

#[test]
fn every_module_uses_only_what_stands_below_it() {
    let layer: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(index, modules)| modules.iter().map(move |module| (*module, index)))
        .collect();
    let mut wrong = Vec::new();
    for source in sources("src") {
        let own = source.module();
        let Some(&height) = layer.get(own) else {
            wrong.push(format!("src/{}: `{own}` stands in no layer", source.name));
            continue;
        };
        for (line, code) in source.code() {
            if code.contains("crate::{") {
                wrong.push(format!(
                    "src/{}:{line}: one `use crate::MODULE` a line, so that this test can read it",
                    source.name
                ));
            }
            for (at, _) in code.match_indices("crate::") {
                let used: String =
                    code[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(&below) = layer.get(used.as_str()) else {
                    continue;
                };
                let neighbour = below == height && SOCIABLE.contains(&height);
                if used != own && below >= height && !neighbour {
                    wrong.push(format!("src/{}:{line}: `{own}` may not use `{used}`", source.name));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn a_crate_is_named_where_it_is_at_home() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for (line, code) in source.code() {
            for (name, homes) in HOMES {
                let at_home = homes.iter().any(|home| source.name.starts_with(home));
                if !at_home && names(code, name) {
                    wrong
                        .push(format!("src/{}:{line}: names `{name}`, whose home is {homes:?}", source.name));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn nothing_panics_prints_or_is_left_for_later_outside_its_place() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let may_print = source.name.starts_with("commands/") || source.name == "main.rs";
        for (line, code) in source.code() {
            let mut banned = vec![".unwrap()", "todo!(", "unimplemented!(", "dbg!("];
            if !may_print {
                banned.extend(["println!(", "print!(", "eprintln!(", "eprint!("]);
            }
            for word in banned {
                if code.contains(word) {
                    wrong.push(format!("src/{}:{line}: {word}", source.name));
                }
            }
        }
        let pure = LAYERS[2].contains(&source.module());
        for (line, code) in source.code().filter(|_| pure) {
            for word in ["std::fs", "std::net", "std::env", "std::thread", "log::", "SystemClock"] {
                // Training has scoped workers, whose number changes nothing but rounding.
                let workers = word == "std::thread" && source.name.starts_with("train/");
                if code.contains(word) && !workers {
                    wrong.push(format!("src/{}:{line}: {word} in a pure layer", source.name));
                }
            }
        }
    }
    for folder in ["src", "tests"] {
        for source in sources(folder) {
            for (index, line) in source.text.lines().enumerate() {
                let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
                if words.iter().any(|word| names(line, word)) {
                    wrong.push(format!("{folder}/{}:{}: {}", source.name, index + 1, line.trim()));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn files_are_opened_where_it_is_looked_what_they_are() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for (line, code) in source.code() {
            for (opening, homes) in OPENINGS {
                if code.contains(opening) && !homes.contains(&source.name.as_str()) {
                    wrong.push(format!(
                        "src/{}:{line}: `{opening}` may wait for ever; `crate::regular` opens files",
                        source.name
                    ));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn tests_do_not_sleep_and_none_is_ignored() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests"] {
        for source in sources(folder) {
            for (index, line) in source.text.lines().enumerate() {
                let sleeps = [concat!("thread::", "sleep"), concat!("#[ign", "ore")];
                if source.name != "clock.rs" && sleeps.iter().any(|word| line.contains(word)) {
                    wrong.push(format!("{folder}/{}:{}: {}", source.name, index + 1, line.trim()));
                }
            }
        }
    }
    none(wrong);
}
