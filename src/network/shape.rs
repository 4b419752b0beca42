//! The network in numbers: its blocks, the sizes of its maps, and where each parameter lies.
//!
//! Must not know how anything is computed.

use super::error::{MOST_BLOCKS, NetworkError};
use super::slots::{BlockSlots, HeadSlots, Slot};
use crate::kernels::conv::Window;
use crate::kernels::{LANES, MapSize};

/// A 3x3 convolution with ReLU, then batch normalisation if `norm`, then 2x2 max pooling if `pool`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Output channels.
    pub channels: usize,
    /// Whether the convolution goes in steps of two pixels, else of one.
    pub strided: bool,
    /// Whether batch normalisation follows ReLU.
    pub norm: bool,
    /// Whether pooling follows.
    pub pool: bool,
}

impl Block {
    /// Pixels from one window of the convolution to the next.
    pub fn stride(&self) -> usize {
        if self.strided { 2 } else { 1 }
    }
}

/// A block in its place in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The block.
    pub block: Block,
    /// Input channels.
    pub channels_in: usize,
    /// Input channels with those that pad the last vector. The picture itself is not padded.
    pub lanes_in: usize,
    /// Input size.
    pub input: MapSize,
    /// Size of the convolution's output.
    pub conv: MapSize,
    /// Size of the block's output.
    pub output: MapSize,
    /// Where its parameters lie.
    pub slots: BlockSlots,
}

impl Stage {
    /// Output channels with those that pad the last vector.
    pub fn lanes_out(&self) -> usize {
        lanes(self.block.channels)
    }

    /// What its convolution takes.
    pub fn window(&self) -> Window {
        Window { size: self.input, channels: self.lanes_in, stride: self.block.stride() }
    }
}

/// `channels` padded to whole vectors.
pub fn lanes(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// Blocks, then the mean of each channel, a dense layer with ReLU if it has any units, and one output through the sigmoid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    input: MapSize,
    stages: Vec<Stage>,
    hidden: usize,
    head: HeadSlots,
}

impl Network {
    /// A network of these blocks and a dense layer of `hidden` units, for grey pictures of size `input`.
    ///
    /// # Errors
    /// When there are too many blocks or none, and the first block for which too few pixels are left.
    pub fn new(blocks: &[Block], hidden: usize, input: MapSize) -> Result<Self, NetworkError> {
        if blocks.is_empty() || blocks.len() > MOST_BLOCKS {
            return Err(NetworkError::Order);
        }
        if ![input.height, input.width].iter().all(|side| (8..=512).contains(side)) {
            return Err(NetworkError::Input(input.width, input.height));
        }
        let mut next = 0;
        let mut slot = |len: usize| {
            next += len;
            Slot { start: next - len, len }
        };
        let (mut size, mut channels_in) = (input, 1);
        let mut stages = Vec::with_capacity(blocks.len());
        for &block in blocks {
            let too_small =
                || NetworkError::TooSmall { item: block.to_string(), height: size.height, width: size.width };
            let least = if block.pool { 3 + block.stride() } else { 3 };
            if size.height < least || size.width < least {
                return Err(too_small());
            }
            let lanes_in = if stages.is_empty() { channels_in } else { lanes(channels_in) };
            let conv = Window { size, channels: lanes_in, stride: block.stride() }.output();
            let half = MapSize { height: conv.height / 2, width: conv.width / 2 };
            let output = if block.pool { half } else { conv };
            let of_norm = if block.norm { block.channels } else { 0 };
            let slots = BlockSlots {
                weights: slot(9 * channels_in * block.channels),
                bias: slot(block.channels),
                gamma: slot(of_norm),
                beta: slot(of_norm),
            };
            stages.push(Stage { block, channels_in, lanes_in, input: size, conv, output, slots });
            (size, channels_in) = (output, block.channels);
        }
        let head = HeadSlots {
            hidden_weights: slot(channels_in * hidden),
            hidden_bias: slot(hidden),
            output_weights: slot(if hidden == 0 { channels_in } else { hidden }),
            output_bias: slot(1),
        };
        Ok(Self { input, stages, hidden, head })
    }

    /// Size of the grey picture that goes in.
    pub fn input(&self) -> MapSize {
        self.input
    }

    /// The blocks in their order.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Units of the hidden dense layer; 0 without one.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// Where the head's parameters lie.
    pub fn head(&self) -> &HeadSlots {
        &self.head
    }

    /// Channels of the last block.
    pub fn features(&self) -> usize {
        self.stages.last().map_or(1, |stage| stage.block.channels)
    }

    /// Number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.head.output_bias.range().end
    }

    /// Multiplications with additions for one picture.
    pub fn multiply_adds(&self) -> usize {
        let of_stage = |stage: &Stage| stage.conv.height * stage.conv.width * stage.slots.weights.len;
        self.stages.iter().map(of_stage).sum::<usize>()
            + self.head.hidden_weights.len
            + self.head.output_weights.len
    }
}
