//! What batch normalisation goes by at run time: mean and variance of each channel.

use super::shape::{Network, Stage, lanes};

/// Mean and variance of each channel behind each block's ReLU; empty for a block without normalisation. Channels are padded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statistics {
    /// One pair a block.
    pub blocks: Vec<Moments>,
}

/// Mean and variance of each channel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// Means.
    pub mean: Vec<f64>,
    /// Variances over all values (not the sample estimate).
    pub variance: Vec<f64>,
}

/// The moments of the channels `keep`, padded like `padded`; empty where there are none.
pub(crate) fn lanes_of(moments: &Moments, keep: &[usize], padded: &Moments) -> Moments {
    let mut narrow = padded.clone();
    for (to, &from) in keep.iter().enumerate().take(narrow.mean.len()) {
        (narrow.mean[to], narrow.variance[to]) = (moments.mean[from], moments.variance[from]);
    }
    narrow
}

impl Statistics {
    /// Mean 0 and variance 1 for each channel.
    pub fn unit(network: &Network) -> Self {
        let of_stage = |stage: &Stage| {
            let channels = if stage.block.norm { lanes(stage.block.channels) } else { 0 };
            Moments { mean: vec![0.0; channels], variance: vec![1.0; channels] }
        };
        Self { blocks: network.stages().iter().map(of_stage).collect() }
    }
}
