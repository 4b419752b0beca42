//! Deciding: which part a score belongs to, what its verdict is, and when the gate must move.
//!
//! Pure: the same inputs and the same `now` give the same actions. Must not know clocks, threads or devices.

mod engine;
mod entry;
mod geometry;
mod policy;
mod record;
mod schedule;

pub use engine::{Action, Engine, Rules};
pub use geometry::Geometry;
pub use policy::{Policy, combine};
pub use record::{Look, Outcome, PartRecord};
pub use schedule::{Schedule, TooLate};
