//! The numbers of parts, which never repeat on one board, and the parts that a run left behind.
//!
//! Numbers are reserved in blocks, and a reservation is on the disk before the first number of its block is used. After a crash the next
//! run begins behind the block.

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior};

use super::salvage::standing_stop;
use super::{Database, meta, set_meta, signed, unsigned, untold};
use crate::decide::{Outcome, StopReason};
use crate::store::StoreError;
use crate::store::calendar::FLOOR_MS;
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
    /// The line stop that stood when the run before ended.
    pub stop: Option<StopReason>,
    /// Numbers that the run before may have given to parts of which nothing was written: from, to and with. `None` when it ended in order.
    pub doubtful: Option<(u64, u64)>,
    /// Where the wall clock stood when something was last written, in milliseconds since 1970, and for how long it had been doubted then.
    pub calendar: (Option<i64>, i64),
}

/// What is known from elsewhere when a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Known {
    /// A number above all that were given, as far as that is known.
    pub next: u64,
    /// The line stop that stands.
    pub stop: Option<StopReason>,
    /// Whether the run before did not end in order.
    pub died: bool,
}

impl Database {
    /// Begins a run: finds what the run before left behind, and reserves the first block of numbers.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(in crate::store) fn begin(
        &mut self,
        by: &JudgedBy,
        now_ms: i64,
        known: Known,
    ) -> Result<Beginning, StoreError> {
        self.durably("reserve part numbers", |transaction| {
            let reserved = unsigned(meta(transaction, "reserved")?.unwrap_or(1)).max(1);
            let last: Option<i64> =
                transaction.query_row("SELECT max(number) FROM parts", [], |row| row.get(0))?;
            let after_last = unsigned(last.unwrap_or(0)).saturating_add(1);
            let died = known.died || meta(transaction, "ended")? == Some(0);
            let calendar = calendar(transaction)?;
            let left = left_behind(transaction)?;
            transaction.execute(untold::KEEP_LEFT, [])?;
            transaction.execute(
                "UPDATE parts SET finished_at_ms = ?1, outcome = ?2, remark = ?3 WHERE finished_at_ms IS NULL",
                (now_ms, Outcome::UnresolvedAtStop.name(), LEFT),
            )?;
            let first = reserved.max(after_last).max(known.next);
            let next = first.saturating_add(BLOCK);
            set_meta(transaction, "reserved", signed(next))?;
            set_meta(transaction, "ended", 0)?;
            // In doubt the line stands: either of the two may be what could not be written.
            let stop = standing_stop(transaction)?.or(known.stop);
            started(transaction, by, now_ms)?;
            agree(transaction, stop, now_ms)?;
            let doubtful = (died && after_last < first).then(|| (after_last, first - 1));
            Ok(Beginning { first, reserved: next, left, stop, doubtful, calendar })
        })
    }

    /// Goes on with a run that began without this file. What an earlier run left open in it is left for the next start to find.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub(in crate::store) fn join(
        &mut self,
        by: &JudgedBy,
        now_ms: i64,
        reserved: u64,
        stop: Option<StopReason>,
    ) -> Result<(), StoreError> {
        self.durably("go on with the run", |transaction| {
            let before = meta(transaction, "reserved")?.unwrap_or(1);
            set_meta(transaction, "reserved", before.max(signed(reserved)))?;
            set_meta(transaction, "ended", 0)?;
            started(transaction, by, now_ms)?;
            agree(transaction, stop, now_ms)
        })
    }

    /// Reserves the numbers below `reserved`.
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

    /// Ends a run in order: every part from `first` on has left, so one that is still open has lost its history. `next` is the number that
    /// the next run begins with, where it is known for certain; else the reserved block is left unused.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::store) fn end(
        &mut self,
        first: u64,
        next: Option<u64>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.durably("end the run", |transaction| {
            transaction.execute(
                "UPDATE parts SET finished_at_ms = ?1, remark = ?2 WHERE finished_at_ms IS NULL AND number >= ?3",
                (now_ms, LOST, signed(first)),
            )?;
            if let Some(next) = next {
                set_meta(transaction, "reserved", signed(next))?;
            }
            set_meta(transaction, "ended", 1)
        })
    }

    /// Keeps where the wall clock stands, and for how long it has been doubted; see [`crate::store::calendar`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::store) fn keep_calendar(&self, seen_ms: i64, doubted_ms: i64) -> Result<(), StoreError> {
        let keep = || {
            set_meta(&self.connection, "seen_ms", seen_ms)?;
            set_meta(&self.connection, "doubted_ms", doubted_ms)
        };
        keep().map_err(self.failed("keep the date"))
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

fn note(transaction: &Transaction<'_>, now_ms: i64, kind: NoteKind, detail: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO notes (at_ms, kind, detail) VALUES (?1, ?2, ?3)";
    transaction.execute(sql, (now_ms, kind.name(), detail)).map(drop)
}

fn started(transaction: &Transaction<'_>, by: &JudgedBy, now_ms: i64) -> rusqlite::Result<()> {
    let detail = format!("configuration {}, model {}", by.config, by.model);
    note(transaction, now_ms, NoteKind::Started, &detail)
}

/// Notes the line stop, or its reset, where the file says otherwise.
fn agree(transaction: &Transaction<'_>, stop: Option<StopReason>, now_ms: i64) -> rusqlite::Result<()> {
    match (stop, standing_stop(transaction)?) {
        (Some(reason), None) => note(transaction, now_ms, NoteKind::LineStop, reason.name()),
        (None, Some(_)) => note(transaction, now_ms, NoteKind::LineStopReset, ""),
        _ => Ok(()),
    }
}

/// Where the wall clock stood last: a file that does not say has it from its newest part.
fn calendar(transaction: &Transaction<'_>) -> rusqlite::Result<(Option<i64>, i64)> {
    let newest =
        "SELECT finished_at_ms FROM parts WHERE finished_at_ms NOT NULL ORDER BY number DESC LIMIT 1";
    let seen = match meta(transaction, "seen_ms")? {
        Some(seen) => Some(seen),
        None => transaction.query_row(newest, [], |row| row.get(0)).optional()?,
    };
    Ok((seen.filter(|seen| *seen >= FLOOR_MS), meta(transaction, "doubted_ms")?.unwrap_or(0)))
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
