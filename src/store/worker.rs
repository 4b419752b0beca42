//! The thread `store`: gathers entries into groups, writes them, and keeps the file within its bounds.
//!
//! Waits for nothing but its own queues, timers and the disk. Must not know SQL.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, never, select, tick};

use super::entry::{Entry, GROUP};
use super::history::NoteKind;
use super::writer::Writer;

/// Entries between the line and the thread: two for each part, three where a broker is told of it; minutes of a fast line. What comes when
/// it is full is lost, counted.
pub(super) const QUEUE: usize = 4096;
/// How long a group is gathered.
const GATHER: Duration = Duration::from_millis(100);
/// Time between two looks at the bounds.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// Time between two looks at the files.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// Pause between two steps of one trimming, in which groups are written.
const TRIM_AGAIN: Duration = Duration::from_millis(50);

/// What somebody who may wait asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    /// Write everything that was handed over before.
    Flush,
    /// The same, and note that the run ended in order; whether every part's opening was heard of.
    End(bool),
}

/// A wish, and where to answer whether everything is written.
pub(super) type Question = (Wish, Sender<bool>);

pub(super) struct Worker {
    pub(super) writer: Writer,
    entries: Receiver<Entry>,
    questions: Receiver<Question>,
    /// When to write: at the end of gathering, or at the next attempt.
    write_at: Receiver<Instant>,
    trim_at: Receiver<Instant>,
    watch: Receiver<Instant>,
}

impl Worker {
    pub(super) fn new(writer: Writer, entries: Receiver<Entry>, questions: Receiver<Question>) -> Self {
        let write_at = if writer.is_failing() { after(Duration::ZERO) } else { never() };
        let (trim_at, watch) = (after(Duration::ZERO), tick(WATCH_EVERY));
        Self { writer, entries, questions, write_at, trim_at, watch }
    }

    /// Runs until the other end of its queues is dropped, and writes what is left.
    pub(super) fn run(mut self) {
        let full = never();
        loop {
            let entries = if self.writer.has_room() { &self.entries } else { &full };
            select! {
                recv(entries) -> entry => match entry {
                    Ok(entry) => self.take(entry),
                    Err(_) => break,
                },
                recv(self.questions) -> question => match question {
                    // Whoever asked and went away does not want the answer.
                    Ok((wish, answer)) => drop(answer.try_send(self.fulfil(wish))),
                    Err(_) => break,
                },
                recv(self.write_at) -> _ => self.write(),
                recv(self.trim_at) -> _ => self.trim(),
                recv(self.watch) -> _ => self.watch(),
            }
        }
        self.flush();
        self.writer.stop(self.entries.try_iter());
    }

    fn watch(&mut self) {
        if let Some(wait) = self.writer.watch() {
            self.write_at = after(wait);
        }
    }

    fn take(&mut self, entry: Entry) {
        let urgent = matches!(entry, Entry::Noted(NoteKind::LineStop | NoteKind::LineStopReset, ..));
        let first = self.writer.take(entry);
        if urgent {
            self.writer.secure();
        }
        if self.writer.is_failing() {
            return;
        }
        if !self.writer.has_room() {
            self.write();
        } else if first {
            self.write_at = after(GATHER);
        }
    }

    fn write(&mut self) {
        self.write_at = match self.writer.write() {
            Ok(()) => never(),
            Err(wait) => after(wait),
        };
        if self.writer.is_oversize() {
            self.trim_at = after(Duration::ZERO);
        }
    }

    fn trim(&mut self) {
        let failing = self.writer.is_failing();
        self.trim_at = after(if self.writer.trim() { TRIM_AGAIN } else { TRIM_EVERY });
        // It turned out to be damaged.
        if self.writer.is_failing() && !failing {
            self.write_at = after(Duration::ZERO);
        }
    }

    pub(super) fn fulfil(&mut self, wish: Wish) -> bool {
        let written = self.flush();
        match wish {
            Wish::Flush => written,
            Wish::End(all_heard) => written && self.writer.end(all_heard),
        }
    }

    /// Writes what waits, without waiting for more or for the next attempt; whether all of it is written.
    fn flush(&mut self) -> bool {
        // Who hands over while this runs is served too, but not for ever.
        for _ in 0..QUEUE / GROUP + 2 {
            while self.writer.has_room()
                && let Ok(entry) = self.entries.try_recv()
            {
                self.writer.take(entry);
            }
            if self.writer.is_empty() {
                break;
            }
            self.write();
            if self.writer.is_failing() {
                break;
            }
        }
        self.writer.is_empty()
    }
}
