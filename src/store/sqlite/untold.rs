//! Parts of which no broker has acknowledged the message: its text, or the number alone of a part that was left behind, whose message
//! follows from its row.

use rusqlite::OptionalExtension as _;

use super::{Reader, failed, signed, unsigned};
use crate::store::history::{JudgedBy, LeftPart};
use crate::store::{StoreError, Untold};
use crate::verdict::PartNumber;

/// Beside the schema: a castgate that does not know the table leaves it alone.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS untold (number INTEGER PRIMARY KEY, message TEXT)";
/// In the transaction that writes the part's history.
pub(super) const KEEP: &str = "INSERT OR REPLACE INTO untold (number, message) VALUES (?1, ?2)";
/// In the transaction that closes the parts that were left behind.
pub(super) const KEEP_LEFT: &str =
    "INSERT OR IGNORE INTO untold (number) SELECT number FROM parts WHERE finished_at_ms IS NULL";
/// The broker has it.
pub(super) const TOLD: &str = "DELETE FROM untold WHERE number = ?1";
/// More are never kept: the longest `mqtt.queue`.
const MOST: u32 = 100_000;

impl Reader {
    /// What no broker has acknowledged, in the order of the numbers.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn untold(&self) -> Result<Vec<Untold>, StoreError> {
        let failed = failed(self.file(), "read what was not told");
        let read = || {
            let exists = "SELECT 1 FROM sqlite_master WHERE name = 'untold'";
            if self.connection().query_row(exists, [], |_| Ok(())).optional()?.is_none() {
                return Ok(Vec::new());
            }
            let mut statement = self.connection().prepare(
                "SELECT untold.number, message, opened_at_ms, model, config FROM untold
                LEFT JOIN parts ON parts.number = untold.number ORDER BY untold.number LIMIT ?1",
            )?;
            let rows = statement.query_map([signed(MOST.into())], |row| {
                let number = PartNumber(unsigned(row.get(0)?));
                let left = match row.get::<_, Option<i64>>(2)? {
                    Some(opened_at_ms) => {
                        let by = JudgedBy { model: row.get(3)?, config: row.get(4)? };
                        Some(LeftPart { number, opened_at_ms, by })
                    }
                    None => None,
                };
                Ok(Untold { number, message: row.get(1)?, left })
            })?;
            rows.collect()
        };
        read().map_err(failed)
    }
}
