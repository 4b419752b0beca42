//! Deciding: which part a score belongs to, what its verdict is, and when the gate must move.
//!
//! Pure: the same inputs and the same `now` give the same commands. Must not know clocks, threads or devices.

mod policy;
mod record;

pub use policy::Policy;
pub use record::{Look, Outcome, PartRecord};
