//! Stands in for the store in builds without the `store` feature, and says so.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use super::{Health, JudgedBy, NoteKind, Opened, StoreError, StoredNote, StoredPart, Then, Untold};
use crate::clock::{Clock, Time};
use crate::config;
use crate::decide::PartRecord;
use crate::verdict::PartNumber;

/// # Errors
/// Always: the store is not part of this build.
pub(super) fn open(_: &config::Store, _: JudgedBy, _: Arc<dyn Clock>) -> Result<Opened, StoreError> {
    Err(StoreError::NotBuilt)
}

/// # Errors
/// Always: the store is not part of this build.
pub(super) fn check(_: &config::Store) -> Result<String, StoreError> {
    Err(StoreError::NotBuilt)
}

/// The store, which nobody can have in this build.
#[derive(Debug)]
pub struct Store(Infallible);

/// The reading side, which nobody can have in this build.
#[derive(Debug)]
pub struct Reader(Infallible);

/// Methods that nobody can call.
macro_rules! never {
    ($($name:ident($($type:ty),*) $(-> $result:ty)?;)+) => {
        $(
            /// Cannot be called in this build.
            #[allow(clippy::unused_self)]
            pub fn $name(&self, $(_: $type),*) $(-> $result)? {
                match self.0 {}
            }
        )+
    };
}

impl Store {
    never! {
        opened(PartNumber, Time);
        finished(Arc<PartRecord>);
        reported(Arc<PartRecord>, String, Then);
        told(PartNumber);
        noted(NoteKind, &str, Time);
        flush() -> bool;
        hand_on() -> bool;
        end(bool) -> bool;
        health() -> Health;
    }
}

impl Reader {
    /// # Errors
    /// Always: the store is not part of this build.
    pub fn open(_: &Path) -> Result<Self, StoreError> {
        Err(StoreError::NotBuilt)
    }

    never! {
        part(u64) -> Result<Option<StoredPart>, StoreError>;
        latest(usize) -> Result<Vec<StoredPart>, StoreError>;
        last_reject() -> Result<Option<StoredPart>, StoreError>;
        parts_between(i64, i64) -> Result<Vec<StoredPart>, StoreError>;
        notes_between(i64, i64) -> Result<Vec<StoredNote>, StoreError>;
        standing_at(i64) -> Result<Vec<StoredNote>, StoreError>;
        untold() -> Result<Vec<Untold>, StoreError>;
        range() -> Result<Option<(u64, u64)>, StoreError>;
    }
}
