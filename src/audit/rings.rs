//! Rings around a part as Fourier series, which can be compared at every turn at once, and mirrored.
//!
//! Owns the coarse comparison. It only says what is worth a closer look: other parts of the same kind reach 0.95 too.

use std::f32::consts::TAU;

use super::picture::{Edges, Square};

/// Rings. The first has a radius of 0.25 and each further one of 0.15 more, in spreads of the picture's edges: the edge of a
/// disc lies at 1.4, and the last ring is well outside it.
const RINGS: usize = 14;
/// Harmonics kept of each. The mean of a ring, which all parts of one kind share, is not kept.
const HARMONICS: usize = 16;
/// Angles at which a ring is read, and at which two pictures are compared.
const ANGLES: usize = 64;
/// Numbers in the series of a picture.
const LEN: usize = RINGS * HARMONICS;

/// The rings of one picture. Turning the picture by `t` multiplies harmonic `k` by
/// `exp(-i k t)`, mirroring it conjugates all.
#[derive(Debug, Clone, PartialEq)]
pub struct Rings {
    /// Real parts, ring by ring for the first harmonic, then for the second and so on.
    re: Vec<f32>,
    /// Imaginary parts.
    im: Vec<f32>,
}

/// How well two pictures fit, and how the second lies to the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Correlation of the rings, -1 to 1.
    pub score: f32,
    /// Turn in radians.
    pub turn: f32,
    /// Whether it is mirrored (y taken to -y) before it is turned.
    pub mirrored: bool,
}

/// Cosines and sines of the angles at which rings are read.
pub struct Circle {
    cos: [f32; ANGLES],
    sin: [f32; ANGLES],
}

impl Default for Circle {
    fn default() -> Self {
        let angle = |i: usize| i as f32 * TAU / ANGLES as f32;
        Self { cos: std::array::from_fn(|i| angle(i).cos()), sin: std::array::from_fn(|i| angle(i).sin()) }
    }
}

impl Rings {
    /// Reads the rings of a picture in the frame of its edges; `None` when they are all even.
    pub fn of(picture: &Square, edges: &Edges, circle: &Circle) -> Option<Rings> {
        let mut rings = Rings { re: vec![0.0; LEN], im: vec![0.0; LEN] };
        for ring in 0..RINGS {
            let radius = 0.25 + 0.15 * ring as f32;
            let read = |i: usize| {
                let (x, y) = (f64::from(radius * circle.cos[i]), f64::from(radius * circle.sin[i]));
                let [[a, b], [c, d]] = edges.spread;
                let [cx, cy] = edges.centre;
                picture.at((cx + a * x + b * y) as f32, (cy + c * x + d * y) as f32)
            };
            let values: [f32; ANGLES] = std::array::from_fn(read);
            for harmonic in 0..HARMONICS {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, value) in values.iter().enumerate() {
                    let at = i * (harmonic + 1) % ANGLES;
                    re += value * circle.cos[at];
                    im -= value * circle.sin[at];
                }
                // An outer ring stands for more pixels.
                let weight = radius.sqrt();
                rings.re[harmonic * RINGS + ring] = re * weight;
                rings.im[harmonic * RINGS + ring] = im * weight;
            }
        }
        let norm = rings.re.iter().chain(&rings.im).map(|v| v * v).sum::<f32>().sqrt();
        if norm < 1e-3 {
            return None;
        }
        rings.re.iter_mut().chain(&mut rings.im).for_each(|v| *v /= norm);
        Some(rings)
    }

    /// How well `other` fits at its best turn; `None` when that is below `least`.
    pub fn fit(&self, other: &Rings, circle: &Circle, least: f32) -> Option<Fit> {
        let mut same = [[0.0f32; 2]; HARMONICS];
        let mut mirrored = [[0.0f32; 2]; HARMONICS];
        let (mut bound_same, mut bound_mirrored) = (0.0, 0.0);
        for k in 0..HARMONICS {
            let range = k * RINGS..(k + 1) * RINGS;
            let (a, b) = (&self.re[range.clone()], &self.im[range.clone()]);
            let (c, d) = (&other.re[range.clone()], &other.im[range]);
            let (mut ac, mut bd, mut ad, mut bc) = (0.0, 0.0, 0.0, 0.0);
            for i in 0..RINGS {
                ac += a[i] * c[i];
                bd += b[i] * d[i];
                ad += a[i] * d[i];
                bc += b[i] * c[i];
            }
            same[k] = [ac + bd, bc - ad];
            mirrored[k] = [ac - bd, bc + ad];
            bound_same += same[k][0].hypot(same[k][1]);
            bound_mirrored += mirrored[k][0].hypot(mirrored[k][1]);
        }
        let mut best: Option<Fit> = None;
        for (series, bound, is_mirrored) in [(&same, bound_same, false), (&mirrored, bound_mirrored, true)] {
            let floor = best.map_or(least, |fit| fit.score);
            if bound < floor {
                continue;
            }
            for step in 0..ANGLES {
                let mut score = 0.0;
                for (k, [re, im]) in series.iter().enumerate() {
                    let at = step * (k + 1) % ANGLES;
                    score += re * circle.cos[at] - im * circle.sin[at];
                }
                if score >= best.map_or(least, |fit| fit.score) {
                    let turned = step as f32 * TAU / ANGLES as f32;
                    let turn = if is_mirrored { turned } else { -turned };
                    best = Some(Fit { score, turn, mirrored: is_mirrored });
                }
            }
        }
        best
    }
}
