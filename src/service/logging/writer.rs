//! The writing side of the log, on the thread `log`: format, standard error, and no more lines than somebody can read.
//!
//! Must not know who logs.

use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use env_logger::fmt::{Formatter, Target, WriteStyle};
use log::{Level, LevelFilter, Log as _, Record};

use crate::clock::{Clock, SystemClock, Time, rfc3339};
use crate::limit::{KeptBack, Limiter};
use crate::printable;
use crate::service::outlet::Drain;

/// Lines at once from one place in the program, and the time in which one more may follow, while a line runs. Whatever somebody
/// outside does again and again, the log stays readable and the disk does not fill.
const BURST: u32 = 100;
const PER: Duration = Duration::from_secs(10);
/// The same at the levels that are for looking closely.
const CLOSE_BURST: u32 = 2000;
const CLOSE_PER: Duration = Duration::from_millis(10);
/// Longest text of a line, in bytes.
const LONGEST: usize = 8 * 1024;
/// Pause before another attempt where standard error takes nothing and does not wait.
const PAUSE: Duration = Duration::from_millis(10);

/// Where in the sources a line comes from.
pub(super) type Place = (&'static str, u32);

/// What is written.
pub(super) enum Item {
    /// A record of the log.
    Line(Line),
    /// A line that is no record, with its line break.
    Plain(String),
}

/// A record of the log that has left its thread.
pub(super) struct Line {
    pub level: Level,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Name of the thread that logged it.
    pub thread: String,
    pub place: Place,
    pub text: Text,
}

pub(super) enum Text {
    Words(String),
    /// Named functions and lines are looked up in files: not on the thread that panicked, whose devices are to be made safe first.
    Trace(Backtrace),
}

/// `text`, or as much of it as a line may hold.
pub(super) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(" ...");
    }
    text
}

/// Lines of one place.
struct Held {
    limiter: Limiter,
    /// The last one that was kept back: if no other comes, it tells of the rest.
    last: Option<Line>,
}

/// See the module.
pub(super) struct Writer {
    plain: Box<dyn Write + Send>,
    out: env_logger::Logger,
    /// When the line that is being written was logged.
    at_ms: Arc<AtomicI64>,
    /// Whether the last one could not be written.
    failed: Arc<AtomicBool>,
    /// Lines that could not be written and that nobody was told of.
    unwritten: u64,
    held: HashMap<Place, Held>,
    /// Whether places are held to their limits.
    limits: fn() -> bool,
    rested: Time,
}

impl Writer {
    /// Writes to `sink`, as the journal wants it or for a terminal, in colour or not.
    pub(super) fn new(
        sink: impl Write + Clone + Send + 'static,
        (journal, colour): (bool, bool),
        limits: fn() -> bool,
    ) -> Self {
        let plain = Box::new(sink.clone());
        let (at_ms, failed) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let at = at_ms.clone();
        let format = move |out: &mut Formatter, record: &Record<'_>| match journal {
            true => for_journal(out, record),
            false => for_terminal(out, record, at.load(Ordering::Relaxed)),
        };
        let out = env_logger::Builder::new()
            .filter_level(LevelFilter::Trace)
            .format(format)
            .target(Target::Pipe(Box::new(Noted { sink, failed: failed.clone() })))
            .write_style(if colour { WriteStyle::Always } else { WriteStyle::Never })
            .build();
        let held = HashMap::new();
        Self { plain, out, at_ms, failed, unwritten: 0, held, limits, rested: Time::ZERO }
    }

    fn put(&mut self, line: &Line, more: KeptBack) {
        self.at_ms.store(line.at_ms, Ordering::Relaxed);
        let record = |args: std::fmt::Arguments<'_>| {
            self.out.log(&Record::builder().level(line.level).target(&line.thread).args(args).build());
        };
        match &line.text {
            Text::Words(words) => record(format_args!("{words}{more}")),
            Text::Trace(trace) => record(format_args!("{trace}")),
        }
        if self.failed.swap(false, Ordering::Relaxed) {
            self.unwritten += 1;
        } else if self.unwritten > 0 {
            self.lost(0);
        }
    }

    /// Writes the line, or keeps it back where its place has had its share.
    fn limited(&mut self, line: Line, now: Time) {
        let close = line.level >= Level::Debug;
        let held = self.held.entry(line.place).or_insert_with(|| Held {
            limiter: if close { Limiter::new(CLOSE_BURST, CLOSE_PER) } else { Limiter::new(BURST, PER) },
            last: None,
        });
        match held.limiter.allow(now) {
            Some(more) => {
                held.last = None;
                self.put(&line, more);
            }
            None => held.last = Some(line),
        }
    }

    /// Tells of what was kept back at places that have been quiet since; of all that was, at the `last`.
    fn rest(&mut self, now: Time, last: bool) {
        self.rested = now;
        let mut due = Vec::new();
        for held in self.held.values_mut().filter(|held| held.last.is_some()) {
            let more = match (last, held.limiter.has_room(now)) {
                (true, _) => held.limiter.rest(),
                (false, true) => held.limiter.allow(now).unwrap_or_default(),
                (false, false) => continue,
            };
            // The line that is written now was counted when it was kept back.
            due.extend(held.last.take().map(|line| (line, KeptBack(more.0.saturating_sub(1)))));
        }
        due.sort_by_key(|(line, _)| line.at_ms);
        due.iter().for_each(|(line, more)| self.put(line, *more));
    }
}

impl Drain<Item> for Writer {
    fn write(&mut self, item: Item) {
        // What it logs itself waits for nobody but it.
        super::this_thread_never_waits();
        match item {
            // One that cannot be written is told nobody: it was for whoever is gone.
            Item::Plain(text) => drop(self.plain.write_all(text.as_bytes())),
            Item::Line(line) if (self.limits)() => {
                let now = SystemClock.now();
                self.limited(line, now);
                if now - self.rested >= PER {
                    self.rest(now, false);
                }
            }
            Item::Line(line) => self.put(&line, KeptBack(0)),
        }
    }

    fn lost(&mut self, count: u64) {
        let count = count + std::mem::take(&mut self.unwritten);
        let text = Text::Words(format!("lines of the log that nobody took and that are lost: {count}"));
        let line = Line {
            level: Level::Warn,
            at_ms: SystemClock.wall_ms(),
            thread: "log".to_owned(),
            place: (file!(), line!()),
            text,
        };
        self.put(&line, KeptBack(0));
        if self.unwritten > 0 {
            self.unwritten = count;
        }
    }

    fn idle(&mut self, last: bool) {
        self.rest(SystemClock.now(), last);
    }
}

/// `<4>camera: no frame for 1s`, each line with its priority: the journal has the time itself.
fn for_journal(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    // A record's target is the thread that logged it.
    let text = format!("{}: {}", record.target(), record.args());
    for line in printable::lines(&text).lines() {
        writeln!(out, "{}{line}", journal_priority(record.level()))?;
    }
    Ok(())
}

/// `2026-01-31T06:00:00.123Z WARN  camera: no frame for 1s`, with the level in its colour.
fn for_terminal(out: &mut Formatter, record: &Record<'_>, at_ms: i64) -> io::Result<()> {
    let level = record.level();
    let style = out.default_level_style(level);
    let text = record.args().to_string();
    let text = printable::lines(&text);
    writeln!(out, "{} {style}{level:<5}{style:#} {}: {text}", rfc3339(at_ms), record.target())
}

/// The prefix that the journal understands, see sd-daemon(3).
pub(super) const fn journal_priority(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}

/// Notes whether writing failed, which the formatter does not tell.
struct Noted<W> {
    sink: W,
    failed: Arc<AtomicBool>,
}

impl<W: Write> Write for Noted<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let written = self.sink.write_all(text);
        self.failed.fetch_or(written.is_err(), Ordering::Relaxed);
        written.map(|()| text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Standard error without the lock of the standard library, which whoever writes to a full pipe would hold for ever.
#[derive(Clone, Copy)]
pub(super) struct StandardError;

impl Write for StandardError {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(io::stderr(), text) {
                // Somebody who shares it made it so that it does not wait.
                Err(rustix::io::Errno::AGAIN) => SystemClock.sleep_until(SystemClock.now() + PAUSE),
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
