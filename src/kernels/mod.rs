//! Kernels of small convolutional networks over slices, forward and backward: one home for training and inference. Pure.

pub mod conv;
pub mod dense;
mod dispatch;
pub mod float;
pub mod norm;
pub mod pool;

pub use float::Float;

/// Numbers in one vector. The channels of a feature map are filled up to a multiple of it, so that no kernel needs a remainder.
pub const LANES: usize = 8;

/// Rows and columns of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapSize {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}
