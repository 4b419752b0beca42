//! `castgate audit`: copies, wrong labels and other faults of labelled pictures.
//!
//! Owns the command's arguments and the order of its work; reading and searching have a file each.

mod read;
mod search;

use std::collections::BTreeMap;
#[cfg(feature = "train")]
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::files::{try_out, write_json, write_whole};
use super::labelled::{Labelled, ManyFolders};
use super::{ExitCode, UsageError, print};
use crate::album::left::Left;
use crate::audit::compare::COPY;
use crate::audit::listing::{Entry, Listing};
use crate::audit::measures::telling;
use crate::audit::report::{Fault, Report, full_name, mark_conflicts};
use crate::clock::{Clock, SystemClock};
use crate::printable::Printable as _;
use crate::verdict::Truth;

use read::Seen;

/// Find copies, wrong labels and shortcuts in labelled pictures
///
/// A model that is tested on copies of its training pictures looks better than it is. This command finds the pictures that show one
/// photograph, within and across splits: the same file, or one that was flipped, turned, shifted, zoomed or slightly distorted. It
/// also finds photographs that stand under both labels, broken files, files that no command reads, odd sizes, and simple numbers
/// (brightness, background, size) that tell the classes apart by themselves.
///
/// With --out it writes the groups of pictures for `castgate train --groups` and `castgate eval --groups`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate audit --data parts
  castgate audit --data casting/train casting/test --out groups.csv --json audit.json

Exit codes: 0 nothing found that makes figures wrong, 1 a leak between splits, a photograph under both labels, a broken file, or a file
that was left aside and is perhaps a picture of a part, 2 the folders cannot be used, 3 a file cannot be written")]
pub(super) struct Args {
    #[command(flatten)]
    folders: ManyFolders,
    /// Write the groups to this file: a line for each picture, with the number of its photograph
    #[arg(long, value_name = "groups.csv")]
    out: Option<PathBuf>,
    /// Write the findings as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Correlation from which two aligned pictures count as one photograph, 0.9 to 1
    #[arg(long, value_name = "CORRELATION", default_value_t = COPY, value_parser = correlation)]
    least: f64,
    /// Do not end with 1 only because files were left aside that may be pictures of parts
    #[arg(long)]
    accept_left_aside: bool,
    /// Threads; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

fn correlation(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.9..=1.0).contains(&value) { Ok(value) } else { Err("not between 0.9 and 1".to_owned()) }
}

/// Runs the command.
///
/// # Errors
/// When a folder cannot be used, or a file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let begin = SystemClock.now();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(256);
    let threads = args.threads.map_or_else(cores, usize::from);
    let splits = split_names(&args.folders.data)?;
    let (mut files, mut left, mut kinds) = (Vec::new(), Left::default(), Vec::new());
    for (split, found) in splits.iter().zip(args.folders.list()?) {
        left.extend(found.left);
        kinds.push(kinds_of(&found.pictures));
        files.extend(found.pictures.into_iter().map(|picture| (split.as_str(), picture)));
    }
    // Tried first: a long search must not end with a file that cannot be written.
    for path in [&args.out, &args.json].into_iter().flatten() {
        try_out(path)?;
    }
    let read = read::read(files, threads)?;
    let groups = search::groups(&read.seen, args.least, threads)?;
    let mut entries = entries(&read.seen, &groups);
    mark_conflicts(&mut entries);
    let tells = telling(&read.seen.iter().map(|seen| (seen.measures, seen.label)).collect::<Vec<_>>());
    let mut report = Report::new(&entries, &splits, tells, args.least);
    report.broken = read.broken;
    report.left_aside = left;
    report.splits.iter_mut().zip(kinds).for_each(|(split, kinds)| split.kinds = kinds);
    report.odd_sized = odd_sized(&read.seen, &entries);
    let flat = read.seen.iter().zip(&entries).filter(|(seen, _)| seen.prepared.is_none());
    report.flat = flat.map(|(_, entry)| full_name(entry)).collect();
    if let Some(path) = &args.out {
        write_whole(path, Listing::new(entries).to_text().as_bytes())?;
    }
    if let Some(path) = &args.json {
        write_json(path, &report)?;
    }
    // Last: a reader that goes away (`| head`) must not cost the files.
    print(&report.to_string())?;
    print(&format!("took         {:.0} s\n", SystemClock.now().seconds_since(begin)))?;
    let accepted = args.accept_left_aside || report.left_aside.unasked() == 0;
    Ok(if report.is_clean() && accepted { ExitCode::Ok } else { ExitCode::No })
}

/// The photograph of each picture, by its split and its name; pictures that cannot be read are not among them.
///
/// # Errors
/// When no thread can be started.
#[cfg(feature = "train")]
pub(super) fn photographs(
    files: Vec<(&str, Labelled)>,
    threads: usize,
) -> anyhow::Result<HashMap<(String, String), u64>> {
    let seen = read::read(files, threads)?.seen;
    let firsts = search::groups(&seen, COPY, threads)?;
    let named = seen.into_iter().zip(firsts);
    Ok(named.map(|(seen, first)| ((seen.split, seen.file), first as u64)).collect())
}

/// A name for each folder: its last part, or as many of its last parts as it takes to tell the folders apart.
fn split_names(folders: &[PathBuf]) -> anyhow::Result<Vec<String>> {
    let whole = |folder: &PathBuf| {
        folder.canonicalize().map_err(|error| UsageError(format!("cannot read {}: {error}", folder.shown())))
    };
    let whole: Vec<PathBuf> = folders.iter().map(whole).collect::<Result<_, _>>()?;
    let last = |folder: &Path, parts: usize| {
        let all: Vec<_> = folder.iter().map(|part| part.shown().to_string()).collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let most = whole.iter().map(|folder| folder.iter().count()).max().unwrap_or(1);
    for parts in 1..=most {
        let names: Vec<String> = whole.iter().map(|folder| last(folder, parts)).collect();
        let mut distinct = names.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() == names.len() {
            return Ok(names);
        }
    }
    Err(UsageError("--data names one folder twice".to_owned()).into())
}

/// How many pictures of defective parts each kind has; none where they all are of one.
fn kinds_of(pictures: &[Labelled]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for picture in pictures.iter().filter(|picture| picture.truth == Truth::Defect) {
        *kinds.entry(picture.kind.clone()).or_default() += 1;
    }
    if kinds.len() > 1 { kinds } else { BTreeMap::new() }
}

/// The lines of `groups.csv`: photographs are numbered from 1 in the order of their first pictures.
fn entries(seen: &[Seen], firsts: &[usize]) -> Vec<Entry> {
    let mut numbers = std::collections::HashMap::new();
    let mut files = std::collections::HashMap::new();
    let mut entries: Vec<Entry> = Vec::with_capacity(seen.len());
    for (at, (picture, first)) in seen.iter().zip(firsts).enumerate() {
        let next = numbers.len() as u64 + 1;
        let same = *files.entry(&picture.sha256).or_insert(at);
        entries.push(Entry {
            file: picture.file.clone(),
            split: picture.split.clone(),
            label: picture.label,
            group: *numbers.entry(*first).or_insert(next),
            conflict: None,
            exact_of: (same != at).then(|| full_name(&entries[same])),
            sha256: picture.sha256.clone(),
        });
    }
    entries
}

/// Pictures whose size is not that of most.
fn odd_sized(seen: &[Seen], entries: &[Entry]) -> Vec<Fault> {
    let mut counts = std::collections::BTreeMap::new();
    seen.iter().for_each(|picture| *counts.entry(picture.size).or_insert(0) += 1);
    let Some((&usual, _)) = counts.iter().max_by_key(|(_, count)| **count) else { return Vec::new() };
    let odd = seen.iter().zip(entries).filter(|(picture, _)| picture.size != usual);
    let fault = |(picture, entry): (&Seen, &Entry)| Fault {
        file: full_name(entry),
        why: format!("{} x {} instead of {} x {}", picture.size.0, picture.size.1, usual.0, usual.1),
    };
    odd.map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_named_by_what_tells_them_apart() {
        let dir = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let (train, test, old) = (folder("new/train"), folder("new/test"), folder("old/train"));
        assert_eq!(split_names(&[train.clone(), test.clone()]).unwrap(), ["train", "test"]);
        assert_eq!(split_names(&[train.clone(), old]).unwrap(), ["new/train", "old/train"]);
        assert!(split_names(&[train.clone(), train.join("../train")]).is_err());
        assert!(split_names(&[test.join("no")]).unwrap_err().to_string().contains("cannot read"));
    }
}
