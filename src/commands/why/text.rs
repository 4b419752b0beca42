//! A part's life as people read it.

use std::fmt::Write as _;

use super::Answer;
use crate::clock::rfc3339;
use crate::decide::{Announced, GateId, Outcome, State};
use crate::store::{History, StoredNote, View};
use crate::verdict::Reason;

/// A line of the table: milliseconds from the trigger, what it is about, and what happened.
struct Row {
    ms: f64,
    topic: String,
    text: String,
}

/// The table, to be sorted by time.
#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn row(&mut self, ms: f64, topic: impl Into<String>, text: impl Into<String>) {
        self.0.push(Row { ms, topic: topic.into(), text: text.into() });
    }

    fn print(mut self, into: &mut String) {
        self.0.sort_by(|a, b| a.ms.total_cmp(&b.ms));
        let width = self.0.iter().map(|row| row.topic.chars().count()).max().unwrap_or(0);
        for Row { ms, topic, text } in &self.0 {
            // Writing to a text cannot fail.
            let _ = writeln!(into, "{}", format!("{ms:>11.1} ms  {topic:<width$}  {text}").trim_end());
        }
    }
}

/// Everything about a part, in the order of time.
pub(super) fn tell(answer: &Answer) -> String {
    let part = &answer.part;
    let reason = part.reason.as_deref();
    // Its reason is that of a part that nothing is known of yet, and would accuse the camera.
    let unresolved = part.outcome.as_deref() == Some(Outcome::UnresolvedAtStop.name())
        && part.history.as_ref().is_some_and(|history| {
            let settled = State::SETTLED.map(State::name);
            !history.states.iter().any(|stay| settled.contains(&&*stay.state))
        });
    let verdict = match (part.verdict.as_deref(), reason) {
        _ if unresolved => "no final verdict".to_owned(),
        (Some("ok"), _) => "OK".to_owned(),
        (Some(_), Some(reason)) => format!("REJECT, {reason}"),
        (Some(_), None) => "REJECT".to_owned(),
        (None, _) => "no verdict is known".to_owned(),
    };
    let mut told = format!("part {}: {verdict}\n", part.number);
    let sentences = [
        reason.filter(|_| !unresolved).and_then(Reason::named).map(Reason::explain),
        part.outcome.as_deref().map(outcome),
        part.remark.as_deref(),
        part.finished_at_ms.is_none().then_some("It is on the line, or its process died with it."),
    ];
    for sentence in sentences.into_iter().flatten() {
        let _ = writeln!(told, "  {sentence}");
    }
    told.push('\n');
    let mut table = Table::default();
    match &part.history {
        Some(history) => life(history, &mut table),
        None => {
            table.row(0.0, "opened", rfc3339(part.opened_at_ms));
            if let Some(finished) = part.finished_at_ms {
                table.row((finished - part.opened_at_ms) as f64, "closed", rfc3339(finished));
            }
        }
    }
    for note in &answer.notes {
        let (topic, text) = noted(note);
        table.row((note.at_ms - part.opened_at_ms) as f64, topic, text);
    }
    table.print(&mut told);
    let _ = writeln!(told, "\nmodel   {}\nconfig  {}", part.model, part.config);
    let history = part.history.as_ref();
    if let Some(name) = history.and_then(|history| history.name.as_ref()).filter(|name| !name.is_empty()) {
        let _ = writeln!(told, "shown   {name}");
    }
    if let Some(truth) = history.and_then(|history| history.truth) {
        let _ = writeln!(told, "truth   {}", format!("{truth:?}").to_lowercase());
    }
    told
}

fn life(history: &History, table: &mut Table) {
    trigger(history, table);
    frames(history, table);
    verdict(history, table);
    if let Some(window) = &history.window {
        let gate = if history.gate == GateId::Second.name() { "second gate" } else { "gate" };
        let passed = history.verdict == "ok";
        let what = if passed { "window taken back" } else { "in reject" };
        let mut text = format!("{what}, until {:.1} ms", window.until.ms);
        if let Some(wider) = history.wider_mm.filter(|mm| *mm > 0.0) {
            let _ = write!(text, "; widened by up to {wider:.1} mm");
        }
        table.row(window.from.ms, gate, text);
    }
    if let Some(confirmed) = &history.confirmed {
        table.row(confirmed.ms, "confirm", "seen by the sensor behind the gate");
    }
    if let Some(last) = history.states.last() {
        table.row(last.since.ms, "outcome", &*history.outcome);
    }
}

fn trigger(history: &History, table: &mut Table) {
    let by = [
        (Announced::Sensor, "announced by the sensor"),
        (Announced::Vision, "announced by the camera"),
        (Announced::Software, "announced by a command"),
        (Announced::Frame, "each frame is a part"),
        (Announced::Nothing, "announced by nothing: the camera saw it"),
    ];
    let known = by.iter().find(|(announced, _)| announced.name() == history.announced);
    let by = known.map_or(&*history.announced, |(_, words)| words);
    let mut text = format!("{}, {by}", history.triggered.at);
    if let Some(length) = history.length_mm {
        let _ = write!(text, ", {length:.1} mm long");
    }
    table.row(history.triggered.ms, "trigger", text);
}

fn frames(history: &History, table: &mut Table) {
    let kept: Vec<&View> = history.views.iter().chain(&history.last_view).collect();
    let digits = kept.iter().map(|view| view.frame.to_string().len()).max().unwrap_or(0);
    for view in &kept {
        let text = format!(
            "{:>6.1} ms old  at {} mm  off {} mm  sharpness {}  {}",
            view.age_ms,
            number(view.centre_mm, 7, false),
            number(view.off_mm, 6, true),
            number(view.sharpness.map(f64::from), 5, false),
            view.score.map_or_else(|| "no score".to_owned(), |score| format!("score {score:.4}")),
        );
        table.row(view.judged.ms, format!("frame {:>digits$}", view.frame), text);
    }
    let left_out = history.looks as usize - kept.len().min(history.looks as usize);
    if let Some(last) = kept.last().filter(|_| left_out > 0) {
        table.row(last.judged.ms, "frames", format!("{left_out} more counted and are not kept"));
    }
}

fn verdict(history: &History, table: &mut Table) {
    // A clearance that was taken back, and what else there was before the verdict.
    let turns = history.states.iter().filter(|stay| ["cleared", "condemned"].contains(&stay.state.as_str()));
    if turns.clone().count() > 1 {
        turns.for_each(|stay| table.row(stay.since.ms, "state", &*stay.state));
    }
    let mut text = history.reason.as_ref().map_or("OK".to_owned(), |reason| format!("REJECT, {reason}"));
    if let Some(score) = history.score {
        let _ = write!(text, "; score {score:.4}");
    }
    let (decided, deadline) = (&history.decided, &history.deadline);
    let in_time = match deadline {
        Some(deadline) if decided.ms <= deadline.ms => {
            format!("{:.1} ms before its deadline", deadline.ms - decided.ms)
        }
        Some(deadline) => format!("{:.1} ms after its deadline", decided.ms - deadline.ms),
        None => "its way to the gate was never known".to_owned(),
    };
    table.row(decided.ms, "verdict", format!("{text}; {in_time}"));
    if let Some(deadline) = deadline {
        table.row(deadline.ms, "deadline", "the verdict had to be final");
    }
}

fn number(value: Option<f64>, width: usize, signed: bool) -> String {
    match value {
        Some(value) if signed => format!("{value:>+width$.1}"),
        Some(value) => format!("{value:>width$.1}"),
        None => format!("{:>width$}", "?"),
    }
}

/// How a part left, in words.
fn outcome(name: &str) -> &str {
    let known = Outcome::ALL.into_iter().find(|outcome| outcome.name() == name);
    known.map_or(name, |outcome| match outcome {
        Outcome::Passed => "It was cleared in time, and the gate let it pass.",
        Outcome::RejectedConfirmed => "It was removed, and the confirm sensor proved it.",
        Outcome::RejectedUnconfirmed => "The gate was in reject for it; nothing proved that it left.",
        Outcome::Escaped => {
            "It escaped: it was to be removed, and the gate did not act for it or it was seen passing."
        }
        Outcome::UnresolvedAtStop => "It was between trigger and gate when the run ended.",
    })
}

fn noted(note: &StoredNote) -> (&str, String) {
    let detail = note.detail.as_str();
    match note.kind.as_str() {
        "started" => ("line", format!("started; {detail}")),
        "line_stop" => ("line stop", format!("began: {detail}")),
        "line_stop_reset" => ("line stop", "reset".to_owned()),
        "position_lost" => ("position", format!("lost: {detail}")),
        "position_known" => ("position", "known again".to_owned()),
        other => (other, detail.to_owned()),
    }
}
