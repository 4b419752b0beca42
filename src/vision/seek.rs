//! Finding the disc of a round part that may lie anywhere in its picture, larger or smaller, in any light, on any ground.
//!
//! A coarse search for the circle with the clearest outline, then an ellipse through the sharpest steps near it, twice. Pure; keeps its
//! memory from picture to picture.

use super::disc::{Disc, Plane, RAYS};

/// The search works on a picture reduced to about so many pixels a side: noise is averaged away, and it is quick.
const REDUCED: usize = 128;
/// Radii of the outline that are tried, as shares of the picture's side.
const RADII: (f32, f32) = (0.32, 0.56);
/// How far from the picture's middle the disc's may lie, as a share of the side.
const OFF: f32 = 0.16;
/// Step of the coarse search, as a share of the side.
const COARSE: f32 = 0.02;
/// Rays of the coarse search.
const FEW: usize = 48;
/// Height of a step beyond which it counts no more, in standard deviations of the picture's grey: a few glaring ones must not outweigh the
/// whole outline. Relative, so that a darker picture of the same part gives the same outline.
const ENOUGH: f32 = 0.5;
/// Share of the outline that must lie in the picture.
const INSIDE: f32 = 0.6;
/// How far around the last outline the next one is looked for, as shares of its radius.
const NEAR: [f32; 2] = [0.09, 0.05];
/// The outline is looked at in so many sectors, in each of which noise averages out, and must differ from what is around it by so many
/// grey levels.
const SECTORS: usize = 12;
const CONTRAST: f32 = 5.0;
/// Share of the rays whose step lies on the outline (within 3.5 % of its radius) in a picture of a round part.
const AGREE: f32 = 0.45;

/// Finds discs.
#[derive(Debug, Default)]
pub(super) struct Seeker {
    reduced: Vec<u8>,
    padded: Vec<u8>,
}

impl Seeker {
    /// The disc, in pixels of `picture`; `None` when there is no clear one.
    pub(super) fn seek(&mut self, picture: &Plane<'_>) -> Option<Disc> {
        if picture.width < 16 || picture.height < 16 {
            return None;
        }
        let by = (picture.width.min(picture.height) / REDUCED).max(1);
        let (width, height) = (picture.width / by, picture.height / by);
        self.reduced.clear();
        for y in 0..height {
            for x in 0..width {
                let rows = picture.grey[y * by * picture.width..].chunks(picture.width).take(by);
                let sum: u32 =
                    rows.flat_map(|row| &row[x * by..x * by + by]).map(|&grey| u32::from(grey)).sum();
                self.reduced.push((sum / (by * by) as u32) as u8);
            }
        }
        let small = Plane { width, height, grey: &self.reduced };
        let disc = refine(&small, Coarse::new(&small, &mut self.padded).seek()?)?;
        let (by, square) = (by as f32, (by * by) as f32);
        Some(Disc {
            x: disc.x * by,
            y: disc.y * by,
            half: disc.half * by,
            form: disc.form.map(|term| term / square),
        })
    }
}

/// How clear a step from inside to outside is, in grey levels: what lies farther out is smooth.
fn clear(inner: f32, outer: f32, farther: f32, enough: f32) -> f32 {
    (inner - outer).abs().min(enough) - (outer - farther).abs().min(enough) / 2.0
}

/// Height of a step that counts in full.
fn enough(picture: &Plane<'_>) -> f32 {
    let count = picture.grey.len().max(1) as f32;
    let values = || picture.grey.iter().map(|&grey| f32::from(grey));
    let mean = values().sum::<f32>() / count;
    ENOUGH * (values().map(|grey| (grey - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// How far beyond the picture the coarse search looks, as a share of the side: largest radius, farthest centre, and the gap outside.
const BEYOND: f32 = 0.36;
/// Parts of a grey level in which the coarse search counts.
const FINE: i32 = 16;

/// Where a ray meets three circles around a centre, as distances in a padded picture; and where it meets the middle one, in pixels.
#[derive(Clone, Copy, Default)]
struct Ray {
    inner: isize,
    outer: isize,
    farther: isize,
    at: (i32, i32),
}

/// The coarse search. Whole pixels do for it, since the ellipse is fitted between them afterwards; and a picture whose border is repeated
/// around it needs no look at where a place lies.
struct Coarse<'a> {
    padded: &'a [u8],
    pad: i32,
    row: i32,
    width: i32,
    height: i32,
    side: f32,
    enough: i32,
}

impl<'a> Coarse<'a> {
    fn new(picture: &Plane<'_>, padded: &'a mut Vec<u8>) -> Self {
        let (width, height) = (picture.width, picture.height);
        let pad = (BEYOND * picture.side()).ceil() as usize + 2;
        padded.clear();
        for y in 0..height + 2 * pad {
            let y = y.saturating_sub(pad).min(height - 1);
            let row = &picture.grey[y * width..(y + 1) * width];
            padded.extend(std::iter::repeat_n(row[0], pad));
            padded.extend_from_slice(row);
            padded.extend(std::iter::repeat_n(row[width - 1], pad));
        }
        let int = |size: usize| size as i32;
        Self {
            padded,
            pad: int(pad),
            row: int(width + 2 * pad),
            width: int(width),
            height: int(height),
            side: picture.side(),
            enough: (enough(picture) * FINE as f32) as i32,
        }
    }

    fn rays(&self, r: f32) -> [Ray; FEW] {
        let gap = 0.02 * self.side;
        std::array::from_fn(|ray| {
            let (sin, cos) = (ray as f32 / FEW as f32 * std::f32::consts::TAU).sin_cos();
            let place = |r: f32| ((r * cos).round() as i32, (r * sin).round() as i32);
            let distance = |(x, y): (i32, i32)| (y * self.row + x) as isize;
            let at = place(r + gap);
            Ray {
                inner: distance(place(r - gap)),
                outer: distance(at),
                farther: distance(place(r + 2.5 * gap)),
                at,
            }
        })
    }

    /// How clear the outline of the circle that the rays meet is around a centre.
    fn clearness(&self, (x, y): (i32, i32), rays: &[Ray; FEW]) -> i32 {
        let base = ((y + self.pad) * self.row + x + self.pad) as isize;
        let grey = |distance: isize| i32::from(self.padded[(base + distance) as usize]);
        let step = |one: i32, other: i32| ((one - other).abs() * FINE).min(self.enough);
        let (mut sum, mut count) = (0, 0);
        for ray in rays {
            let (out_x, out_y) = (x + ray.at.0, y + ray.at.1);
            if (0..self.width).contains(&out_x) && (0..self.height).contains(&out_y) {
                let outer = grey(ray.outer);
                sum += 2 * step(grey(ray.inner), outer) - step(outer, grey(ray.farther));
                count += 1;
            }
        }
        if (count as f32) < INSIDE * FEW as f32 { i32::MIN } else { sum * FINE / count }
    }

    /// The clearest circle with its centre up to `off` from `centre`, as centre and radius; all but `centre` are shares of the side.
    fn best(&self, centre: (f32, f32), off: f32, radii: (f32, f32), by: f32) -> Option<[f32; 3]> {
        let steps =
            |from: f32, to: f32| (0..=((to - from) / by).round() as usize).map(move |i| from + by * i as f32);
        let mut best = (0, None);
        for r in steps(radii.0, radii.1) {
            let rays = self.rays(r * self.side);
            for dx in steps(-off, off) {
                for dy in steps(-off, off) {
                    let at = (
                        (centre.0 + dx * self.side).floor() as i32,
                        (centre.1 + dy * self.side).floor() as i32,
                    );
                    let clear = self.clearness(at, &rays);
                    if clear > best.0 {
                        best = (clear, Some([at.0 as f32 + 0.5, at.1 as f32 + 0.5, r * self.side]));
                    }
                }
            }
        }
        best.1
    }

    /// The circle with the clearest outline.
    fn seek(&self) -> Option<[f32; 3]> {
        let middle = (self.width as f32 / 2.0, self.height as f32 / 2.0);
        let [x, y, r] = self.best(middle, OFF, RADII, 2.0 * COARSE)?;
        let r = r / self.side;
        self.best((x, y), 1.5 * COARSE, (r - 1.5 * COARSE, r + 1.5 * COARSE), COARSE / 2.0)
    }
}

/// From a circle to the ellipse.
fn refine(picture: &Plane<'_>, [x, y, r]: [f32; 3]) -> Option<Disc> {
    let (term, enough) = (1.0 / (r * r), enough(picture));
    let mut disc = Disc { x, y, half: r, form: [term, 0.0, term] };
    for near in NEAR {
        let points = std::array::from_fn(|ray| {
            let (sin, cos) = (ray as f32 / RAYS as f32 * std::f32::consts::TAU).sin_cos();
            let outline = 1.0 / disc.radius(disc.x + cos, disc.y + sin).max(1e-6);
            let at = |r: f32| picture.at(disc.x + r * cos, disc.y + r * sin);
            let (mut best, mut clearest) = (outline, 0.0);
            let mut r = outline * (1.0 - near);
            while r < outline * (1.0 + near) {
                if picture.holds(disc.x + (r + 1.0) * cos, disc.y + (r + 1.0) * sin) {
                    let clear = clear(at(r - 1.0), at(r + 1.0), at(r + 3.5), enough);
                    if clear > clearest {
                        (best, clearest) = (r, clear);
                    }
                }
                r += 0.5;
            }
            (disc.x + best * cos, disc.y + best * sin)
        });
        let (fitted, [long, short, _]) = Disc::fit(&points, picture)?;
        if !(0.28..0.64).contains(&long) || short / long < 0.75 {
            return None;
        }
        disc = fitted;
        let on = points.iter().filter(|&&(x, y)| (disc.radius(x, y) - 1.0).abs() < 0.035).count();
        if (on as f32) < AGREE * RAYS as f32 {
            return None;
        }
    }
    (contrast(picture, &disc) >= CONTRAST).then_some(disc)
}

/// By how much the part differs from the ground along its outline, beyond what the ground changes by itself, in grey levels.
fn contrast(picture: &Plane<'_>, disc: &Disc) -> f32 {
    let gap = 0.02 * picture.side();
    let mut sectors = [0.0; SECTORS];
    for ray in 0..RAYS {
        let (sin, cos) = (ray as f32 / RAYS as f32 * std::f32::consts::TAU).sin_cos();
        let outline = 1.0 / disc.radius(disc.x + cos, disc.y + sin).max(1e-6);
        let at = |r: f32| picture.at(disc.x + r * cos, disc.y + r * sin);
        sectors[ray * SECTORS / RAYS] +=
            at(outline - gap) - 2.0 * at(outline + gap) + at(outline + 3.0 * gap);
    }
    sectors.iter().map(|sum| sum.abs()).sum::<f32>() / RAYS as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc with a hole, `light` on a ground of 150 that grows brighter to the right.
    fn picture(disc: &Disc, light: f32) -> Vec<u8> {
        let grey = |i: usize| {
            let (x, y) = ((i % 300) as f32 + 0.5, (i / 300) as f32 + 0.5);
            let noise = ((i * 7919) % 13) as f32;
            noise
                + match disc.radius(x, y) {
                    r if r > 1.0 => 120.0 + 40.0 * x / 300.0,
                    r if r < 0.55 => 20.0,
                    _ => light,
                }
        };
        (0..300 * 300).map(|i| grey(i) as u8).collect()
    }

    fn ellipse(x: f32, y: f32, wide: f32, high: f32) -> Disc {
        Disc { x, y, half: wide.max(high), form: [1.0 / (wide * wide), 0.0, 1.0 / (high * high)] }
    }

    #[test]
    fn the_disc_is_found_wherever_it_lies() {
        for (x, y, wide, high) in [
            (150.0, 150.0, 126.0, 126.0),
            (180.0, 150.0, 128.0, 120.0),
            (128.0, 170.0, 105.0, 112.0),
            (150.0, 150.0, 148.0, 140.0),
            (146.0, 154.0, 152.0, 147.0),
        ] {
            for light in [190.0, 90.0] {
                let grey = picture(&ellipse(x, y, wide, high), light);
                let found = Seeker::default().seek(&Plane { width: 300, height: 300, grey: &grey }).unwrap();
                let off = (found.x - x).abs().max((found.y - y).abs());
                assert!(
                    off < 2.5 && (found.half - wide.max(high)).abs() < 3.0,
                    "{x} {y} {wide} {high}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn where_there_is_no_disc_none_is_found() {
        let flat = vec![150; 300 * 300];
        let noise = |i: u32| 100 + (i.wrapping_mul(2_654_435_761).rotate_left(9) >> 26) as u8;
        let noise: Vec<u8> = (0..300 * 300).map(noise).collect();
        let shade: Vec<u8> = (0..300 * 300).map(|i| ((i % 300) * 255 / 300) as u8).collect();
        for grey in [flat, noise.clone(), shade] {
            assert_eq!(Seeker::default().seek(&Plane { width: 300, height: 300, grey: &grey }), None);
        }
        assert_eq!(Seeker::default().seek(&Plane { width: 3, height: 300, grey: &[0; 900] }), None);
        let mut seeker = Seeker::default();
        for (width, height) in [(16, 16), (17, 90), (90, 17), (255, 256), (127, 400), (640, 16)] {
            let grey = &noise[..(width * height).min(noise.len())];
            // A few pixels of noise may look like anything, but whatever is found has a place and a size.
            let found = seeker.seek(&Plane { width, height, grey });
            assert!(found.is_none_or(|disc| disc.half.is_finite() && disc.half > 0.0), "{width} x {height}");
        }
    }
}
