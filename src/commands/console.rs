//! A line of text for each part, on standard output.

use std::fmt::Write as _;

use super::printer::Printer;
use crate::clock::Time;
use crate::decide::{Outcome, PartRecord, State};
use crate::pipeline::{Event, Listener};
use crate::verdict::{Truth, Verdict};

/// Has a line printed for each part; times are told since `started`.
pub(super) struct Console {
    pub(super) printer: Printer,
    pub(super) started: Time,
}

impl Listener for Console {
    fn hear(&mut self, event: &Event) {
        if let Event::Part(record) = event {
            self.printer.print(part(record, self.started));
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
