//! Training a tapered network on the CPU. Pure: no files, clocks or threads other than scoped workers of its own.

mod adam;
mod all_reduce;
pub mod augment;
pub mod checkpoint;
pub mod explain;
pub mod fit;
mod pass;
pub mod pictures;
pub mod prune;
pub mod quality;
pub mod split;
pub mod step;
pub mod taper;

pub use adam::Adam;

#[cfg(test)]
mod tests;
