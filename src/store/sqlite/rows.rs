//! Writing groups of entries.

use rusqlite::TransactionBehavior;

use super::{Database, signed, untold};
use crate::clock::WallClock;
use crate::store::StoreError;
use crate::store::entry::Entry;
use crate::store::history::{History, JudgedBy, verdict_name};

/// A part may be opened before and finished after a group; an opening that was dropped costs nothing when the history comes.
const OPEN: &str = "INSERT INTO parts (number, opened_at_ms, config, model) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (number) DO NOTHING";
const FINISH: &str = "INSERT INTO parts
    (number, opened_at_ms, finished_at_ms, outcome, verdict, reason, config, model, history)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (number) DO UPDATE SET finished_at_ms = excluded.finished_at_ms, outcome = excluded.outcome,
    verdict = excluded.verdict, reason = excluded.reason, config = excluded.config, model = excluded.model,
    remark = NULL, history = excluded.history";
const NOTE: &str = "INSERT INTO notes (at_ms, kind, detail) VALUES (?1, ?2, ?3)";

impl Database {
    /// Writes a group in one transaction: all of it, or nothing.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(in crate::store) fn write(
        &mut self,
        group: &[Entry],
        by: &JudgedBy,
        wall: WallClock,
    ) -> Result<(), StoreError> {
        let failed = self.failed("write histories");
        let mut write = || {
            let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut open = transaction.prepare(OPEN)?;
                let mut finish = transaction.prepare(FINISH)?;
                let mut note = transaction.prepare(NOTE)?;
                let mut keep = transaction.prepare(untold::KEEP)?;
                let mut told = transaction.prepare(untold::TOLD)?;
                for entry in group {
                    match entry {
                        Entry::Opened(number, at) => {
                            open.execute((signed(number.0), wall.ms(*at), &by.config, &by.model))?
                        }
                        Entry::Finished(record) | Entry::Reported(record, ..) => {
                            if let Entry::Reported(_, message, _) = entry {
                                keep.execute((signed(record.number.0), message))?;
                            }
                            let history = History::new(record, &by.model, wall);
                            let left_at = record.states.last().map_or(record.decided_at, |(at, _)| *at);
                            finish.execute((
                                signed(record.number.0),
                                wall.ms(record.triggered_at),
                                wall.ms(left_at),
                                record.outcome.name(),
                                verdict_name(record.verdict),
                                record.verdict.reason().map(|reason| reason.name()),
                                &*record.config,
                                &by.model,
                                serde_json::to_string(&history)
                                    .expect("a history has text keys and plain values"),
                            ))?
                        }
                        Entry::Told(number) => told.execute([signed(number.0)])?,
                        Entry::Noted(kind, detail, at) => {
                            note.execute((wall.ms(*at), kind.name(), detail))?
                        }
                    };
                }
            }
            transaction.commit()
        };
        write().map_err(failed)
    }
}
