//! The reading side: one file, read only, also while the daemon writes to it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Params, Row};

use super::{BUSY, failed, inspect, signed, unsigned};
use crate::store::MOST_PARTS;
use crate::store::history::{NoteKind, StoredNote, StoredPart};
use crate::store::{Fault, StoreError};

/// What the columns of a part are, in the order of [`Reader::parts`].
const COLUMNS: &str =
    "number, opened_at_ms, finished_at_ms, outcome, verdict, reason, config, model, remark, history";

/// Reads histories. Never changes the file.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    file: PathBuf,
}

impl Reader {
    /// Opens a database for reading.
    ///
    /// # Errors
    /// When it is missing, something else, damaged or of a newer castgate.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        if !file.exists() {
            return Err(StoreError::Missing { file: file.to_owned() });
        }
        super::look(file)?;
        let connection = match Self::connect(file, file) {
            // The daemon has ended and taken its journal along, and who may not write to the folder can make no new one.
            Err(StoreError::Failed { fault: Fault::Unreachable | Fault::ReadOnly, .. })
                if !has_journal(file) =>
            {
                Self::connect(file, Path::new(&at_rest(file)))?
            }
            connection => connection?,
        };
        Ok(Self { connection, file: file.to_owned() })
    }

    fn connect(file: &Path, name: &Path) -> Result<Connection, StoreError> {
        let failed = failed(file, "open the database");
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(name, flags).map_err(&failed)?;
        connection.busy_timeout(BUSY).map_err(&failed)?;
        if inspect(&connection, file)?.is_none() {
            return Err(super::foreign(file, "is empty"));
        }
        Ok(connection)
    }

    /// The open file, for what this file has no question for.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// The part with this number.
    ///
    /// # Errors
    /// When the file cannot be read or what it says of the part is no history.
    pub fn part(&self, number: u64) -> Result<Option<StoredPart>, StoreError> {
        Ok(self.parts("WHERE number = ?1", [signed(number)])?.pop())
    }

    /// The last `n` parts, the newest first; at most 10 000.
    ///
    /// # Errors
    /// As [`Reader::part`].
    pub fn latest(&self, n: usize) -> Result<Vec<StoredPart>, StoreError> {
        self.parts("ORDER BY number DESC LIMIT ?1", [n.min(MOST_PARTS) as i64])
    }

    /// The last part that was rejected.
    ///
    /// # Errors
    /// As [`Reader::part`].
    pub fn last_reject(&self) -> Result<Option<StoredPart>, StoreError> {
        Ok(self.parts("WHERE verdict = 'reject' AND outcome IS NOT 'unresolved_at_stop' ORDER BY number DESC LIMIT 1", [])?.pop())
    }

    /// The parts that left from one moment to another, both included and in milliseconds since 1970, the first first; at most 10 000.
    ///
    /// # Errors
    /// As [`Reader::part`].
    pub fn parts_between(&self, from_ms: i64, until_ms: i64) -> Result<Vec<StoredPart>, StoreError> {
        let which = "WHERE finished_at_ms BETWEEN ?1 AND ?2 ORDER BY finished_at_ms, number LIMIT ?3";
        self.parts(which, (from_ms, until_ms, MOST_PARTS as i64))
    }

    /// What was noted from one moment to another, both included and in milliseconds since 1970, the first first; at most 10 000.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn notes_between(&self, from_ms: i64, until_ms: i64) -> Result<Vec<StoredNote>, StoreError> {
        let which = "WHERE at_ms BETWEEN ?1 AND ?2 ORDER BY at_ms, id LIMIT ?3";
        self.notes(which, (from_ms, until_ms, MOST_PARTS as i64))
    }

    /// The line stop and the loss of the position that had begun before a moment, in milliseconds since 1970, and were not over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn standing_at(&self, at_ms: i64) -> Result<Vec<StoredNote>, StoreError> {
        let mut standing = Vec::new();
        for (on, off) in
            [(NoteKind::LineStop, NoteKind::LineStopReset), (NoteKind::PositionLost, NoteKind::PositionKnown)]
        {
            let which = "WHERE at_ms < ?1 AND kind IN (?2, ?3, ?4) ORDER BY at_ms DESC, id DESC LIMIT 1";
            let newest = self.notes(which, (at_ms, on.name(), off.name(), NoteKind::Started.name()))?;
            standing.extend(newest.into_iter().filter(|note| note.kind == on.name()));
        }
        Ok(standing)
    }

    /// The smallest and the largest number that the store holds.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn range(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let range: (Option<i64>, Option<i64>) = self
            .connection
            .query_row("SELECT (SELECT min(number) FROM parts), (SELECT max(number) FROM parts)", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .map_err(failed(&self.file, "read histories"))?;
        Ok(range.0.zip(range.1).map(|(first, last)| (unsigned(first), unsigned(last))))
    }

    fn parts(&self, which: &str, values: impl Params) -> Result<Vec<StoredPart>, StoreError> {
        let raw = self.rows(&format!("SELECT {COLUMNS} FROM parts {which}"), values, |row| {
            let history: Option<String> = row.get(9)?;
            Ok((
                StoredPart {
                    number: unsigned(row.get(0)?),
                    opened_at_ms: row.get(1)?,
                    finished_at_ms: row.get(2)?,
                    outcome: row.get(3)?,
                    verdict: row.get(4)?,
                    reason: row.get(5)?,
                    config: row.get(6)?,
                    model: row.get(7)?,
                    remark: row.get(8)?,
                    history: None,
                },
                history,
            ))
        })?;
        raw.into_iter().map(|(part, history)| self.with_history(part, history)).collect()
    }

    fn with_history(&self, part: StoredPart, history: Option<String>) -> Result<StoredPart, StoreError> {
        let Some(text) = history else { return Ok(part) };
        match serde_json::from_str(&text) {
            Ok(history) => Ok(StoredPart { history: Some(history), ..part }),
            Err(error) => Err(StoreError::Failed {
                file: self.file.clone(),
                doing: "read a history",
                cause: format!("part {}: {error}", part.number),
                fault: Fault::Other,
            }),
        }
    }

    fn notes(&self, which: &str, values: impl Params) -> Result<Vec<StoredNote>, StoreError> {
        self.rows(&format!("SELECT at_ms, kind, detail FROM notes {which}"), values, |row| {
            Ok(StoredNote { at_ms: row.get(0)?, kind: row.get(1)?, detail: row.get(2)? })
        })
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map(values, row)?.collect::<rusqlite::Result<Vec<T>>>()
        };
        read().map_err(failed(&self.file, "read histories"))
    }
}

fn has_journal(file: &Path) -> bool {
    let mut journal = file.as_os_str().to_owned();
    journal.push("-wal");
    Path::new(&journal).exists()
}

/// The file as SQLite names one that nobody changes.
fn at_rest(file: &Path) -> String {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut name = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                name.push(char::from(*byte))
            }
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    name + "?immutable=1"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Opened;
    use crate::store::tests::{Bench, fill};

    #[test]
    fn a_file_at_rest_is_read_without_a_journal_whatever_its_name() {
        let mut bench = Bench::new();
        let folder = bench.folder.path().join("a b?c=%41#ü");
        std::fs::create_dir(&folder).unwrap();
        bench.section.path = folder.join("parts.db");
        let Opened { store, .. } = bench.open();
        fill(&store, 1..=3);
        assert!(store.end(true));
        drop(store);
        assert!(!has_journal(&bench.path()));
        let connection = Reader::connect(&bench.path(), Path::new(&at_rest(&bench.path()))).unwrap();
        let reader = Reader { connection, file: bench.path() };
        assert_eq!(reader.range().unwrap(), Some((1, 3)));
        assert!(!has_journal(&bench.path()), "reading leaves nothing behind");
    }
}
