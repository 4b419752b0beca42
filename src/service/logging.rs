//! The log: lines for a person at a terminal, or for the journal under systemd. Panics go through it too.
//!
//! Every line goes through a bounded queue to the thread `log`, which alone waits for standard error. While a line runs, or where a
//! thread says so, nobody waits for room in it: lines that do not fit are lost, counted and told. Commands that drive nothing wait
//! instead, so that their output is whole. Whatever names a line holds, it carries no codes for the terminal. Must not know what is
//! logged.

mod writer;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::env;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::panic;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};

use super::outlet::{Outlet, Patience};
use crate::clock::{Clock, SystemClock, Time};
use crate::config::LogLevel;
use writer::{Item, Line, StandardError, Text, Writer, cut, journal_priority};

/// Names the least level that is logged (`off`, `error`, `warn`, `info`, `debug`, `trace`), also per module. It goes before the
/// configuration.
pub const LEVEL_VARIABLE: &str = "CASTGATE_LOG";

/// Lines that wait for standard error.
const ROOM: usize = 1024;
/// Of these, places that only warnings and errors may take.
const SPARE: usize = 256;
/// Time that the log of a line has at the end for what is left, last words included; much less where nobody takes anything.
const END: Patience = Patience { all: Duration::from_secs(2), still: Duration::from_millis(200) };

static OUTLET: OnceLock<Outlet<Item>> = OnceLock::new();
/// See [`never_wait`].
static NEVER_WAIT: AtomicBool = AtomicBool::new(false);
/// Whether something was logged since it was last known to be written.
static UNWRITTEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    static NEVER_WAITS: Cell<bool> = const { Cell::new(false) };
}

/// Sets up the log, at the level `info` unless the variable says otherwise, and has panics go through it. Later calls change nothing.
pub fn init() {
    let style = (to_journal(), wants_colour());
    let Ok(outlet) = Outlet::start("log", ROOM, Writer::new(StandardError, style, is_line)) else { return };
    if OUTLET.set(outlet).is_err() {
        return;
    }
    let mut builder = env_logger::Builder::new();
    match variable() {
        Some(levels) => builder.parse_filters(&levels),
        // Everything passes here; what is logged is decided by the level that holds for the whole process and can change.
        None => builder.filter_level(LevelFilter::Trace),
    };
    let filter = builder.build();
    let most = filter.filter();
    if log::set_boxed_logger(Box::new(Front { filter })).is_ok() {
        log::set_max_level(most);
        panic::set_hook(Box::new(log_panic));
        set_level(LogLevel::Info);
    }
}

/// From now on nobody in this process waits for the log: for whoever drives a gate. And from now on floods of lines are held back.
pub fn never_wait() {
    NEVER_WAIT.store(true, Ordering::Relaxed);
}

/// This thread does not wait for the log, whatever the others do.
pub fn this_thread_never_waits() {
    NEVER_WAITS.set(true);
}

fn is_line() -> bool {
    NEVER_WAIT.load(Ordering::Relaxed)
}

/// What records are handed to: chooses what is logged, and hands that on.
struct Front {
    filter: env_logger::Logger,
}

impl Log for Front {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if self.filter.matches(record) {
            let place = (record.file_static().unwrap_or_default(), record.line().unwrap_or_default());
            hand_over(record.level(), place, Text::Words(cut(record.args().to_string())));
        }
    }

    fn flush(&self) {}
}

fn hand_over(level: Level, place: writer::Place, text: Text) {
    let Some(outlet) = OUTLET.get() else { return };
    let thread = thread::current().name().unwrap_or("unnamed").to_owned();
    let item = Item::Line(Line { level, at_ms: SystemClock.wall_ms(), thread, place, text });
    UNWRITTEN.store(true, Ordering::Relaxed);
    if is_line() || NEVER_WAITS.get() {
        outlet.offer(item, if level <= Level::Warn { 0 } else { SPARE });
    } else {
        outlet.put(item, None);
    }
}

/// Writes a line to standard error that is no record of the log, after everything that was logged before. Of a line that runs, such words
/// are the last, and all of them together wait no longer than [`finish`] does.
pub fn say(text: &str) {
    let text = format!("{text}\n");
    match OUTLET.get() {
        Some(outlet) => {
            UNWRITTEN.store(true, Ordering::Relaxed);
            outlet.put(Item::Plain(text), is_line().then(left));
        }
        // No thread could be had, so there is no line either.
        None => drop(StandardError.write_all(text.as_bytes())),
    }
}

/// Before something else is written than the log: what was logged goes first. A line that runs does not wait for that.
pub fn before_output() {
    if !is_line() {
        flush(None);
    }
}

/// At the end: writes what is left of the log. Where a line ran that takes two seconds at most, and a fifth of one where nobody takes
/// anything; what is left then is lost.
pub fn finish() {
    flush(is_line().then(left));
}

/// As [`finish`], in the time that somebody has who ends the process.
pub fn finish_within(span: Duration) {
    flush(Some(Patience { all: span, still: span }));
}

fn flush(patience: Option<Patience>) {
    if UNWRITTEN.swap(false, Ordering::Relaxed)
        && let Some(outlet) = OUTLET.get()
    {
        outlet.flush(patience);
    }
}

/// What is left of the time for the end, which begins when it is first asked for.
fn left() -> Patience {
    static UNTIL: OnceLock<Time> = OnceLock::new();
    let until = *UNTIL.get_or_init(|| SystemClock.now() + END.all);
    Patience { all: until - SystemClock.now(), ..END }
}

/// As other programs decide it: on a terminal that is not a dumb one, unless somebody says otherwise.
fn wants_colour() -> bool {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let is = |name: &str, wanted: &str| set(name).is_some_and(|value| value == wanted);
    let shown = io::stderr().is_terminal() && set("TERM").is_some_and(|term| term != "dumb");
    let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
    set("NO_COLOR").is_none() && (forced || (shown && !is("CLICOLOR", "0")))
}

fn variable() -> Option<String> {
    env::var(LEVEL_VARIABLE).ok().filter(|levels| !levels.trim().is_empty())
}

/// Changes how much is logged, from any thread and any number of times; nothing when the variable says how much.
pub fn set_level(level: LogLevel) {
    if variable().is_none() {
        log::set_max_level(filter(level));
    }
}

const fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::Off,
        LogLevel::Error => LevelFilter::Error,
        LogLevel::Warn => LevelFilter::Warn,
        LogLevel::Info => LevelFilter::Info,
        LogLevel::Debug => LevelFilter::Debug,
        LogLevel::Trace => LevelFilter::Trace,
    }
}

/// Whether standard error goes to the journal: systemd then names its device and inode in `JOURNAL_STREAM`.
/// A variable that was merely inherited from a service names another file.
fn to_journal() -> bool {
    static TO_JOURNAL: OnceLock<bool> = OnceLock::new();
    *TO_JOURNAL.get_or_init(|| {
        let stderr = fs::metadata("/proc/self/fd/2").ok().map(|file| (file.dev(), file.ino()));
        env::var("JOURNAL_STREAM").is_ok_and(|stream| stderr.is_some() && journal_stream(&stream) == stderr)
    })
}

/// `DEVICE:INODE`, both decimal.
fn journal_stream(text: &str) -> Option<(u64, u64)> {
    let (device, inode) = text.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

/// What a line on standard error begins with: the journal's priority of `level` under systemd, else nothing.
pub fn priority(level: Level) -> &'static str {
    if to_journal() { journal_priority(level) } else { "" }
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let what = info.payload_as_str().unwrap_or("no message");
    log::error!("panic{place}: {what}");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured && log::log_enabled!(Level::Error) {
        hand_over(Level::Error, (file!(), line!()), Text::Trace(trace));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_device_and_inode_name_a_journal_stream() {
        assert_eq!(journal_stream("8:12345"), Some((8, 12345)));
        for wrong in ["", "8", "8:", ":1", "8:x", "8:1:2", "-8:1"] {
            assert_eq!(journal_stream(wrong), None, "{wrong}");
        }
    }
}
