//! One drawn change and what it does to a picture.
//!
//! Pure: the same random numbers give the same change on every machine.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::{Augment, Kind};
use crate::kernels::MapSize;
use crate::vision::alter::blur_values;
use crate::vision::ground::Grounded;
use crate::vision::warp::Warp;

/// Share of pictures whose framing stays as it is, so that the sharpness of unchanged pictures stays known: changing the framing blurs a
/// little. Likewise for light, and for blur and noise.
const UNCHANGED: f64 = 0.25;
/// Weakest blur that is worth it, in pixels.
const LEAST_BLUR: f64 = 0.2;

/// One drawn change: where each pixel comes from, and what becomes of its grey level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Row by row: source column and row from the column and row relative to the middle, as a share of the side.
    turn: [[f64; 2]; 2],
    shift: [f64; 2],
    exposure: f64,
    gain: f64,
    gamma: f64,
    /// As a share of the side.
    blur: f64,
    /// In grey levels, and its seed.
    noise: (f64, u64),
    /// The ground's new grey.
    ground: Option<u8>,
    /// Length and direction as shares of the sides.
    motion: [f64; 2],
}

impl Change {
    /// No change.
    pub const NONE: Change = Change {
        turn: [[1.0, 0.0], [0.0, 1.0]],
        shift: [0.0, 0.0],
        exposure: 1.0,
        gain: 1.0,
        gamma: 1.0,
        blur: 0.0,
        noise: (0.0, 0),
        ground: None,
        motion: [0.0, 0.0],
    };

    /// Draws a change. As many numbers are drawn whatever the amounts are, so that one kind's amount changes no other kind.
    pub fn draw(augment: &Augment, random: &mut impl Rng) -> Self {
        let mut spread = |kind: Kind| random.random_range(-1.0..1.0f64) * augment.amount(kind);
        let [turn, zoom, stretch, shear_x, shear_y] =
            [Kind::Turn, Kind::Zoom, Kind::Stretch, Kind::Shear, Kind::Shear].map(&mut spread);
        let shift = [Kind::Shift; 2].map(&mut spread);
        let [exposure, gain, gamma] = [Kind::Exposure, Kind::Gain, Kind::Gamma].map(&mut spread);
        let [blur, noise, motion] = [Kind::Blur, Kind::Noise, Kind::Motion].map(|kind| spread(kind).abs());
        let mut happens = |share: f64| random.random::<f64>() < share;
        let flips = [happens(augment.amount(Kind::Flip)), happens(augment.amount(Kind::Flip))];
        let quarter = happens(augment.amount(Kind::Quarter));
        let grounded = happens(augment.amount(Kind::Ground));
        let [framed, lit, seen] = std::array::from_fn(|_| !happens(UNCHANGED));
        let quarters = random.random_range(1..4usize);
        let ground = random.random_range(0..=255u8);
        let direction = random.random_range(0.0..std::f64::consts::PI);
        let seed = random.next_u64();

        let mut change = Change::NONE;
        let sign = |flipped: bool| if flipped { -1.0 } else { 1.0 };
        let (sin, cos) =
            [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][if quarter { quarters } else { 0 }];
        change.turn =
            [[cos * sign(flips[0]), -sin * sign(flips[1])], [sin * sign(flips[0]), cos * sign(flips[1])]];
        if framed {
            let (sin, cos) = turn.to_radians().sin_cos();
            let (wide, high) = ((1.0 + zoom) * (1.0 + stretch), (1.0 + zoom) / (1.0 + stretch));
            let by = product(
                [[cos / wide, -sin / wide], [sin / high, cos / high]],
                [[1.0, shear_x], [shear_y, 1.0]],
            );
            change.turn = product(by, change.turn);
            change.shift = shift;
        }
        if lit {
            (change.exposure, change.gain, change.gamma) = (1.0 + exposure, 1.0 + gain, 1.0 + gamma);
        }
        if seen {
            (change.blur, change.noise) = (blur, (noise, seed));
            let (sin, cos) = direction.sin_cos();
            change.motion = [motion * cos, motion * sin];
        }
        change.ground = grounded.then_some(ground);
        change
    }

    /// Puts the changed picture into `output`, normalised to `(pixel / 255 - mean) / std`. What lies outside the picture is its edge
    /// repeated. `ground` is the picture's, where one is known.
    pub fn apply(
        &self,
        size: MapSize,
        grey: &[u8],
        ground: Option<&Grounded>,
        (mean, std): (f32, f32),
        output: &mut [f32],
    ) {
        if *self == Change::NONE {
            let table: [f32; 256] = std::array::from_fn(|level| (level as f32 / 255.0 - mean) / std);
            output.iter_mut().zip(grey).for_each(|(value, &pixel)| *value = table[usize::from(pixel)]);
            return;
        }
        let changed = self.ground.zip(ground).map(|(level, ground)| {
            let mut changed = grey.to_vec();
            ground.change(&mut changed, level);
            changed
        });
        let grey = changed.as_deref().unwrap_or(grey);
        let table: [f32; 256] = std::array::from_fn(|level| {
            let light = (level as f64 / 255.0).powf(self.gamma) * self.exposure;
            ((light - 0.5) * self.gain + 0.5).clamp(0.0, 1.0) as f32
        });
        let (height, width) = (size.height as f32, size.width as f32);
        let [[xx, xy], [yx, yy]] = self.turn.map(|row| row.map(|value| value as f32));
        // A quarter turn of an oblong picture squeezes it: shares of a side stay shares of a side.
        let turn = [[xx, xy * width / height], [yx * height / width, yy]];
        let shift = [self.shift[0] as f32 * width, self.shift[1] as f32 * height];
        Warp { turn, shift }.apply::<1>(size, grey, &table, output);
        let side = f64::from(height.min(width));
        self.smear(size, side, output);
        if self.blur * side > LEAST_BLUR {
            blur_values(output, (size.width, size.height), 1, self.blur * side);
        }
        self.disturb(output);
        output.iter_mut().for_each(|value| *value = (value.clamp(0.0, 1.0) - mean) / std);
    }

    /// Blur by movement: the mean of three pictures along the way.
    fn smear(&self, size: MapSize, side: f64, output: &mut [f32]) {
        let [x, y] = self.motion.map(|share| share * side / 2.0);
        if x.hypot(y) <= LEAST_BLUR {
            return;
        }
        let still = output.to_vec();
        let at = |row: f64, column: f64| {
            let (row, column) =
                (row.clamp(0.0, (size.height - 1) as f64), column.clamp(0.0, (size.width - 1) as f64));
            let (top, left) = (row as usize, column as usize);
            let (low, right) = ((top + 1).min(size.height - 1), (left + 1).min(size.width - 1));
            let (fy, fx) = ((row - top as f64) as f32, (column - left as f64) as f32);
            let value = |row: usize, column: usize| still[row * size.width + column];
            let upper = value(top, left) + (value(top, right) - value(top, left)) * fx;
            let lower = value(low, left) + (value(low, right) - value(low, left)) * fx;
            upper + (lower - upper) * fy
        };
        for (i, value) in output.iter_mut().enumerate() {
            let (row, column) = ((i / size.width) as f64, (i % size.width) as f64);
            *value = (*value + at(row - y, column - x) + at(row + y, column + x)) / 3.0;
        }
    }

    /// Noise of each pixel on its own: the sum of four even numbers is near enough to the normal distribution.
    fn disturb(&self, output: &mut [f32]) {
        let (deviation, seed) = self.noise;
        if deviation <= 0.0 {
            return;
        }
        let mut random = Pcg64::seed_from_u64(seed);
        let scale = (deviation / 255.0 / (65_536.0 * 0.577_350_269)) as f32;
        for value in output {
            let drawn = random.next_u64();
            let sum: u64 = (0..4).map(|i| (drawn >> (16 * i)) & 0xffff).sum();
            *value += (sum as f32 - 2.0 * 65_535.0) * scale;
        }
    }
}

fn product(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let at = |row: usize, column: usize| a[row][0] * b[0][column] + a[row][1] * b[1][column];
    [[at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: MapSize = MapSize { height: 4, width: 4 };

    fn ramp() -> Vec<u8> {
        (0..16).map(|i| i * 16).collect()
    }

    #[test]
    fn flips_move_pixels_and_change_none() {
        let mut random = Pcg64::seed_from_u64(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..400 {
            let mut output = [0.0; 16];
            Change::draw(&Augment::flips(), &mut random).apply(
                SIZE,
                &ramp(),
                None,
                (0.0, 1.0 / 255.0),
                &mut output,
            );
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
        let change = Change::draw(&Augment::NONE, &mut Pcg64::seed_from_u64(1));
        change.apply(SIZE, &ramp(), None, (0.25, 0.5), &mut output);
        for (value, pixel) in output.iter().zip(ramp()) {
            assert!((value - (f32::from(pixel) / 255.0 - 0.25) / 0.5).abs() < 1e-6);
        }
    }

    #[test]
    fn each_kind_changes_the_picture_and_no_other_kinds_draw() {
        let size = MapSize { height: 32, width: 32 };
        let disc =
            |i: usize| if ((i % 32) as f64 - 15.5).hypot((i / 32) as f64 - 15.5) < 13.5 { 200 } else { 90 };
        let grey: Vec<u8> = (0..1024).map(|i| if i % 32 == 9 { 40 } else { disc(i) }).collect();
        let ground = Grounded::of(&grey, (32, 32));
        let mut plain = vec![0.0; 1024];
        Change::NONE.apply(size, &grey, ground.as_ref(), (0.0, 1.0), &mut plain);
        // Blending takes another picture: it is not this change's work.
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Blend) {
            let augment: Augment = format!("none,{}=1", kind.name()).parse().unwrap();
            let changed = (0..20).filter(|&seed| {
                let mut output = vec![0.0; 1024];
                let change = Change::draw(&augment, &mut Pcg64::seed_from_u64(seed));
                change.apply(size, &grey, ground.as_ref(), (0.0, 1.0), &mut output);
                output != plain
            });
            assert!(changed.count() > 8, "{}", kind.name());
        }
        let [one, other] = ["full", "full,shift=0"]
            .map(|text| Change::draw(&text.parse().unwrap(), &mut Pcg64::seed_from_u64(3)));
        assert_eq!(Change { shift: one.shift, ..other }, one);
    }

    proptest::proptest! {
        #[test]
        fn changed_pictures_stay_within_white(seed in 0u64..1000, height in 1usize..9, width in 1usize..9) {
            let size = MapSize { height, width };
            let grey: Vec<u8> = (0..height * width).map(|i| (i * 37 % 256) as u8).collect();
            let mut output = vec![f32::NAN; height * width];
            let change = Change::draw(&Augment::full(), &mut Pcg64::seed_from_u64(seed));
            change.apply(size, &grey, None, (0.0, 1.0), &mut output);
            proptest::prop_assert!(output.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}
