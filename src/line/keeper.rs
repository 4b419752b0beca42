//! From the line's events to the store's entries, and what the store found of the run before.
//!
//! Where a store is kept, a part is told when its history is on the disk, and the message is kept there until a broker has acknowledged
//! it: so every message about a part is the same, also after a crash, and none is forgotten.

use std::fmt::Write as _;
use std::sync::{Arc, Weak};

use crossbeam_channel::Receiver;

use super::reporter::Sender;
use crate::clock::{Clock, WallClock, rfc3339};
use crate::config;
use crate::decide::{Outcome, PartRecord, StopReason};
use crate::pipeline::{Event, Listener};
use crate::report::Publisher;
use crate::report::message::{self, Identity, Message, Part, json};
use crate::store::{self, JudgedBy, LeftPart, NoteKind, Reader, Store, StoreError, Then, Untold};
use crate::verdict::PartNumber;

/// Most numbers that one line of the log names.
const NAMED: usize = 10;

/// The histories of a line, where they are kept.
pub(super) struct Kept {
    /// See [`super::devices::Opened`].
    pub(super) store: Option<Arc<Store>>,
    /// The number of the first part.
    pub(super) first: PartNumber,
    /// The line stop that nobody had reset when the run before ended.
    pub(super) stop: Option<StopReason>,
    /// Hands events to the store.
    pub(super) keeper: Option<Box<dyn Listener>>,
}

/// Where parts are told, in a line that reports.
#[derive(Clone)]
pub(super) struct Telling {
    pub(super) publisher: Arc<dyn Publisher>,
    pub(super) sender: Sender,
    pub(super) clock: Arc<dyn Clock>,
    /// The numbers of the parts that need not be told again.
    pub(super) settled: Receiver<u64>,
}

/// Opens the store where it is wanted, and tells of the parts that were on the line when the process died, and of those that the broker
/// has not acknowledged. `telling` is `None` for a line that reports to nobody.
///
/// # Errors
/// When the store cannot be opened.
pub(super) fn open(
    section: &config::Store,
    identity: &Identity,
    telling: Option<&Telling>,
    clock: Arc<dyn Clock>,
) -> Result<Kept, StoreError> {
    if !section.enabled {
        return Ok(Kept { store: None, first: PartNumber(1), stop: None, keeper: None });
    }
    let by = JudgedBy { model: identity.model.clone(), config: identity.config.clone() };
    let store::Opened { store, first, left, stop } = store::open(section, by, clock)?;
    if let Some(line) = left_line(&left) {
        log::warn!("{line}");
    }
    if let Some(reason) = stop {
        log::warn!(
            "the line stop for {} stands from the run before: reset it, see `castgate send`",
            reason.name()
        );
    }
    // A file that cannot be read now is read at the next start.
    let untold = Reader::open(&section.path).and_then(|reader| reader.untold()).unwrap_or_default();
    let (told, forgotten): (Vec<_>, Vec<_>) = untold
        .into_iter()
        .map(|untold| (untold.number, telling.and_then(|_| untold_text(untold, identity))))
        .partition(|(_, text)| text.is_some());
    forgotten.iter().for_each(|(number, _)| store.told(*number));
    let kept = |(number, text): (PartNumber, Option<String>)| {
        text.map(|text| message::Kept { part: number.0, text })
    };
    let kept: Vec<_> = told.into_iter().filter_map(kept).collect();
    if let Some(telling) = telling.filter(|_| !kept.is_empty()) {
        log::info!(
            "parts of the runs before that no broker has acknowledged and that are told now: {}",
            kept.len()
        );
        telling.publisher.offer(Message::Kept(kept));
    }
    let store = Arc::new(store);
    let telling = telling.map(|telling| Teller {
        publisher: Arc::downgrade(&telling.publisher),
        sender: telling.sender.clone(),
        clock: telling.clock.clone(),
        settled: telling.settled.clone(),
    });
    let keeper = Keeper { store: store.clone(), telling };
    Ok(Kept { store: Some(store), first, stop, keeper: Some(Box::new(keeper)) })
}

/// Ends telling in order: what is still to be told is told, and what the broker acknowledged is noted. Takes no longer than the store
/// and the publisher take to end.
pub fn finish(publisher: Arc<dyn Publisher>, store: Option<&Store>, settled: Option<&Receiver<u64>>) {
    let both = store.zip(settled);
    if let Some((store, _)) = both {
        store.hand_on();
    }
    drop(publisher);
    if let Some((store, settled)) = both {
        settled.try_iter().for_each(|part| store.told(PartNumber(part)));
    }
}

/// Tells of parts when their histories are on the disk.
struct Teller {
    /// It ends when the line does, also while a history waits for the disk.
    publisher: Weak<dyn Publisher>,
    sender: Sender,
    clock: Arc<dyn Clock>,
    settled: Receiver<u64>,
}

impl Teller {
    fn tell(&self, store: &Store, record: &Arc<PartRecord>) {
        let wall = WallClock::read(self.clock.as_ref());
        let text = json(&Part::new(record, &self.sender.identity(), wall));
        let kept = message::Kept { part: record.number.0, text: text.clone() };
        let publisher = self.publisher.clone();
        let offer = move || {
            if let Some(publisher) = publisher.upgrade() {
                publisher.offer(Message::Kept(vec![kept]));
            }
        };
        if store.health().failing {
            store.finished(record.clone());
            offer();
        } else {
            store.reported(record.clone(), text, Then::new(offer));
        }
    }
}

/// Hands events to the store, which never waits.
struct Keeper {
    store: Arc<Store>,
    telling: Option<Teller>,
}

impl Listener for Keeper {
    fn hear(&mut self, event: &Event) {
        let store = &self.store;
        if let Some(telling) = &self.telling {
            telling.settled.try_iter().for_each(|part| store.told(PartNumber(part)));
        }
        match event {
            Event::Opened { part, at } => store.opened(*part, *at),
            Event::Part(record) => match &self.telling {
                Some(telling) => telling.tell(store, record),
                None => store.finished(record.clone()),
            },
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

/// What is to be told of a part; `None` when nothing is known of it any more.
fn untold_text(untold: Untold, identity: &Identity) -> Option<String> {
    untold.message.or_else(|| untold.left.map(|left| json(&left_message(&left, identity))))
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

#[cfg(all(test, feature = "store"))]
mod tests;
