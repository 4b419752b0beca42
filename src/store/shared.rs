//! What the line, the store's thread and anybody who asks know of the store. The line touches counters only.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Health;
use super::entry::Entry;
use super::history::NoteKind;
use crate::decide::StopReason;
use crate::verdict::PartNumber;

#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The highest number of a part that was opened.
    highest: AtomicU64,
    /// The line stop that stands: 0 for none, else its place in [`StopReason::ALL`] and one. Kept beside the queue, because the note of a
    /// stop that finds the queue full must not end the stop at the next start.
    stop: AtomicU8,
    pub(super) held: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) dropped: AtomicU64,
    histories_lost: AtomicU64,
    pub(super) failing: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl Shared {
    /// For a run whose first part is `first`, and before which the line stood for `stop`.
    pub(super) fn new(first: u64, stop: Option<StopReason>) -> Self {
        let shared = Self { highest: AtomicU64::new(first.saturating_sub(1)), ..Self::default() };
        shared.set_stop(stop);
        shared
    }

    pub(super) fn opened(&self, part: PartNumber) {
        self.highest.fetch_max(part.0, Ordering::Relaxed);
    }

    pub(super) fn highest(&self) -> u64 {
        self.highest.load(Ordering::Relaxed)
    }

    pub(super) fn noted(&self, kind: NoteKind, detail: &str) {
        match kind {
            NoteKind::LineStop => {
                self.set_stop(Some(StopReason::named(detail).unwrap_or(StopReason::Unknown)))
            }
            NoteKind::LineStopReset => self.set_stop(None),
            _ => {}
        }
    }

    fn set_stop(&self, stop: Option<StopReason>) {
        let place = stop.and_then(|stop| StopReason::ALL.iter().position(|reason| *reason == stop));
        self.stop.store(place.map_or(0, |place| place as u8 + 1), Ordering::Relaxed);
    }

    pub(super) fn stop(&self) -> Option<StopReason> {
        let place = usize::from(self.stop.load(Ordering::Relaxed));
        place.checked_sub(1).and_then(|place| StopReason::ALL.get(place).copied())
    }

    pub(super) fn count_lost(&self, entry: &Entry) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if matches!(entry, Entry::Finished(_) | Entry::Reported(..)) {
            self.histories_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn histories_lost(&self) -> u64 {
        self.histories_lost.load(Ordering::Relaxed)
    }

    /// The last attempt failed for this reason.
    pub(super) fn fail(&self, text: String) {
        self.failing.store(true, Ordering::Relaxed);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// `queued` entries have not reached the thread yet.
    pub(super) fn health(&self, queued: u64) -> Health {
        Health {
            waiting: queued + self.held.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            histories_lost: self.histories_lost(),
            failing: self.failing.load(Ordering::Relaxed),
            last_error: self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}
