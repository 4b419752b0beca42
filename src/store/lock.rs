//! The mark that a database is in use: one castgate at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::files::{Identity, beside, identity};
use super::{Fault, StoreError};
use crate::regular;

/// The mark; held until it is dropped.
#[derive(Debug)]
pub(super) struct InUse {
    file: File,
    path: PathBuf,
    identity: Option<Identity>,
}

impl InUse {
    /// Whether the mark still stands where others look for it.
    pub(super) fn stands(&self) -> bool {
        self.identity.is_some() && identity(&self.path) == self.identity
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        // Said explicitly: a child process between its fork and its start has the file open, too, and would go on holding the lock.
        // What cannot be unlocked is unlocked when it is closed.
        let _ = self.file.unlock();
    }
}

/// Marks `database` as in use. The mark is a file of its own, because closing a second handle of the database would release SQLite's
/// locks.
///
/// # Errors
/// When somebody holds it, or the folder cannot be written.
pub(super) fn lock(database: &Path) -> Result<InUse, StoreError> {
    let path = beside(database, ".lock");
    let failed = |error: io::Error| StoreError::Failed {
        file: database.to_owned(),
        doing: "create the lock file beside it",
        fault: Fault::of(&error),
        cause: error.to_string(),
    };
    // What can only be read shows all the same whether somebody holds it.
    let (file, error) = match regular::open_to_write(&path) {
        Ok(file) => (file, None),
        Err(error) => match regular::open(&path) {
            Ok(file) => (file, Some(error)),
            Err(_) => return Err(failed(error)),
        },
    };
    match (file.try_lock(), error) {
        (Err(TryLockError::WouldBlock), _) => Err(StoreError::InUse { file: database.to_owned() }),
        (Err(TryLockError::Error(error)), _) | (Ok(()), Some(error)) => Err(failed(error)),
        (Ok(()), None) => Ok(InUse { file, identity: identity(&path), path }),
    }
}
