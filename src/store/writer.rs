//! Writing, and what becomes of it when it fails: told once, tried again, and its end told with what it cost.
//!
//! Never waits by itself. Must not know SQL.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::begin::{Begun, is_damaged, tell_set_aside};
use super::dates::Dates;
use super::entry::{Entry, GROUP};
use super::files::{Identity, set_aside};
use super::history::JudgedBy;
use super::lock::{InUse, lock};
use super::reserve::{Kept, Reserve};
use super::shared::Shared;
use super::sqlite::{BLOCK, Bounds, Database, Place};
use super::{Fault, StoreError};
use crate::clock::{Clock, Time, WallClock};

/// The next block of numbers is reserved when so few are left.
const AHEAD: u64 = 500;
/// A write that takes longer is told.
const SLOW: Duration = Duration::from_secs(1);
/// The first wait after a failed write, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// Time between two lines about a full queue.
const TELL_EVERY: Duration = Duration::from_secs(60);

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
    /// The file that knows of this run.
    begun_in: Option<Identity>,
    file: PathBuf,
    bounds: Bounds,
    by: JudgedBy,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    group: Vec<Entry>,
    /// The group holds something that is to be written soon.
    due: bool,
    /// The number of this run's first part.
    first: u64,
    /// The first number that is not reserved, and the first that the database does not know to be.
    reserved: u64,
    reserved_in_database: u64,
    reserve: Reserve,
    /// The reserve cannot be written, which has been told.
    unreserved: bool,
    dates: Dates,
    trouble: Option<Trouble>,
    /// The file could not be trimmed, which has been told.
    untrimmed: bool,
    /// The last trimming made no progress: not again before its time.
    stuck: bool,
    drops_told: (u64, Option<Time>),
    /// Numbers were given that are not reserved, which has been told or does not matter.
    overrun_told: bool,
    /// The run has ended in order, and what is kept says so.
    ended: bool,
    /// Held to the end.
    lock: Option<InUse>,
}

impl Writer {
    pub(super) fn new(
        begun: Begun,
        file: PathBuf,
        bounds: Bounds,
        by: JudgedBy,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
    ) -> Self {
        let trouble = begun.trouble.map(|error| {
            shared.fail(error.to_string());
            Trouble { since: clock.now(), lost_before: 0, attempts: 1 }
        });
        let mut writer = Self {
            begun_in: begun.database.as_ref().map(Database::identity),
            reserved_in_database: if begun.database.is_some() { begun.reserved } else { 0 },
            database: begun.database,
            file,
            bounds,
            by,
            clock,
            shared,
            group: Vec::with_capacity(GROUP),
            due: false,
            first: begun.first,
            reserved: begun.reserved,
            reserve: begun.reserve,
            unreserved: begun.unrecorded,
            dates: Dates::new(begun.calendar),
            trouble,
            untrimmed: false,
            stuck: false,
            drops_told: (0, None),
            overrun_told: begun.unrecorded,
            ended: false,
            lock: begun.lock,
        };
        writer.secure();
        writer
    }

    /// Takes an entry into the group; whether it is the first that does not wait for others. That a broker has a message can wait: it spares
    /// the card a write for each part.
    pub(super) fn take(&mut self, entry: Entry) -> bool {
        let first = !self.due && !matches!(entry, Entry::Told(_));
        self.due |= first;
        self.group.push(entry);
        self.shared.held.store(self.group.len() as u64, Ordering::Relaxed);
        first
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
        self.due = false;
        if let Some(trouble) = self.trouble.take() {
            self.shared.failing.store(false, Ordering::Relaxed);
            log::info!(
                "store {}: writing again after {:.0} s; histories lost meanwhile: {}",
                self.file.display(),
                now.seconds_since(trouble.since),
                self.shared.histories_lost() - trouble.lost_before
            );
        }
        Ok(())
    }

    fn attempt(&mut self) -> Result<(), StoreError> {
        self.secure();
        self.look()?;
        let database = match &mut self.database {
            Some(database) => database,
            none => {
                if self.lock.is_none() {
                    self.lock = Some(lock(&self.file)?);
                }
                let mut database = Database::open(&self.file, &self.bounds)?;
                // It may be a new file, or one that was not there at the start: it is to know of this run all the same.
                if database.is_new || self.begun_in != Some(database.identity()) {
                    let (now, stop) = (self.clock.wall_ms(), self.shared.stop());
                    database.join(&self.by, now, self.reserved, stop)?;
                    self.begun_in = Some(database.identity());
                    self.reserved_in_database = self.reserved;
                }
                none.insert(database)
            }
        };
        let next = next_reserved(&self.shared, self.reserved);
        if next > self.reserved_in_database {
            database.reserve(next)?;
            (self.reserved, self.reserved_in_database, self.overrun_told) = (next, next, false);
        }
        if self.group.is_empty() {
            return Ok(());
        }
        database.write(&self.group, &self.by, WallClock::read(self.clock.as_ref()))
    }

    /// Keeps the numbers reserved and the standing line stop on the disk, whatever becomes of the database.
    pub(super) fn secure(&mut self) {
        if self.ended {
            return;
        }
        let next = next_reserved(&self.shared, self.reserved);
        match self.reserve.write(Kept { next, ended: false, stop: self.shared.stop() }) {
            Ok(()) => {
                (self.reserved, self.overrun_told) = (next, false);
                if std::mem::take(&mut self.unreserved) {
                    log::info!("store: part numbers and line stops are kept beside the database again");
                }
            }
            Err(why) => {
                if !std::mem::replace(&mut self.unreserved, true) {
                    log::error!(
                        "store: cannot keep part numbers and line stops beside the database: {why}; look at the disk"
                    );
                }
            }
        }
    }

    /// Looks once in a while whether all files are in their place, also while nothing is to be written. How long to wait before the next
    /// attempt where they are not.
    pub(super) fn watch(&mut self) -> Option<Duration> {
        self.secure();
        if self.lock.as_ref().is_some_and(|lock| !lock.stands()) {
            match lock(&self.file) {
                Ok(lock) => self.lock = Some(lock),
                Err(error) => {
                    self.lock = None;
                    return Some(self.fail(error, self.clock.now()));
                }
            }
        }
        if self.is_failing() {
            return None;
        }
        self.look().err().map(|error| self.fail(error, self.clock.now()))
    }

    /// Looks whether the files are still those that were opened, and saves what is in a journal that was deleted.
    fn look(&mut self) -> Result<(), StoreError> {
        let Some(database) = &mut self.database else { return Ok(()) };
        if database.place()? == Place::Whole {
            return Ok(());
        }
        if !database.settle()? {
            let cause = "its journal was deleted while another program reads from it".to_owned();
            let (file, doing, fault) = (self.file.clone(), "save what is in it", Fault::Locked);
            return Err(StoreError::Failed { file, doing, cause, fault });
        }
        self.database = None;
        log::error!(
            "store {}: its -wal or -shm was deleted or replaced while castgate was using it; what was in it is saved, and a new one is begun",
            self.file.display()
        );
        Ok(())
    }

    fn fail(&mut self, error: StoreError, now: Time) -> Duration {
        // A full disk and a lock pass by themselves; for all else the file is opened again, which looks at it anew.
        if !matches!(error, StoreError::Failed { fault: Fault::Full | Fault::Locked, .. }) {
            self.database = None;
        }
        let aside =
            is_damaged(&error, true).then(|| set_aside(&self.file, self.clock.wall_ms()).ok()).flatten();
        let lost_before = self.shared.histories_lost();
        let trouble = self.trouble.get_or_insert(Trouble { since: now, lost_before, attempts: 0 });
        trouble.attempts = trouble.attempts.saturating_add(1);
        let wait = WAITS.0.saturating_mul(1 << (trouble.attempts - 1).min(8)).min(WAITS.1);
        // What is to be told does not wait for a disk.
        for entry in &mut self.group {
            if let Entry::Reported(_, _, then) = entry {
                then.act();
            }
        }
        let text = error.to_string();
        match aside {
            Some(aside) => tell_set_aside(&self.file, &error, &aside),
            None if trouble.attempts == 1 => {
                log::error!("{text}; histories wait in memory, and the line goes on");
            }
            None => log::debug!("{text}; attempt {}, the next in {wait:.1?}", trouble.attempts),
        }
        let overrun = self.shared.highest() >= self.reserved;
        if overrun && !std::mem::replace(&mut self.overrun_told, true) {
            log::error!(
                "store: part numbers from {} on cannot be reserved; a crash now would repeat them",
                self.reserved
            );
        }
        self.shared.fail(text);
        wait
    }

    /// Whether the file should be trimmed before its time.
    pub(super) fn is_oversize(&self) -> bool {
        let size = |database: &Database| database.size().unwrap_or(0);
        !self.stuck && self.database.as_ref().is_some_and(|database| size(database) > self.bounds.max_bytes)
    }

    /// One step towards the bounds, and a look at some histories; whether the next one is due at once.
    pub(super) fn trim(&mut self) -> bool {
        let begun = self.clock.now();
        self.tell_drops(begun);
        let (false, Some(database)) = (self.trouble.is_some(), &mut self.database) else { return false };
        let now = self.dates.now(WallClock::read(self.clock.as_ref()), self.bounds.keep_ms);
        let kept = self.dates.keep(database);
        let trimmed = kept.and_then(|()| database.trim(&self.bounds, now));
        let trimmed = trimmed.and_then(|more| database.scan().map(|()| more));
        let now = self.clock.now();
        tell_slow("removing old histories", now - begun);
        match trimmed {
            Ok(more) => {
                self.untrimmed = false;
                self.stuck = false;
                self.stuck = !more && self.is_oversize();
                more
            }
            Err(error @ StoreError::Failed { fault: Fault::Damaged, .. }) => {
                self.fail(error, now);
                false
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
        let next = all_heard.then(|| self.shared.highest().saturating_add(1));
        if let Err(error) = database.end(self.first, next, self.clock.wall_ms()) {
            log::error!("{error}; the next start will take this run for one that died");
            return false;
        }
        self.ended = true;
        let kept = Kept { next: next.unwrap_or(self.reserved), ended: true, stop: self.shared.stop() };
        if let Err(why) = self.reserve.write(kept) {
            log::warn!("store: cannot give unused part numbers back: {why}; the next start leaves some out");
        }
        true
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

/// The first number that is not to be reserved yet: the next block is due well before the present one is used up.
fn next_reserved(shared: &Shared, reserved: u64) -> u64 {
    let highest = shared.highest();
    if highest.saturating_add(AHEAD) < reserved {
        return reserved;
    }
    reserved.max(highest.saturating_add(1)).saturating_add(BLOCK)
}

fn tell_slow(what: &str, took: Duration) {
    if took > SLOW {
        log::warn!("store: {what} took {:.1} s; the disk is slow", took.as_secs_f64());
    }
}
