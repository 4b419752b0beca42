//! The state of the line as of its last event, for any number of readers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use crate::clock::Time;
use crate::decide::{Loss, PartRecord, StopReason, Troubles};
use crate::pipeline::{Event, Listener};
use crate::score::summary::Summary;

/// So many of the last parts are kept.
pub const LAST_PARTS: usize = 64;

/// The state of the line.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The model is warm and the gate has left its safe position.
    pub ready: bool,
    /// The line stop that stands, and since when.
    pub stop: Option<(StopReason, Time)>,
    /// Why the belt's position is unknown, and since when.
    pub lost: Option<(Loss, Time)>,
    /// What went wrong so far without costing a part its number.
    pub troubles: Troubles,
    /// The last parts that left the line, the newest first; [`LAST_PARTS`] at most.
    pub parts: VecDeque<Arc<PartRecord>>,
    /// The last summary: once a minute, and at the end.
    pub summary: Option<Arc<Summary>>,
    /// How many changes came before this state: a reader sees by it whether anything is new.
    pub change: u64,
}

impl Snapshot {
    /// Takes in an event. Returns whether anything of the state has changed.
    fn take(&mut self, event: &Event) -> bool {
        match event {
            Event::Ready => self.ready = true,
            Event::LineStop { reason, at } => self.stop = reason.map(|reason| (reason, *at)),
            Event::Position { loss, at } => self.lost = loss.map(|loss| (loss, *at)),
            Event::Troubles(troubles) => self.troubles = *troubles,
            Event::Part(record) => {
                self.parts.truncate(LAST_PARTS - 1);
                self.parts.push_front(record.clone());
            }
            Event::Summary(summary) => self.summary = Some(summary.clone()),
            Event::Judged { .. }
            | Event::Settled { .. }
            | Event::Acted { .. }
            | Event::Opened { .. }
            | Event::Unusable { .. } => return false,
        }
        self.change += 1;
        true
    }
}

/// Where readers find the newest snapshot.
#[derive(Debug, Clone, Default)]
pub struct View(Arc<Mutex<Arc<Snapshot>>>);

impl View {
    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        // Held for as long as it takes to count one reader more.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Hears the line's events and shows them in a [`View`].
#[derive(Debug, Default)]
pub struct Live {
    state: Snapshot,
    view: View,
    /// A state that no reader can see yet.
    unseen: bool,
}

impl Live {
    /// Where its snapshots are to be found.
    pub fn view(&self) -> View {
        self.view.clone()
    }
}

impl Listener for Live {
    fn hear(&mut self, event: &Event) {
        self.unseen |= self.state.take(event);
        if !self.unseen {
            return;
        }
        // A reader who just takes its copy is not waited for: the next event shows this state too.
        let mut shown = match self.view.0.try_lock() {
            Ok(shown) => shown,
            Err(TryLockError::Poisoned(shown)) => shown.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        *shown = Arc::new(self.state.clone());
        self.unseen = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::PartNumber;

    fn part(number: u64) -> Event {
        Event::Part(Arc::new(PartRecord::opened(PartNumber(number), Time::ZERO)))
    }

    #[test]
    fn readers_see_the_last_parts_and_what_stands() {
        let mut live = Live::default();
        let view = live.view();
        assert_eq!(view.snapshot().change, 0);
        for number in 1..=100 {
            live.hear(&part(number));
        }
        let at = Time::from_nanos(5);
        live.hear(&Event::LineStop { reason: Some(StopReason::AirLow), at });
        live.hear(&Event::Position { loss: Some(Loss::Slip), at });
        let seen = view.snapshot();
        assert_eq!(
            (seen.parts.len(), seen.parts[0].number.0, seen.parts[63].number.0),
            (LAST_PARTS, 100, 37)
        );
        assert_eq!((seen.stop, seen.lost), (Some((StopReason::AirLow, at)), Some((Loss::Slip, at))));
        live.hear(&Event::LineStop { reason: None, at });
        assert_eq!((view.snapshot().stop, seen.stop.is_some()), (None, true), "a snapshot stays as it was");
    }

    #[test]
    fn a_reader_that_holds_the_lock_is_not_waited_for_and_sees_everything_at_the_next_event() {
        let mut live = Live::default();
        let view = live.view();
        let held = view.0.lock().unwrap();
        live.hear(&part(1));
        drop(held);
        assert_eq!(view.snapshot().parts.len(), 0);
        live.hear(&Event::Unusable { name: String::new(), why: String::new() });
        assert_eq!(view.snapshot().parts.len(), 1);
    }
}
