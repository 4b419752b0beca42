//! A small grey picture and where the edges in it lie.
//!
//! Owns what pictures are compared at: their size and their smoothing. Must not know what they are compared for.

use super::affine::{Matrix, Symmetric, roots};

/// Side of the pictures that are compared, in pixels: fine enough for a scratch of some pixels of a camera, coarse enough to
/// compare thousands.
pub const SIDE: usize = 96;

/// Mean slope in grey levels a pixel below which a picture shows nothing that could be compared.
const FLAT: f64 = 0.05;

/// Grey levels of a square, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub struct Square {
    /// Side in pixels.
    pub side: usize,
    /// `side * side` grey levels.
    pub grey: Vec<f32>,
}

impl Square {
    /// Smoothed by a triangle of three pixels each way, which takes away what is finer than interpolation can follow.
    pub fn smooth(&self) -> Square {
        let (side, last) = (self.side, self.side - 1);
        let blend = |before: f32, at: f32, after: f32| (before + 2.0 * at + after) / 4.0;
        let across = |i: usize| {
            let (x, row) = (i % side, i / side * side);
            blend(self.grey[row + x.saturating_sub(1)], self.grey[i], self.grey[row + (x + 1).min(last)])
        };
        let wide: Vec<f32> = (0..self.grey.len()).map(across).collect();
        let down = |i: usize| {
            let (x, y) = (i % side, i / side);
            blend(wide[y.saturating_sub(1) * side + x], wide[i], wide[(y + 1).min(last) * side + x])
        };
        Square { side, grey: (0..self.grey.len()).map(down).collect() }
    }

    /// Less sharp by `by` times what [`Square::smooth`] does, 0 to 2.
    pub fn softened(&self, by: f32) -> Square {
        let smooth = self.smooth();
        if by > 1.0 {
            return smooth.softened((by - 1.0).min(1.0));
        }
        let blend = |(sharp, smooth): (&f32, f32)| sharp + (smooth - sharp) * by;
        Square { side: self.side, grey: self.grey.iter().zip(smooth.grey).map(blend).collect() }
    }

    /// At half the size: the means of two by two pixels.
    pub fn half(&self) -> Square {
        let side = self.side / 2;
        let mean = |i: usize| {
            let (x, y) = (2 * (i % side), 2 * (i / side));
            let at = y * self.side + x;
            (self.grey[at] + self.grey[at + 1] + self.grey[at + self.side] + self.grey[at + self.side + 1])
                / 4.0
        };
        Square { side, grey: (0..side * side).map(mean).collect() }
    }

    /// Grey level at a point between the pixel centres, which have whole coordinates; the border's outside.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let last = (self.side - 1) as f32;
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (left, top) = ((x as usize).min(self.side - 2), (y as usize).min(self.side - 2));
        let (dx, dy) = (x - left as f32, y - top as f32);
        let at = top * self.side + left;
        let upper = self.grey[at] + (self.grey[at + 1] - self.grey[at]) * dx;
        let lower =
            self.grey[at + self.side] + (self.grey[at + self.side + 1] - self.grey[at + self.side]) * dx;
        upper + (lower - upper) * dy
    }

    /// Slopes across and down in grey levels a pixel; 0 on the border.
    pub fn slopes(&self) -> Vec<[f32; 2]> {
        let (side, grey) = (self.side, &self.grey);
        let mut slopes = vec![[0.0; 2]; grey.len()];
        for y in 1..side - 1 {
            for x in 1..side - 1 {
                let at = y * side + x;
                slopes[at] = [(grey[at + 1] - grey[at - 1]) / 2.0, (grey[at + side] - grey[at - side]) / 2.0];
            }
        }
        slopes
    }
}

/// Where edges lie in a picture: their middle and their spread, which follow every shift, zoom and distortion of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edges {
    /// Middle of the edges in pixels.
    pub centre: [f64; 2],
    /// Takes the unit circle to the ellipse of their spread.
    pub spread: Matrix,
    /// The way back.
    pub back: Matrix,
}

impl Edges {
    /// Of a picture; `None` when it has no edges or they lie on one line.
    pub fn of(picture: &Square) -> Option<Edges> {
        let slopes = picture.slopes();
        let steep = |[x, y]: [f32; 2]| f64::from(x.hypot(y));
        let mean = slopes.iter().map(|&slope| steep(slope)).sum::<f64>() / slopes.len() as f64;
        let weights = slopes.iter().enumerate().map(|(i, &slope)| {
            let weight = (steep(slope) - mean).max(0.0);
            (weight, (i % picture.side) as f64, (i / picture.side) as f64)
        });
        let (mut sum, mut first, mut second) = (0.0, [0.0; 2], [0.0; 3]);
        for (weight, x, y) in weights {
            sum += weight;
            first = [first[0] + weight * x, first[1] + weight * y];
            second = [second[0] + weight * x * x, second[1] + weight * x * y, second[2] + weight * y * y];
        }
        if mean < FLAT || sum <= 0.0 {
            return None;
        }
        let [x, y] = first.map(|value| value / sum);
        let [xx, xy, yy] = second.map(|value| value / sum);
        let covariance: Symmetric = [xx - x * x, xy - x * y, yy - y * y];
        let (spread, back) = roots(covariance)?;
        Some(Edges { centre: [x, y], spread, back })
    }
}
