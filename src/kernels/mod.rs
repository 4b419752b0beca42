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

#[cfg(test)]
mod tests {
    /// Numbers between -1 and 1 that look random.
    pub(super) fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let step = |i: usize| (i as u64 + 1).wrapping_mul(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..count)
            .map(|i| (step(i).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 23) as f32 - 1.0)
            .collect()
    }

    pub(super) fn assert_close(values: &[f32], wanted: &[f32]) {
        assert_eq!(values.len(), wanted.len());
        for (at, (value, wanted)) in values.iter().zip(wanted).enumerate() {
            let close = (value - wanted).abs() <= 1e-4 * (1.0 + wanted.abs());
            assert!(close, "{value} instead of {wanted} at {at}");
        }
    }
}
