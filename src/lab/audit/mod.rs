//! The audit of labelled pictures: copies, wrong labels and other faults.
//!
//! Owns the options and the order of the work; reading and searching have a file each.

mod read;
mod search;

use std::collections::BTreeMap;
#[cfg(feature = "train")]
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::UsageError;
use super::files::{try_out, write_json, write_whole};
use super::labelled::{Labelled, ManyFolders};
use crate::album::left::Left;
#[cfg(feature = "train")]
use crate::audit::compare::COPY;
use crate::audit::listing::{Entry, Listing};
use crate::audit::measures::telling;
use crate::audit::report::{Fault, Report, full_name, mark_conflicts};
use crate::printable::Printable as _;
use crate::verdict::Truth;

use read::Seen;

/// What is asked of an audit.
#[derive(Debug, Clone)]
pub struct Options {
    /// The pictures.
    pub folders: ManyFolders,
    /// Where the groups of pictures that show one photograph are written to.
    pub out: Option<PathBuf>,
    /// Where the findings are written to as JSON.
    pub json: Option<PathBuf>,
    /// Correlation from which two pictures, laid one upon the other, are taken for one photograph, 0.9 to 1; usually
    /// [`COPY`].
    pub least: f64,
    /// Threads, 1 to 256; without it, one for each core.
    pub threads: Option<u16>,
}

/// Searches the pictures for copies and faults, and writes the files that are asked for.
///
/// # Errors
/// [`UsageError`] when a folder cannot be used; others when a file cannot be written or no thread can be started.
pub fn run(options: &Options) -> anyhow::Result<Report> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(256);
    let threads = options.threads.map_or_else(cores, usize::from);
    let splits = split_names(&options.folders.data)?;
    let (mut files, mut left, mut kinds) = (Vec::new(), Left::default(), Vec::new());
    for (split, found) in splits.iter().zip(options.folders.list()?) {
        left.extend(found.left);
        kinds.push(kinds_of(&found.pictures));
        files.extend(found.pictures.into_iter().map(|picture| (split.as_str(), picture)));
    }
    // Tried first: a long search must not end with a file that cannot be written.
    for path in [&options.out, &options.json].into_iter().flatten() {
        try_out(path)?;
    }
    let read = read::read(files, threads)?;
    let groups = search::groups(&read.seen, options.least, threads)?;
    let mut entries = entries(&read.seen, &groups);
    mark_conflicts(&mut entries);
    let tells = telling(&read.seen.iter().map(|seen| (seen.measures, seen.label)).collect::<Vec<_>>());
    let mut report = Report::new(&entries, &splits, tells, options.least);
    report.broken = read.broken;
    report.left_aside = left;
    report.splits.iter_mut().zip(kinds).for_each(|(split, kinds)| split.kinds = kinds);
    report.odd_sized = odd_sized(&read.seen, &entries);
    let flat = read.seen.iter().zip(&entries).filter(|(seen, _)| seen.prepared.is_none());
    report.flat = flat.map(|(_, entry)| full_name(entry)).collect();
    if let Some(path) = &options.out {
        write_whole(path, Listing::new(entries).to_text().as_bytes())?;
    }
    if let Some(path) = &options.json {
        write_json(path, &report)?;
    }
    Ok(report)
}

/// The photograph of each picture, by its split and its name; pictures that cannot be read are not among them.
///
/// # Errors
/// When no thread can be started.
#[cfg(feature = "train")]
pub(crate) fn photographs(
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
