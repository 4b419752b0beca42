//! Real parts on the belt: the disc is found in its picture, its own ground is levelled out, and both go into a
//! sprite.
//!
//! Owns the fit of disc and ground. Must not know files. Pictures show one part from above, bright or dark on an
//! even ground, about as large as the picture.

use super::random::step;
use super::sprite::{ONE, Sprite, fixed, side_for};

/// A grey picture of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height` grey levels, rows from the top.
    pub grey: Vec<u8>,
}

impl Picture {
    fn side(&self) -> f32 {
        self.width.min(self.height) as f32
    }

    /// Grey level at a point, between the pixels; the border's outside it.
    fn at(&self, x: f32, y: f32) -> f32 {
        let x = (x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, low) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (dx, dy) = (x - left as f32, y - top as f32);
        let grey = |x: usize, y: usize| f32::from(self.grey[y * self.width + x]);
        let upper = grey(left, top) * (1.0 - dx) + grey(right, top) * dx;
        let lower = grey(left, low) * (1.0 - dx) + grey(right, low) * dx;
        upper * (1.0 - dy) + lower * dy
    }
}

/// Sum of weighted squares for up to six unknowns, and its minimum.
#[derive(Default)]
struct LeastSquares {
    matrix: [[f64; 7]; 6],
}

impl LeastSquares {
    fn add(&mut self, terms: &[f64], value: f64) {
        for (row, a) in terms.iter().enumerate() {
            for (column, b) in terms.iter().enumerate() {
                self.matrix[row][column] += a * b;
            }
            self.matrix[row][6] += a * value;
        }
    }

    /// Gauss with pivots over the first `count` unknowns; `None` when they are not determined.
    fn solve(mut self, count: usize) -> Option<[f64; 6]> {
        for pivot in 0..count {
            let best = (pivot..count)
                .max_by(|&a, &b| self.matrix[a][pivot].abs().total_cmp(&self.matrix[b][pivot].abs()))?;
            self.matrix.swap(pivot, best);
            let row = self.matrix[pivot];
            if row[pivot].abs() < 1e-12 {
                return None;
            }
            for (other, line) in self.matrix.iter_mut().enumerate().take(count) {
                if other != pivot {
                    let factor = line[pivot] / row[pivot];
                    line.iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
                }
            }
        }
        Some(std::array::from_fn(|i| if i < count { self.matrix[i][6] / self.matrix[i][i] } else { 0.0 }))
    }
}

/// The disc in a picture: an ellipse.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Disc {
    x: f32,
    y: f32,
    /// Longer half axis in pixels.
    half: f32,
    /// Terms of `a u u + b u v + c v v`, which is 1 on the outline, for points from the centre.
    form: [f32; 3],
}

impl Disc {
    fn circle(x: f32, y: f32, half: f32) -> Self {
        let term = 1.0 / (half * half);
        Self { x, y, half, form: [term, 0.0, term] }
    }

    /// Distance of a point from the centre, 1 on the outline.
    fn radius(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x - self.x, y - self.y);
        let [a, b, c] = self.form;
        (a * u * u + b * u * v + c * v * v).max(0.0).sqrt()
    }

    /// The ellipse through most of these points; `None` when it is no likely disc of the picture.
    fn through(points: &[(f32, f32)], picture: &Picture) -> Option<Self> {
        let (mid_x, mid_y, scale) =
            (picture.width as f64 / 2.0, picture.height as f64 / 2.0, f64::from(picture.side()));
        let mut limit = f64::INFINITY;
        let mut terms = [0.0; 6];
        for _ in 0..6 {
            let mut squares = LeastSquares::default();
            let mut errors = [0.0; RAYS];
            for (&(x, y), error) in points.iter().zip(&mut errors) {
                let (u, v) = ((f64::from(x) - mid_x) / scale, (f64::from(y) - mid_y) / scale);
                let row = [u * u, u * v, v * v, u, v];
                let value: f64 = row.iter().zip(&terms).map(|(a, b)| a * b).sum();
                *error = if limit.is_infinite() { 0.0 } else { (value - 1.0).abs() };
                if *error <= limit {
                    squares.add(&row, 1.0);
                }
            }
            terms = squares.solve(5)?;
            errors.sort_unstable_by(f64::total_cmp);
            limit = if limit.is_infinite() { 0.3 } else { (2.5 * errors[RAYS / 2]).max(0.01) };
        }
        let [a, b, c, d, e, _] = terms;
        let determinant = 4.0 * a * c - b * b;
        if determinant <= 0.0 {
            return None;
        }
        let (u, v) = ((b * e - 2.0 * c * d) / determinant, (b * d - 2.0 * a * e) / determinant);
        let full = 1.0 + a * u * u + b * u * v + c * v * v;
        let (a, b, c) = (a / full, b / full, c / full);
        let spread = ((a - c) * (a - c) + b * b).sqrt();
        let (long, short) = ((2.0 / (a + c - spread)).sqrt(), (2.0 / (a + c + spread)).sqrt());
        let likely = (0.3..0.56).contains(&long) && short / long > 0.8 && u.abs().max(v.abs()) < 0.1;
        let unit = (scale * scale) as f32;
        likely.then_some(Self {
            x: (mid_x + u * scale) as f32,
            y: (mid_y + v * scale) as f32,
            half: (long * scale) as f32,
            form: [a as f32 / unit, b as f32 / unit, c as f32 / unit],
        })
    }

    /// Finds the disc by the sharpest step of brightness on each of many rays; shadows have none.
    fn find(picture: &Picture) -> Self {
        let side = picture.side();
        let (mid_x, mid_y) = (picture.width as f32 / 2.0, picture.height as f32 / 2.0);
        let points: [(f32, f32); RAYS] = std::array::from_fn(|ray| {
            let (sin, cos) = (ray as f32 / RAYS as f32 * std::f32::consts::TAU).sin_cos();
            let at = |r: f32| picture.at(mid_x + r * cos, mid_y + r * sin);
            let (mut best, mut sharpest) = (0.43 * side, 0.0);
            let mut r = 0.34 * side;
            while r < 0.495 * side {
                // A step at the outer edge: what lies farther out is smooth.
                let sharp = (at(r + 1.0) - at(r - 1.0)).abs() - 0.5 * (at(r + 5.0) - at(r + 2.0)).abs();
                if sharp > sharpest {
                    (best, sharpest) = (r, sharp);
                }
                r += 0.5;
            }
            (mid_x + best * cos, mid_y + best * sin)
        });
        Self::through(&points, picture).unwrap_or(Self::circle(mid_x, mid_y, 0.43 * side))
    }
}

/// Rays on which the disc's edge is looked for.
const RAYS: usize = 180;

/// The ground of a picture: brightness as a smooth function of place, from the corners that the part leaves free.
#[derive(Debug, Clone, Copy)]
struct Ground {
    terms: [f64; 6],
    low: f32,
    high: f32,
}

impl Ground {
    fn row(picture: &Picture, x: f32, y: f32) -> [f64; 6] {
        let u = f64::from(x) / picture.width as f64 * 2.0 - 1.0;
        let v = f64::from(y) / picture.height as f64 * 2.0 - 1.0;
        [1.0, u, v, u * u, u * v, v * v]
    }

    fn fit(picture: &Picture, disc: &Disc) -> Self {
        let mut squares = LeastSquares::default();
        let (mut low, mut high) = (255.0f32, 0.0f32);
        let every = (picture.width.max(picture.height) / 150).max(1);
        for y in (0..picture.height).step_by(every) {
            for x in (0..picture.width).step_by(every) {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                if disc.radius(px, py) > 1.22 {
                    let grey = f32::from(picture.grey[y * picture.width + x]);
                    (low, high) = (low.min(grey), high.max(grey));
                    squares.add(&Self::row(picture, px, py), f64::from(grey));
                }
            }
        }
        // Little pulls the curvature to 0 where the corners alone do not determine it.
        let pixels = squares.matrix[0][0];
        for term in 0..6 {
            squares.matrix[term][term] += if term < 3 { 1e-9 } else { 0.02 * pixels };
        }
        let mean = if high >= low { f64::from(low + high) / 2.0 } else { 150.0 };
        let terms = squares.solve(6).unwrap_or([mean, 0.0, 0.0, 0.0, 0.0, 0.0]);
        Self { terms, low: low.min(high).max(20.0), high: high.max(20.0) }
    }

    fn at(&self, picture: &Picture, x: f32, y: f32) -> f32 {
        let value: f64 = Self::row(picture, x, y).iter().zip(&self.terms).map(|(a, b)| a * b).sum();
        (value as f32).clamp(self.low, self.high)
    }
}

/// Lays the part of `picture` into `sprite`: `radius` is the part's in pixels of the frame, `level` the belt's
/// grey. The part keeps its brightness relative to its ground, and its shadow falls onto the belt.
pub(super) fn lay(picture: &Picture, radius: f32, level: f32, sprite: &mut Sprite) {
    sprite.clear(side_for(radius));
    if picture.width < 16 || picture.height < 16 || picture.grey.len() != picture.width * picture.height {
        return;
    }
    let disc = Disc::find(picture);
    let ground = Ground::fit(picture, &disc);
    let scale = disc.half / radius;
    let samples = (scale.round() as usize).clamp(1, 16);
    let side = sprite.side;
    for row in 0..side {
        for column in 0..side {
            let place = |index: usize| (index as f32 + 0.5 - side as f32 / 2.0) * scale;
            let (x, y) = (disc.x + place(column), disc.y + place(row));
            let from_border =
                x.min(y).min(picture.width as f32 - x).min(picture.height as f32 - y) / picture.side();
            if from_border <= 0.0 {
                continue;
            }
            let away = disc.radius(x, y);
            let near = step(1.28, 1.1, away) * step(0.0, 0.05, from_border);
            let weight = near.max(step(1.04, 1.0, away));
            let grey = mean(picture, x, y, scale, samples);
            let ratio = 1.0 + weight * (grey / ground.at(picture, x, y) - 1.0);
            let solid = step(1.03, 0.99, away);
            sprite.keep[row * side + column] = fixed(ratio * (1.0 - solid));
            sprite.add[row * side + column] = fixed((ratio * solid * level).min(u16::MAX as f32 / ONE));
        }
    }
}

/// Gives the ground around the part of `picture` the grey `level`: outside the ellipse that was fitted to the part, every pixel keeps
/// its brightness relative to the ground, so that shadows stay. Made for round parts; what a part of another shape has outside the
/// ellipse is taken for ground. A picture of less than 16 x 16 pixels stays as it is.
pub fn change_ground(picture: &mut Picture, level: u8) {
    let Picture { width, height, .. } = *picture;
    if width < 16 || height < 16 || picture.grey.len() != width * height {
        return;
    }
    let disc = Disc::find(picture);
    let ground = Ground::fit(picture, &disc);
    for i in 0..picture.grey.len() {
        let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
        let solid = step(1.02, 0.995, disc.radius(x, y));
        if solid < 1.0 {
            let grey = f32::from(picture.grey[i]);
            let new = grey / ground.at(picture, x, y) * f32::from(level);
            picture.grey[i] = (grey * solid + new * (1.0 - solid)).round() as u8;
        }
    }
}

/// Mean over the square of side `scale` that one pixel of the frame covers.
fn mean(picture: &Picture, x: f32, y: f32, scale: f32, samples: usize) -> f32 {
    if samples == 1 {
        return picture.at(x, y);
    }
    let offset = |i: usize| ((i as f32 + 0.5) / samples as f32 - 0.5) * scale;
    let sum: f32 =
        (0..samples * samples).map(|i| picture.at(x + offset(i % samples), y + offset(i / samples))).sum();
    sum / (samples * samples) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An aslant disc with a hole on a ground that grows lighter to the right.
    fn picture(side: usize, disc: &Disc) -> Picture {
        let grey = |i: usize| {
            let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
            let r = disc.radius(x, y);
            match r {
                _ if r > 1.0 => 150.0 + 40.0 * x / side as f32 - 60.0 * (-(r - 1.0) / 0.05).exp(),
                _ if r < 0.5 => 20.0,
                _ => 200.0,
            }
        };
        Picture { width: side, height: side, grey: (0..side * side).map(|i| grey(i) as u8).collect() }
    }

    fn aslant() -> Disc {
        // Half axes 126 and 116, the longer one along x.
        Disc { x: 156.0, y: 146.0, half: 126.0, form: [1.0 / (126.0 * 126.0), 0.0, 1.0 / (116.0 * 116.0)] }
    }

    #[test]
    fn the_disc_is_found_where_it_is() {
        let found = Disc::find(&picture(300, &aslant()));
        assert!((found.x - 156.0).abs() < 1.5 && (found.y - 146.0).abs() < 1.5, "{found:?}");
        assert!((found.half - 126.0).abs() < 2.0, "{found:?}");
    }

    #[test]
    fn the_belt_goes_on_outside_and_the_part_keeps_its_brightness_relative_to_the_ground() {
        let mut sprite = Sprite::default();
        lay(&picture(300, &aslant()), 60.0, 140.0, &mut sprite);
        let shown = |x: usize, y: usize| {
            let i = y * sprite.side + x;
            (f32::from(sprite.keep[i]) * 140.0 + f32::from(sprite.add[i])) / ONE
        };
        let last = sprite.side - 1;
        for i in 0..=last {
            for (x, y) in [(i, 0), (0, i), (i, last), (last, i)] {
                assert!((shown(x, y) - 140.0).abs() < 3.0, "{x} {y}: {}", shown(x, y));
            }
        }
        // 200 on a ground of about 185 on the right side of the disc.
        let right = shown(sprite.side / 2 + 45, sprite.side / 2);
        assert!((right - 140.0 * 200.0 / 183.0).abs() < 6.0, "{right}");
        assert!(shown(sprite.side / 2, sprite.side / 2) < 20.0);
    }

    #[test]
    fn no_picture_makes_it_fail() {
        let mut sprite = Sprite::default();
        for grey in
            [vec![], vec![7; 3], vec![0; 400], vec![255; 400], (0..400).map(|i| (i * 37) as u8).collect()]
        {
            lay(&Picture { width: 20, height: 20, grey }, 30.0, 150.0, &mut sprite);
            assert_eq!(sprite.keep.len(), sprite.side * sprite.side);
        }
    }
}
