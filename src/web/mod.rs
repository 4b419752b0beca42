//! What a page, a scraper or a test may see of a running line: a snapshot of its state, and its figures as metrics.
//!
//! One layer above `pipeline/`, on which it listens like any other. Reading never makes the line wait. Must not command anything.

mod metrics;
mod snapshot;

pub use metrics::metrics;
pub use snapshot::{LAST_PARTS, Live, Snapshot, View};
