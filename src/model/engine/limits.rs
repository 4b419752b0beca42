//! What a graph may cost in memory and time.

/// Most values of one intermediate result: 256 MiB as float32.
const VALUES: u64 = 64 << 20;
/// Most values of all intermediate results that live at the same time, working memory of convolutions included: 1 GiB.
const LIVE_VALUES: u64 = 256 << 20;
/// Most multiply-adds for one picture; ResNet50 on 300x300 pixels needs 8e9, the tapered network 1e8.
const MULTIPLY_ADDS: u64 = 100_000_000_000;

/// What a graph may cost.
#[derive(Debug, Clone, Copy)]
pub(in crate::model) struct Limits {
    pub(super) values: u64,
    pub(super) live_values: u64,
    pub(super) multiply_adds: u64,
}

impl Limits {
    /// On the line: one picture at a time.
    pub(in crate::model) const LINE: Limits =
        Limits { values: VALUES, live_values: LIVE_VALUES, multiply_adds: MULTIPLY_ADDS };

    /// For `batch` pictures at a time in `memory_mib` of working memory.
    pub(in crate::model) fn of_batch(batch: usize, memory_mib: u64) -> Self {
        let live_values = memory_mib.saturating_mul(1 << 18);
        Self { values: live_values, live_values, multiply_adds: MULTIPLY_ADDS.saturating_mul(batch as u64) }
    }
}
