//! One line on standard error that counts up, where a person sees it.

use std::io::{self, IsTerminal, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::{Clock, SystemClock, Time};
use crate::service::logging;

/// The line: `120 of 715 pictures, 31 s left`. Several threads may count.
pub(super) struct Progress {
    what: &'static str,
    done: AtomicU64,
    all: u64,
    shown: bool,
    started: Time,
}

impl Progress {
    /// Counts up to `all` things called `what`, starting now.
    pub(super) fn new(all: u64, what: &'static str) -> Self {
        let shown = io::stderr().is_terminal();
        Self { what, done: AtomicU64::new(0), all, shown, started: SystemClock.now() }
    }

    /// One more is done.
    pub(super) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.shown && (done.is_multiple_of(16) || done == self.all) {
            let seconds = SystemClock.now().seconds_since(self.started);
            let left = seconds / done as f64 * self.all.saturating_sub(done) as f64;
            logging::before_output();
            // A terminal that is gone is no reason to stop.
            let _ = write!(io::stderr(), "\r{done} of {} {}, {left:.0} s left   ", self.all, self.what);
        }
    }

    /// Takes the line away and says in its place what was done, such as `drawn`.
    pub(super) fn end(&self, done: &str) {
        let clear = if self.shown { "\r\x1b[K" } else { "" };
        let count = self.done.load(Ordering::Relaxed);
        logging::say(&format!("{clear}{count} {} {done}", self.what));
    }
}
