//! Training a tapered network on the CPU. Pure: no files, clocks or threads other than scoped workers of its own.

mod adam;
pub mod augment;
pub mod checkpoint;
mod exchange;
pub mod explain;
pub mod fit;
pub mod network;
mod parameters;
mod pass;
pub mod pictures;
pub mod prune;
pub mod quality;
pub mod split;
pub mod step;
pub mod taper;

pub use adam::Adam;
pub use network::Network;
pub use parameters::{Moments, Statistics, initial};
pub use pass::EPSILON;

#[cfg(test)]
mod tests;
