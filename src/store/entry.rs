//! What the line hands over to be kept.

use std::sync::Arc;

use super::history::NoteKind;
use super::then::Then;
use crate::clock::Time;
use crate::decide::PartRecord;
use crate::verdict::PartNumber;

/// Most entries in one transaction.
pub(super) const GROUP: usize = 512;

/// Something to be written.
#[derive(Debug)]
pub(super) enum Entry {
    /// A part was opened.
    Opened(PartNumber, Time),
    /// A part has left.
    Finished(Arc<PartRecord>),
    /// A part has left, and this message about it is to be told once that is written.
    Reported(Arc<PartRecord>, String, Then),
    /// A broker has the message about a part.
    Told(PartNumber),
    /// Something happened to the line.
    Noted(NoteKind, String, Time),
}
