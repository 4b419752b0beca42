//! Laying one picture upon another: an affine map refined until they fit best, and how well they fit then.
//!
//! Inverse compositional alignment (Baker and Matthews 2004) on grey levels whose mean and spread are taken out, so that
//! another exposure is no difference.

use super::affine::{Affine, product};
use super::picture::{Edges, Square};
use super::rings::Fit;

/// Parameters of an affine map.
const N: usize = 6;
/// Rows and columns at the border that are left out: resizing and turning leave traces there.
const MARGIN: usize = 3;
/// Least share of a picture that must lie upon the other.
const LEAST_OVERLAP: f64 = 0.6;

/// A step that brings less correlation than this is the last.
const LEAST_GAIN: f64 = 1e-4;

/// A picture prepared as the one that others are laid upon.
pub struct Template {
    picture: Square,
    /// Places that are compared, as indices.
    places: Vec<usize>,
    /// What a small change of each parameter changes at each place, without what a change of light does.
    steepest: Vec<[f32; N]>,
    /// Inverse of the sums of their products.
    inverse: [[f64; N]; N],
}

/// The light of the template and of a picture where both are.
struct Light {
    correlation: f64,
    /// By what the picture's contrast is multiplied to become the template's.
    gain: f32,
    /// Mean grey level of the template.
    own: f32,
    /// Mean grey level of the picture.
    other: f32,
}

/// How well a picture fits where both are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// From the template to the picture.
    pub map: Affine,
    /// Correlation of the grey levels, -1 to 1.
    pub correlation: f64,
}

/// The map that the edges of two pictures and the fit of their rings suggest.
pub fn first_guess(template: &Edges, picture: &Edges, fit: Fit) -> Affine {
    let (sin, cos) = f64::from(fit.turn).sin_cos();
    let turn = if fit.mirrored { [[cos, sin], [sin, -cos]] } else { [[cos, -sin], [sin, cos]] };
    let matrix = product(product(picture.spread, turn), template.back);
    let shift = Affine { matrix, offset: [0.0, 0.0] }.at(template.centre);
    let offset = [picture.centre[0] - shift[0], picture.centre[1] - shift[1]];
    Affine { matrix, offset }
}

/// Takes a map between pictures to one between pictures `factor` times as large.
pub fn scaled(map: &Affine, factor: f64) -> Affine {
    // Pixel centres have whole coordinates: the corner lies half a pixel before them.
    let corner = (factor - 1.0) / 2.0;
    let [[a, b], [c, d]] = map.matrix;
    let offset = [
        map.offset[0] * factor + corner - (a + b) * corner,
        map.offset[1] * factor + corner - (c + d) * corner,
    ];
    Affine { matrix: map.matrix, offset }
}

impl Template {
    /// Prepares a picture; `None` when it is too flat to be laid upon.
    pub fn new(picture: Square) -> Option<Template> {
        let side = picture.side;
        let slopes = picture.slopes();
        let inner = MARGIN..side - MARGIN;
        let places: Vec<usize> =
            inner.clone().flat_map(|y| inner.clone().map(move |x| y * side + x)).collect();
        let count = places.len() as f64;
        let mean = places.iter().map(|&at| f64::from(picture.grey[at])).sum::<f64>() / count;
        let centred = |at: usize| f64::from(picture.grey[at]) - mean;
        let power = places.iter().map(|&at| centred(at).powi(2)).sum::<f64>();
        // Coordinates about the middle, in halves of the side: the sums are then of one size.
        let half = side as f64 / 2.0;
        let row = |at: usize| -> [f64; N] {
            let [gx, gy] = slopes[at].map(f64::from);
            let (x, y) = ((at % side) as f64 / half - 1.0, (at / side) as f64 / half - 1.0);
            [gx * x, gx * y, gx, gy * x, gy * y, gy]
        };
        let (mut means, mut along) = ([0.0; N], [0.0; N]);
        for &at in &places {
            let (row, grey) = (row(at), centred(at));
            for i in 0..N {
                means[i] += row[i] / count;
                along[i] += row[i] * grey / power.max(1e-9);
            }
        }
        let mut sums = [[0.0; N]; N];
        let mut steepest = Vec::with_capacity(places.len());
        for &at in &places {
            let (row, grey) = (row(at), centred(at));
            let own: [f64; N] = std::array::from_fn(|i| row[i] - means[i] - along[i] * grey);
            for i in 0..N {
                for j in 0..N {
                    sums[i][j] += own[i] * own[j];
                }
            }
            steepest.push(own.map(|value| value as f32));
        }
        let inverse = inverse(sums)?;
        Some(Template { picture, places, steepest, inverse })
    }

    /// How well `picture` fits under `map`; leaves its grey levels at the template's places in `values`, NaN outside it. `None` when too
    /// few are inside.
    fn correlate(&self, picture: &Square, map: &Affine, values: &mut Vec<f32>) -> Option<Light> {
        let (side, last) = (self.picture.side, (picture.side - 1) as f32);
        let [[a, b], [c, d]] = map.matrix.map(|row| row.map(|value| value as f32));
        let [ox, oy] = map.offset.map(|value| value as f32);
        values.clear();
        let (mut n, mut sx, mut sy, mut sxx, mut syy, mut sxy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for &at in &self.places {
            let (x, y) = ((at % side) as f32, (at / side) as f32);
            let (u, v) = (a * x + b * y + ox, c * x + d * y + oy);
            if u < 0.0 || v < 0.0 || u > last || v > last {
                values.push(f32::NAN);
                continue;
            }
            let value = picture.at(u, v);
            values.push(value);
            let (p, q) = (f64::from(self.picture.grey[at]), f64::from(value));
            n += 1.0;
            sx += p;
            sy += q;
            sxx += p * p;
            syy += q * q;
            sxy += p * q;
        }
        if n < LEAST_OVERLAP * self.places.len() as f64 {
            return None;
        }
        let (vx, vy, cov) = (sxx - sx * sx / n, syy - sy * sy / n, sxy - sx * sy / n);
        let correlation = cov / (vx * vy).max(1e-9).sqrt();
        let gain = (vx / vy.max(1e-9)).sqrt() as f32;
        Some(Light { correlation, gain, own: (sx / n) as f32, other: (sy / n) as f32 })
    }

    /// Refines `map` in at most `steps` steps and says how well `picture` fits under the best one. `None` when they do not
    /// overlap enough.
    pub fn refine(&self, picture: &Square, map: Affine, steps: usize) -> Option<Match> {
        let mut values = Vec::with_capacity(self.places.len());
        let mut best: Option<Match> = None;
        let mut map = map;
        let half = self.picture.side as f64 / 2.0;
        for step in 0..=steps {
            let Some(light) = self.correlate(picture, &map, &mut values) else { break };
            let correlation = light.correlation;
            let before = best.map_or(-1.0, |b| b.correlation);
            if correlation > before {
                best = Some(Match { map, correlation });
            }
            if step == steps || (step > 2 && correlation < before + LEAST_GAIN) {
                break;
            }
            let mut right = [0.0f32; N];
            for ((&at, &value), row) in self.places.iter().zip(&values).zip(&self.steepest) {
                if value.is_nan() {
                    continue;
                }
                let error = (value - light.other) * light.gain - (self.picture.grey[at] - light.own);
                for i in 0..N {
                    right[i] += row[i] * error;
                }
            }
            let change: [f64; N] =
                std::array::from_fn(|i| (0..N).map(|j| self.inverse[i][j] * f64::from(right[j])).sum());
            let [p, q, r, s, t, u] = change;
            // Back from coordinates about the middle to pixels.
            let matrix = [[1.0 + p / half, q / half], [s / half, 1.0 + t / half]];
            let offset = [r - p - q, u - s - t];
            let Some(back) = (Affine { matrix, offset }).inverse() else { break };
            map = map.after(&back);
        }
        best
    }
}

/// Inverse of a positive definite matrix (Gauss and Jordan with pivots); `None` when it has none.
fn inverse(mut m: [[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut inverse = [[0.0; N]; N];
    (0..N).for_each(|i| inverse[i][i] = 1.0);
    for pivot in 0..N {
        let best = (pivot..N).max_by(|&a, &b| m[a][pivot].abs().total_cmp(&m[b][pivot].abs()))?;
        m.swap(pivot, best);
        inverse.swap(pivot, best);
        let scale = m[pivot][pivot];
        if scale.abs() < 1e-6 {
            return None;
        }
        for column in 0..N {
            m[pivot][column] /= scale;
            inverse[pivot][column] /= scale;
        }
        let (row, inverse_row) = (m[pivot], inverse[pivot]);
        for other in (0..N).filter(|&other| other != pivot) {
            let factor = m[other][pivot];
            for column in 0..N {
                m[other][column] -= factor * row[column];
                inverse[other][column] -= factor * inverse_row[column];
            }
        }
    }
    Some(inverse)
}
