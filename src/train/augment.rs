//! Random changes to training pictures that leave the part what it is: how it lies, how it is framed, how it is lit.
//!
//! Owns the kinds of change and their ranges. Must not know files or the network.

use std::str::FromStr;

use rand::{Rng, RngExt};

use crate::kernels::MapSize;
use crate::vision::warp::Warp;

/// Which changes are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Augment {
    /// None.
    None,
    /// Flips and quarter turns.
    Flips,
    /// Flips, quarter turns, and changes of framing and light as they occur on a belt.
    #[default]
    Full,
}

impl Augment {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Augment::None => "none",
            Augment::Flips => "flips",
            Augment::Full => "full",
        }
    }
}

impl FromStr for Augment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Augment::None, Augment::Flips, Augment::Full]
            .into_iter()
            .find(|augment| augment.name() == text)
            .ok_or_else(|| format!("`{text}` is none of `none`, `flips` and `full`"))
    }
}

/// Turn to either side, in radians: 6 degrees.
const TURN: f64 = 0.105;
/// Shift to either side, as a share of the picture's side.
const SHIFT: f64 = 0.05;
/// Zoom in or out.
const ZOOM: f64 = 0.13;
/// Factor of the brightness, up or down.
const GAIN: f64 = 0.18;
/// Exponent of the grey levels, up or down.
const GAMMA: f64 = 0.2;
/// Share of pictures whose framing stays as it is, so that the sharpness of unchanged pictures stays known: changing the framing blurs a
/// little.
const UNFRAMED: f64 = 0.25;

/// One drawn change: where each pixel comes from, and what becomes of its grey level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Row by row: source column and row from the column and row relative to the middle, as a share of the side.
    turn: [[f64; 2]; 2],
    shift: [f64; 2],
    gain: f64,
    gamma: f64,
}

impl Change {
    /// No change.
    pub const NONE: Change =
        Change { turn: [[1.0, 0.0], [0.0, 1.0]], shift: [0.0, 0.0], gain: 1.0, gamma: 1.0 };

    /// Draws a change.
    pub fn draw(augment: Augment, random: &mut impl Rng) -> Self {
        let mut change = Change::NONE;
        if augment == Augment::None {
            return change;
        }
        let quarter = random.random_range(0..4);
        let flip = if random.random_bool(0.5) { -1.0 } else { 1.0 };
        let (sin, cos) = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][quarter];
        change.turn = [[cos * flip, -sin], [sin * flip, cos]];
        if augment == Augment::Flips {
            return change;
        }
        if !random.random_bool(UNFRAMED) {
            let (sin, cos) = random.random_range(-TURN..TURN).sin_cos();
            let zoom = 1.0 + random.random_range(-ZOOM..ZOOM);
            let by = [[cos / zoom, -sin / zoom], [sin / zoom, cos / zoom]];
            change.turn = product(by, change.turn);
            change.shift = [random.random_range(-SHIFT..SHIFT), random.random_range(-SHIFT..SHIFT)];
        }
        change.gain = 1.0 + random.random_range(-GAIN..GAIN);
        change.gamma = 1.0 + random.random_range(-GAMMA..GAMMA);
        change
    }

    /// Puts the changed picture into `output`, normalised to `(pixel / 255 - mean) / std`. What lies outside the picture is its edge
    /// repeated.
    pub fn apply(&self, size: MapSize, grey: &[u8], mean: f32, std: f32, output: &mut [f32]) {
        let table: [f32; 256] = std::array::from_fn(|level| {
            let light = (level as f64 / 255.0).powf(self.gamma) * self.gain;
            (light.min(1.0) as f32 - mean) / std
        });
        if *self == Change::NONE {
            output.iter_mut().zip(grey).for_each(|(value, &pixel)| *value = table[usize::from(pixel)]);
            return;
        }
        let (height, width) = (size.height as f32, size.width as f32);
        let [[xx, xy], [yx, yy]] = self.turn.map(|row| row.map(|value| value as f32));
        // A quarter turn of an oblong picture squeezes it: shares of a side stay shares of a side.
        let turn = [[xx, xy * width / height], [yx * height / width, yy]];
        let shift = [self.shift[0] as f32 * width, self.shift[1] as f32 * height];
        Warp { turn, shift }.apply::<1>(size, grey, &table, output);
    }
}

fn product(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let at = |row: usize, column: usize| a[row][0] * b[0][column] + a[row][1] * b[1][column];
    [[at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]]
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    const SIZE: MapSize = MapSize { height: 4, width: 4 };

    fn ramp() -> Vec<u8> {
        (0..16).map(|i| i * 16).collect()
    }

    #[test]
    fn flips_move_pixels_and_change_none() {
        let mut random = Pcg64::seed_from_u64(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut output = [0.0; 16];
            Change::draw(Augment::Flips, &mut random).apply(SIZE, &ramp(), 0.0, 1.0 / 255.0, &mut output);
            let mut levels: Vec<u8> = output.iter().map(|value| value.round() as u8).collect();
            seen.insert(levels.clone());
            levels.sort_unstable();
            assert_eq!(levels, ramp());
        }
        assert_eq!(seen.len(), 8, "a square has eight symmetries");
    }

    #[test]
    fn without_augmentation_the_picture_is_normalised_as_at_run_time() {
        let mut output = [0.0; 16];
        let change = Change::draw(Augment::None, &mut Pcg64::seed_from_u64(1));
        change.apply(SIZE, &ramp(), 0.25, 0.5, &mut output);
        for (value, pixel) in output.iter().zip(ramp()) {
            assert!((value - (f32::from(pixel) / 255.0 - 0.25) / 0.5).abs() < 1e-6);
        }
    }

    proptest::proptest! {
        #[test]
        fn changed_pictures_stay_within_white(seed in 0u64..1000, height in 1usize..9, width in 1usize..9) {
            let size = MapSize { height, width };
            let grey: Vec<u8> = (0..height * width).map(|i| (i * 37 % 256) as u8).collect();
            let mut output = vec![f32::NAN; height * width];
            Change::draw(Augment::Full, &mut Pcg64::seed_from_u64(seed)).apply(size, &grey, 0.0, 1.0, &mut output);
            proptest::prop_assert!(output.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
