//! Whether the file and its journal are still those that were opened: SQLite would go on writing to what was deleted.

use std::fs;

use super::{Database, gone};
use crate::store::files::{Identity, JOURNALS, beside, identity};
use crate::store::{Fault, StoreError};

/// Histories that are read in passing each minute.
const SCAN_ROWS: i64 = 2000;

/// How the files of an open database are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Place {
    /// As they were left.
    Whole,
    /// The journal or its index was deleted or replaced: others do not see what is in it, and it goes with this process.
    JournalGone,
}

impl Database {
    /// Looks at the files.
    ///
    /// # Errors
    /// When the database was deleted, replaced or cut, or cannot be read.
    pub(in crate::store) fn place(&mut self) -> Result<Place, StoreError> {
        if identity(&self.file) != Some(self.identity) {
            return Err(gone(&self.file));
        }
        self.measure()?;
        for (known, ending) in self.journals.iter_mut().zip(JOURNALS) {
            let now = identity(&beside(&self.file, ending));
            match *known {
                None => *known = now,
                Some(_) if *known == now => {}
                Some(_) => return Ok(Place::JournalGone),
            }
        }
        Ok(Place::Whole)
    }

    /// Which file it is.
    pub(in crate::store) fn identity(&self) -> Identity {
        self.identity
    }

    /// Compares the file's length with the least that it can have. It grows when the journal is worked in, and shrinks only to what the
    /// database needs.
    pub(super) fn measure(&mut self) -> Result<(), StoreError> {
        let needs = self.pragma("page_count")?.saturating_mul(self.pragma("page_size")?);
        let length = fs::metadata(&self.file).map_or(0, |file| file.len());
        if length < self.length.min(needs) {
            let cause = format!("it was cut to {length} bytes by somebody else");
            let (file, doing, fault) = (self.file.clone(), "go on with it", Fault::Damaged);
            return Err(StoreError::Failed { file, doing, cause, fault });
        }
        self.length = length.min(needs);
        Ok(())
    }

    /// Works the journal into the file, as far as readers let it, and compares the file's length with what it says of itself: one that was
    /// cut at rest opens without a word. Whether all of the journal is in the file.
    ///
    /// # Errors
    /// When the disk is at fault, or the file is too short.
    pub(in crate::store) fn settle(&mut self) -> Result<bool, StoreError> {
        let failed = self.failed("work the journal into the file");
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = self.connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
        if busy == 0 {
            self.length = self.pragma("page_count")?.saturating_mul(self.pragma("page_size")?);
            self.measure()?;
        }
        Ok(busy == 0)
    }

    /// Reads some histories, on from where the last call ended, so that damage is found before somebody asks for them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(in crate::store) fn scan(&mut self) -> Result<(), StoreError> {
        let sql = "SELECT max(number), sum(length(history)) FROM
            (SELECT number, history FROM parts WHERE number > ?1 ORDER BY number LIMIT ?2)";
        let last = self.connection.query_row(sql, (self.scanned, SCAN_ROWS), |row| {
            row.get::<_, Option<i64>>(1).and_then(|_| row.get::<_, Option<i64>>(0))
        });
        // At the end it begins anew.
        self.scanned = last.map_err(self.failed("read histories"))?.unwrap_or(0);
        Ok(())
    }
}
