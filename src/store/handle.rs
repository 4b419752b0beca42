//! The line's end of the store: hands entries over and never waits for them.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::history::{JudgedBy, LeftPart, NoteKind};
pub use super::sqlite::Reader;
use super::sqlite::{self, Bounds, Database};
use super::worker::{Entry, QUEUE, Question, Wish, Worker};
use super::writer::{Parts, Shared, Writer};
use super::{Health, Opened, StoreError};
use crate::clock::{Clock, Time};
use crate::config;
use crate::decide::{PartRecord, StopReason};
use crate::verdict::PartNumber;

/// Time that the thread has at the end for what is left: a slow card needs some, a hanging one must not keep the process.
const STOP_WITHIN: Duration = Duration::from_secs(3);
// For the question, for the answer, and for the thread's end.
const _: () = assert!(3 * STOP_WITHIN.as_millis() <= super::STOP_WITHIN.as_millis());

/// The line's end of the store. Dropping it writes what is left, within three seconds.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    entries: Option<Sender<Entry>>,
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
    ended: Receiver<()>,
}

/// A store whose thread has not been started.
pub(super) struct Ready {
    pub(super) store: Store,
    pub(super) worker: Worker,
    pub(super) first: PartNumber,
    pub(super) left: Vec<LeftPart>,
    pub(super) stop: Option<StopReason>,
    /// Dropped when the thread ends.
    end: Sender<()>,
}

/// Opens the file and begins a run in it.
pub(super) fn prepare(
    section: &config::Store,
    by: JudgedBy,
    clock: Arc<dyn Clock>,
) -> Result<Ready, StoreError> {
    let file = &section.path;
    let lock = sqlite::lock(file)?;
    let bounds = Bounds::of(section);
    let mut database = Database::open(file, &bounds)?;
    let beginning = database.begin(&by, clock.wall_ms())?;
    log::info!("store {}: the first part of this run is {}", file.display(), beginning.first);
    if let Some((from, to)) = beginning.doubtful {
        log::warn!(
            "store {}: the run before did not end in order; the numbers {from} to {to} may have been given in the last moments",
            file.display()
        );
    }
    let shared = Arc::new(Shared::new(beginning.first));
    let parts = Parts { database, file: file.clone(), bounds, by, reserved: beginning.reserved, lock };
    let (entries, to_worker) = bounded(QUEUE);
    let (questions, asked) = bounded(1);
    let worker = Worker::new(Writer::new(parts, clock, shared.clone()), to_worker, asked);
    let (end, ended) = bounded(0);
    let store = Store { shared, entries: Some(entries), questions: Some(questions), thread: None, ended };
    let stop = beginning.stop.as_deref().and_then(StopReason::named);
    Ok(Ready { store, worker, first: PartNumber(beginning.first), left: beginning.left, stop, end })
}

/// See [`super::open`].
pub(super) fn open(
    section: &config::Store,
    by: JudgedBy,
    clock: Arc<dyn Clock>,
) -> Result<Opened, StoreError> {
    let Ready { mut store, worker, first, left, stop, end } = prepare(section, by, clock)?;
    let thread = thread::Builder::new().name("store".to_owned()).spawn(move || {
        let _end = end;
        worker.run();
    });
    store.thread = Some(thread.map_err(|error| StoreError::Thread(error.to_string()))?);
    Ok(Opened { store, first, left, stop })
}

/// See [`super::check`].
pub(super) fn check(section: &config::Store) -> Result<String, StoreError> {
    sqlite::check(&section.path)
}

impl Store {
    /// A part was opened. Returns at once.
    pub fn opened(&self, part: PartNumber, at: Time) {
        self.shared.opened(part);
        self.put(Entry::Opened(part, at));
    }

    /// A part has left; this is its history. Returns at once.
    pub fn finished(&self, record: Arc<PartRecord>) {
        self.put(Entry::Finished(record));
    }

    /// Something happened to the line; `detail` says why, or which. Returns at once.
    pub fn noted(&self, kind: NoteKind, detail: &str, at: Time) {
        self.put(Entry::Noted(kind, detail.to_owned(), at));
    }

    /// Waits until everything that was handed over before is written, without waiting for the next attempt when the last one failed.
    /// Whether it is written. For tests and for the end, not for the line.
    pub fn flush(&self) -> bool {
        self.ask(Wish::Flush)
    }

    /// Writes what is left and notes that the run ended in order, so that the next start finds nothing amiss. `all_heard`: no event was
    /// lost on its way, so the numbers above the last one are known to be free. Whether it is written.
    pub fn end(&self, all_heard: bool) -> bool {
        self.ask(Wish::End(all_heard))
    }

    /// How the store does.
    pub fn health(&self) -> Health {
        self.shared.health(self.entries.as_ref().map_or(0, |entries| entries.len() as u64))
    }

    /// Lets go of the queues, as the end does.
    #[cfg(test)]
    pub(super) fn let_go(&mut self) {
        drop((self.entries.take(), self.questions.take()));
    }

    fn put(&self, entry: Entry) {
        let refused = match &self.entries {
            Some(entries) => entries.try_send(entry).err().map(|error| error.into_inner()),
            None => Some(entry),
        };
        if let Some(entry) = refused {
            self.shared.count_lost(&entry);
        }
    }

    fn ask(&self, wish: Wish) -> bool {
        let (answer, answered) = bounded(1);
        let Some(questions) = &self.questions else { return false };
        questions.send_timeout((wish, answer), STOP_WITHIN).is_ok()
            && answered.recv_timeout(STOP_WITHIN).unwrap_or(false)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop((self.entries.take(), self.questions.take()));
        let Some(thread) = self.thread.take() else { return };
        if self.ended.recv_timeout(STOP_WITHIN) == Err(RecvTimeoutError::Timeout) {
            log::error!(
                "store: the thread did not end in time and is left behind; the last histories may be lost"
            );
        } else if thread.join().is_err() {
            log::error!("store: the thread ended by a bug; the line was not affected");
        }
    }
}
