//! Changes of grey levels: by a curve, by noise, by blur. Free functions over interleaved bytes.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::frame::Frame;

/// Widest blur in pixels to either side.
const FARTHEST: usize = 200;
/// Standard deviation of the sum of four numbers that are each spread evenly over 0 to 65,535.
const SUM_DEVIATION: f64 = 65_536.0 * 0.577_350_269_189_625_8;
/// Mean of that sum.
const SUM_MEAN: f64 = 2.0 * 65_535.0;

/// Sends each level through `curve`, which takes and gives light with white as 1.
pub(super) fn map(pixels: &mut [u8], curve: impl Fn(f64) -> f64) {
    let table: [u8; 256] = std::array::from_fn(|level| (curve(level as f64 / 255.0) * 255.0).round() as u8);
    pixels.iter_mut().for_each(|pixel| *pixel = table[usize::from(*pixel)]);
}

/// Adds to each value noise of the given standard deviation in grey levels. The sum of four even numbers is near enough to the
/// normal distribution and the same on every machine.
pub(super) fn noise(pixels: &mut [u8], deviation: f64, seed: u64) {
    if deviation <= 0.0 {
        return;
    }
    let mut random = Pcg64::seed_from_u64(seed);
    let scale = deviation / SUM_DEVIATION;
    for pixel in pixels {
        let drawn = random.next_u64();
        let sum: u64 = (0..4).map(|i| (drawn >> (16 * i)) & 0xffff).sum();
        *pixel = (f64::from(*pixel) + (sum as f64 - SUM_MEAN) * scale).round() as u8;
    }
}

/// Gaussian blur of `from` into `into`; `deviation` in pixels. Outside the picture its edge is repeated.
pub(super) fn blur(from: &Frame, deviation: f64, into: &mut [u8]) {
    let mut values: Vec<f32> = from.pixels.iter().map(|&pixel| f32::from(pixel)).collect();
    blur_values(&mut values, (from.width, from.height), from.format.bytes(), deviation);
    into.iter_mut().zip(values).for_each(|(pixel, value)| *pixel = value.round() as u8);
}

/// Gaussian blur of a picture whose values lie row by row, the channels of a pixel together; `deviation` in pixels. Outside the picture
/// its edge is repeated.
pub(crate) fn blur_values(
    values: &mut [f32],
    (width, height): (usize, usize),
    channels: usize,
    deviation: f64,
) {
    let reach = ((3.0 * deviation).ceil().max(0.0) as usize).min(FARTHEST);
    if reach == 0 {
        return;
    }
    let weight = |i: usize| (-((i as f64 - reach as f64) / deviation).powi(2) / 2.0).exp();
    let weights: Vec<f64> = (0..=2 * reach).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f32> = weights.iter().map(|weight| (weight / sum) as f32).collect();
    let row = width * channels;
    // Along each row, then down each column, both a row at a time.
    let mut across = vec![0.0f32; values.len()];
    let mut bordered = Vec::with_capacity(row + 2 * reach * channels);
    for (line, out) in values.chunks_exact(row).zip(across.chunks_exact_mut(row)) {
        bordered.clear();
        (0..reach).for_each(|_| bordered.extend_from_slice(&line[..channels]));
        bordered.extend_from_slice(line);
        (0..reach).for_each(|_| bordered.extend_from_slice(&line[row - channels..]));
        for (tap, &weight) in weights.iter().enumerate() {
            let shifted = &bordered[tap * channels..];
            out.iter_mut().zip(shifted).for_each(|(sum, &value)| *sum += weight * value);
        }
    }
    for (y, sums) in values.chunks_exact_mut(row).enumerate() {
        sums.fill(0.0);
        for (tap, &weight) in weights.iter().enumerate() {
            let from_row = (y + tap).saturating_sub(reach).min(height - 1);
            let line = &across[from_row * row..][..row];
            sums.iter_mut().zip(line).for_each(|(sum, &value)| *sum += weight * value);
        }
    }
}
