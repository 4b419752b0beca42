//! What the line, the `mqtt` thread and anybody who asks know of reporting.
//!
//! The line touches counters only; it never takes the lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::report::{Health, Link};

#[derive(Debug, Default)]
pub(super) struct Shared {
    offered: AtomicU64,
    overflowed: AtomicU64,
    health: Mutex<Health>,
    changed: Condvar,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { health: Mutex::new(Health { link: Link::Connecting, ..Health::default() }), ..Self::default() }
    }

    /// The line offered so many messages.
    pub(super) fn count_offer(&self, count: u64) {
        self.offered.fetch_add(count, Ordering::Relaxed);
    }

    /// So many offered messages did not fit into the queue to the `mqtt` thread.
    pub(super) fn count_overflow(&self, count: u64) {
        self.overflowed.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known, for the `mqtt` thread only.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Health) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// `queued` messages have not reached the `mqtt` thread yet.
    pub(super) fn health(&self, queued: u64) -> Health {
        let mut health = self.lock().clone();
        health.offered = self.offered.load(Ordering::Relaxed);
        health.waiting += queued;
        health
    }

    pub(super) fn wait(&self, timeout: Duration, wanted: &dyn Fn(&Health) -> bool) -> bool {
        let not_yet = |health: &mut Health| {
            health.offered = self.offered.load(Ordering::Relaxed);
            !wanted(health)
        };
        let guard = self.changed.wait_timeout_while(self.lock(), timeout, not_yet);
        !guard.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
