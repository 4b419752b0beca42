//! How the work of a use case is told while it goes on: events for a callback, which shows them or does not.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::album::left::Left;
use crate::train::fit::EpochReport;
use crate::train::step::StepReport;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A line beside the result, such as a file that was skipped.
    Note(&'a str),
    /// A line of what has been found so far, or of what comes next; it belongs to the result.
    Line(&'a str),
    /// Training begins, or goes on.
    Learning {
        /// How many epochs there will be.
        epochs: u32,
        /// How many of them are done.
        done: u32,
        /// Steps of an epoch.
        steps: usize,
    },
    /// A step of training is done.
    Step(StepReport),
    /// An epoch is done.
    Epoch(&'a EpochReport),
    /// Training has ended, complete or not.
    Learnt,
    /// A count up to `all` things begins.
    Begin {
        /// What is counted, in the plural.
        what: &'static str,
        /// How many there are.
        all: u64,
    },
    /// So many of them are done; several threads count, so that a smaller number may come behind a greater one.
    Done(u64),
    /// The count has ended.
    End {
        /// How many are done.
        count: u64,
        /// What was counted, in the plural.
        what: &'static str,
        /// What was done to them, such as `read`.
        done: &'a str,
    },
}

/// Whom it is told. May be called from several threads at once.
pub type Tell<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// Tells what was left aside in folders.
pub(crate) fn left_aside(left: &Left, tell: Tell<'_>) {
    left.lines().iter().for_each(|line| tell(Event::Note(line)));
}

/// Counts things and tells it. Several threads may count.
pub(crate) struct Counter<'a> {
    tell: Tell<'a>,
    what: &'static str,
    done: AtomicU64,
}

impl<'a> Counter<'a> {
    /// Counts up to `all` things called `what`.
    pub(crate) fn new(tell: Tell<'a>, all: u64, what: &'static str) -> Self {
        tell(Event::Begin { what, all });
        Self { tell, what, done: AtomicU64::new(0) }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        (self.tell)(Event::Done(self.done.fetch_add(1, Ordering::Relaxed) + 1));
    }

    /// Tells what was done to all that were counted, such as `read`.
    pub(crate) fn end(&self, done: &str) {
        let count = self.done.load(Ordering::Relaxed);
        (self.tell)(Event::End { count, what: self.what, done });
    }
}
