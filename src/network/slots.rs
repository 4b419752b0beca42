//! Where each parameter lies in the compact list that files and the optimiser hold.

use std::ops::Range;

/// Where a block's parameters lie among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSlots {
    /// 3 x 3 x input channel x output channel.
    pub weights: Slot,
    /// One a channel.
    pub bias: Slot,
    /// One a channel; empty without normalisation.
    pub gamma: Slot,
    /// One a channel; empty without normalisation.
    pub beta: Slot,
}

/// A stretch of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index of the first.
    pub start: usize,
    /// Number.
    pub len: usize,
}

impl Slot {
    /// As a range of indices.
    pub fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// Where the head's parameters lie among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSlots {
    /// Channel x hidden unit; empty without hidden units, as its bias.
    pub hidden_weights: Slot,
    /// One a hidden unit.
    pub hidden_bias: Slot,
    /// One a hidden unit, or one a channel without hidden units.
    pub output_weights: Slot,
    /// One number.
    pub output_bias: Slot,
}
