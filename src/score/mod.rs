//! Scoring: how good verdicts were, and how long they took. Pure; must not print.

mod confusion;
mod evaluation;
mod latency;
mod roc;

pub use confusion::{ClassQuality, Confusion};
pub use evaluation::{About, Evaluation, Judged, Mistake, Skipped};
pub use latency::{Latency, LatencyMs};
pub use roc::auc;
