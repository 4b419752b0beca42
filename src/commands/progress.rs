//! What the lab tells while it works, on standard error: notes, and one line that counts up, where a person sees it.

use std::io::{self, IsTerminal, Write as _};
use std::sync::{Mutex, PoisonError};

use super::exit;
use crate::clock::{Clock, SystemClock, Time};
use crate::lab::tell::Event;
use crate::service::logging;

/// The line: `120 of 715 pictures, 31 s left`.
struct Line {
    what: &'static str,
    all: u64,
    started: Time,
}

/// Shows what is told; one for each command.
pub(super) fn teller() -> impl Fn(Event<'_>) + Sync {
    let shown = io::stderr().is_terminal();
    let line = Mutex::new(None);
    move |event| match event {
        Event::Note(text) => exit::note(text),
        Event::Begin { what, all } => {
            let begun = Line { what, all, started: SystemClock.now() };
            *line.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        }
        Event::Done(done) if shown => {
            let line = line.lock().unwrap_or_else(PoisonError::into_inner);
            line.iter().for_each(|line| line.show(done));
        }
        Event::End { count, what, done } => {
            let clear = if shown { "\r\x1b[K" } else { "" };
            logging::say(&format!("{clear}{count} {what} {done}"));
        }
        // What only trainings tell is shown by theirs.
        _ => {}
    }
}

impl Line {
    fn show(&self, done: u64) {
        let Self { what, all, started } = *self;
        if done.is_multiple_of(16) || done == all {
            let seconds = SystemClock.now().seconds_since(started);
            let left = seconds / done as f64 * all.saturating_sub(done) as f64;
            logging::before_output();
            // A terminal that is gone is no reason to stop.
            let _ = write!(io::stderr(), "\r{done} of {all} {what}, {left:.0} s left   ");
        }
    }
}
