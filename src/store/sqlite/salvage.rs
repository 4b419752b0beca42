//! What can still be read of a database that cannot be opened for writing: its numbers and the line stop that stands.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::reader::Reader;
use super::{meta, unsigned};
use crate::decide::StopReason;
use crate::store::history::NoteKind;

/// What was read; each is `None` where it cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::store) struct Salvage {
    /// The first number that no run can have given.
    pub next: Option<u64>,
    /// Whether a line stop stands, and why.
    pub stop: Option<Option<StopReason>>,
}

/// Reads what it can, and changes nothing.
pub(in crate::store) fn salvage(file: &Path) -> Salvage {
    let Ok(reader) = Reader::open(file) else { return Salvage::default() };
    let connection = reader.connection();
    let reserved = meta(connection, "reserved").ok().flatten().map(unsigned);
    // Behind the last part that was written there may have been others: only the reservation is known to cover them.
    let last = reader.range().ok().flatten().map_or(0, |(_, last)| last);
    let stop = standing_stop(connection).ok();
    Salvage { next: reserved.map(|reserved| reserved.max(last.saturating_add(1))), stop }
}

/// The line stop that the newest note about one leaves standing.
pub(super) fn standing_stop(connection: &Connection) -> rusqlite::Result<Option<StopReason>> {
    let on = NoteKind::LineStop.name();
    let newest = connection
        .query_row(
            "SELECT kind, detail FROM notes WHERE kind IN (?1, ?2) ORDER BY id DESC LIMIT 1",
            (on, NoteKind::LineStopReset.name()),
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )
        .optional()?;
    // A reason that this build does not know is a stop all the same.
    let named = |reason: String| StopReason::named(&reason).unwrap_or(StopReason::Unknown);
    Ok(newest.filter(|(kind, _)| kind == on).map(|(_, reason)| named(reason)))
}
