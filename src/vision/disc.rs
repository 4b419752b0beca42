//! The disc in a picture of a round part: its outline as an ellipse.
//!
//! Owns the fit. Pure; must not know cameras or models.

use super::squares::LeastSquares;

/// A grey picture that is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plane<'a> {
    /// Width in pixels, at least 1.
    pub width: usize,
    /// Height in pixels, at least 1.
    pub height: usize,
    /// `width * height` grey levels, rows from the top.
    pub grey: &'a [u8],
}

impl Plane<'_> {
    /// The shorter side in pixels.
    pub(crate) fn side(&self) -> f32 {
        self.width.min(self.height) as f32
    }

    /// Grey level at a point, between the pixels; the border's outside it.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
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

    /// Mean over the square of side `scale` around a point.
    pub(crate) fn mean(&self, x: f32, y: f32, scale: f32, samples: usize) -> f32 {
        if samples == 1 {
            return self.at(x, y);
        }
        let offset = |i: usize| ((i as f32 + 0.5) / samples as f32 - 0.5) * scale;
        let sum: f32 =
            (0..samples * samples).map(|i| self.at(x + offset(i % samples), y + offset(i / samples))).sum();
        sum / (samples * samples) as f32
    }

    /// Whether a point lies in the picture.
    pub(super) fn holds(&self, x: f32, y: f32) -> bool {
        (0.0..self.width as f32).contains(&x) && (0.0..self.height as f32).contains(&y)
    }
}

/// The disc in a picture: an ellipse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Disc {
    /// Centre in pixels.
    pub x: f32,
    /// See `x`.
    pub y: f32,
    /// Longer half axis in pixels.
    pub half: f32,
    /// Terms of `a u u + b u v + c v v`, which is 1 on the outline, for points from the centre.
    pub form: [f32; 3],
}

impl Disc {
    fn circle(x: f32, y: f32, half: f32) -> Self {
        let term = 1.0 / (half * half);
        Self { x, y, half, form: [term, 0.0, term] }
    }

    /// Distance of a point from the centre, 1 on the outline.
    pub(crate) fn radius(&self, x: f32, y: f32) -> f32 {
        let (u, v) = (x - self.x, y - self.y);
        let [a, b, c] = self.form;
        (a * u * u + b * u * v + c * v * v).max(0.0).sqrt()
    }

    /// The ellipse through most of these points; `None` when it is no likely disc of the picture.
    fn through(points: &[(f32, f32); RAYS], picture: &Plane<'_>) -> Option<Self> {
        let (disc, [long, short, off]) = Self::fit(points, picture)?;
        ((0.3..0.56).contains(&long) && short / long > 0.8 && off < 0.1).then_some(disc)
    }

    /// The ellipse through most of these points, with its half axes and the distance of its centre from the picture's, as shares of
    /// the picture's side.
    pub(super) fn fit(points: &[(f32, f32); RAYS], picture: &Plane<'_>) -> Option<(Self, [f64; 3])> {
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
        let unit = (scale * scale) as f32;
        let disc = Self {
            x: (mid_x + u * scale) as f32,
            y: (mid_y + v * scale) as f32,
            half: (long * scale) as f32,
            form: [a as f32 / unit, b as f32 / unit, c as f32 / unit],
        };
        Some((disc, [long, short, u.abs().max(v.abs())]))
    }

    /// Finds the disc by the sharpest step of brightness on each of many rays; shadows have none.
    pub(crate) fn find(picture: &Plane<'_>) -> Self {
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
pub(super) const RAYS: usize = 180;
