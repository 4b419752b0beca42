//! `groups.csv`: which pictures show one photograph, as the audit writes it and training and evaluation read it.
//!
//! Owns the format. Must not know files: text goes in and comes out.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::verdict::Truth;

/// What a photograph under both labels means for one of its pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Conflict {
    /// Most pictures of the photograph have this label.
    Majority,
    /// Fewer pictures of the photograph have this label: it is probably wrong.
    Minority,
    /// As many pictures of the photograph have the other label.
    Tie,
}

const CONFLICTS: [(Conflict, &str); 3] =
    [(Conflict::Majority, "majority"), (Conflict::Minority, "minority"), (Conflict::Tie, "tie")];
const LABELS: [(Truth, &str); 2] = [(Truth::Ok, "ok"), (Truth::Defect, "defect")];
const COLUMNS: [&str; 7] = ["file", "split", "label", "group", "conflict", "exact_of", "sha256"];

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path below the split's folder.
    pub file: String,
    /// The last parts of the split's folder.
    pub split: String,
    /// The label it stands under.
    pub label: Truth,
    /// Number of its photograph.
    pub group: u64,
    /// Set when its photograph stands under both labels.
    pub conflict: Option<Conflict>,
    /// `split/file` of the first picture whose file has the same bytes, if an earlier one has.
    pub exact_of: Option<String>,
    /// SHA-256 of the file in hexadecimal digits.
    pub sha256: String,
}

/// The text is no `groups.csv`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ListingError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// All pictures of an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    entries: Vec<Entry>,
    index: HashMap<(String, String), usize>,
}

impl Listing {
    /// Of these pictures. Of two with one name in one split the last counts.
    pub fn new(entries: Vec<Entry>) -> Self {
        let key = |(at, entry): (usize, &Entry)| ((entry.split.clone(), entry.file.clone()), at);
        let index = entries.iter().enumerate().map(key).collect();
        Self { entries, index }
    }

    /// The pictures.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The picture `file` of a split.
    pub fn find(&self, split: &str, file: &str) -> Option<&Entry> {
        self.index.get(&(split.to_owned(), file.to_owned())).map(|&at| &self.entries[at])
    }

    /// The split that a folder is: the one of the longest name with which its path ends.
    pub fn split_of(&self, folder: &Path) -> Option<&str> {
        let mut splits: Vec<&str> = self.entries.iter().map(|entry| entry.split.as_str()).collect();
        splits.sort_unstable();
        splits.dedup();
        splits.into_iter().filter(|split| folder.ends_with(split)).max_by_key(|split| split.len())
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = COLUMNS.join(",") + "\n";
        for entry in &self.entries {
            let group = entry.group.to_string();
            let conflict = word(&CONFLICTS, entry.conflict);
            let exact = entry.exact_of.as_deref().unwrap_or_default();
            let label = word(&LABELS, Some(entry.label));
            let fields = [&entry.file, &entry.split, label, &group, conflict, exact, &entry.sha256];
            let quoted = fields.map(quote);
            let _ = writeln!(text, "{}", quoted.join(","));
        }
        text
    }

    /// Reads the file's text. Columns may stand in any order; those that are unknown are passed over.
    ///
    /// # Errors
    /// When a column is missing, or a line cannot be understood.
    pub fn parse(text: &str) -> Result<Self, ListingError> {
        let mut records = records(text)?.into_iter();
        let missing = |what: &str| ListingError { line: 1, what: what.to_owned() };
        let (_, header) = records.next().ok_or_else(|| missing("the file is empty"))?;
        let mut places = [0; COLUMNS.len()];
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            *place = header.iter().position(|name| name == column).ok_or_else(|| {
                missing(&format!("no column `{column}`; `castgate audit --out` writes such a file"))
            })?;
        }
        let mut entries = Vec::new();
        for (line, fields) in records {
            let wrong = |what: String| ListingError { line, what };
            if fields.len() != header.len() {
                return Err(wrong(format!("{} fields instead of {}", fields.len(), header.len())));
            }
            let [file, split, label, group, conflict, exact, sha256] = places.map(|at| fields[at].as_str());
            let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            entries.push(Entry {
                file: file.to_owned(),
                split: split.to_owned(),
                label: meaning(&LABELS, label)
                    .ok_or_else(|| wrong(format!("label `{label}`, neither `ok` nor `defect`")))?,
                group: group.parse().map_err(|_| wrong(format!("group `{group}` is no whole number")))?,
                conflict: match conflict {
                    "" => None,
                    _ => Some(meaning(&CONFLICTS, conflict).ok_or_else(|| {
                        wrong(format!("conflict `{conflict}`, none of `majority`, `minority`, `tie`"))
                    })?),
                },
                exact_of: filled(exact),
                sha256: sha256.to_owned(),
            });
        }
        Ok(Self::new(entries))
    }
}

fn word<T: PartialEq>(words: &[(T, &'static str)], value: Option<T>) -> &'static str {
    words.iter().find(|(meaning, _)| value.as_ref() == Some(meaning)).map_or("", |(_, word)| word)
}

fn meaning<T: Copy>(words: &[(T, &str)], text: &str) -> Option<T> {
    words.iter().find(|(_, word)| *word == text).map(|(meaning, _)| *meaning)
}

/// A field as RFC 4180 has it.
fn quote(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// The records of a text as RFC 4180 has it, each with its line; empty lines are passed over.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, ListingError> {
    let mut records = Vec::new();
    let (mut line, mut begin) = (1, 1);
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    loop {
        let next = chars.next();
        line += usize::from(next == Some('\n'));
        match next {
            None if quoted => {
                return Err(ListingError {
                    line: begin,
                    what: "a quotation mark is never closed".to_owned(),
                });
            }
            Some('"') if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            Some('"') if quoted || field.is_empty() => quoted = !quoted,
            Some(c) if quoted => field.push(c),
            Some(',') => fields.push(std::mem::take(&mut field)),
            Some('\r') if chars.peek() == Some(&'\n') => {}
            None | Some('\n') => {
                fields.push(std::mem::take(&mut field));
                let record = std::mem::take(&mut fields);
                if record.len() > 1 || !record[0].is_empty() {
                    records.push((begin, record));
                }
                begin = line;
                if next.is_none() {
                    return Ok(records);
                }
            }
            Some(c) => field.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str, split: &str, group: u64, conflict: Option<Conflict>) -> Entry {
        let exact_of = (group == 7).then(|| "train/a.png".to_owned());
        let (file, split) = (file.to_owned(), split.to_owned());
        Entry { file, split, label: Truth::Ok, group, conflict, exact_of, sha256: "00ff".to_owned() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let listing = Listing::new(vec![
            entry("ok/a.png", "train", 1, None),
            entry("ok/odd, \"name\"\n.png", "data/test", 7, Some(Conflict::Tie)),
            entry("ok/c.png", "test", 2, Some(Conflict::Minority)),
        ]);
        let text = listing.to_text();
        assert!(
            text.starts_with("file,split,label,group,conflict,exact_of,sha256\nok/a.png,train,ok,1,,,00ff\n")
        );
        assert_eq!(Listing::parse(&text).unwrap(), listing);
        assert_eq!(Listing::parse(&text.replace('\n', "\r\n")).unwrap().entries().len(), 3);
        assert_eq!(listing.find("test", "ok/c.png").unwrap().group, 2);
        assert_eq!(listing.find("train", "ok/c.png"), None);
        assert_eq!(listing.split_of(Path::new("/data/test")), Some("data/test"));
        assert_eq!(listing.split_of(Path::new("other/test")), Some("test"));
        assert_eq!(listing.split_of(Path::new("latest")), None);
    }

    #[test]
    fn what_is_no_listing_is_said_with_its_line() {
        let head = "file,split,label,group,conflict,exact_of,sha256\n";
        for (text, says) in [
            ("", "line 1: the file is empty"),
            ("file,split\n", "line 1: no column `label`"),
            (&format!("{head}a,b\n"), "line 2: 2 fields instead of 7"),
            (&format!("{head}\na,b,ok,x,,,\n"), "line 3: group `x` is no whole number"),
            (&format!("{head}a,b,good,1,,,\n"), "line 2: label `good`"),
            (&format!("{head}a,b,ok,1,no,,\n"), "line 2: conflict `no`"),
            (&format!("{head}\"a,b,ok,1,,,\n"), "line 2: a quotation mark"),
        ] {
            let error = Listing::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(picks in proptest::collection::vec(0usize..9, 0..60)) {
            let text: String = picks.iter().map(|&pick| ["a", ",", "\"", "\n", "\r", "7", "ok", "é", "tie"][pick]).collect();
            let head = "file,split,label,group,conflict,exact_of,sha256\n";
            let _ = (Listing::parse(&text), Listing::parse(&(head.to_owned() + &text)));
        }
    }
}
