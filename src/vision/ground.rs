//! The ground around a round part: its brightness, and another one in its place.
//!
//! Owns the fit of the ground. Pure; must not know cameras or models.

use super::disc::{Disc, Plane};
use super::squares::LeastSquares;

/// The ground of a picture: brightness as a smooth function of place, from the corners that the part leaves free.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground {
    terms: [f64; 6],
    low: f32,
    high: f32,
}

impl Ground {
    fn row((width, height): (usize, usize), x: f32, y: f32) -> [f64; 6] {
        let u = f64::from(x) / width as f64 * 2.0 - 1.0;
        let v = f64::from(y) / height as f64 * 2.0 - 1.0;
        [1.0, u, v, u * u, u * v, v * v]
    }

    pub(crate) fn fit(picture: &Plane<'_>, disc: &Disc) -> Self {
        let mut squares = LeastSquares::default();
        let (mut low, mut high) = (255.0f32, 0.0f32);
        let every = (picture.width.max(picture.height) / 150).max(1);
        for y in (0..picture.height).step_by(every) {
            for x in (0..picture.width).step_by(every) {
                let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
                if disc.radius(px, py) > 1.22 {
                    let grey = f32::from(picture.grey[y * picture.width + x]);
                    (low, high) = (low.min(grey), high.max(grey));
                    squares.add(&Self::row((picture.width, picture.height), px, py), f64::from(grey));
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

    pub(crate) fn at(&self, size: (usize, usize), x: f32, y: f32) -> f32 {
        let value: f64 = Self::row(size, x, y).iter().zip(&self.terms).map(|(a, b)| a * b).sum();
        (value as f32).clamp(self.low, self.high)
    }
}

/// Where the part and where its ground is in one picture: what another ground needs.
#[derive(Debug, Clone, Copy)]
pub struct Grounded {
    disc: Disc,
    ground: Ground,
    size: (usize, usize),
}

impl Grounded {
    /// Looks at a picture of `size` (width and height), rows from the top. A picture of less than 16 x 16 pixels has no ground.
    pub(crate) fn of(grey: &[u8], size: (usize, usize)) -> Option<Self> {
        let (width, height) = size;
        if width < 16 || height < 16 || grey.len() != width * height {
            return None;
        }
        let picture = Plane { width, height, grey };
        let disc = Disc::find(&picture);
        Some(Self { disc, ground: Ground::fit(&picture, &disc), size })
    }

    /// Gives the ground around the part the grey `level`: outside the ellipse that was fitted to the part, every pixel keeps its brightness
    /// relative to the ground, so that shadows stay. Made for round parts; what a part of another shape has outside the ellipse is taken
    /// for ground.
    pub(crate) fn change(&self, grey: &mut [u8], level: u8) {
        let (width, _) = self.size;
        for (i, pixel) in grey.iter_mut().enumerate() {
            let (x, y) = ((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
            let solid = ((1.02 - self.disc.radius(x, y)) / 0.025).clamp(0.0, 1.0);
            if solid < 1.0 {
                let was = f32::from(*pixel);
                let new = was / self.ground.at(self.size, x, y) * f32::from(level);
                *pixel = (was * solid + new * (1.0 - solid)).round() as u8;
            }
        }
    }
}
