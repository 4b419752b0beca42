//! Whether a picture is like those that a model was trained on: its grey by distance from the middle, against theirs.
//!
//! Owns what is measured of a picture and how unlike is too unlike. Pure.

use crate::config::manifest::Familiar;
use crate::kernels::MapSize;

/// Rings of the same width, from the middle to the nearest side.
const RINGS: usize = 12;
/// Numbers measured of a picture: mean and deviation of the grey in each ring, and the sharpness.
pub(crate) const TRAITS: usize = 2 * RINGS + 1;
/// Added to the variance of every trait: a camera's noise, as a share of white.
const NOISE: f64 = 0.01;

/// What is measured of a grey picture: white is 1. It is the same for a picture that is turned or mirrored.
pub(crate) fn traits(size: MapSize, grey: &[u8]) -> [f64; TRAITS] {
    let (mut count, mut sum, mut squares) = ([0.0f64; RINGS], [0.0f64; RINGS], [0.0f64; RINGS]);
    let half = (size.width as f64 / 2.0, size.height as f64 / 2.0);
    let (mut sharpness, mut steps) = (0.0, 0.0f64);
    for (row, line) in grey.chunks_exact(size.width.max(1)).enumerate() {
        for (column, &pixel) in line.iter().enumerate() {
            let (x, y) = ((column as f64 + 0.5 - half.0) / half.0, (row as f64 + 0.5 - half.1) / half.1);
            let ring = (x.hypot(y) * RINGS as f64) as usize;
            let value = f64::from(pixel) / 255.0;
            if let Some(count) = count.get_mut(ring) {
                *count += 1.0;
                sum[ring] += value;
                squares[ring] += value * value;
            }
        }
        for three in line.windows(3) {
            let [left, middle, right] = [three[0], three[1], three[2]].map(f64::from);
            sharpness += (left - 2.0 * middle + right).abs() / 255.0;
            steps += 1.0;
        }
    }
    let mut traits = [0.0; TRAITS];
    for ring in 0..RINGS {
        let count = count[ring].max(1.0);
        let mean = sum[ring] / count;
        traits[ring] = mean;
        traits[RINGS + ring] = (squares[ring] / count - mean * mean).max(0.0).sqrt();
    }
    traits[2 * RINGS] = sharpness / steps.max(1.0);
    traits
}

/// How unlike the pictures of `familiar` a picture is: the Mahalanobis distance of its traits (P. C. Mahalanobis, 1936), as a share of the
/// limit: above 1 it is unlike anything that was trained on.
pub fn unlike(familiar: &Familiar, size: MapSize, grey: &[u8]) -> f64 {
    distance(familiar, &traits(size, grey)) / familiar.limit.max(f64::MIN_POSITIVE)
}

fn distance(familiar: &Familiar, traits: &[f64; TRAITS]) -> f64 {
    let off: Vec<f64> = traits.iter().zip(&familiar.mean).map(|(value, mean)| value - mean).collect();
    let row = |(at, line): (usize, &Vec<f64>)| {
        let own = line.first().map_or(0.0, |first| first * off[at]);
        let others: f64 = line.iter().zip(&off[at..]).skip(1).map(|(term, off)| term * off).sum();
        off[at] * (own + 2.0 * others)
    };
    familiar.inverse.iter().take(off.len()).enumerate().map(row).sum::<f64>().max(0.0).sqrt()
}

/// What a manifest must hold of `familiar` to be sound.
pub fn is_sound(familiar: &Familiar) -> bool {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    let rows = familiar.inverse.iter().enumerate();
    familiar.mean.len() == TRAITS
        && familiar.inverse.len() == TRAITS
        && finite(&familiar.mean)
        && rows.into_iter().all(|(at, row)| row.len() == TRAITS - at && finite(row))
        && familiar.limit.is_finite()
        && familiar.limit > 0.0
}

/// Learns what is familiar: mean and covariance from the pictures `trained`, the limit so that of `held_out` pictures, which were not
/// trained on, the share `false_alarms` lies beyond it. `None` when there are fewer than twice as many pictures as traits.
pub fn learn(
    size: MapSize,
    trained: impl Iterator<Item = impl AsRef<[u8]>>,
    held_out: impl Iterator<Item = impl AsRef<[u8]>>,
    false_alarms: f64,
) -> Option<Familiar> {
    let (mut count, mut sum) = (0.0f64, [0.0; TRAITS]);
    let mut products = vec![[0.0; TRAITS]; TRAITS];
    for grey in trained {
        let traits = traits(size, grey.as_ref());
        count += 1.0;
        for (at, value) in traits.iter().enumerate() {
            sum[at] += value;
            products[at].iter_mut().zip(&traits).for_each(|(product, other)| *product += value * other);
        }
    }
    if count < 2.0 * TRAITS as f64 {
        return None;
    }
    let mean = sum.map(|sum| sum / count);
    let mut rows: Vec<[f64; 2 * TRAITS]> = Vec::with_capacity(TRAITS);
    for (at, products) in products.iter().enumerate() {
        let mut row = [0.0; 2 * TRAITS];
        for (other, product) in products.iter().enumerate() {
            row[other] = product / count - mean[at] * mean[other];
        }
        row[at] += NOISE * NOISE;
        row[TRAITS + at] = 1.0;
        rows.push(row);
    }
    invert(&mut rows);
    let mut familiar = Familiar {
        mean: mean.iter().map(|&value| rounded(value)).collect(),
        inverse: (0..TRAITS)
            .map(|at| rows[at][TRAITS + at..].iter().map(|&v| rounded(v)).collect())
            .collect(),
        limit: 1.0,
        false_alarms,
    };
    let mut distances: Vec<f64> =
        held_out.map(|grey| distance(&familiar, &traits(size, grey.as_ref()))).collect();
    distances.sort_by(f64::total_cmp);
    let at = ((1.0 - false_alarms) * distances.len() as f64).ceil() as usize;
    familiar.limit = rounded(*distances.get(at.saturating_sub(1))?).max(NOISE);
    Some(familiar)
}

/// Five significant digits: enough for a distance, and the manifest stays readable.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

/// Gauss and Jordan on a positive definite matrix with the unit matrix beside it.
fn invert(rows: &mut [[f64; 2 * TRAITS]]) {
    for pivot in 0..TRAITS {
        let factor = 1.0 / rows[pivot][pivot];
        rows[pivot].iter_mut().for_each(|value| *value *= factor);
        let line = rows[pivot];
        for (_, row) in rows.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
            let factor = row[pivot];
            row.iter_mut().zip(&line).for_each(|(value, own)| *value -= factor * own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: MapSize = MapSize { height: 32, width: 32 };

    /// A disc of about `grey` with a hole, on a ground of about 100; `seed` varies it a little.
    fn disc(grey: u8, seed: usize) -> Vec<u8> {
        let vary = |by: usize| (seed * by % 13) as u8;
        let pixel = |i: usize| {
            let away = ((i % 32) as f64 - 15.5).hypot((i / 32) as f64 - 15.5);
            let noise = ((i * 7919 + seed * 31) % 7) as u8;
            noise
                + match away {
                    a if a > 14.0 => 100 + vary(5),
                    a if a < 6.0 => 30 + vary(7),
                    _ => grey + vary(3),
                }
        };
        (0..1024).map(pixel).collect()
    }

    fn learnt() -> Familiar {
        let known: Vec<Vec<u8>> = (0..120).map(|seed| disc(180, seed)).collect();
        let (trained, held_out) = known.split_at(80);
        learn(SIZE, trained.iter().map(Vec::as_slice), held_out.iter().map(Vec::as_slice), 0.05).unwrap()
    }

    #[test]
    fn what_was_trained_on_is_familiar_and_other_things_are_not() {
        let familiar = learnt();
        assert!(is_sound(&familiar));
        let unlike = |grey: &[u8]| unlike(&familiar, SIZE, grey);
        let beyond = (200..300).filter(|&seed| unlike(&disc(180, seed)) > 1.0).count();
        assert!(beyond < 15, "{beyond}");
        let turned: Vec<u8> = disc(180, 5).into_iter().rev().collect();
        assert!((unlike(&turned) - unlike(&disc(180, 5))).abs() < 1e-9);
        let stripes: Vec<u8> = (0..1024).map(|i| if i / 4 % 2 == 0 { 40 } else { 220 }).collect();
        for (name, foreign) in [("darker", disc(90, 3)), ("even", vec![128; 1024]), ("stripes", stripes)] {
            assert!(unlike(&foreign) > 2.0, "{name}: {}", unlike(&foreign));
        }
    }

    #[test]
    fn too_few_pictures_teach_nothing_and_damaged_numbers_are_not_sound() {
        let few: Vec<Vec<u8>> = (0..20).map(|seed| disc(180, seed)).collect();
        let each = || few.iter().map(Vec::as_slice);
        assert_eq!(learn(SIZE, each(), each(), 0.05), None);
        for damage in [
            |f: &mut Familiar| f.limit = 0.0,
            |f: &mut Familiar| f.mean.truncate(3),
            |f: &mut Familiar| f.inverse[4].clear(),
            |f: &mut Familiar| f.inverse[4][0] = f64::NAN,
        ] {
            let mut familiar = learnt();
            damage(&mut familiar);
            assert!(!is_sound(&familiar));
        }
    }
}
