//! From the line's events to the store's entries, and what the store found of the run before.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::{Clock, rfc3339};
use crate::config;
use crate::decide::{Outcome, StopReason};
use crate::pipeline::{Event, Listener};
use crate::report::Publisher;
use crate::report::message::{Identity, Message, Part};
use crate::store::{self, JudgedBy, LeftPart, NoteKind, Store};
use crate::verdict::PartNumber;

/// Most numbers that one line of the log names.
const NAMED: usize = 10;

/// The histories of a line, where they are kept.
pub(super) struct Kept {
    /// See [`super::devices::Opened`].
    pub store: Option<Arc<Store>>,
    /// The number of the first part.
    pub first: PartNumber,
    /// The line stop that nobody had reset when the run before ended.
    pub stop: Option<StopReason>,
    /// Hands events to the store.
    pub keeper: Option<Box<dyn Listener>>,
}

/// Opens the store where it is wanted, and tells of the parts that were on the line when the process died.
///
/// # Errors
/// When the store cannot be opened.
pub(super) fn open(
    section: &config::Store,
    identity: &Identity,
    publisher: &dyn Publisher,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Kept> {
    if !section.enabled {
        return Ok(Kept { store: None, first: PartNumber(1), stop: None, keeper: None });
    }
    let by = JudgedBy { model: identity.model.clone(), config: identity.config.clone() };
    let store::Opened { store, first, left, stop } =
        store::open(section, by, clock).context("cannot keep histories")?;
    if let Some(line) = left_line(&left) {
        log::warn!("{line}");
    }
    if let Some(reason) = stop {
        log::warn!(
            "the line stop for {} stands from the run before: reset it, see `castgate send`",
            reason.name()
        );
    }
    for part in &left {
        publisher.offer(Message::Part(Box::new(left_message(part, identity))));
    }
    let store = Arc::new(store);
    Ok(Kept { store: Some(store.clone()), first, stop, keeper: Some(Box::new(Keeper(store))) })
}

/// Hands events to the store, which never waits.
struct Keeper(Arc<Store>);

impl Listener for Keeper {
    fn hear(&mut self, event: &Event) {
        let store = &self.0;
        match event {
            Event::Opened { part, at } => store.opened(*part, *at),
            Event::Part(record) => store.finished(record.clone()),
            Event::LineStop { reason: Some(reason), at } => {
                store.noted(NoteKind::LineStop, reason.name(), *at);
            }
            Event::LineStop { reason: None, at } => store.noted(NoteKind::LineStopReset, "", *at),
            Event::Position { loss: Some(loss), at } => {
                store.noted(NoteKind::PositionLost, loss.name(), *at);
            }
            Event::Position { loss: None, at } => store.noted(NoteKind::PositionKnown, "", *at),
            Event::Ready
            | Event::Judged { .. }
            | Event::Settled { .. }
            | Event::Acted { .. }
            | Event::Troubles(_)
            | Event::Unusable { .. }
            | Event::Summary(_) => {}
        }
    }
}

/// Names the parts that were left behind, if there are any.
fn left_line(left: &[LeftPart]) -> Option<String> {
    let (first, rest) = left.split_first()?;
    let mut line = format!(
        "parts that were on the line when the process ended, and of which nobody knows how they left: {}",
        first.number
    );
    for part in rest.iter().take(NAMED - 1) {
        // Writing to a text cannot fail.
        let _ = write!(line, ", {}", part.number);
    }
    if left.len() > NAMED {
        let _ = write!(line, " and {} more up to {}", left.len() - NAMED, left[left.len() - 1].number);
    }
    Some(line)
}

/// The message about a part that was left behind: rejected until cleared, and nobody knows whether it was.
fn left_message(part: &LeftPart, identity: &Identity) -> Part {
    Part {
        line: identity.line.clone(),
        part: part.number.0,
        triggered_at: rfc3339(part.opened_at_ms),
        verdict: "reject",
        reason: None,
        score: None,
        model: part.by.model.clone(),
        config: part.by.config.clone(),
        latency_ms: None,
        outcome: Outcome::UnresolvedAtStop.name(),
        frames: 0,
        name: None,
        truth: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(number: u64) -> LeftPart {
        let by = JudgedBy { model: "casting@1a2b".to_owned(), config: "9f8e".to_owned() };
        LeftPart { number: PartNumber(number), opened_at_ms: 1_767_247_202_000, by }
    }

    #[test]
    fn the_line_about_parts_left_behind_is_of_bounded_length() {
        let line = |parts: u64| left_line(&(1..=parts).map(left).collect::<Vec<_>>());
        assert_eq!(line(0), None);
        assert!(line(2).unwrap().ends_with("how they left: 1, 2"));
        assert!(line(10).unwrap().ends_with(": 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"));
        assert!(line(4000).unwrap().ends_with("9, 10 and 3990 more up to 4000"));
    }

    #[test]
    fn a_part_left_behind_is_reported_as_what_it_was_judged_by_then() {
        let identity = Identity {
            version: "0.1.0".to_owned(),
            line: "casting-3".to_owned(),
            model: "another@0000".to_owned(),
            config: "another".to_owned(),
        };
        assert_eq!(
            crate::report::message::json(&left_message(&left(17), &identity)),
            r#"{"line":"casting-3","part":17,"triggered_at":"2026-01-01T06:00:02.000Z","verdict":"reject","reason":null,"score":null,"model":"casting@1a2b","config":"9f8e","latency_ms":null,"outcome":"unresolved_at_stop","frames":0,"name":null,"truth":null}"#
        );
    }
}
