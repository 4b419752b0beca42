//! Writing, and what becomes of it when it fails: told once, tried again, and its end told with what it cost.
//!
//! Never waits by itself. Must not know SQL.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::history::JudgedBy;
use super::sqlite::{BLOCK, Bounds, Database, InUse};
use super::worker::{Entry, GROUP};
use super::{Fault, Health, StoreError};
use crate::clock::{Clock, Time, WallClock};
use crate::verdict::PartNumber;

/// The next block of numbers is reserved when so few are left.
const AHEAD: u64 = 500;
/// A write that takes longer is told.
const SLOW: Duration = Duration::from_secs(1);
/// The first wait after a failed write, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Time between two lines about a full queue.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What the line, the thread and anybody who asks know of the store. The line touches counters only.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The highest number of a part that was opened.
    highest: AtomicU64,
    held: AtomicU64,
    written: AtomicU64,
    dropped: AtomicU64,
    histories_lost: AtomicU64,
    failing: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl Shared {
    /// For a run whose first part is `first`.
    pub(super) fn new(first: u64) -> Self {
        Self { highest: AtomicU64::new(first.saturating_sub(1)), ..Self::default() }
    }

    pub(super) fn opened(&self, part: PartNumber) {
        self.highest.fetch_max(part.0, Ordering::Relaxed);
    }

    pub(super) fn count_lost(&self, entry: &Entry) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if matches!(entry, Entry::Finished(_)) {
            self.histories_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// `queued` entries have not reached the thread yet.
    pub(super) fn health(&self, queued: u64) -> Health {
        Health {
            waiting: queued + self.held.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            histories_lost: self.histories_lost.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A time in which nothing can be written.
struct Trouble {
    since: Time,
    /// Histories that had been lost before.
    lost_before: u64,
    attempts: u32,
}

/// Owns the file.
pub(super) struct Writer {
    /// `None` when it is to be opened again.
    pub(super) database: Option<Database>,
    file: PathBuf,
    bounds: Bounds,
    by: JudgedBy,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    group: Vec<Entry>,
    /// The first number that is not reserved.
    reserved: u64,
    trouble: Option<Trouble>,
    /// The file could not be trimmed, which has been told.
    untrimmed: bool,
    /// The last trimming made no progress: not again before its time.
    stuck: bool,
    drops_told: (u64, Option<Time>),
    /// Numbers were given that are not reserved, which has been told.
    overrun_told: bool,
    /// Held to the end.
    _lock: InUse,
}

/// What a writer is made of.
pub(super) struct Parts {
    pub database: Database,
    pub file: PathBuf,
    pub bounds: Bounds,
    pub by: JudgedBy,
    pub reserved: u64,
    pub lock: InUse,
}

impl Writer {
    pub(super) fn new(parts: Parts, clock: Arc<dyn Clock>, shared: Arc<Shared>) -> Self {
        Self {
            database: Some(parts.database),
            file: parts.file,
            bounds: parts.bounds,
            by: parts.by,
            clock,
            shared,
            group: Vec::with_capacity(GROUP),
            reserved: parts.reserved,
            trouble: None,
            untrimmed: false,
            stuck: false,
            drops_told: (0, None),
            overrun_told: false,
            _lock: parts.lock,
        }
    }

    /// Takes an entry into the group; whether it is the group's first.
    pub(super) fn take(&mut self, entry: Entry) -> bool {
        self.group.push(entry);
        self.shared.held.store(self.group.len() as u64, Ordering::Relaxed);
        self.group.len() == 1
    }

    pub(super) fn has_room(&self) -> bool {
        self.group.len() < GROUP
    }

    pub(super) fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    pub(super) fn is_failing(&self) -> bool {
        self.trouble.is_some()
    }

    /// Writes the group. It is kept when that fails, and the next attempt is due after the wait that is given.
    pub(super) fn write(&mut self) -> Result<(), Duration> {
        let begun = self.clock.now();
        let result = self.attempt();
        let now = self.clock.now();
        self.tell_drops(now);
        if let Err(error) = result {
            return Err(self.fail(error, now));
        }
        let entries = self.group.len();
        tell_slow("writing a group", now - begun);
        self.shared.written.fetch_add(entries as u64, Ordering::Relaxed);
        self.shared.held.store(0, Ordering::Relaxed);
        self.group.clear();
        if let Some(trouble) = self.trouble.take() {
            self.shared.failing.store(false, Ordering::Relaxed);
            log::info!(
                "store {}: writing again after {:.0} s; histories lost meanwhile: {}",
                self.file.display(),
                now.seconds_since(trouble.since),
                self.shared.histories_lost.load(Ordering::Relaxed) - trouble.lost_before
            );
        }
        Ok(())
    }

    fn attempt(&mut self) -> Result<(), StoreError> {
        if let Some(database) = &self.database {
            database.check_place()?;
        }
        let database = match &mut self.database {
            Some(database) => database,
            none => {
                let mut database = Database::open(&self.file, &self.bounds)?;
                // It may be a new file: the numbers of this run are not to be given again all the same.
                database.reserve(self.reserved)?;
                none.insert(database)
            }
        };
        let highest = self.shared.highest.load(Ordering::Relaxed);
        if highest.saturating_add(AHEAD) >= self.reserved {
            let next = self.reserved.max(highest.saturating_add(1)).saturating_add(BLOCK);
            database.reserve(next)?;
            self.reserved = next;
            self.overrun_told = false;
        }
        if self.group.is_empty() {
            return Ok(());
        }
        database.write(&self.group, &self.by, WallClock::read(self.clock.as_ref()))
    }

    fn fail(&mut self, error: StoreError, now: Time) -> Duration {
        // A full disk and a lock pass by themselves; for all else the file is opened again, which looks at it anew.
        if !matches!(error, StoreError::Failed { fault: Fault::Full | Fault::Locked, .. }) {
            self.database = None;
        }
        let lost_before = self.shared.histories_lost.load(Ordering::Relaxed);
        let trouble = self.trouble.get_or_insert(Trouble { since: now, lost_before, attempts: 0 });
        trouble.attempts = trouble.attempts.saturating_add(1);
        let wait = WAITS.0.saturating_mul(1 << (trouble.attempts - 1).min(8)).min(WAITS.1);
        let text = error.to_string();
        if trouble.attempts == 1 {
            log::error!("{text}; histories wait in memory, and the line goes on");
        } else {
            log::debug!("{text}; attempt {}, the next in {wait:.1?}", trouble.attempts);
        }
        let overrun = self.shared.highest.load(Ordering::Relaxed) >= self.reserved;
        if overrun && !std::mem::replace(&mut self.overrun_told, true) {
            log::error!(
                "store: part numbers from {} on cannot be reserved; a crash now would repeat them",
                self.reserved
            );
        }
        self.shared.failing.store(true, Ordering::Relaxed);
        *self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        wait
    }

    /// Whether the file should be trimmed before its time.
    pub(super) fn is_oversize(&self) -> bool {
        let size = |database: &Database| database.size().unwrap_or(0);
        !self.stuck && self.database.as_ref().is_some_and(|database| size(database) > self.bounds.max_bytes)
    }

    /// One step towards the bounds; whether the next one is due at once.
    pub(super) fn trim(&mut self) -> bool {
        self.tell_drops(self.clock.now());
        let (false, Some(database)) = (self.trouble.is_some(), &mut self.database) else { return false };
        let begun = self.clock.now();
        let trimmed = database.trim(&self.bounds, self.clock.wall_ms());
        tell_slow("removing old histories", self.clock.now() - begun);
        match trimmed {
            Ok(more) => {
                self.untrimmed = false;
                self.stuck = false;
                self.stuck = !more && self.is_oversize();
                more
            }
            Err(error) => {
                if !std::mem::replace(&mut self.untrimmed, true) {
                    log::warn!("{error}; trying again each minute");
                }
                self.stuck = true;
                false
            }
        }
    }

    /// Notes that the run ended in order; whether that is written.
    pub(super) fn end(&mut self, all_heard: bool) -> bool {
        let Some(database) = &mut self.database else { return false };
        let next = all_heard.then(|| self.shared.highest.load(Ordering::Relaxed).saturating_add(1));
        match database.end(next, self.clock.wall_ms()) {
            Ok(()) => true,
            Err(error) => {
                log::error!("{error}; the next start will take this run for one that died");
                false
            }
        }
    }

    /// Counts what could not be written, `rest` being what was not taken yet.
    pub(super) fn stop(&mut self, rest: impl Iterator<Item = Entry>) {
        let lost = self.group.drain(..).chain(rest).map(|entry| self.shared.count_lost(&entry)).count();
        self.shared.held.store(0, Ordering::Relaxed);
        match lost {
            0 => log::info!("store: stopped"),
            _ => log::error!("store: stopped; entries that could not be written and are lost: {lost}"),
        }
    }

    /// Tells that entries were dropped, once in a while.
    fn tell_drops(&mut self, now: Time) {
        let dropped = self.shared.dropped.load(Ordering::Relaxed);
        let (told, at) = self.drops_told;
        if dropped == told || at.is_some_and(|at| now - at < TELL_EVERY) {
            return;
        }
        self.drops_told = (dropped, Some(now));
        log::warn!(
            "store: the queue is full; {} entries were lost, {dropped} since the start",
            dropped - told
        );
    }
}

fn tell_slow(what: &str, took: Duration) {
    if took > SLOW {
        log::warn!("store: {what} took {:.1} s; the disk is slow", took.as_secs_f64());
    }
}
