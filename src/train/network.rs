//! The network in numbers: its blocks, the sizes of its maps, and where each parameter lies.
//!
//! Owns the text that names a network (`16np-16p-8p-8n-8n-d64`). Must not know how anything is computed.

use std::fmt;
use std::ops::Range;

use crate::kernels::conv::Window;
use crate::kernels::{LANES, MapSize};

/// The paper's tapered network: early layers are the widest, later ones narrow towards the classifier.
pub const TAPERED: &str = "16np-16p-8p-8n-8n-d64";

/// Most channels of a block, and most outputs of the hidden dense layer.
const MOST_CHANNELS: usize = 256;
/// Most blocks.
const MOST_BLOCKS: usize = 16;

/// Why a text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// An item that is neither a convolution nor the dense layer.
    #[error(
        "network item `{0}` is neither a convolution such as `16`, `16n`, `16np` or `16sn` nor the dense layer `d64`"
    )]
    Item(String),
    /// Too many or too few channels.
    #[error("network item `{0}` is outside 1..={MOST_CHANNELS} channels")]
    Channels(String),
    /// The dense layer is missing or not the last item, or there is no convolution, or there are too many.
    #[error("a network is 1 to {MOST_BLOCKS} convolutions and then one dense layer, such as `{TAPERED}`")]
    Order,
    /// A convolution or pooling finds no pixels left.
    #[error(
        "network item `{item}` gets a map of {height}x{width} pixels, which is too small: enlarge the input or pool less"
    )]
    TooSmall {
        /// The item.
        item: String,
        /// Rows of its input.
        height: usize,
        /// Columns of its input.
        width: usize,
    },
    /// The input's sides are out of range.
    #[error("an input of {0}x{1} pixels is outside 8x8 to 512x512")]
    Input(usize, usize),
}

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

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.channels)?;
        let letters = [(self.strided, "s"), (self.norm, "n"), (self.pool, "p")];
        letters.iter().filter(|(given, _)| *given).try_for_each(|(_, letter)| f.write_str(letter))
    }
}

/// A block in its place in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The block.
    pub block: Block,
    /// Input channels.
    pub channels_in: usize,
    /// Input channels with those that fill the last vector. The picture itself is not filled up.
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
    /// Output channels with those that fill the last vector.
    pub fn lanes_out(&self) -> usize {
        lanes(self.block.channels)
    }

    /// What its convolution takes.
    pub fn window(&self) -> Window {
        Window { size: self.input, channels: self.lanes_in, stride: self.block.stride() }
    }
}

/// `channels` filled up to whole vectors.
pub fn lanes(channels: usize) -> usize {
    channels.next_multiple_of(LANES)
}

/// Where a block's parameters lie among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSlots {
    /// 3 x 3 x input channel x output channel.
    pub weights: Slot,
    /// One a channel.
    pub bias: Slot,
    /// One a channel; empty without normalisation.
    pub gamma: Slot,
    /// One a channel; empty without normalisation.
    pub beta: Slot,
}

/// A stretch of the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index of the first.
    pub start: usize,
    /// Number.
    pub len: usize,
}

impl Slot {
    /// As a range of indices.
    pub fn range(self) -> Range<usize> {
        self.start..self.start + self.len
    }
}

/// Blocks, then the mean of each channel, a dense layer with ReLU if it has any units, and one output through the sigmoid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    input: MapSize,
    stages: Vec<Stage>,
    hidden: usize,
    head: HeadSlots,
}

/// Where the head's parameters lie among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSlots {
    /// Channel x hidden unit; empty without hidden units, as its bias.
    pub hidden_weights: Slot,
    /// One a hidden unit.
    pub hidden_bias: Slot,
    /// One a hidden unit, or one a channel without hidden units.
    pub output_weights: Slot,
    /// One number.
    pub output_bias: Slot,
}

impl Network {
    /// Reads a text such as [`TAPERED`], for grey pictures of the given size: items between `-`, `,` or spaces; a convolution is its
    /// channels, then `s` for steps of two pixels, `n` for batch normalisation and `p` for pooling; the last item is `d` and the units of the
    /// dense layer, `d0` for none.
    ///
    /// # Errors
    /// The first thing that is wrong with the text, or the item for which too few pixels are left.
    pub fn parse(text: &str, input: MapSize) -> Result<Self, NetworkError> {
        let items: Vec<&str> = text.split(['-', ',', ' ']).filter(|item| !item.is_empty()).collect();
        let Some((last, convolutions)) = items.split_last() else { return Err(NetworkError::Order) };
        let blocks = convolutions.iter().map(|item| parse_block(item)).collect::<Result<Vec<_>, _>>()?;
        let Some(hidden) = last.strip_prefix('d') else {
            parse_block(last)?;
            return Err(NetworkError::Order);
        };
        let hidden = if hidden == "0" { 0 } else { parse_channels(last, hidden)? };
        Self::new(&blocks, hidden, input)
    }

    /// A network of these blocks and a dense layer of `hidden` units, for grey pictures of size `input`.
    ///
    /// # Errors
    /// As [`Network::parse`].
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

    /// One line of words a layer, for people.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![format!("input {}x{} grey", self.input.width, self.input.height)];
        for Stage { block, .. } in &self.stages {
            let step = if block.strided { " in steps of 2" } else { "" };
            words.push(format!("convolution 3x3{step}, {} channels, relu", block.channels));
            if block.norm {
                words.push("batch normalisation".to_owned());
            }
            if block.pool {
                words.push("max pooling 2x2".to_owned());
            }
        }
        words.push("global average pooling".to_owned());
        if self.hidden > 0 {
            words.push(format!("dense {}, relu", self.hidden));
        }
        words.push("dense 1, sigmoid".to_owned());
        words
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stage in &self.stages {
            write!(f, "{}-", stage.block)?;
        }
        write!(f, "d{}", self.hidden)
    }
}

fn parse_block(item: &str) -> Result<Block, NetworkError> {
    let digits = item.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let mut letters = &item[digits.len()..];
    let mut given = |letter| {
        let rest = letters.strip_prefix(letter);
        letters = rest.unwrap_or(letters);
        rest.is_some()
    };
    let (strided, norm, pool) = (given('s'), given('n'), given('p'));
    if !letters.is_empty() {
        return Err(NetworkError::Item(item.to_owned()));
    }
    Ok(Block { channels: parse_channels(item, digits)?, strided, norm, pool })
}

fn parse_channels(item: &str, digits: &str) -> Result<usize, NetworkError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NetworkError::Item(item.to_owned()));
    }
    match digits.parse() {
        Ok(channels @ 1..=MOST_CHANNELS) => Ok(channels),
        _ => Err(NetworkError::Channels(item.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy as _;

    fn square(side: usize) -> MapSize {
        MapSize { height: side, width: side }
    }

    #[test]
    fn the_papers_network_has_the_papers_size() {
        let network = Network::parse(TAPERED, square(300)).unwrap();
        // The paper counts 5,865: with three input channels (288 more) and each normalisation's running mean and variance (64 more),
        // which are measured, not trained.
        assert_eq!(network.parameters() + 288 + 64, 5865);
        assert_eq!(network.to_string(), TAPERED);
        assert_eq!(network.stages()[4].output, square(31));
    }

    #[test]
    fn a_text_that_names_no_network_says_what_would() {
        let error = |text| Network::parse(text, square(128)).unwrap_err().to_string();
        assert!(error("16x-d64").contains("`16x` is neither"));
        assert!(error("16np").contains("then one dense layer"));
        assert!(error("").contains("then one dense layer"));
        assert!(error("d64").contains("then one dense layer"));
        assert!(error("d64-16").contains("`d64`"));
        assert!(error("0-d64").contains("outside 1..=256"));
        assert!(error("16-d99999999999999999999").contains("outside 1..=256"));
        assert!(error("8p-8p-8p-8p-8p-8p-d64").contains("too small"));
        assert!(error("n-d64").contains("neither"));
        assert!(error("16ps-d64").contains("neither"));
        assert!(error("8s-8s-8s-8s-8sp-8-d0").contains("`8` gets a map of 1x1"));
        assert!(error("8-d00").contains("outside"));
        assert!(Network::parse("8-d8", square(4)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in proptest::collection::vec(proptest::char::any(), 0..24).prop_map(String::from_iter), side in 0usize..600) {
            let _ = Network::parse(&text, square(side));
        }

        #[test]
        fn what_is_printed_is_read_again(
            channels in proptest::collection::vec((1usize..=40, proptest::bool::ANY, proptest::bool::ANY), 1..5),
            hidden in 0usize..3,
        ) {
            let block = |&(channels, strided, norm): &(usize, bool, bool)| Block { channels, strided, norm, pool: !norm };
            let blocks: Vec<Block> = channels.iter().map(block).collect();
            let network = Network::new(&blocks, hidden, square(500)).unwrap();
            proptest::prop_assert_eq!(&Network::parse(&network.to_string(), square(500)).unwrap(), &network);
        }
    }
}
