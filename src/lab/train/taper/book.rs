//! The book of finished trainings: one line of JSON each, so that a search that was stopped goes on where it was.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::lab::files::{LARGEST_LIST, try_out};
use crate::printable::Printable as _;
use crate::regular;

/// What one training gave, at a threshold of 0.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Print of network, pictures, split and settings, by which the same training is known again.
    pub(super) print: String,
    /// For people.
    pub(super) network: String,
    pub(super) size: usize,
    pub(super) split: usize,
    pub(super) epochs: u32,
    pub(super) auc: f64,
    pub(super) accuracy: f64,
    pub(super) escapes: usize,
    pub(super) false_rejects: usize,
    pub(super) seconds: f64,
}

pub(super) struct Book {
    path: PathBuf,
    file: File,
    entries: HashMap<String, Entry>,
}

impl Book {
    /// Opens the book, or begins one. A line that is not whole, which a cut of power may leave, counts for nothing.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        // What is appended to is no link and no pipe, either.
        try_out(path)?;
        let text = match regular::read(path, LARGEST_LIST) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.shown())),
        };
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        let entries = entries.map(|entry| (entry.print.clone(), entry)).collect();
        let in_path = || format!("cannot write {}", path.shown());
        let mut file = regular::open_to_append(path).with_context(in_path)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").with_context(in_path)?;
        }
        Ok(Self { path: path.to_owned(), file, entries })
    }

    pub(super) fn get(&self, print: &str) -> Option<&Entry> {
        self.entries.get(print)
    }

    pub(super) fn add(&mut self, entry: Entry) -> anyhow::Result<()> {
        let line = serde_json::to_string(&entry)? + "\n";
        self.file
            .write_all(line.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.shown()))?;
        self.entries.insert(entry.print.clone(), entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_that_was_cut_off_is_read_to_its_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trainings.jsonl");
        let entry = |print: &str| Entry {
            print: print.to_owned(),
            network: "4-d0".to_owned(),
            size: 8,
            split: 0,
            epochs: 1,
            auc: 0.5,
            accuracy: 0.5,
            escapes: 1,
            false_rejects: 0,
            seconds: 1.0,
        };
        let mut book = Book::open(&path).unwrap();
        book.add(entry("a")).unwrap();
        drop(book);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"{\"print\":\"b\",\"net");
        std::fs::write(&path, bytes).unwrap();
        let mut book = Book::open(&path).unwrap();
        assert_eq!((book.get("a"), book.get("b")), (Some(&entry("a")), None));
        book.add(entry("c")).unwrap();
        assert!(Book::open(&path).unwrap().get("c").is_some());
        assert!(Book::open(dir.path()).is_err());
    }
}
