//! Scoring: how good verdicts were, and how long they took. Pure; must not print.

pub mod latency;
pub mod summary;
