//! No two files use each other, by themselves or by way of others: what both need has a file of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::{none, sources};

/// A module's path from the root of the crate.
type Module = Vec<String>;

/// The modules that a file of the crate owns, and those that each of them uses. A module and the one that contains it may use each other.
fn uses() -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = sources("src");
    let owned: BTreeSet<Module> = sources.iter().map(|source| module(&source.name)).collect();
    let mut uses = BTreeMap::new();
    for source in &sources {
        let own = module(&source.name);
        let code: String = source.code().map(|(_, line)| line.to_owned() + "\n").collect();
        let named = paths(&code).into_iter().filter_map(|path| resolve(&own, &path, &owned));
        let used = named.filter(|used| !used.starts_with(&own) && !own.starts_with(used)).collect();
        uses.insert(own, used);
    }
    uses
}

fn module(file: &str) -> Module {
    let mut path: Module = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    path.pop_if(|last| last == "mod");
    path
}

/// Every path that begins at the crate or at the module above, with those in braces written out.
fn paths(code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            if !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                tree(&code[at..], &mut Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Reads one path with what its braces hold, and returns where it ends.
fn tree(text: &str, before: &mut Module, found: &mut Vec<Module>) -> usize {
    let (depth, mut at) = (before.len(), 0);
    loop {
        let word = text[at..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len() - at);
        before.push(text[at..at + word].to_owned());
        at += word;
        if !text[at..].starts_with("::") {
            break;
        }
        at += 2;
        if text[at..].starts_with('{') {
            at += 1;
            while !text[at..].starts_with('}') && at < text.len() {
                let skip = text[at..].find(|c: char| !c.is_whitespace() && c != ',').unwrap_or(0);
                at += skip;
                if !text[at..].starts_with('}') {
                    at += tree(&text[at..], before, found).max(1);
                }
            }
            before.truncate(depth);
            return at + 1;
        }
    }
    found.push(before.clone());
    before.truncate(depth);
    at
}

/// The module that owns what a path names, as seen from `own`.
fn resolve(own: &Module, path: &Module, owned: &BTreeSet<Module>) -> Option<Module> {
    let mut from = own.clone();
    let mut rest = path.as_slice();
    if let ["crate", ..] = rest.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        from.clear();
        rest = &rest[1..];
    }
    while let Some((first, after)) = rest.split_first()
        && first == "super"
    {
        from.pop();
        rest = after;
    }
    (0..=rest.len()).rev().map(|taken| [&from[..], &rest[..taken]].concat()).find(|path| owned.contains(path))
}

#[test]
fn a_path_with_braces_is_every_path_in_it() {
    let read = paths("use super::a::{B, c::{D, e}};\nlet x = crate::f::g(super::h);");
    let mut told: Vec<String> = read.iter().map(|path| path.join("::")).collect();
    told.sort();
    assert_eq!(told, ["crate::f::g", "super::a::B", "super::a::c::D", "super::a::c::e", "super::h"]);
}

#[test]
fn files_do_not_use_each_other_in_a_circle() {
    let uses = uses();
    assert!(uses.len() > 100, "the sources were found");
    let mut wrong = Vec::new();
    for start in uses.keys() {
        // The shortest way back to where it began, if there is one.
        let (mut seen, mut ways) = (BTreeSet::new(), vec![vec![start]]);
        while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
            for next in uses.get(*way.last().unwrap()).into_iter().flatten() {
                if next == start && way.iter().all(|module| *module >= start) {
                    let names: Vec<String> = way.iter().map(|module| module.join("::")).collect();
                    wrong.push(format!("{} uses itself again", names.join(" uses ")));
                }
                if seen.insert(next) {
                    ways.push([&way[..], &[next]].concat());
                }
            }
        }
    }
    none(wrong);
}
