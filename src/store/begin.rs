//! How a run begins: the numbers of its parts and the line stop that stands, from whatever can still be read.
//!
//! Owns what becomes of a database that cannot be used at the start. Must not know queues or threads.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io::ErrorKind;
use std::path::Path;

use super::calendar::{Calendar, FLOOR_MS};
use super::files::set_aside;
use super::history::{JudgedBy, LeftPart};
use super::lock::{InUse, lock};
use super::reserve::{Found, Kept, Reserve};
use super::sqlite::{
    self, BLOCK, Beginning, Bounds, Database, Known, NO_DATABASE, Salvage, check_folder, salvage,
};
use super::{Fault, StoreError};
use crate::decide::StopReason;

/// A run that has begun.
pub(super) struct Begun {
    /// `None` where it could not be made, as the database.
    pub lock: Option<InUse>,
    pub database: Option<Database>,
    pub reserve: Reserve,
    /// The number of the first part.
    pub first: u64,
    /// The first number that is not reserved.
    pub reserved: u64,
    /// Nothing can be written, so the numbers are such as no other run gives.
    pub unrecorded: bool,
    pub stop: Option<StopReason>,
    pub left: Vec<LeftPart>,
    pub calendar: Calendar,
    /// Why there is no database.
    pub trouble: Option<StoreError>,
}

/// Begins a run in the database `file`; without it where it cannot be used now.
///
/// # Errors
/// As [`super::open`].
pub(super) fn begin(file: &Path, bounds: &Bounds, by: &JudgedBy, now_ms: i64) -> Result<Begun, StoreError> {
    check_folder(file)?;
    let lock = lock(file);
    let (reserve, found) = Reserve::open(file);
    if let Found::Damaged(why) = &found {
        log::warn!("store {}: its file .next cannot be read: {why}; it is made anew", file.display());
    }
    // Looked at before anything is tried, which may leave an empty file behind.
    let existed =
        fs::metadata(file).map_or_else(|error| error.kind() != ErrorKind::NotFound, |file| file.len() > 0);
    let start = Start { file, bounds, by, now_ms, found, existed };
    let (lock, opened) = match lock {
        Ok(lock) => (Some(lock), start.open()),
        Err(error) => (None, Err(error)),
    };
    let begun = match opened {
        Ok((database, beginning)) => start.with(lock, database, beginning, reserve),
        Err(error) if error.may_pass() => start.without(lock, error, reserve),
        Err(error) => return Err(error),
    };
    log::info!("store {}: the first part of this run is {}", file.display(), begun.first);
    Ok(begun)
}

struct Start<'a> {
    file: &'a Path,
    bounds: &'a Bounds,
    by: &'a JudgedBy,
    now_ms: i64,
    found: Found,
    /// Whether there was a database that is not empty.
    existed: bool,
}

impl Start<'_> {
    /// Opens the database and begins the run in it; one that is damaged is set aside, and a new one begun.
    fn open(&self) -> Result<(Database, Beginning), StoreError> {
        let error = match self.attempt(None) {
            Err(error) if self.is_damaged(&error) => error,
            Err(error) => return Err(self.named(error)),
            done => return done,
        };
        let saved = salvage(self.file);
        let Ok(aside) = set_aside(self.file, self.now_ms) else { return Err(error) };
        tell_set_aside(self.file, &error, &aside);
        self.attempt(Some(saved))
    }

    fn attempt(&self, saved: Option<Salvage>) -> Result<(Database, Beginning), StoreError> {
        let mut database = Database::open(self.file, self.bounds)?;
        database.settle()?;
        let known = match (database.is_new, saved) {
            // The database knows better than nothing.
            (false, _) if !matches!(self.found, Found::Kept(_)) => Known { next: 1, stop: None, died: false },
            (_, None) if self.found == Found::Nothing => Known { next: 1, stop: None, died: false },
            (_, saved) => self.known(saved.unwrap_or_default()),
        };
        if database.is_new && saved.is_none() && self.found != Found::Nothing {
            log::warn!(
                "store {}: the database of the run before is gone; a new one is begun, and numbers go on",
                self.file.display()
            );
        }
        let beginning = database.begin(self.by, self.now_ms, known)?;
        Ok((database, beginning))
    }

    /// Whether it is castgate's file, and cannot be used any more.
    fn is_damaged(&self, error: &StoreError) -> bool {
        is_damaged(error, self.found != Found::Nothing)
    }

    /// The error by its true name: SQLite does not say of every full disk that it is one.
    fn named(&self, error: StoreError) -> StoreError {
        let vague = matches!(&error, StoreError::Failed { fault: Fault::Unreachable | Fault::Disk, .. });
        match sqlite::probe(self.file) {
            Err(cause) if vague && cause.may_pass() => cause,
            _ => error,
        }
    }

    /// What is known without a database that can be used. What nothing tells is taken for the worst.
    fn known(&self, saved: Salvage) -> Known {
        match self.found {
            Found::Kept(kept) => Known {
                next: kept.next.max(saved.next.unwrap_or(1)),
                stop: kept.stop.or(saved.stop.flatten()),
                died: !kept.ended,
            },
            _ => Known {
                next: saved.next.unwrap_or_else(|| never_given(1, self.now_ms, random())),
                stop: saved.stop.unwrap_or(Some(StopReason::Unknown)),
                died: true,
            },
        }
    }

    fn with(&self, lock: Option<InUse>, database: Database, beginning: Beginning, reserve: Reserve) -> Begun {
        let Beginning { first, reserved, left, stop, doubtful, calendar } = beginning;
        if let Some((from, to)) = doubtful {
            log::warn!(
                "store {}: the run before did not end in order; the numbers {from} to {to} may have been given in the last moments",
                self.file.display()
            );
        }
        Begun {
            lock,
            database: Some(database),
            reserve,
            first,
            reserved,
            unrecorded: false,
            stop,
            left,
            calendar: Calendar { seen_ms: calendar.0, doubted_ms: calendar.1, at: None },
            trouble: None,
        }
    }

    /// Begins a run without the database.
    fn without(&self, lock: Option<InUse>, trouble: StoreError, mut reserve: Reserve) -> Begun {
        let Known { next, stop, .. } = if self.found == Found::Nothing && !self.existed {
            Known { next: 1, stop: None, died: false }
        } else {
            let told = matches!(self.found, Found::Kept(_));
            self.known(if told { Salvage::default() } else { salvage(self.file) })
        };
        let written = reserve.write(Kept { next: next.saturating_add(BLOCK), ended: false, stop });
        let first = if written.is_ok() { next } else { never_given(next, self.now_ms, random()) };
        log::error!("{trouble}; the line inspects without histories until that is over");
        if let Err(why) = &written {
            log::error!(
                "store: part numbers cannot be reserved either ({why}); so that none is given twice, those of this run begin at {first}"
            );
        }
        Begun {
            lock,
            database: None,
            reserve,
            first,
            reserved: first.saturating_add(BLOCK),
            unrecorded: written.is_err(),
            stop,
            left: Vec::new(),
            calendar: Calendar::default(),
            trouble: Some(trouble),
        }
    }
}

/// Whether the file is castgate's and cannot be used any more; `ours`: what stands beside it shows whose place it is.
pub(super) fn is_damaged(error: &StoreError, ours: bool) -> bool {
    match error {
        StoreError::Failed { fault: Fault::Damaged, .. } => true,
        StoreError::Foreign { what, .. } => what == NO_DATABASE && ours,
        _ => false,
    }
}

/// Tells that a database was set aside.
pub(super) fn tell_set_aside(file: &Path, error: &StoreError, aside: &Path) {
    let why = match error {
        StoreError::Failed { doing, cause, .. } => format!("cannot {doing}: {cause}"),
        StoreError::Foreign { what, .. } => format!("it {what} any more"),
        error => error.to_string(),
    };
    log::error!(
        "store {}: {why}; it is set aside as {}, which `castgate why N --store` may still read, and a new one is begun",
        file.display(),
        aside.display()
    );
}

/// Whether a store could be opened here, see [`super::check`].
pub(super) fn check(file: &Path) -> Result<String, StoreError> {
    let ours = super::reserve::look(file) != Found::Nothing;
    match sqlite::check(file) {
        Err(StoreError::Foreign { what, .. }) if ours && what == NO_DATABASE => Err(StoreError::Failed {
            file: file.to_owned(),
            doing: "read the database",
            cause: format!("it {what} any more"),
            fault: Fault::Damaged,
        }),
        told => told,
    }
}

/// A first number that no run has given, where nothing can be written: from the date, so that a later run begins higher; where the date
/// cannot be right, by chance out of so many that no two runs meet. Below 2^53, which every reader of JSON knows exactly.
fn never_given(known: u64, now_ms: i64, random: u64) -> u64 {
    const BY_CHANCE: u64 = 1 << 52;
    // A second's numbers are more than a line gives in a second.
    let dated = (now_ms.max(0).unsigned_abs() / 1000) << 20;
    if now_ms >= FLOOR_MS && (known..BY_CHANCE).contains(&dated) {
        return dated;
    }
    let from = known.max(BY_CHANCE);
    let room = (1u64 << 53).saturating_sub(from) / 2;
    from + random % room.max(1)
}

/// A number by chance.
fn random() -> u64 {
    // The keys of the standard library's hashes come from the system's random numbers.
    RandomState::new().hash_one(std::process::id())
}

#[cfg(test)]
mod tests;
