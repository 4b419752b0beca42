//! The calendar of a running store: told when it is not believed, and written down once in a while.

use super::StoreError;
use super::calendar::Calendar;
use super::sqlite::Database;
use crate::clock::WallClock;

/// Time between two notes of where the wall clock stands, in milliseconds: the card is to last.
const DATE_EVERY_MS: i64 = 600_000;

#[derive(Debug)]
pub(super) struct Dates {
    calendar: Calendar,
    /// Where the wall clock stood when it was last written down.
    kept: Option<i64>,
    /// It is not believed, which has been told.
    undated: bool,
}

impl Dates {
    pub(super) fn new(calendar: Calendar) -> Self {
        Self { calendar, kept: None, undated: false }
    }

    /// The moment that ages count from, see [`Calendar::believe`].
    pub(super) fn now(&mut self, wall: WallClock, keep_ms: i64) -> Option<i64> {
        let now = self.calendar.believe(wall, keep_ms);
        let was = std::mem::replace(&mut self.undated, now.is_none());
        let (date, hours) = (wall.rfc3339(wall.mono), keep_ms / 3_600_000);
        match (was, now.is_none()) {
            (false, true) => log::warn!(
                "store: the board's clock says {date}, which cannot be right or is a jump: no history is removed for its age until the clock is back or castgate has run for {hours} h"
            ),
            (true, false) => {
                log::info!("store: the board's clock says {date}: histories are removed for their age again")
            }
            _ => {}
        }
        now
    }

    /// Writes down where the clock stands, when that is due.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn keep(&mut self, database: &Database) -> Result<(), StoreError> {
        let Some(seen) = self.calendar.seen_ms else { return Ok(()) };
        if self.kept.is_none_or(|kept| seen < kept || seen >= kept.saturating_add(DATE_EVERY_MS)) {
            database.keep_calendar(seen, self.calendar.doubted_ms)?;
            self.kept = Some(seen);
        }
        Ok(())
    }
}
