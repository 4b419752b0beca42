//! The log: lines for a person at a terminal, or for the journal under systemd. Panics go through it too.
//!
//! Must not know what is logged.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::env;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::panic;
use std::sync::OnceLock;
use std::thread;

use env_logger::fmt::Formatter;
use log::{Level, LevelFilter, Record};

use crate::config::LogLevel;

/// Names the least level that is logged (`off`, `error`, `warn`, `info`, `debug`, `trace`), also per module. It goes before the
/// configuration.
pub const LEVEL_VARIABLE: &str = "CASTGATE_LOG";

/// Sets up the log, at the level `info` unless the variable says otherwise, and has panics go through it. Later calls change nothing.
pub fn init() {
    let format = if to_journal() { for_journal } else { for_terminal };
    let mut builder = env_logger::Builder::new();
    match variable() {
        Some(levels) => builder.parse_filters(&levels),
        // Everything passes here; what is logged is decided by the level that holds for the whole process and can change.
        None => builder.filter_level(LevelFilter::Trace),
    };
    if builder.format(format).try_init().is_ok() {
        panic::set_hook(Box::new(log_panic));
        set_level(LogLevel::Info);
    }
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

/// The prefix that the journal understands, see sd-daemon(3).
const fn journal_priority(level: Level) -> &'static str {
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}

/// `<4>camera: no frame for 1s`, each line with its priority: the journal has the time itself.
fn for_journal(out: &mut Formatter, record: &Record<'_>) -> std::io::Result<()> {
    let thread = thread::current();
    let text = format!("{}: {}", thread.name().unwrap_or("unnamed"), record.args());
    for line in text.lines() {
        writeln!(out, "{}{line}", journal_priority(record.level()))?;
    }
    Ok(())
}

/// `2026-01-31T06:00:00.123Z WARN  camera: no frame for 1s`, with the level in its colour.
fn for_terminal(out: &mut Formatter, record: &Record<'_>) -> std::io::Result<()> {
    let (level, at) = (record.level(), out.timestamp_millis());
    let style = out.default_level_style(level);
    let thread = thread::current();
    let name = thread.name().unwrap_or("unnamed");
    writeln!(out, "{at} {style}{level:<5}{style:#} {name}: {}", record.args())
}

fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
    let what = info.payload_as_str().unwrap_or("no message");
    log::error!("panic{place}: {what}");
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        log::error!("{trace}");
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

    #[test]
    fn priorities_are_those_of_sd_daemon() {
        assert_eq!(journal_priority(Level::Error), "<3>");
        assert_eq!(journal_priority(Level::Trace), "<7>");
    }
}
