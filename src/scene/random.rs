//! Seeded randomness: every part, surface and frame draws from a stream of its own, so any of them can be made again
//! without the ones before it.
//!
//! Owns the streams and the smooth noise made from them. Must not know what is drawn with them.

use rand::RngExt;
use rand_pcg::Pcg64;

/// What a stream is for; streams of one seed do not touch one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Place,
    Truth,
    Look,
    Defects,
    Surface,
    Light,
    Order,
    Noise,
    Sample,
}

/// A random stream with the draws that drawing needs.
#[derive(Debug, Clone)]
pub(super) struct Dice(Pcg64);

impl Dice {
    /// The stream of number `index` of one purpose under one seed.
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let stream = (u128::from(index) << 8) | purpose as u128;
        Self(Pcg64::new(u128::from(mix(seed)), stream))
    }

    /// Evenly from `low` to `high`.
    pub(super) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.random::<f64>()
    }

    /// The same in single precision.
    pub(super) fn range32(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    /// An angle in radians, all round.
    pub(super) fn angle(&mut self) -> f32 {
        self.range32(0.0, std::f32::consts::TAU)
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// One of `0..count`; 0 when `count` is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.0.random::<f64>() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// A number for a stream or noise below this one.
    pub(super) fn seed(&mut self) -> u64 {
        self.0.random()
    }

    /// From the normal distribution with mean 0 and standard deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.0.random::<f64>()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * self.0.random::<f64>()).cos()) as f32
    }
}

/// Scrambles a number (the finaliser of SplitMix64, Steele et al. 2014).
pub(super) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number of -1 to 1 for a grid point: 32-bit arithmetic, as it is asked for millions of times.
fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x85EB_CA6B) ^ (y as u32).wrapping_mul(0xC2B2_AE35);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^= h >> 15;
    h as f32 * (2.0 / u32::MAX as f32) - 1.0
}

/// The length of a vector; `hypot` guards against overflow that cannot happen here, and is slow.
pub(super) fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// The greatest whole number that is not above `x`, for values that fit: `floor` is a call where the CPU's base set
/// has none.
fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole - i32::from(whole as f32 > x)
}

/// The fraction of `x` above the whole number below it.
pub(super) fn fraction(x: f32) -> f32 {
    x - floor(x) as f32
}

fn ease(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// Smooth noise of -1 to 1 over the plane, features about 1 wide. With `period_x` greater than 0 it repeats along
/// x after so many units.
pub(super) fn noise(seed: u32, x: f32, y: f32, period_x: i32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (tx, ty) = (ease(x - ix as f32), ease(y - iy as f32));
    let wrap = |i: i32| if period_x > 0 { i.rem_euclid(period_x) } else { i };
    let (x0, x1) = (wrap(ix), wrap(ix.wrapping_add(1)));
    let y1 = iy.wrapping_add(1);
    let top = lattice(seed, x0, iy) * (1.0 - tx) + lattice(seed, x1, iy) * tx;
    let low = lattice(seed, x0, y1) * (1.0 - tx) + lattice(seed, x1, y1) * tx;
    top * (1.0 - ty) + low * ty
}

/// A function of one variable kept as a table over `0.0..1.0` that repeats: light by angle, grain by radius.
#[derive(Debug, Clone, Default)]
pub(super) struct Curve(Vec<f32>);

impl Curve {
    /// Fills the table with `count` values (a power of two) of `value` at 0 to 1, in the memory that it has.
    pub(super) fn fill(&mut self, count: usize, value: impl Fn(f32) -> f32) {
        debug_assert!(count.is_power_of_two());
        self.0.clear();
        self.0.extend((0..count).map(|i| value(i as f32 / count as f32)));
    }

    /// The value at `at`, of which only the fraction counts; the nearest entry.
    pub(super) fn at(&self, at: f32) -> f32 {
        let index = (at * self.0.len() as f32) as i32 as usize & (self.0.len() - 1);
        self.0[index]
    }
}

/// 0 below `low`, 1 above `high`, smooth between; falls instead of rising when `high` is less than `low`.
pub(super) fn step(low: f32, high: f32, at: f32) -> f32 {
    ease(((at - low) / (high - low)).clamp(0.0, 1.0))
}

/// Evenly spread one-to-one shuffle of `0..count` for a round: place `index` holds the returned number. A Feistel
/// network of four rounds that walks until it falls inside `count`, so no table is kept.
pub(super) fn shuffled(seed: u64, round: u64, index: u64, count: u64) -> u64 {
    debug_assert!(index < count);
    let half = (64 - (count.max(2) - 1).leading_zeros()).div_ceil(2);
    let mask = (1u64 << half) - 1;
    let key = mix(seed ^ mix(round ^ ((Purpose::Order as u64) << 56)));
    let mut value = index;
    loop {
        let (mut left, mut right) = (value >> half, value & mask);
        for step in 0..4 {
            (left, right) = (right, left ^ (mix(key ^ (right << 8) ^ step) & mask));
        }
        value = (left << half) | right;
        if value < count {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_by_purpose_and_index_and_repeat() {
        let first = |purpose, index| Dice::new(7, purpose, index).seed();
        assert_eq!(first(Purpose::Look, 3), first(Purpose::Look, 3));
        assert_ne!(first(Purpose::Look, 3), first(Purpose::Look, 4));
        assert_ne!(first(Purpose::Look, 3), first(Purpose::Truth, 3));
    }

    #[test]
    fn fractions_are_those_of_the_standard_library() {
        for x in [-2.5f32, -1.0, -0.25, 0.0, 0.75, 3.0, 1000.5] {
            assert_eq!(fraction(x), x - x.floor());
        }
    }

    #[test]
    fn noise_repeats_after_its_period() {
        for i in 0..50 {
            let (x, y) = (i as f32 * 0.37, i as f32 * 0.11);
            assert!((noise(5, x, y, 16) - noise(5, x + 16.0, y, 16)).abs() < 1e-3);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_shuffle_holds_every_number_once(seed: u64, round in 0u64..5, count in 1u64..300) {
            let mut seen: Vec<u64> = (0..count).map(|i| shuffled(seed, round, i, count)).collect();
            seen.sort_unstable();
            proptest::prop_assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
    }
}
