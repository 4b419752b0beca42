//! What an audit found, for people and as JSON.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::listing::{Conflict, Entry};
use super::measures::{SHORTCUT, Telling};
use crate::album::left::Left;
use crate::verdict::Truth;

/// Share of the rarer class below which it is said to be rare.
const RARE: f64 = 0.2;
/// Most names that are printed of one finding; the JSON has all.
const NAMED: usize = 20;

/// Numbers of pictures in one split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitCount {
    /// The split.
    pub split: String,
    /// Pictures under the label of good parts.
    pub ok: usize,
    /// Pictures under the label of defective parts.
    pub defect: usize,
    /// Of these, pictures of each kind of defect; empty where there are no kinds.
    pub kinds: BTreeMap<String, usize>,
}

/// Pictures of one split that show photographs of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The split whose pictures are counted.
    pub split: String,
    /// The other, given before it.
    pub of: String,
    /// Pictures of `split` that show a photograph which `of` has too.
    pub pictures: usize,
    /// Of these, those whose file is in `of` byte for byte.
    pub exact: usize,
}

/// A picture whose photograph stands under both labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// `split/file`.
    pub file: String,
    /// Its label.
    pub label: Truth,
    /// Which of the labels is the rarer one.
    pub conflict: Conflict,
    /// Number of the photograph.
    pub group: u64,
}

/// A file, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `split/file`.
    pub file: String,
    /// What is wrong.
    pub why: String,
}

/// The findings. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Pictures that could be read.
    pub pictures: usize,
    /// The splits in the order in which they were given.
    pub splits: Vec<SplitCount>,
    /// Photographs: groups of pictures.
    pub photographs: usize,
    /// Pictures that show the photograph of an earlier picture.
    pub copies: usize,
    /// Of these, those whose file repeats an earlier one byte for byte.
    pub exact_copies: usize,
    /// Pictures of the photograph that most pictures show.
    pub largest_group: usize,
    /// Between splits.
    pub leaks: Vec<Leak>,
    /// Pictures whose photograph stands under both labels, those of the rarer label first.
    pub conflicts: Vec<Wrong>,
    /// Files that are no whole picture.
    pub broken: Vec<Fault>,
    /// Files that were left aside.
    pub left_aside: Left,
    /// Pictures whose size is not the commonest.
    pub odd_sized: Vec<Fault>,
    /// Pictures that are too flat to be compared with others.
    pub flat: Vec<String>,
    /// How well simple numbers tell the classes apart.
    pub tells: Vec<Telling>,
    /// Correlation from which two pictures were taken for one photograph.
    pub least_correlation: f64,
}

/// `split/file`.
pub fn full_name(entry: &Entry) -> String {
    format!("{}/{}", entry.split, entry.file)
}

/// Marks every picture whose photograph stands under both labels.
pub fn mark_conflicts(entries: &mut [Entry]) {
    let mut counts: HashMap<u64, [usize; 2]> = HashMap::new();
    let kind = |truth: Truth| usize::from(truth == Truth::Defect);
    for entry in entries.iter() {
        counts.entry(entry.group).or_default()[kind(entry.label)] += 1;
    }
    for entry in entries {
        let count = counts.get(&entry.group).copied().unwrap_or_default();
        let (own, other) = (count[kind(entry.label)], count[1 - kind(entry.label)]);
        entry.conflict = match own.cmp(&other) {
            _ if other == 0 => None,
            std::cmp::Ordering::Less => Some(Conflict::Minority),
            std::cmp::Ordering::Equal => Some(Conflict::Tie),
            std::cmp::Ordering::Greater => Some(Conflict::Majority),
        };
    }
}

impl Report {
    /// Of pictures with groups and conflicts. `splits` gives the order of the splits.
    pub fn new(entries: &[Entry], splits: &[String], tells: Vec<Telling>, least_correlation: f64) -> Self {
        let mut sizes: BTreeMap<u64, usize> = BTreeMap::new();
        entries.iter().for_each(|entry| *sizes.entry(entry.group).or_default() += 1);
        let count = |split: &String| {
            let of = |truth| entries.iter().filter(|e| e.split == *split && e.label == truth).count();
            SplitCount {
                split: split.clone(),
                ok: of(Truth::Ok),
                defect: of(Truth::Defect),
                kinds: BTreeMap::new(),
            }
        };
        let wrong = |entry: &Entry| {
            let (label, group) = (entry.label, entry.group);
            entry.conflict.map(|conflict| Wrong { file: full_name(entry), label, conflict, group })
        };
        let mut conflicts: Vec<Wrong> = entries.iter().filter_map(wrong).collect();
        conflicts.sort_by_key(|wrong| wrong.conflict == Conflict::Majority);
        Self {
            pictures: entries.len(),
            splits: splits.iter().map(count).collect(),
            photographs: sizes.len(),
            copies: entries.len() - sizes.len(),
            exact_copies: entries.iter().filter(|entry| entry.exact_of.is_some()).count(),
            largest_group: sizes.values().copied().max().unwrap_or(0),
            leaks: leaks(entries, splits),
            conflicts,
            broken: Vec::new(),
            left_aside: Left::default(),
            odd_sized: Vec::new(),
            flat: Vec::new(),
            tells,
            least_correlation,
        }
    }

    /// Whether something was found that makes figures wrong: a leak, a label, a file.
    pub fn is_clean(&self) -> bool {
        self.leaks.is_empty() && self.conflicts.is_empty() && self.broken.is_empty()
    }
}

fn leaks(entries: &[Entry], splits: &[String]) -> Vec<Leak> {
    let of = |split: &str| entries.iter().filter(move |entry| entry.split == split).collect::<Vec<_>>();
    let mut found = Vec::new();
    for (at, split) in splits.iter().enumerate() {
        for before in &splits[..at] {
            let (own, others) = (of(split), of(before));
            let groups: HashSet<u64> = others.iter().map(|entry| entry.group).collect();
            let files: HashSet<&str> = others.iter().map(|entry| entry.sha256.as_str()).collect();
            let pictures = own.iter().filter(|entry| groups.contains(&entry.group)).count();
            let exact = own.iter().filter(|entry| files.contains(entry.sha256.as_str())).count();
            if pictures > 0 {
                found.push(Leak { split: split.clone(), of: before.clone(), pictures, exact });
            }
        }
    }
    found
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, broken, aside) = (self.pictures, self.broken.len(), self.left_aside.files());
        writeln!(f, "pictures     {read} read, {broken} broken, {aside} left aside")?;
        for SplitCount { split, ok, defect, kinds } in &self.splits {
            let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            let of = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
            writeln!(f, "  {split:<11}{ok} ok, {defect} defective{of}")?;
        }
        match self.left_aside.unasked() {
            0 if aside == 0 => {}
            0 => writeln!(f, "left aside   {aside} files, as they should be")?,
            some => writeln!(
                f,
                "LEFT ASIDE   {aside} files, of which {some} may be pictures of parts; see --accept-left-aside"
            )?,
        }
        self.left_aside.lines().iter().try_for_each(|line| writeln!(f, "               {line}"))?;
        writeln!(
            f,
            "photographs  {}; {} pictures are copies of another, {} of them byte for byte; one has {} pictures",
            self.photographs, self.copies, self.exact_copies, self.largest_group
        )?;
        for Leak { split, of, pictures, exact } in &self.leaks {
            let total = self.splits.iter().find(|count| count.split == *split);
            let total = total.map_or(0, |count| count.ok + count.defect);
            writeln!(
                f,
                "LEAK         {pictures} of {total} pictures of {split} show a photograph of {of}; {exact} are the same file"
            )?;
        }
        self.conflicts(f)?;
        let broken: Vec<String> =
            self.broken.iter().map(|fault| format!("{}: {}", fault.file, fault.why)).collect();
        let odd: Vec<String> =
            self.odd_sized.iter().map(|fault| format!("{}: {}", fault.file, fault.why)).collect();
        named(f, "BROKEN       files that are no whole picture", &broken)?;
        named(f, "odd size     pictures of another size than most", &odd)?;
        named(f, "flat         pictures that show nothing", &self.flat)?;
        let (ok, defect) = self.splits.iter().fold((0, 0), |sum, s| (sum.0 + s.ok, sum.1 + s.defect));
        let share = ok.min(defect) as f64 / (ok + defect).max(1) as f64;
        if share < RARE {
            let rare = if ok < defect { "good" } else { "defective" };
            writeln!(f, "imbalance    only {:.1} % of the pictures show {rare} parts", share * 100.0)?;
        }
        self.tells(f)
    }
}

impl Report {
    fn conflicts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doubtful: Vec<String> = self
            .conflicts
            .iter()
            .filter(|wrong| wrong.conflict != Conflict::Majority)
            .map(|wrong| wrong.file.clone())
            .collect();
        if self.conflicts.is_empty() {
            return Ok(());
        }
        let groups: HashSet<u64> = self.conflicts.iter().map(|wrong| wrong.group).collect();
        writeln!(
            f,
            "CONFLICT     {} photographs stand under both labels, in {} pictures",
            groups.len(),
            self.conflicts.len()
        )?;
        named(f, "             pictures whose label is not that of most copies", &doubtful)
    }

    fn tells(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let area = |telling: &Telling| format!("{} {:.3}", telling.name, telling.auc);
        let all: Vec<String> = self.tells.iter().map(area).collect();
        if !all.is_empty() {
            writeln!(f, "by itself    ROC AUC of simple numbers: {}", all.join(", "))?;
        }
        for telling in self.tells.iter().filter(|telling| telling.auc >= SHORTCUT) {
            let side = if telling.defect_is_greater { "greater" } else { "smaller" };
            writeln!(
                f,
                "shortcut     `{}` alone tells the classes apart (AUC {:.3}; {side} for defective parts)",
                telling.name, telling.auc
            )?;
        }
        Ok(())
    }
}

/// A finding with the names that belong to it; nothing when there are none.
fn named(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    writeln!(f, "{what}: {}", names.len())?;
    names.iter().take(NAMED).try_for_each(|name| writeln!(f, "               {name}"))?;
    if names.len() > NAMED {
        writeln!(f, "               and {} more", names.len() - NAMED)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
