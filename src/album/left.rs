//! What was left aside in the folders that were read, and why: counted by folder, named where somebody may have wanted it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;
use serde::ser::SerializeSeq as _;

/// Most folders, and most files, that are named; the counts hold all.
const NAMED: usize = 20;

/// Why a file, or all of a folder, was left aside. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is hidden, or a program's own.
    Hidden,
    /// It says where a defect is, and shows no part.
    Mask,
    /// It plainly is no picture.
    NotAPicture,
    /// It was read before under another name.
    Twice,
    /// It links to a folder that it is in.
    Loop,
    /// A picture in a folder of which nobody said what its parts are.
    NoLabel,
    /// A picture, film or archive in a format that is not read.
    Format,
    /// Nobody knows what it is.
    Unknown,
    /// It begins like a picture and is called otherwise.
    Disguised,
    /// It links to nothing.
    DanglingLink,
    /// It is a pipe, a socket or a device.
    NoFile,
    /// It cannot be read.
    Unreadable,
}

impl Why {
    /// Whether somebody may have wanted it to be read.
    pub const fn unasked(self) -> bool {
        !matches!(self, Self::Hidden | Self::Mask | Self::NotAPicture | Self::Twice | Self::Loop)
    }

    /// The words behind a number, for one and for several.
    const fn words(self, files: u64) -> &'static str {
        let one = files == 1;
        match self {
            Self::Hidden => "hidden",
            Self::Mask if one => "mask",
            Self::Mask => "masks",
            Self::NotAPicture if one => "not a picture",
            Self::NotAPicture => "not pictures",
            Self::Twice => "read before under another name",
            Self::Loop if one => "link back to a folder around it",
            Self::Loop => "links back to a folder around them",
            Self::NoLabel if one => "picture in a folder that neither --ok nor --defect names",
            Self::NoLabel => "pictures in a folder that neither --ok nor --defect names",
            Self::Format => "of a format that is not read",
            Self::Unknown => "of an unknown kind",
            Self::Disguised if one => "picture that is called otherwise",
            Self::Disguised => "pictures that are called otherwise",
            Self::DanglingLink if one => "link to nothing",
            Self::DanglingLink => "links to nothing",
            Self::NoFile => "no file",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Files of one folder that were left aside for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    files: u64,
    /// How their names end, where that matters.
    endings: BTreeSet<String>,
    /// The first of them, each with what is wrong with it.
    named: Vec<(String, String)>,
}

/// All that was left aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    rows: BTreeMap<(String, Why), Row>,
}

/// A row in JSON; the names are a stable interface, documented in `docs/json.md`.
#[derive(Serialize)]
struct JsonRow<'a> {
    folder: &'a str,
    why: Why,
    files: u64,
    unasked: bool,
    endings: &'a BTreeSet<String>,
    named: Vec<&'a str>,
}

impl Serialize for Left {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.rows.len()))?;
        for ((folder, why), row) in &self.rows {
            let named = row.named.iter().map(|(name, _)| name.as_str()).collect();
            let (files, endings) = (row.files, &row.endings);
            rows.serialize_element(&JsonRow {
                folder,
                why: *why,
                files,
                unasked: why.unasked(),
                endings,
                named,
            })?;
        }
        rows.end()
    }
}

impl Left {
    /// One more file, or folder, of `folder`. `ending` is told where it is not empty, `name` where `said` says what is wrong with it.
    pub fn add(&mut self, folder: &str, why: Why, ending: &str, named: Option<(&str, &str)>) {
        let row = self.rows.entry((folder.to_owned(), why)).or_default();
        row.files += 1;
        if !ending.is_empty() {
            row.endings.insert(format!(".{ending}"));
        }
        if let Some((name, said)) = named.filter(|_| row.named.len() < NAMED) {
            row.named.push((name.to_owned(), said.to_owned()));
        }
    }

    /// What was left aside elsewhere, too.
    pub fn extend(&mut self, other: Self) {
        for (key, more) in other.rows {
            let row = self.rows.entry(key).or_default();
            row.files += more.files;
            row.endings.extend(more.endings);
            row.named.extend(more.named);
            row.named.truncate(NAMED);
        }
    }

    /// How many files were left aside.
    pub fn files(&self) -> u64 {
        self.rows.values().map(|row| row.files).sum()
    }

    /// How many of them somebody may have wanted to be read.
    pub fn unasked(&self) -> u64 {
        self.rows.iter().filter(|((_, why), _)| why.unasked()).map(|(_, row)| row.files).sum()
    }

    /// What to tell: a line for each folder, `12 left aside in set/def_front: 10 hidden, 2 not pictures (.txt)`, then one for each file
    /// that somebody may have wanted, both up to a number.
    pub fn lines(&self) -> Vec<String> {
        let mut folders: BTreeMap<&str, Vec<(Why, &Row)>> = BTreeMap::new();
        for ((folder, why), row) in &self.rows {
            folders.entry(folder).or_default().push((*why, row));
        }
        let mut told = Vec::new();
        for (folder, rows) in folders.iter().take(NAMED) {
            let files: u64 = rows.iter().map(|(_, row)| row.files).sum();
            let mut line = format!("{files} left aside in {folder}: ");
            for (at, (why, row)) in rows.iter().enumerate() {
                let comma = if at > 0 { ", " } else { "" };
                // Writing to a text cannot fail.
                let _ = write!(line, "{comma}{} {}", row.files, why.words(row.files));
                if !row.endings.is_empty() {
                    let endings: Vec<&str> = row.endings.iter().map(String::as_str).take(NAMED).collect();
                    let _ = write!(line, " ({})", endings.join(", "));
                }
            }
            told.push(line);
        }
        if folders.len() > NAMED {
            let files: u64 = folders.values().skip(NAMED).flatten().map(|(_, row)| row.files).sum();
            told.push(format!("{files} more left aside in {} more folders", folders.len() - NAMED));
        }
        let named =
            self.rows.iter().flat_map(|((folder, _), row)| row.named.iter().map(move |file| (folder, file)));
        let named: Vec<String> =
            named.map(|(folder, (name, said))| format!("not read: {folder}/{name} {said}")).collect();
        let more = named.len().saturating_sub(NAMED);
        told.extend(named.into_iter().take(NAMED));
        if more > 0 {
            told.push(format!("not read: {more} more"));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Left {
        let mut left = Left::default();
        (0..10).for_each(|_| left.add("set/def_front", Why::Hidden, "", None));
        (0..2).for_each(|_| left.add("set/def_front", Why::NotAPicture, "txt", None));
        left.add(
            "set/ok_front",
            Why::Disguised,
            "dat",
            Some(("x.dat", "looks like a JPEG but is called .dat")),
        );
        left
    }

    #[test]
    fn every_folder_has_a_line_and_what_may_be_wanted_is_named() {
        let left = sample();
        assert_eq!((left.files(), left.unasked()), (13, 1));
        assert_eq!(
            left.lines(),
            [
                "12 left aside in set/def_front: 10 hidden, 2 not pictures (.txt)",
                "1 left aside in set/ok_front: 1 picture that is called otherwise (.dat)",
                "not read: set/ok_front/x.dat looks like a JPEG but is called .dat",
            ]
        );
        let mut twice = sample();
        twice.extend(sample());
        assert_eq!((twice.files(), twice.lines().len()), (26, 4));
        assert!(Left::default().lines().is_empty());
    }

    #[test]
    fn many_folders_and_files_are_counted_and_not_all_named() {
        let mut left = Left::default();
        for at in 0..50 {
            let name = format!("{at}.png");
            left.add(&format!("set/{at:02}"), Why::Unreadable, "", Some((&name, "cannot be read: gone")));
        }
        let lines = left.lines();
        assert_eq!(lines.len(), 42);
        assert_eq!(lines[20], "30 more left aside in 30 more folders");
        assert_eq!(lines[41], "not read: 30 more");
    }

    #[test]
    fn the_json_keeps_its_names() {
        let json = serde_json::to_value(sample()).unwrap();
        assert_eq!(
            json[1],
            serde_json::json!({
                "folder": "set/def_front", "why": "not_a_picture", "files": 2, "unasked": false, "endings": [".txt"], "named": []
            })
        );
        assert_eq!((&json[2]["why"], &json[2]["named"][0]), (&"disguised".into(), &"x.dat".into()));
    }
}
