//! The text that names a network, such as `16np-16p-8p-8n-8n-d64`, and what a network is in words.

use std::fmt;

use super::error::{MOST_CHANNELS, NetworkError};
use super::shape::{Block, Network, Stage};
use crate::kernels::MapSize;

/// The paper's tapered network: early layers are the widest, later ones narrow towards the classifier.
pub const TAPERED: &str = "16np-16p-8p-8n-8n-d64";

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.channels)?;
        let letters = [(self.strided, "s"), (self.norm, "n"), (self.pool, "p")];
        letters.iter().filter(|(given, _)| *given).try_for_each(|(_, letter)| f.write_str(letter))
    }
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

    /// One line of words a layer, for people.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![format!("input {}x{} grey", self.input().width, self.input().height)];
        for Stage { block, .. } in self.stages() {
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
        if self.hidden() > 0 {
            words.push(format!("dense {}, relu", self.hidden()));
        }
        words.push("dense 1, sigmoid".to_owned());
        words
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for stage in self.stages() {
            write!(f, "{}-", stage.block)?;
        }
        write!(f, "d{}", self.hidden())
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
