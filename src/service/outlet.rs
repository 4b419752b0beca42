//! A bounded queue before something that may stand still, such as a terminal or a pipe that nobody reads. Its own thread writes and
//! waits; whoever hands something over does not, and what there is no room for is lost, counted and told.
//!
//! Must not know what is written, or where to.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, bounded};

use crate::clock::{Clock, SystemClock, Time};

/// A drain with nothing to write is called so often.
const IDLE: Duration = Duration::from_secs(1);

/// Where things end up. All of it is called on the outlet's own thread and may take for ever.
pub trait Drain<T>: Send {
    /// Writes one thing.
    fn write(&mut self, item: T);
    /// So many things before the next one were lost.
    fn lost(&mut self, count: u64);
    /// There is nothing to write for the moment. `last`: perhaps for good, so what was put off is due now.
    fn idle(&mut self, last: bool) {
        let _ = last;
    }
}

/// How long somebody waits who does not wait for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// In all, while one thing after the other is written.
    pub all: Duration,
    /// For one thing, counted from when its writing began: longer means that nobody takes it.
    pub still: Duration,
}

enum Wish<T> {
    Write {
        item: T,
        /// How many were lost since the one before.
        lost: u64,
    },
    /// Dropped when everything before is written.
    Flush { _done: Sender<()> },
}

/// See the module. The thread ends when the outlet is dropped and everything is written; nobody waits for it.
#[derive(Debug)]
pub struct Outlet<T> {
    wishes: Sender<Wish<T>>,
    room: usize,
    lost: Arc<AtomicU64>,
    /// Since when the thread has been at one thing, in nanoseconds; 0 while it waits.
    since: Arc<AtomicU64>,
}

impl<T> Clone for Outlet<T> {
    fn clone(&self) -> Self {
        Self {
            wishes: self.wishes.clone(),
            room: self.room,
            lost: self.lost.clone(),
            since: self.since.clone(),
        }
    }
}

impl<T: Send + 'static> Outlet<T> {
    /// Starts the thread `name`, before which at most `room` things wait.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(name: &str, room: usize, mut drain: impl Drain<T> + 'static) -> io::Result<Self> {
        let (wishes, wished) = bounded(room);
        let (lost, since) = <(Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let shared = (lost.clone(), since.clone());
        let work = move || write_all(&wished, (&shared.0, &shared.1), &mut drain);
        Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { wishes, room, lost, since })
    }

    /// Hands something over and never waits. It is lost, and counted, unless more than `spare` places are free.
    pub fn offer(&self, item: T, spare: usize) -> bool {
        let fits = self.wishes.len() + spare < self.room;
        self.hand_over(item, |wish| fits && self.wishes.try_send(wish).is_ok())
    }

    /// Hands something over and waits for room, for ever or as long as `patience` says; then it is lost, and counted.
    pub fn put(&self, item: T, patience: Option<Patience>) -> bool {
        let until = patience.map(|patience| SystemClock.now() + patience.all);
        self.hand_over(item, |wish| self.send(wish, patience.zip(until)))
    }

    /// Waits until everything that was handed over before is written, for ever or as long as `patience` says. Whether it is.
    pub fn flush(&self, patience: Option<Patience>) -> bool {
        let limit = patience.map(|patience| (patience, SystemClock.now() + patience.all));
        let (done, answer) = bounded::<()>(0);
        if !self.send(Wish::Flush { _done: done }, limit) {
            return false;
        }
        let Some(limit) = limit else { return answer.recv().is_err() };
        loop {
            let span = self.span(limit);
            if answer.recv_timeout(span) == Err(RecvTimeoutError::Disconnected) {
                return true;
            }
            if span.is_zero() {
                return false;
            }
        }
    }

    fn send(&self, mut wish: Wish<T>, limit: Option<(Patience, Time)>) -> bool {
        let Some(limit) = limit else { return self.wishes.send(wish).is_ok() };
        loop {
            let span = self.span(limit);
            match self.wishes.send_timeout(wish, span) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) if !span.is_zero() => wish = back,
                Err(_) => return false,
            }
        }
    }

    /// How long to wait before looking again; nothing when there was enough waiting. A thread that the machine has not come to does not
    /// stand still.
    fn span(&self, (patience, until): (Patience, Time)) -> Duration {
        let now = SystemClock.now();
        let since = match self.since.load(Ordering::Relaxed) {
            0 => now,
            since => Time::from_nanos(since),
        };
        (until - now).min(since + patience.still - now)
    }

    fn hand_over(&self, item: T, send: impl FnOnce(Wish<T>) -> bool) -> bool {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let sent = send(Wish::Write { item, lost });
        if !sent {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
        sent
    }
}

fn write_all<T>(
    wishes: &Receiver<Wish<T>>,
    (lost, since): (&AtomicU64, &AtomicU64),
    drain: &mut impl Drain<T>,
) {
    loop {
        let wish = match wishes.recv_timeout(IDLE) {
            Ok(wish) => Some(wish),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        since.store(SystemClock.now().as_nanos(), Ordering::Relaxed);
        let step = || {
            let last = matches!(wish, Some(Wish::Flush { .. }));
            let idle = last || wish.is_none();
            // Held until the end of the step: a flush is answered when all is done.
            let mut _flush = None;
            match wish {
                Some(Wish::Write { item, lost }) => {
                    tell_lost(lost, drain);
                    drain.write(item);
                }
                other => _flush = other,
            }
            if wishes.is_empty() {
                // Losses that nothing came after.
                tell_lost(lost.swap(0, Ordering::Relaxed), drain);
            }
            if idle {
                drain.idle(last);
            }
        };
        // A panic in a drain, which the hook has logged, costs what it was writing and nothing that comes after.
        let _ = catch_unwind(AssertUnwindSafe(step));
        since.store(0, Ordering::Relaxed);
    }
}

fn tell_lost<T>(count: u64, drain: &mut impl Drain<T>) {
    if count > 0 {
        drain.lost(count);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use crossbeam_channel::unbounded;

    use super::*;

    /// Writes to a list, each thing only when it is let through.
    struct Sluice {
        begun: Sender<()>,
        let_through: Receiver<()>,
        written: Arc<Mutex<Vec<String>>>,
    }

    impl Drain<u32> for Sluice {
        fn write(&mut self, item: u32) {
            let _ = self.begun.send(());
            // Nobody lets anything through any more: as if it were for ever.
            if self.let_through.recv().is_err() {
                crossbeam_channel::never::<()>().recv().unwrap();
            }
            assert!(item != 13, "a thing that cannot be written");
            self.written.lock().unwrap().push(item.to_string());
        }

        fn lost(&mut self, count: u64) {
            self.written.lock().unwrap().push(format!("lost {count}"));
        }

        fn idle(&mut self, last: bool) {
            if last {
                self.written.lock().unwrap().push("rest".to_owned());
            }
        }
    }

    const SHORT: Patience = Patience { all: Duration::from_secs(60), still: Duration::from_millis(1) };

    struct Bench {
        outlet: Outlet<u32>,
        begun: Receiver<()>,
        pass: Sender<()>,
        written: Arc<Mutex<Vec<String>>>,
    }

    fn bench(room: usize) -> Bench {
        let (pass, let_through) = unbounded();
        let (begin, begun) = unbounded();
        let written = Arc::<Mutex<Vec<String>>>::default();
        let sluice = Sluice { begun: begin, let_through, written: written.clone() };
        Bench { outlet: Outlet::start("outlet", room, sluice).unwrap(), begun, pass, written }
    }

    impl Bench {
        /// Has the thread write `item` and stand still at it.
        fn stand_still_at(&self, item: u32) {
            assert!(self.outlet.offer(item, 0));
            self.begun.recv().unwrap();
        }

        fn let_through(&self, count: usize) {
            (0..count).for_each(|_| self.pass.send(()).unwrap());
        }

        fn written(&self) -> Vec<String> {
            self.written.lock().unwrap().drain(..).collect()
        }
    }

    #[test]
    fn nobody_waits_for_a_writer_that_stands_still_and_losses_are_told() {
        let bench = bench(4);
        bench.stand_still_at(0);
        let fitted = (100..120).filter(|item| bench.outlet.offer(*item, 0)).count();
        assert_eq!(fitted, 4);
        assert!(!bench.outlet.flush(Some(SHORT)), "not while it stands still");
        bench.let_through(5);
        assert!(bench.outlet.flush(None));
        assert_eq!(bench.written(), ["0", "100", "101", "102", "103", "lost 16", "rest"]);
        bench.let_through(1);
        assert!(bench.outlet.offer(7, 0) && bench.outlet.flush(None));
        assert_eq!(bench.written(), ["7", "rest"], "told once");
    }

    #[test]
    fn losses_are_told_in_their_place() {
        let bench = bench(3);
        bench.stand_still_at(0);
        let outlet = &bench.outlet;
        assert!(outlet.offer(1, 2) && !outlet.offer(2, 2), "places are kept free for what matters more");
        assert!(outlet.offer(3, 0) && outlet.offer(4, 0));
        assert!(!outlet.put(5, Some(SHORT)));
        bench.let_through(4);
        assert!(outlet.flush(None));
        assert_eq!(bench.written(), ["0", "1", "lost 1", "3", "4", "lost 1", "rest"]);
    }

    #[test]
    fn one_thing_that_cannot_be_written_is_one_thing() {
        let bench = bench(4);
        bench.let_through(2);
        assert!(bench.outlet.put(13, None) && bench.outlet.put(14, None) && bench.outlet.flush(None));
        assert_eq!(bench.written(), ["14", "rest"]);
    }

    #[test]
    fn a_writer_that_stands_still_for_ever_keeps_nobody() {
        let bench = bench(2);
        bench.stand_still_at(0);
        let Bench { outlet, pass, .. } = bench;
        drop(pass);
        assert_eq!((0..1000).filter(|item| outlet.offer(*item, 0)).count(), 2);
        assert!(!outlet.put(0, Some(SHORT)) && !outlet.flush(Some(SHORT)));
    }
}
