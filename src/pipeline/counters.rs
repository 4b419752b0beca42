//! Counters that several stages write and anybody may read: every captured frame ends in exactly one of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where the frames went.
#[derive(Debug, Default)]
pub struct Counters {
    captured: AtomicU64,
    inspected: AtomicU64,
    dropped: AtomicU64,
    unusable: AtomicU64,
    missed: AtomicU64,
    lost_events: AtomicU64,
    /// Parts that the ledger has room for.
    room: AtomicU64,
    /// Bits of the measured and the promised rate in frames a second; 0 while one is not known.
    rates: [AtomicU64; 2],
}

/// A reading of the counters.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Frames {
    /// Frames that the camera delivered.
    pub captured: u64,
    /// Frames that were looked at, with or without a part in view.
    pub inspected: u64,
    /// Frames that were captured and not looked at, because the line was busy or stopping.
    pub dropped: u64,
    /// Pictures that the camera could not deliver as frames: broken files, damaged frames.
    pub unusable: u64,
    /// Pictures that the camera took and nobody got.
    pub missed: u64,
    /// Frames a second that the camera gave lately, and those that it promised.
    pub rate: Option<f64>,
    /// See `rate`.
    pub promised_rate: Option<f64>,
    /// Events that no listener heard because the report queue was full.
    pub lost_events: u64,
}

impl Counters {
    /// A frame was captured; its number, from 1.
    pub(super) fn capture(&self) -> u64 {
        self.captured.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A frame has gone through the ledger, whose room has been told before.
    pub(super) fn inspect(&self) {
        self.inspected.fetch_add(1, Ordering::Release);
    }

    /// The ledger has room for so many parts.
    pub(super) fn set_room(&self, parts: usize) {
        self.room.store(parts as u64, Ordering::Release);
    }

    /// Whether the ledger has room for one more picture than are on their way to it.
    pub(super) fn has_room(&self) -> bool {
        let captured = self.captured.load(Ordering::Relaxed);
        let over = self.inspected.load(Ordering::Acquire) + self.dropped.load(Ordering::Relaxed);
        // Read last: a picture that has just gone through is counted twice rather than not at all.
        captured.saturating_sub(over) < self.room.load(Ordering::Acquire)
    }

    pub(super) fn miss(&self, frames: u32) {
        self.missed.fetch_add(u64::from(frames), Ordering::Relaxed);
    }

    pub(super) fn set_rate(&self, measured: Option<f64>, promised: f64) {
        for (bits, rate) in self.rates.iter().zip([measured.unwrap_or(0.0), promised]) {
            bits.store(rate.to_bits(), Ordering::Relaxed);
        }
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
        let [rate, promised_rate] =
            [0, 1].map(|at: usize| Some(f64::from_bits(of(&self.rates[at]))).filter(|rate| *rate > 0.0));
        Frames {
            captured: of(&self.captured),
            inspected: of(&self.inspected),
            dropped: of(&self.dropped),
            unusable: of(&self.unusable),
            missed: of(&self.missed),
            rate,
            promised_rate,
            lost_events: of(&self.lost_events),
        }
    }
}
