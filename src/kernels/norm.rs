//! Batch normalisation and ReLU over maps: sums for the statistics, the normalisation itself, and the way back.
//!
//! Normalisation is `scale * x + shift` for each channel, with `scale = gamma / sqrt(variance + epsilon)` and
//! `shift = beta - mean * scale` (Ioffe and Szegedy 2015). Nothing divides by gamma, which may become exactly 0. Maps are rows x
//! columns x channels with channels in whole vectors. Must not know how statistics of several pictures are brought together.

use super::LANES;
use super::dispatch::kernel;
use super::float::{Arithmetic, Float};

/// Pixels that are summed in the map's own precision before the sum goes on in `f64`.
const RUN: usize = 128;

kernel! {
    /// Adds to `sums` each channel's sum of `a`, and to `product_sums` that of `a * b`.
    pub fn sum_products(a: &[F], b: &[F], sums: &mut [f64], product_sums: &mut [f64]) = sum_products_body
}

#[inline(always)]
fn sum_products_body<F: Float, A: Arithmetic>(a: &[F], b: &[F], sums: &mut [f64], product_sums: &mut [f64]) {
    if sums.len().is_multiple_of(2 * LANES) {
        sum_products_blocks::<F, A, { 2 * LANES }>(a, b, sums, product_sums);
    } else {
        sum_products_blocks::<F, A, LANES>(a, b, sums, product_sums);
    }
}

#[inline(always)]
fn sum_products_blocks<F: Float, A: Arithmetic, const N: usize>(
    a: &[F],
    b: &[F],
    sums: &mut [f64],
    product_sums: &mut [f64],
) {
    let channels = sums.len();
    for (a, b) in a.chunks(RUN * channels).zip(b.chunks(RUN * channels)) {
        for from in (0..channels).step_by(N) {
            let mut run = [F::ZERO; N];
            let mut product_run = [F::ZERO; N];
            for (a, b) in a.chunks_exact(channels).zip(b.chunks_exact(channels)) {
                let (a, b) = (&a[from..][..N], &b[from..][..N]);
                for lane in 0..N {
                    run[lane] += a[lane];
                    product_run[lane] = A::mul_add(a[lane], b[lane], product_run[lane]);
                }
            }
            for lane in 0..N {
                sums[from + lane] += run[lane].to_f64();
                product_sums[from + lane] += product_run[lane].to_f64();
            }
        }
    }
}

kernel! {
    /// `output = scale * input + shift`, channel by channel.
    pub fn scale_shift(input: &[F], scale: &[F], shift: &[F], output: &mut [F]) = scale_shift_body
}

#[inline(always)]
fn scale_shift_body<F: Float, A: Arithmetic>(input: &[F], scale: &[F], shift: &[F], output: &mut [F]) {
    if scale.len().is_multiple_of(2 * LANES) {
        scale_shift_blocks::<F, A, { 2 * LANES }>(input, scale, shift, output);
    } else {
        scale_shift_blocks::<F, A, LANES>(input, scale, shift, output);
    }
}

#[inline(always)]
fn scale_shift_blocks<F: Float, A: Arithmetic, const N: usize>(
    input: &[F],
    scale: &[F],
    shift: &[F],
    output: &mut [F],
) {
    let channels = scale.len();
    for from in (0..channels).step_by(N) {
        let (scale, shift) = (lanes::<F, N>(scale, from), lanes::<F, N>(shift, from));
        for (input, output) in input.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
            let (input, output) = (&input[from..][..N], &mut output[from..][..N]);
            for lane in 0..N {
                output[lane] = A::mul_add(input[lane], scale[lane], shift[lane]);
            }
        }
    }
}

/// The loss's gradient behind normalisation, as a linear form of the gradient in front of it and of the normalised map:
/// `of_gradient * gradient + of_map * map + constant`, one of each for a channel.
///
/// For batch statistics over n values with s = sum(gradient), p = sum(gradient * (x - mean) / deviation):
/// `of_gradient = scale`, `of_map = -scale * p / (n * deviation)`, `constant = -scale * s / n - of_map * mean`. Without normalisation:
/// 1, 0 and 0.
#[derive(Debug, Clone, Copy)]
pub struct Backward<'a, F> {
    /// Factor of the gradient.
    pub of_gradient: &'a [F],
    /// Factor of the map.
    pub of_map: &'a [F],
    /// What is added.
    pub constant: &'a [F],
}

kernel! {
    /// From the gradient behind ReLU and normalisation (of the same size as `map`, which is ReLU's output) to that in front of both.
    pub fn relu_norm_backward(map: &[F], gradient: &[F], backward: Backward<'_, F>, output: &mut [F]) = relu_norm_backward_body
}

#[inline(always)]
fn relu_norm_backward_body<F: Float, A: Arithmetic>(
    map: &[F],
    gradient: &[F],
    backward: Backward<'_, F>,
    output: &mut [F],
) {
    let channels = backward.of_gradient.len();
    for from in (0..channels).step_by(LANES) {
        let factors = Factors::of(&backward, from);
        let pixels = map.chunks_exact(channels).zip(gradient.chunks_exact(channels));
        for ((map, gradient), output) in pixels.zip(output.chunks_exact_mut(channels)) {
            let gradient = lanes::<F, LANES>(gradient, from);
            factors.apply::<A>(&map[from..][..LANES], gradient, &mut output[from..][..LANES]);
        }
    }
}

/// One vector of [`Backward`].
pub(super) struct Factors<F> {
    of_gradient: [F; LANES],
    of_map: [F; LANES],
    constant: [F; LANES],
}

impl<F: Float> Factors<F> {
    #[inline(always)]
    pub(super) fn of(backward: &Backward<'_, F>, from: usize) -> Self {
        Self {
            of_gradient: lanes(backward.of_gradient, from),
            of_map: lanes(backward.of_map, from),
            constant: lanes(backward.constant, from),
        }
    }

    #[inline(always)]
    pub(super) fn apply<A: Arithmetic>(&self, map: &[F], gradient: [F; LANES], output: &mut [F]) {
        for lane in 0..LANES {
            let value = A::mul_add(map[lane], self.of_map[lane], self.constant[lane]);
            let value = A::mul_add(gradient[lane], self.of_gradient[lane], value);
            output[lane] = if map[lane] > F::ZERO { value } else { F::ZERO };
        }
    }
}

/// `N` numbers from `from` on.
#[inline(always)]
pub(super) fn lanes<F: Float, const N: usize>(values: &[F], from: usize) -> [F; N] {
    let mut lanes = [F::ZERO; N];
    lanes.copy_from_slice(&values[from..][..N]);
    lanes
}

#[cfg(test)]
mod tests {
    use super::super::float::Separate;
    use super::super::tests::{assert_close, numbers};
    use super::*;

    #[test]
    fn sums_are_their_definition_with_and_without_vector_instructions() {
        for (pixels, channels) in [(1, 8), (300, 8), (257, 16), (129, 24)] {
            let (a, b) = (numbers(pixels * channels, 1), numbers(pixels * channels, 2));
            let mut wanted = (vec![1.0f64; channels], vec![1.0f64; channels]);
            for (i, (&a, &b)) in a.iter().zip(&b).enumerate() {
                wanted.0[i % channels] += f64::from(a);
                wanted.1[i % channels] += f64::from(a) * f64::from(b);
            }
            for body in [sum_products::<f32>, sum_products_body::<f32, Separate>] {
                let mut sums = (vec![1.0; channels], vec![1.0; channels]);
                body(&a, &b, &mut sums.0, &mut sums.1);
                let close = |(x, y): (&f64, &f64)| (x - y).abs() < 1e-3;
                assert!(sums.0.iter().zip(&wanted.0).all(close) && sums.1.iter().zip(&wanted.1).all(close));
            }
        }
    }

    #[test]
    fn scaling_and_its_way_back_are_their_definition_with_and_without_vector_instructions() {
        for channels in [8, 16, 24] {
            let (map, gradient) = (numbers(channels * 37, 1), numbers(channels * 37, 2));
            let (scale, shift, constant) = (numbers(channels, 3), numbers(channels, 4), numbers(channels, 5));
            let wanted: Vec<f32> =
                map.iter().enumerate().map(|(i, x)| x * scale[i % channels] + shift[i % channels]).collect();
            for body in [scale_shift::<f32>, scale_shift_body::<f32, Separate>] {
                let mut output = vec![f32::NAN; map.len()];
                body(&map, &scale, &shift, &mut output);
                assert_close(&output, &wanted);
            }
            let backward = Backward { of_gradient: &scale, of_map: &shift, constant: &constant };
            let back = |(i, (&x, &gradient)): (usize, (&f32, &f32))| {
                let c = i % channels;
                if x > 0.0 { scale[c] * gradient + shift[c] * x + constant[c] } else { 0.0 }
            };
            let wanted: Vec<f32> = map.iter().zip(&gradient).enumerate().map(back).collect();
            for body in [relu_norm_backward::<f32>, relu_norm_backward_body::<f32, Separate>] {
                let mut output = vec![f32::NAN; map.len()];
                body(&map, &gradient, backward, &mut output);
                assert_close(&output, &wanted);
            }
        }
    }
}
