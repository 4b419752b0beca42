//! Messages that no broker has acknowledged yet: bounded, in order, each kept until it is acknowledged.
//!
//! Pure. A restarted broker does not know what it was sent, so delivery at least once is kept here. Must not know topics, formats or
//! connections.

use std::collections::{BTreeMap, VecDeque};

/// Number of a message in the outbox; grows with each message.
pub(super) type Ticket = u64;

#[derive(Debug)]
struct Entry<T> {
    ticket: Ticket,
    /// Dropped first when the outbox is full.
    part: bool,
    item: T,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox<T> {
    capacity: usize,
    window: usize,
    waiting: VecDeque<Entry<T>>,
    sent: BTreeMap<Ticket, Entry<T>>,
    next: Ticket,
    dropped: u64,
}

impl<T> Outbox<T> {
    /// Keeps at most `capacity` waiting messages, and besides at most `window` that are sent and not acknowledged.
    pub(super) fn new(capacity: usize, window: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            window: window.max(1),
            waiting: VecDeque::new(),
            sent: BTreeMap::new(),
            next: 0,
            dropped: 0,
        }
    }

    /// Takes a message. A full outbox drops its oldest part message, or its oldest message when it holds no part, and gives it back.
    pub(super) fn push(&mut self, part: bool, item: T) -> Vec<T> {
        self.waiting.push_back(Entry { ticket: self.next, part, item });
        self.next += 1;
        self.trim()
    }

    fn trim(&mut self) -> Vec<T> {
        let mut dropped = Vec::new();
        while self.waiting.len() > self.capacity {
            let oldest_part = self.waiting.iter().position(|entry| entry.part).unwrap_or(0);
            dropped.extend(self.waiting.remove(oldest_part).map(|entry| entry.item));
            self.dropped += 1;
        }
        dropped
    }

    /// The next message to send, if one waits and the window has room. It counts as sent from now on.
    pub(super) fn send_next(&mut self) -> Option<(Ticket, &T)> {
        if self.sent.len() >= self.window {
            return None;
        }
        let entry = self.waiting.pop_front()?;
        let ticket = entry.ticket;
        let entry = self.sent.entry(ticket).or_insert(entry);
        Some((ticket, &entry.item))
    }

    /// The broker has this message, which is given back. `None` when it was not under way, as after a connection was lost.
    pub(super) fn acknowledge(&mut self, ticket: Ticket) -> Option<T> {
        self.sent.remove(&ticket).map(|entry| entry.item)
    }

    /// The connection is gone: what was not acknowledged waits again, in front and in order. Gives back what finds no room.
    pub(super) fn connection_lost(&mut self) -> Vec<T> {
        while let Some((_, entry)) = self.sent.pop_last() {
            self.waiting.push_front(entry);
        }
        self.trim()
    }

    /// Messages that wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Messages that are not acknowledged, sent or not.
    pub(super) fn unacknowledged(&self) -> usize {
        self.waiting.len() + self.sent.len()
    }

    /// What is not acknowledged, sent or not.
    pub(super) fn rest(&self) -> impl Iterator<Item = &T> {
        self.sent.values().chain(&self.waiting).map(|entry| &entry.item)
    }

    /// Messages dropped so far because the outbox was full.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn send_all(outbox: &mut Outbox<u32>) -> Vec<(Ticket, u32)> {
        std::iter::from_fn(|| outbox.send_next().map(|(ticket, item)| (ticket, *item))).collect()
    }

    #[test]
    fn a_full_outbox_drops_the_oldest_part_and_keeps_the_summary() {
        let mut outbox = Outbox::new(3, 8);
        outbox.push(false, 100);
        for part in 0..4 {
            outbox.push(true, part);
        }
        assert_eq!(send_all(&mut outbox).iter().map(|sent| sent.1).collect::<Vec<_>>(), [100, 2, 3]);
        assert_eq!(outbox.dropped(), 2);
    }

    #[test]
    fn an_outbox_of_summaries_alone_drops_the_oldest() {
        let mut outbox = Outbox::new(2, 8);
        (0..5).for_each(|item| drop(outbox.push(false, item)));
        assert_eq!(send_all(&mut outbox).iter().map(|sent| sent.1).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(outbox.dropped(), 3);
    }

    #[test]
    fn after_a_lost_connection_everything_unacknowledged_is_sent_again_in_order() {
        let mut outbox = Outbox::new(10, 3);
        (0..5).for_each(|item| drop(outbox.push(true, item)));
        let sent = send_all(&mut outbox);
        assert_eq!(sent.len(), 3);
        assert_eq!(outbox.acknowledge(sent[1].0), Some(sent[1].1));
        assert_eq!(outbox.acknowledge(sent[1].0), None);
        outbox.connection_lost();
        assert_eq!(
            outbox.acknowledge(sent[0].0),
            None,
            "an acknowledgement of the old connection says nothing"
        );
        assert_eq!(send_all(&mut outbox).iter().map(|sent| sent.1).collect::<Vec<_>>(), [0, 2, 3]);
        assert_eq!((outbox.waiting(), outbox.unacknowledged()), (1, 4));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(bool),
        Send,
        Acknowledge(usize),
        Lose,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => any::<bool>().prop_map(Step::Push),
            4 => Just(Step::Send),
            3 => (0usize..8).prop_map(Step::Acknowledge),
            1 => Just(Step::Lose),
        ]
    }

    proptest! {
        #[test]
        fn every_message_is_accounted_for_once_and_the_order_holds(
            capacity in 1usize..6, window in 1usize..4, steps in prop::collection::vec(step(), 0..200)
        ) {
            let mut outbox = Outbox::new(capacity, window);
            let (mut pushed, mut acknowledged) = (0u32, 0u64);
            let mut on_wire: Vec<(Ticket, u32)> = Vec::new();
            for step in steps {
                match step {
                    Step::Push(part) => {
                        outbox.push(part, pushed);
                        pushed += 1;
                    }
                    Step::Send => {
                        if let Some((ticket, item)) = outbox.send_next() {
                            prop_assert!(on_wire.iter().all(|(_, sent)| sent < item), "order on one connection");
                            on_wire.push((ticket, *item));
                        }
                    }
                    Step::Acknowledge(which) if which < on_wire.len() => {
                        prop_assert!(outbox.acknowledge(on_wire.remove(which).0).is_some());
                        acknowledged += 1;
                    }
                    Step::Acknowledge(_) => {}
                    Step::Lose => {
                        on_wire.clear();
                        outbox.connection_lost();
                    }
                }
                prop_assert!(outbox.waiting() <= capacity && on_wire.len() <= window);
                let kept = outbox.unacknowledged() as u64;
                prop_assert_eq!(u64::from(pushed), acknowledged + kept + outbox.dropped());
            }
        }
    }
}
