//! Keeping the file within its bounds of age and size, a small step at a time.

use std::fs;

use super::Database;
use crate::config;
use crate::store::StoreError;
use crate::store::calendar::FLOOR_MS;
use crate::store::files::beside;

/// Most rows that one step removes.
const STEP_ROWS: u64 = 2000;
/// Most pages that one step gives back to the disk.
const STEP_PAGES: u64 = 4096;
/// Size of a page: SQLite's default for new files, named here for the bound of the journal alone.
const PAGE: u64 = 4096;

/// A date so far ahead is no date.
const AHEAD_MS: i64 = 24 * 3600 * 1000;

// What goes for its age, with ?1 the first date that can be right, ?2 the date before which things are old, ?3 the last date that can be
// right. A row whose own date cannot be right (a board without a battery dates 1970) is as old as the next one whose date can: rows are
// in the order in which things happened.
const AGED_PARTS: &str = "DELETE FROM parts WHERE number IN (SELECT number FROM parts
    WHERE number <= (SELECT max(number) FROM parts WHERE finished_at_ms >= ?1 AND finished_at_ms < ?2)
    AND (finished_at_ms < ?2 OR finished_at_ms > ?3) ORDER BY number LIMIT ?4)";
const AGED_NOTES: &str = "DELETE FROM notes WHERE id IN (SELECT id FROM notes
    WHERE id <= (SELECT max(id) FROM notes WHERE at_ms >= ?1 AND at_ms < ?2)
    AND (at_ms < ?2 OR at_ms > ?3)
    AND id IS NOT (SELECT max(id) FROM notes WHERE kind IN ('line_stop', 'line_stop_reset')) ORDER BY id LIMIT ?4)";
const OLDEST_PARTS: &str = "DELETE FROM parts WHERE number IN
    (SELECT number FROM parts WHERE finished_at_ms IS NOT NULL ORDER BY number LIMIT ?1)";
const OLDEST_NOTES: &str = "DELETE FROM notes WHERE id IN (SELECT id FROM notes
    WHERE id IS NOT (SELECT max(id) FROM notes WHERE kind IN ('line_stop', 'line_stop_reset')) ORDER BY id LIMIT ?1)";

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Bounds {
    /// Longest age in milliseconds.
    pub keep_ms: i64,
    /// Largest size of file and journal together, in bytes.
    pub max_bytes: u64,
}

impl Bounds {
    /// The bounds of the section.
    pub(in crate::store) fn of(section: &config::Store) -> Self {
        Self { keep_ms: (section.keep.as_s() * 1000.0) as i64, max_bytes: u64::from(section.max_mib) << 20 }
    }

    /// Pages in the journal at which it is worked into the file: a small part of the whole.
    pub(super) fn journal_pages(&self) -> u64 {
        (self.max_bytes / 16 / PAGE).clamp(16, 1000)
    }
}

impl Database {
    /// Size of the file and its journal in bytes.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::store) fn size(&self) -> Result<u64, StoreError> {
        let journal = fs::metadata(beside(&self.file, "-wal")).map_or(0, |journal| journal.len());
        Ok(self.pragma("page_count")? * self.pragma("page_size")? + journal)
    }

    /// One step towards the bounds: removes the oldest histories and notes. Ages count from `now_ms`, or not at all. Whether another step
    /// is needed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::store) fn trim(
        &mut self,
        bounds: &Bounds,
        now_ms: Option<i64>,
    ) -> Result<bool, StoreError> {
        let mut more = false;
        if let Some(now) = now_ms {
            let before = now.saturating_sub(bounds.keep_ms);
            let values = (FLOOR_MS, before, now.saturating_add(AHEAD_MS), STEP_ROWS as i64);
            let (aged, notes) = (self.remove(AGED_PARTS, values)?, self.remove(AGED_NOTES, values)?);
            more = aged.max(notes) >= STEP_ROWS;
        }
        Ok(self.trim_size(bounds)? || more)
    }

    fn trim_size(&mut self, bounds: &Bounds) -> Result<bool, StoreError> {
        if self.size()? <= bounds.max_bytes {
            return Ok(false);
        }
        self.empty_journal()?;
        let size = self.size()?;
        if size <= bounds.max_bytes {
            return Ok(false);
        }
        // A little more than needed, so that this is not due again with the next group.
        let goal = bounds.max_bytes / 20 * 19 - bounds.journal_pages() * PAGE;
        let free = self.pragma("freelist_count")?;
        let live = (self.pragma("page_count")? - free) * self.pragma("page_size")?;
        if live > goal {
            // Both tables by their shares: notes alone must not outgrow the bounds either.
            let (parts, notes) = self.rows()?;
            let each = (live / (parts + notes).max(1)).max(1);
            let rows = ((live - goal) / each).clamp(1, STEP_ROWS);
            let of_notes = rows * notes / (parts + notes).max(1);
            self.remove(OLDEST_PARTS, [(rows - of_notes).max(1) as i64])?;
            self.remove(OLDEST_NOTES, [of_notes as i64])?;
        }
        self.shrink()?;
        self.empty_journal()?;
        let now = self.size()?;
        // Without progress, as under a reader who holds on to the journal, the next step waits for its time.
        Ok(now > bounds.max_bytes && now < size)
    }

    /// Number of parts and of notes.
    fn rows(&self) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT (SELECT count(*) FROM parts), (SELECT count(*) FROM notes)";
        let rows =
            self.connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let (parts, notes) = rows.map_err(self.failed("count histories"))?;
        Ok((parts.unsigned_abs(), notes.unsigned_abs()))
    }

    fn remove(&self, sql: &str, values: impl rusqlite::Params) -> Result<u64, StoreError> {
        let removed = self.connection.execute(sql, values).map_err(self.failed("remove old histories"))?;
        Ok(removed as u64)
    }

    /// Gives free pages back to the disk.
    fn shrink(&self) -> Result<(), StoreError> {
        let shrink = || {
            let sql = format!("PRAGMA incremental_vacuum({STEP_PAGES})");
            let mut statement = self.connection.prepare(&sql)?;
            let mut pages = statement.query([])?;
            // Each row is a page that was given back.
            while pages.next()?.is_some() {}
            Ok(())
        };
        shrink().map_err(self.failed("give room back"))
    }

    /// Works the journal into the file, as far as readers let it.
    fn empty_journal(&self) -> Result<(), StoreError> {
        let done = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        done.map_err(self.failed("work the journal into the file"))
    }

    pub(super) fn pragma(&self, name: &str) -> Result<u64, StoreError> {
        let value: rusqlite::Result<i64> = self.connection.pragma_query_value(None, name, |row| row.get(0));
        value.map(i64::unsigned_abs).map_err(self.failed("measure the file"))
    }
}

#[cfg(test)]
mod tests;
