//! Scoring: how good verdicts were, and how long they took. Pure; must not print.

pub mod bounds;
pub mod confusion;
pub mod curves;
pub mod evaluation;
pub mod folds;
pub mod foreign;
pub mod latency;
pub mod located;
pub mod page;
pub mod roc;
pub mod row;
pub mod speed;
pub mod stress;
pub mod summary;
pub mod tapering;
mod text;
pub mod threshold;
