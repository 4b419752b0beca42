//! The line's end of the store: hands entries over and never waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, after, bounded, select};

use super::begin;
use super::entry::Entry;
use super::history::{JudgedBy, LeftPart, NoteKind};
use super::shared::Shared;
use super::sqlite::Bounds;
pub use super::sqlite::Reader;
use super::then::Then;
use super::worker::{QUEUE, Question, Wish, Worker};
use super::writer::Writer;
use super::{Health, Opened, StoreError};
use crate::clock::{Clock, Time};
use crate::config;
use crate::decide::{PartRecord, StopReason};
use crate::verdict::PartNumber;

/// Time that all wishes together may take, the end of the run included: a slow card needs some; a hanging one must not keep the process.
const WISHES_WITHIN: Duration = Duration::from_secs(5);
/// Time for a wish, and for the thread to end, when that is used up.
const LEAST: Duration = Duration::from_secs(1);
// The histories that are told of, the question, the answer, and the thread's end.
const _: () = assert!(
    2 * HAND_ON_WITHIN.as_millis() + WISHES_WITHIN.as_millis() + 3 * LEAST.as_millis()
        <= super::STOP_WITHIN.as_millis()
);

/// Half of the time that is left, at the end, for histories that somebody waits for to tell of them.
const HAND_ON_WITHIN: Duration = Duration::from_millis(400);

/// The line's end of the store. Dropping it writes what is left, within seconds.
pub struct Store {
    shared: Arc<Shared>,
    entries: Option<Sender<Entry>>,
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
    ended: Receiver<()>,
    clock: Arc<dyn Clock>,
    /// See [`WISHES_WITHIN`].
    pub(super) within: Duration,
    /// For how long wishes have been waited for, in milliseconds.
    waited_ms: AtomicU64,
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
    let file = section.path.clone();
    let bounds = Bounds::of(section);
    let mut begun = begin::begin(&file, &bounds, &by, clock.wall_ms())?;
    let (first, stop) = (PartNumber(begun.first), begun.stop);
    let left = std::mem::take(&mut begun.left);
    let shared = Arc::new(Shared::new(begun.first, stop));
    let (entries, to_worker) = bounded(QUEUE);
    let (questions, asked) = bounded(1);
    let writer = Writer::new(begun, file, bounds, by, clock.clone(), shared.clone());
    let worker = Worker::new(writer, to_worker, asked);
    let (end, ended) = bounded(0);
    let store = Store {
        shared,
        entries: Some(entries),
        questions: Some(questions),
        thread: None,
        ended,
        clock,
        within: WISHES_WITHIN,
        waited_ms: AtomicU64::new(0),
    };
    Ok(Ready { store, worker, first, left, stop, end })
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
    begin::check(&section.path)
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

    /// As [`Store::finished`]; the message about the part is kept with its history, and `then` is done when both are on the disk, or cannot
    /// come there now. The message is kept until [`Store::told`]. Returns at once.
    pub fn reported(&self, record: Arc<PartRecord>, message: String, then: Then) {
        self.put(Entry::Reported(record, message, then));
    }

    /// A broker has the message about this part, or nobody wants it any more. Returns at once.
    pub fn told(&self, part: PartNumber) {
        self.put(Entry::Told(part));
    }

    /// Something happened to the line; `detail` says why, or which. Returns at once.
    pub fn noted(&self, kind: NoteKind, detail: &str, at: Time) {
        self.shared.noted(kind, detail);
        self.put(Entry::Noted(kind, detail.to_owned(), at));
    }

    /// Waits until everything that was handed over before is written, without waiting for the next attempt when the last one failed, and
    /// for a few seconds at most with all other wishes. Whether it is written. For tests and for the end, not for the line.
    pub fn flush(&self) -> bool {
        self.ask(Wish::Flush)
    }

    /// Writes what was handed over before, so that what waits for it is told while there is still somebody to tell it. A disk that does not
    /// answer costs less than a second; then the next start tells it. Whether it is written.
    pub fn hand_on(&self) -> bool {
        let (answer, answered) = bounded(1);
        let Some(questions) = &self.questions else { return false };
        questions.send_timeout((Wish::Flush, answer), HAND_ON_WITHIN).is_ok()
            && answered.recv_timeout(HAND_ON_WITHIN).unwrap_or(false)
    }

    /// Writes what is left and notes that the run ended in order, so that the next start finds nothing amiss. `all_heard`: no event was
    /// lost on its way, so the numbers above the last one are known to be free. Whether it is written; takes a few seconds at most.
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
        let (begun, deadline) = (self.clock.now(), after(self.patience()));
        let asked = select! {
            send(questions, (wish, answer)) -> sent => sent.is_ok(),
            recv(deadline) -> _ => false,
        };
        let written = asked
            && select! {
                recv(answered) -> written => written.unwrap_or(false),
                recv(deadline) -> _ => false,
            };
        let waited = u64::try_from((self.clock.now() - begun).as_millis()).unwrap_or(u64::MAX);
        self.waited_ms.fetch_add(waited, Ordering::Relaxed);
        written
    }

    fn patience(&self) -> Duration {
        let waited = Duration::from_millis(self.waited_ms.load(Ordering::Relaxed));
        self.within.saturating_sub(waited).max(LEAST)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let queued = self.entries.as_ref().map_or(0, |entries| entries.len() as u64);
        drop((self.entries.take(), self.questions.take()));
        let Some(thread) = self.thread.take() else { return };
        if self.ended.recv_timeout(self.patience()) == Err(RecvTimeoutError::Timeout) {
            log::error!(
                "store: the disk does not answer in time, and the thread is left behind; entries that may be lost: {}",
                self.shared.health(queued).waiting
            );
        } else if thread.join().is_err() {
            log::error!("store: the thread ended by a bug; the line was not affected");
        }
    }
}
