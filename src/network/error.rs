//! Why there is no such network.

/// Most channels of a block, and most outputs of the hidden dense layer.
pub(super) const MOST_CHANNELS: usize = 256;
/// Most blocks.
pub(super) const MOST_BLOCKS: usize = 16;

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
    #[error(
        "a network is 1 to {MOST_BLOCKS} convolutions and then one dense layer, such as `16np-16p-8p-8n-8n-d64`"
    )]
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
