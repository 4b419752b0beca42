//! Texts of people read strictly: every fault at once, each with its place, what would be right, and the name that was probably meant.
//!
//! Reads any type that serde knows. Must not know what a file is for, nor any of its keys.

pub mod problem;
mod scan;
mod seek;
mod tree;
mod wording;
pub mod yaml;

pub use tree::MAX_FAULTS;
