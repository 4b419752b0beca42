//! The networks among which the search for the ideal tapering chooses.
//!
//! Owns the families: how wide a network begins, where and how fast it narrows, how it halves its maps, and its head. Must not know how
//! networks are trained or judged.
//!
//! Drawn at random rather than from a grid: of several settings mostly few matter, and then a random draw tries more values of those
//! (J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012).

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::kernels::MapSize;
use crate::network::{Block, Network, TAPERED};

/// Channels of the first block.
const WIDTHS: &[usize] = &[6, 8, 12, 16, 20, 24];
/// Channels of a block, as a multiple of the block's before, from where the network begins to change. Above 1 it widens: the tapering must
/// prove itself against that.
const RATIOS: &[f64] = &[0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5];
/// Units of the hidden dense layer.
const HEADS: &[usize] = &[0, 16, 32, 64];
/// Fewest channels of a block.
const LEAST: usize = 4;
/// Fewest and most blocks.
const BLOCKS: std::ops::RangeInclusive<usize> = 3..=7;
/// Sides of the last map, in pixels: with larger ones the last block sees too little of the part, with smaller ones nothing is left of it.
const LAST_MAP: std::ops::RangeInclusive<usize> = 3..=24;
/// Networks that are drawn for each that is tried.
const PLENTY: usize = 20;

/// Draws `count` different networks of at most `most` multiply-adds, for square pictures of one of `sides` pixels, their costs spread over
/// what is possible. The same seed gives the same ones. Fewer come back where there are not so many.
pub fn draw(count: usize, sides: &[usize], most: usize, seed: u64) -> Vec<Network> {
    let mut random = Pcg64::seed_from_u64(seed);
    let mut found: Vec<Network> = Vec::new();
    for _ in 0..count * PLENTY * 4 {
        if found.len() >= count * PLENTY {
            break;
        }
        let network = sides.choose(&mut random).and_then(|&side| one(side, &mut random));
        if let Some(network) = network.filter(|network| network.multiply_adds() <= most) {
            found.push(network);
        }
    }
    found.sort_by_key(|network| (network.multiply_adds(), network.parameters(), network.to_string()));
    found.dedup();
    // One from each of as many bands of cost as are wanted.
    let count = count.min(found.len());
    (0..count)
        .filter_map(|band| {
            found[found.len() * band / count..found.len() * (band + 1) / count].choose(&mut random)
        })
        .cloned()
        .collect()
}

/// The paper's network for the largest of `sides`, if it suits it or a smaller one; `None` where none does.
pub fn of_the_paper(sides: &[usize]) -> Option<Network> {
    let mut sides = sides.to_vec();
    sides.sort_unstable();
    sides
        .into_iter()
        .rev()
        .find_map(|side| Network::parse(TAPERED, MapSize { height: side, width: side }).ok())
}

fn one(side: usize, random: &mut impl Rng) -> Option<Network> {
    let blocks = random.random_range(BLOCKS);
    let widths = widths(blocks, random);
    // How maps are halved: by strides, by pooling, or by strides where maps are large and pooling behind.
    let halvings = random.random_range(2..=4.min(blocks));
    let strides = *[0, halvings, halvings / 2].choose(random)?;
    let mut halved = [(true, false)].repeat(strides);
    halved.resize(halvings, (false, true));
    halved.resize(blocks, (false, false));
    // The last halvings may come later, but the first layer always halves: it is where maps are largest.
    halved[1..].shuffle(random);
    let block = |(&channels, &(strided, pool)): (&usize, &(bool, bool))| Block {
        channels,
        strided,
        norm: true,
        pool,
    };
    let blocks: Vec<Block> = widths.iter().zip(&halved).map(block).collect();
    let network =
        Network::new(&blocks, *HEADS.choose(random)?, MapSize { height: side, width: side }).ok()?;
    let last = network.stages().last()?.output;
    LAST_MAP.contains(&last.height).then_some(network)
}

/// Channels of each block: constant up to a depth, then by one ratio from block to block, in fours.
fn widths(blocks: usize, random: &mut impl Rng) -> Vec<usize> {
    let first = WIDTHS.choose(random).copied().unwrap_or(LEAST);
    let ratio = RATIOS.choose(random).copied().unwrap_or(1.0);
    let depth = random.random_range(1..=blocks);
    let width = |at: usize| {
        let exponent = (at + 1).saturating_sub(depth) as i32;
        let exact = first as f64 * ratio.powi(exponent);
        if exponent == 0 { first } else { ((exact / 4.0).round() as usize * 4).clamp(LEAST, 64) }
    };
    (0..blocks).map(width).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_drawn_is_of_every_family_within_the_bounds_and_always_the_same() {
        let drawn = draw(200, &[64, 128], 8_000_000, 5);
        assert_eq!(drawn.len(), 200);
        assert_eq!(drawn, draw(200, &[64, 128], 8_000_000, 5));
        assert_ne!(drawn, draw(200, &[64, 128], 8_000_000, 6));
        let texts: HashSet<String> =
            drawn.iter().map(|network| format!("{network} {}", network.input().height)).collect();
        assert_eq!(texts.len(), 200);
        let costs: Vec<usize> = drawn.iter().map(Network::multiply_adds).collect();
        assert!(costs.is_sorted() && costs[199] <= 8_000_000 && costs[0] * 10 < costs[199], "{costs:?}");
        let any = |holds: fn(&Network) -> bool| drawn.iter().any(holds);
        assert!(
            any(|network| network.stages()[0].block.strided) && any(|network| network.stages()[0].block.pool)
        );
        assert!(any(|network| network.hidden() == 0) && any(|network| network.hidden() == 64));
        assert!(any(|network| network.features() > network.stages()[0].block.channels));
        assert!(any(|network| network.features() * 2 < network.stages()[0].block.channels));
    }

    #[test]
    fn where_nothing_fits_nothing_is_drawn() {
        assert!(draw(10, &[128], 10, 1).is_empty());
        assert!(draw(10, &[], 1 << 30, 1).is_empty());
        assert!(of_the_paper(&[8]).is_none());
        assert_eq!(of_the_paper(&[64, 128, 8]).map(|network| network.input().height), Some(128));
    }
}
