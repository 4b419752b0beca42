//! Making pictures of parts alike: the same light, and for round parts the same place, size, outline and ground.
//!
//! Owns what `input.normalise` of a manifest means. Pure; must not know cameras or models.

use super::disc::{Disc, Plane};
use super::ground::Ground;
use super::seek::Seeker;

/// The part's outline has this radius in the picture that the model sees, as a share of its side.
const RADIUS: f32 = 0.45;
/// Beyond this distance from the middle, in radii of the part, there is nothing but even grey.
const EDGE: f32 = 1.09;
/// Between these distances the part's own light changes over to the ground's.
const OUTLINE: (f32, f32) = (0.995, 1.02);
/// The part's mean grey becomes this one, and so does the ground's.
const MIDDLE: f32 = 128.0;
/// A standard deviation of the part's grey becomes so many levels: two and a half to either side do not clip.
const SPREAD: f32 = 50.0;
/// Deviation below which a picture is as good as even: more would make a picture of its noise.
const EVEN: f32 = 4.0;
/// A ground darker than this counts as this grey, so that its noise is not blown up.
const DARKEST: f32 = 40.0;

/// Where a place of the picture lies in what the model sees: `a` times the place, plus `b`; in pixels, across and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Framing {
    /// Two rows.
    pub a: [[f64; 2]; 2],
    /// What is added.
    pub b: [f64; 2],
}

impl Framing {
    /// The whole of a picture `from` fills `to` (widths and heights).
    pub fn whole(from: (usize, usize), to: (usize, usize)) -> Self {
        let scale = |to: usize, from: usize| to as f64 / from.max(1) as f64;
        Self { a: [[scale(to.0, from.0), 0.0], [0.0, scale(to.1, from.1)]], b: [0.0; 2] }
    }

    /// Where a place of the picture lies in what the model sees.
    pub fn to_input(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b], [c, d]] = self.a;
        (a * x + b * y + self.b[0], c * x + d * y + self.b[1])
    }

    /// The way back.
    pub fn to_picture(&self, x: f64, y: f64) -> (f64, f64) {
        let [[a, b], [c, d]] = self.a;
        let (x, y, determinant) = (x - self.b[0], y - self.b[1], a * d - b * c);
        ((d * x - b * y) / determinant, (a * y - c * x) / determinant)
    }
}

/// Gives a picture its own mean and spread of light in place of the lamp's: exposure and gain do not matter any more.
pub(super) fn level(grey: &mut [u8]) {
    let (mean, deviation) = spread(grey.iter().map(|&grey| f32::from(grey)));
    let table: [u8; 256] = std::array::from_fn(|grey| lit(grey as f32, mean, deviation));
    grey.iter_mut().for_each(|grey| *grey = table[usize::from(*grey)]);
}

fn lit(grey: f32, mean: f32, deviation: f32) -> u8 {
    // A cast from a float stops at 0 and 255.
    (MIDDLE + (grey - mean) / deviation.max(EVEN) * SPREAD).round() as u8
}

fn spread(grey: impl Iterator<Item = f32> + Clone) -> (f32, f32) {
    let count = grey.clone().count().max(1) as f32;
    let mean = grey.clone().sum::<f32>() / count;
    (mean, (grey.map(|grey| (grey - mean).powi(2)).sum::<f32>() / count).sqrt())
}

/// Round parts laid into the middle.
#[derive(Debug, Default)]
pub(super) struct Round {
    seeker: Seeker,
    /// What was seen, before its light is evened: the part's grey, or the ground's share of its own.
    seen: Vec<f32>,
    /// Distance of each place from the middle, in radii of the part, for the side that was laid last.
    radii: Vec<f32>,
}

impl Round {
    /// Fills `out`, a square picture of side `side`, with the part of `picture`, and says how it lies in it; `None` when no round part can
    /// be made out.
    pub(super) fn lay(&mut self, picture: &Plane<'_>, side: usize, out: &mut [u8]) -> Option<Framing> {
        let disc = self.seeker.seek(picture)?;
        let ground = Ground::fit(picture, &disc);
        let from = root(&disc);
        let scale = 1.0 / (RADIUS * side as f32);
        let samples = ((disc.half * scale).round() as usize).clamp(1, 8);
        self.seen.clear();
        let place = |i: usize| (i as f32 + 0.5 - side as f32 / 2.0) * scale;
        if self.radii.len() != side * side {
            self.radii = (0..side * side).map(|i| place(i % side).hypot(place(i / side))).collect();
        }
        for row in 0..side {
            for column in 0..side {
                let (u, v) = (place(column), place(row));
                let radius = self.radii[row * side + column];
                let seen = if radius < EDGE {
                    let (x, y) =
                        (disc.x + from[0][0] * u + from[0][1] * v, disc.y + from[1][0] * u + from[1][1] * v);
                    let grey = picture.mean(x, y, disc.half * scale, samples);
                    if radius < OUTLINE.1 {
                        grey
                    } else {
                        let ground = ground.at((picture.width, picture.height), x, y);
                        (grey - ground) / ground.max(DARKEST)
                    }
                } else {
                    0.0
                };
                self.seen.push(seen);
            }
        }
        let inside = self.seen.iter().zip(&self.radii).filter(|(_, radius)| **radius < OUTLINE.0);
        let (mean, deviation) = spread(inside.map(|(&grey, _)| grey));
        for ((&seen, &radius), out) in self.seen.iter().zip(&self.radii).zip(out.iter_mut()) {
            *out = match radius {
                r if r < OUTLINE.1 => {
                    let solid = ((OUTLINE.1 - r) / (OUTLINE.1 - OUTLINE.0)).min(1.0);
                    let lit = f32::from(lit(seen, mean, deviation));
                    (MIDDLE + (lit - MIDDLE) * solid).round() as u8
                }
                _ => (MIDDLE * (1.0 + seen)).round() as u8,
            };
        }
        Some(framing(&disc, from, side))
    }
}

/// The symmetric matrix that makes the unit circle the disc's outline: an oblique view is set upright, and nothing is turned.
fn root(disc: &Disc) -> [[f32; 2]; 2] {
    let [a, b, c] = disc.form.map(f64::from);
    let b = b / 2.0;
    // The square root of a symmetric matrix of order 2: (F + d E) / t with d = sqrt(det F) and t = sqrt(trace F + 2 d); here inverted.
    let d = (a * c - b * b).max(1e-18).sqrt();
    let t = (a + c + 2.0 * d).sqrt();
    let [p, q, r] = [(a + d) / t, b / t, (c + d) / t];
    let determinant = p * r - q * q;
    [
        [(r / determinant) as f32, (-q / determinant) as f32],
        [(-q / determinant) as f32, (p / determinant) as f32],
    ]
}

fn framing(disc: &Disc, from: [[f32; 2]; 2], side: usize) -> Framing {
    let [[a, b], [c, d]] = from.map(|row| row.map(f64::from));
    let scale = f64::from(RADIUS) * side as f64 / (a * d - b * c);
    let a = [[d * scale, -b * scale], [-c * scale, a * scale]];
    let (x, y, middle) = (f64::from(disc.x), f64::from(disc.y), side as f64 / 2.0);
    Framing { a, b: [middle - a[0][0] * x - a[0][1] * y, middle - a[1][0] * x - a[1][1] * y] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An oblique disc with a dark spot a little right of its centre, lit by `light`, on a ground of `ground`.
    fn picture((x, y): (f32, f32), (wide, high): (f32, f32), light: f32, ground: f32) -> Vec<u8> {
        let grey = |i: usize| {
            let (u, v) = (((i % 300) as f32 + 0.5 - x) / wide, ((i / 300) as f32 + 0.5 - y) / high);
            let noise = ((i * 7919) % 5) as f32;
            noise
                + match u.hypot(v) {
                    r if r > 1.0 => ground,
                    _ if (u - 0.5).hypot(v) < 0.1 => 30.0 * light,
                    r if r < 0.3 => 60.0 * light,
                    _ => 180.0 * light,
                }
        };
        (0..300 * 300).map(|i| grey(i) as u8).collect()
    }

    fn laid(grey: &[u8]) -> (Vec<u8>, Framing) {
        let mut out = vec![0; 64 * 64];
        let framing = Round::default().lay(&Plane { width: 300, height: 300, grey }, 64, &mut out).unwrap();
        (out, framing)
    }

    #[test]
    fn a_part_looks_the_same_wherever_it_lies_in_whatever_light_on_whatever_ground() {
        let (plain, framing) = laid(&picture((150.0, 150.0), (128.0, 128.0), 1.0, 120.0));
        for (at, axes, light, ground) in [
            ((175.0, 135.0), (128.0, 128.0), 1.0, 120.0),
            ((150.0, 150.0), (110.0, 104.0), 1.0, 120.0),
            ((150.0, 150.0), (128.0, 128.0), 0.6, 120.0),
            ((150.0, 150.0), (128.0, 128.0), 1.3, 10.0),
            ((150.0, 150.0), (128.0, 128.0), 1.0, 240.0),
        ] {
            let (other, _) = laid(&picture(at, axes, light, ground));
            let off = plain.iter().zip(&other).map(|(a, b)| f32::from(a.abs_diff(*b))).sum::<f32>() / 4096.0;
            assert!(off < 7.0, "{at:?} {axes:?} {light} {ground}: {off}");
        }
        let spot = framing.to_input(150.0 + 64.0, 150.0);
        assert!((spot.0 - (32.0 + 0.5 * 0.45 * 64.0)).abs() < 1.0 && (spot.1 - 32.0).abs() < 1.0, "{spot:?}");
        let back = framing.to_picture(spot.0, spot.1);
        assert!((back.0 - 214.0).abs() < 1e-6 && (back.1 - 150.0).abs() < 1e-6, "{back:?}");
    }

    #[test]
    fn light_is_evened_and_an_even_picture_stays_even() {
        let mut dim: Vec<u8> = (0..100).map(|i| 20 + i / 2).collect();
        let mut bright: Vec<u8> = (0..100).map(|i| 60 + i / 2 * 3).collect();
        level(&mut dim);
        level(&mut bright);
        assert!(dim.iter().zip(&bright).all(|(a, b)| a.abs_diff(*b) < 5));
        let mut even = vec![77; 9];
        level(&mut even);
        assert_eq!(even, [128; 9]);
    }
}
