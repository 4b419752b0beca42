//! Counters that several stages write and anybody may read: every captured frame ends in exactly one of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where the frames went.
#[derive(Debug, Default)]
pub struct Counters {
    captured: AtomicU64,
    inspected: AtomicU64,
    dropped: AtomicU64,
    unusable: AtomicU64,
    lost_events: AtomicU64,
}

/// A reading of the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frames {
    /// Frames that the camera delivered.
    pub captured: u64,
    /// Frames that were looked at, with or without a part in view.
    pub inspected: u64,
    /// Frames that were captured and not looked at, because the line was busy or stopping.
    pub dropped: u64,
    /// Pictures that the camera could not deliver as frames: broken files.
    pub unusable: u64,
    /// Events that no listener heard because the report queue was full.
    pub lost_events: u64,
}

impl Counters {
    /// A frame was captured; its number, from 1.
    pub(super) fn capture(&self) -> u64 {
        self.captured.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn inspect(&self) {
        self.inspected.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_frame(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unusable(&self) {
        self.unusable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lose_event(&self) {
        self.lost_events.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the frames that were still between camera and ledger when the line stopped as dropped.
    pub(super) fn settle(&self) {
        let frames = self.read();
        let under_way = frames.captured.saturating_sub(frames.inspected + frames.dropped);
        self.dropped.fetch_add(under_way, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn read(&self) -> Frames {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Frames {
            captured: of(&self.captured),
            inspected: of(&self.inspected),
            dropped: of(&self.dropped),
            unusable: of(&self.unusable),
            lost_events: of(&self.lost_events),
        }
    }
}
