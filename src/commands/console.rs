//! A line of text for each part, on standard output.
//!
//! Printing has a thread and a bounded queue of its own: a terminal that stands still loses lines, counted, and never stops the
//! line.

use std::fmt::Write as _;
use std::io;
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::print;
use crate::clock::Time;
use crate::decide::{Outcome, PartRecord, State};
use crate::pipeline::{Event, Listener};
use crate::verdict::{Truth, Verdict};

/// Lines that wait for the terminal.
const LINES: usize = 1024;

/// The printing thread.
pub(super) struct Console {
    lines: Sender<String>,
    started: Time,
    thread: JoinHandle<()>,
}

/// What the report stage tells.
struct ConsoleListener {
    lines: Sender<String>,
    started: Time,
    lost: u64,
}

impl Console {
    /// Starts printing; times are told since `started`.
    pub(super) fn start(started: Time) -> io::Result<Self> {
        let (lines, printed) = bounded(LINES);
        let thread = Builder::new().name("console".to_owned()).spawn(move || print_all(&printed))?;
        Ok(Self { lines, started, thread })
    }

    pub(super) fn listener(&self) -> impl Listener + use<> {
        ConsoleListener { lines: self.lines.clone(), started: self.started, lost: 0 }
    }

    /// Prints what is left.
    pub(super) fn finish(self) {
        drop(self.lines);
        // A panic in it was logged by the panic hook; there is nothing more to print.
        let _ = self.thread.join();
    }
}

/// Until no listener is left; a reader that went away is not told more, and the line goes on.
fn print_all(lines: &Receiver<String>) {
    let mut open = true;
    for line in lines {
        open = open && print(&line).is_ok();
    }
}

impl Listener for ConsoleListener {
    fn hear(&mut self, event: &Event) {
        let Event::Part(record) = event else { return };
        let mut text = part(record, self.started);
        if self.lost > 0 {
            text = format!("({} lines were not shown)\n{text}", self.lost);
        }
        match self.lines.try_send(text) {
            Ok(()) => self.lost = 0,
            Err(_) => self.lost += 1,
        }
    }
}

/// `  3.21 s  part    7  REJECT  0.998  defect     8 looks  removed, confirmed      blowhole`
fn part(record: &PartRecord, started: Time) -> String {
    let at = record.decided_at.seconds_since(started);
    let mut text = format!("{at:8.2} s  part {:>5}  ", record.number);
    let score = record.score.map_or_else(|| "  -  ".to_owned(), |score| format!("{:.3}", score.get()));
    let settled = record.states.iter().any(|(_, state)| State::SETTLED.contains(state));
    // Writing to a text cannot fail.
    let _ = match record.verdict {
        // Its verdict was not final when the run ended.
        _ if record.outcome == Outcome::UnresolvedAtStop && !settled => {
            write!(text, "-       {score}  {:<11}", "")
        }
        Verdict::Ok => write!(text, "OK      {score}  {:<11}", ""),
        Verdict::Reject(reason) => write!(text, "REJECT  {score}  {:<11}", reason.name()),
    };
    let how = match record.outcome {
        Outcome::Passed => "passed",
        Outcome::RejectedConfirmed => "removed, confirmed",
        Outcome::RejectedUnconfirmed => "removed",
        Outcome::Escaped => "ESCAPED",
        Outcome::UnresolvedAtStop => "still on the belt",
    };
    let _ = write!(text, "  {:>2} looks  {how:<18}", record.looks);
    let wrong = match (record.truth, record.outcome) {
        (Some(Truth::Defect), Outcome::Passed | Outcome::Escaped) => "  <- ESCAPE",
        (Some(Truth::Ok), Outcome::RejectedConfirmed | Outcome::RejectedUnconfirmed) => "  <- false reject",
        _ => "",
    };
    let _ = write!(text, "  {}{wrong}", record.name.as_deref().unwrap_or(""));
    text.truncate(text.trim_end().len());
    text + "\n"
}
