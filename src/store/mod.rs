//! The store: the history of every part, kept on this board, and the numbers that parts are given.
//!
//! ```text
//! line --opened, finished, noted--> bounded queue --> [store: groups, back-off, bounds] --> one SQLite file
//!          never waits                full = lost, counted                                     ^ read only: `castgate why`
//! ```
//! Owns what is kept and for how long. Must not know stages, messages or how a history is shown.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config;
use crate::decide::StopReason;
use crate::verdict::PartNumber;

#[cfg(feature = "store")]
mod begin;
#[cfg(feature = "store")]
mod calendar;
#[cfg(feature = "store")]
mod dates;
#[cfg(feature = "store")]
mod entry;
#[cfg(feature = "store")]
mod files;
#[cfg(feature = "store")]
mod handle;
#[cfg(not(feature = "store"))]
#[path = "store_off.rs"]
mod handle;
mod history;
#[cfg(feature = "store")]
mod lock;
#[cfg(feature = "store")]
mod reserve;
#[cfg(feature = "store")]
mod shared;
#[cfg(feature = "store")]
mod sqlite;
#[cfg(all(test, feature = "store"))]
mod tests;
mod then;
#[cfg(feature = "store")]
mod worker;
#[cfg(feature = "store")]
mod writer;

/// Most parts, or notes, that one question to the store is answered with.
pub const MOST_PARTS: usize = 10_000;
/// Time that the end of a store takes at most, asked for and dropped; the unit's `TimeoutStopSec` counts it.
pub const STOP_WITHIN: Duration = Duration::from_secs(9);

pub use handle::{Reader, Store};
pub use history::{
    History, JudgedBy, LeftPart, Moment, NoteKind, Stay, StoredNote, StoredPart, Untold, View, Window,
};
pub use then::Then;

/// What kind of fault kept the store from its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full.
    Full,
    /// Another program holds a lock on the file.
    Locked,
    /// The file or its folder may not be written.
    ReadOnly,
    /// The file's content is damaged.
    Damaged,
    /// The file or its folder cannot be opened.
    Unreachable,
    /// The disk gives errors.
    Disk,
    /// Anything else.
    Other,
}

impl Fault {
    /// What an error of the system means for a file that is to be made or written.
    #[cfg(feature = "store")]
    fn of(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;

        use rustix::io::Errno;

        match Errno::from_io_error(error) {
            Some(Errno::NOSPC | Errno::DQUOT) => Fault::Full,
            Some(Errno::ACCESS | Errno::PERM) => Fault::ReadOnly,
            // The kernel makes a disk that gives errors read-only.
            Some(Errno::IO | Errno::ROFS) => Fault::Disk,
            // An error with words of ours has no number any more.
            _ => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Fault::Full,
                ErrorKind::PermissionDenied => Fault::ReadOnly,
                ErrorKind::ReadOnlyFilesystem => Fault::Disk,
                _ => Fault::Unreachable,
            },
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Fault::Full => "make room on its disk",
            Fault::Locked => "end the other program that holds it",
            Fault::ReadOnly => "let the user that runs castgate write to the file and its folder",
            Fault::Damaged => {
                "move it and its -wal and -shm files away; `sqlite3 FILE .recover` may still read what was in it"
            }
            Fault::Unreachable => "see that its folder exists and may be used by the user that runs castgate",
            Fault::Disk => "look at the disk: the kernel's log says more",
            Fault::Other => "see that nothing but castgate changes the file",
        }
    }
}

/// The store cannot be opened, written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Left out of this build.
    #[error(
        "this build has no `store` feature; set store.enabled to false, or build castgate with its default features"
    )]
    NotBuilt,
    /// The folder of the file.
    #[error("store {}: its folder {what}; create it for the user that runs castgate, or change store.path", .file.display())]
    Folder {
        /// The database.
        file: PathBuf,
        /// What is wrong with its folder.
        what: String,
    },
    /// There is nothing to read.
    #[error("store {}: there is no such file; see store.path and store.enabled, or name another one", .file.display())]
    Missing {
        /// The database.
        file: PathBuf,
    },
    /// The file is something else.
    #[error("store {}: it {what}; move it away, or change store.path", .file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What it is.
        what: String,
    },
    /// A newer castgate wrote it.
    #[error(
        "store {}: a newer castgate wrote it (schema {found}, this one knows up to {known}); run that version, or change store.path",
        .file.display()
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this build knows.
        known: i64,
    },
    /// Another process writes to it.
    #[error("store {}: another castgate is using it; end that one, or change store.path", .file.display())]
    InUse {
        /// The database.
        file: PathBuf,
    },
    /// Something that was tried failed.
    #[error("store {}: cannot {doing}: {cause}; {}", .file.display(), .fault.remedy())]
    Failed {
        /// The database.
        file: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why it failed, in the words of the database or the system.
        cause: String,
        /// What kind of fault it is.
        fault: Fault,
    },
    /// The system gave no thread.
    #[error("cannot start the store thread: {0}")]
    Thread(String),
}

impl StoreError {
    /// Whether it is the disk's fault or passes by itself, and not one of the configuration: the line inspects on without a store, which
    /// is tried again and again.
    pub fn may_pass(&self) -> bool {
        matches!(self, StoreError::Failed { fault, .. } if !matches!(fault, Fault::ReadOnly | Fault::Unreachable))
    }
}

/// How the store does. Entries are openings, histories, notes and what a broker has acknowledged: each is `waiting`, `written` or `dropped`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// Entries that wait to be written.
    pub waiting: u64,
    /// Entries written since the start.
    pub written: u64,
    /// Entries lost since the start: the queue was full, or the file could not be written until the end.
    pub dropped: u64,
    /// Of these, the histories of parts.
    pub histories_lost: u64,
    /// Whether the last attempt to write failed.
    pub failing: bool,
    /// The last error, also when it is over.
    pub last_error: Option<String>,
}

/// A store that was opened, and what its file told.
pub struct Opened {
    /// Takes what happens on the line.
    pub store: Store,
    /// The number of this run's first part: given to no other part on this board.
    pub first: PartNumber,
    /// The parts that were on the line when the process died, in the order of their numbers; none after a run that ended in order.
    pub left: Vec<LeftPart>,
    /// The line stop that nobody had reset when the run before ended; [`StopReason::Unknown`] where that cannot be read.
    pub stop: Option<StopReason>,
}

/// Opens the database of the section, creates it where it is missing, and starts the thread that writes. `by` is noted with every part
/// that is opened. The section's `enabled` is the caller's business. A damaged database is set aside, and where the disk cannot be used
/// now ([`StoreError::may_pass`]) it is opened later.
///
/// # Errors
/// When the folder is missing, the file may not be written, is something else, in use or of a newer castgate, or when this build has
/// no store.
pub fn open(section: &config::Store, by: JudgedBy, clock: Arc<dyn Clock>) -> Result<Opened, StoreError> {
    handle::open(section, by, clock)
}

/// Whether [`open`] would succeed with a database at once, without creating or changing anything that stays; also while another castgate
/// is using the file. Returns what is there, in words.
///
/// # Errors
/// As [`open`], and with what would let it open the database later ([`StoreError::may_pass`]).
pub fn check(section: &config::Store) -> Result<String, StoreError> {
    handle::check(section)
}
