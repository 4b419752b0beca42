//! The numbers of parts, which never repeat on one board, and the parts that a run left behind.
//!
//! Numbers are reserved in blocks, and a reservation is on the disk before the first number of its block is used. After a crash the next
//! run begins behind the block.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior};

use super::{Database, meta, set_meta, signed, unsigned};
use crate::decide::Outcome;
use crate::store::StoreError;
use crate::store::history::{JudgedBy, LeftPart, NoteKind};
use crate::verdict::PartNumber;

/// Numbers in a block.
pub(in crate::store) const BLOCK: u64 = 1000;

/// What the history of a part that was left behind says instead.
const LEFT: &str = "The process ended while the part was on the line, or before its history was written.";
/// What the history of a part says that never came.
const LOST: &str = "Its history was lost: the store's queue was full, or its file could not be written.";

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Beginning {
    /// The number of its first part.
    pub first: u64,
    /// The first number that is not reserved for it.
    pub reserved: u64,
    /// The parts that the run before left behind.
    pub left: Vec<LeftPart>,
    /// The reason of the line stop that stood when the run before ended.
    pub stop: Option<String>,
    /// Numbers that the run before may have given to parts of which nothing was written: from, to and with. `None` when it ended in order.
    pub doubtful: Option<(u64, u64)>,
}

impl Database {
    /// Begins a run: finds what the run before left behind, and reserves the first block of numbers.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(in crate::store) fn begin(&mut self, by: &JudgedBy, now_ms: i64) -> Result<Beginning, StoreError> {
        self.durably("reserve part numbers", |transaction| {
            let reserved = unsigned(meta(transaction, "reserved")?.unwrap_or(1)).max(1);
            let last: Option<i64> =
                transaction.query_row("SELECT max(number) FROM parts", [], |row| row.get(0))?;
            let after_last = unsigned(last.unwrap_or(0)).saturating_add(1);
            let died = meta(transaction, "ended")? == Some(0);
            let left = left_behind(transaction)?;
            let stop = standing_stop(transaction)?;
            transaction.execute(
                "UPDATE parts SET finished_at_ms = ?1, outcome = ?2, remark = ?3 WHERE finished_at_ms IS NULL",
                (now_ms, Outcome::UnresolvedAtStop.name(), LEFT),
            )?;
            let first = reserved.max(after_last);
            let next = first.saturating_add(BLOCK);
            set_meta(transaction, "reserved", signed(next))?;
            set_meta(transaction, "ended", 0)?;
            transaction.execute(
                "INSERT INTO notes (at_ms, kind, detail) VALUES (?1, ?2, ?3)",
                (now_ms, NoteKind::Started.name(), format!("configuration {}, model {}", by.config, by.model)),
            )?;
            let doubtful = (died && after_last < first).then(|| (after_last, first - 1));
            Ok(Beginning { first, reserved: next, left, stop, doubtful })
        })
    }

    /// Reserves the numbers below `reserved`, also in a file that was just made anew.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::store) fn reserve(&mut self, reserved: u64) -> Result<(), StoreError> {
        self.durably("reserve part numbers", |transaction| {
            let before = meta(transaction, "reserved")?.unwrap_or(1);
            set_meta(transaction, "reserved", before.max(signed(reserved)))?;
            set_meta(transaction, "ended", 0)
        })
    }

    /// Ends a run in order: every part has left, so one that is still open has lost its history. `next` is the number that the next run
    /// begins with, where it is known for certain; else the reserved block is left unused.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::store) fn end(&mut self, next: Option<u64>, now_ms: i64) -> Result<(), StoreError> {
        self.durably("end the run", |transaction| {
            transaction.execute(
                "UPDATE parts SET finished_at_ms = ?1, remark = ?2 WHERE finished_at_ms IS NULL",
                (now_ms, LOST),
            )?;
            if let Some(next) = next {
                set_meta(transaction, "reserved", signed(next))?;
            }
            set_meta(transaction, "ended", 1)
        })
    }

    /// A transaction that is on the disk when it returns. Groups of histories are not: they are safe from a crash of the process, and a
    /// loss of power may cost the last seconds.
    fn durably<T>(
        &mut self,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let failed = self.failed(doing);
        self.connection.pragma_update(None, "synchronous", "FULL").map_err(&failed)?;
        let result = (|| {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        self.connection.pragma_update(None, "synchronous", "NORMAL").map_err(&failed)?;
        result.map_err(failed)
    }
}

fn standing_stop(transaction: &Transaction<'_>) -> rusqlite::Result<Option<String>> {
    let on = NoteKind::LineStop.name();
    let newest = transaction
        .query_row(
            "SELECT kind, detail FROM notes WHERE kind IN (?1, ?2) ORDER BY id DESC LIMIT 1",
            (on, NoteKind::LineStopReset.name()),
            |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
        )
        .optional()?;
    Ok(newest.filter(|(kind, _)| kind == on).map(|(_, reason)| reason))
}

fn left_behind(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<LeftPart>> {
    let mut statement = transaction.prepare(
        "SELECT number, opened_at_ms, model, config FROM parts WHERE finished_at_ms IS NULL ORDER BY number",
    )?;
    let parts = statement.query_map([], |row| {
        Ok(LeftPart {
            number: PartNumber(unsigned(row.get(0)?)),
            opened_at_ms: row.get(1)?,
            by: JudgedBy { model: row.get(2)?, config: row.get(3)? },
        })
    })?;
    parts.collect()
}
