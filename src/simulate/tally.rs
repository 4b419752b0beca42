//! What a judge finds: broken promises, and what happened to the parts.

use std::collections::BTreeMap;

use serde::Serialize;

/// A broken promise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// Which of the properties.
    pub property: char,
    /// Seed that plays it again, as one shift.
    pub seed: u64,
    /// When, in seconds of the shift.
    pub at: f64,
    /// Which part, where it is about one.
    pub part: Option<u64>,
    /// What happened.
    pub what: String,
}

/// What happened in a shift.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Parts that were at the gate.
    pub parts: u64,
    /// Defective parts that passed.
    pub escapes: u64,
    /// Of these, those that a healthy and timely answer of the model had cleared.
    pub model_errors: u64,
    /// Of the escapes, those that were neither the model's nor told.
    pub unreported_escapes: u64,
    /// Good parts that were removed.
    pub false_rejects: u64,
    /// Records by the way the part left.
    pub by_final_state: BTreeMap<&'static str, u64>,
    /// Rejects by reason.
    pub by_reason: BTreeMap<&'static str, u64>,
    /// Line stops by reason.
    pub line_stops: BTreeMap<&'static str, u64>,
}
