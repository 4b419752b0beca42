//! 3x3 convolution with stride 1 and no padding, over one picture.
//!
//! Maps are rows x columns x channels, channels innermost. Output channels are whole vectors (a multiple of [`LANES`]); input
//! channels are any number. Weights are 3 x 3 x input channel x output channel, as Keras keeps them. Owns the products; must not
//! know networks.

use super::dispatch::kernel;
use super::float::{Arithmetic, Float};
use super::{LANES, MapSize};

kernel! {
    /// Convolution, plus `bias`, then ReLU if `relu`: `input` of `size` with `channels_in` to `output`, two rows and columns
    /// smaller, with `bias.len()` channels.
    pub fn forward(
        size: MapSize, channels_in: usize, input: &[F], weights: &[F], bias: &[F], relu: bool, output: &mut [F],
    ) = forward_body
}

#[inline(always)]
fn forward_body<F: Float, A: Arithmetic>(
    size: MapSize,
    channels_in: usize,
    input: &[F],
    weights: &[F],
    bias: &[F],
    relu: bool,
    output: &mut [F],
) {
    match (channels_in, bias.len().is_multiple_of(2 * LANES)) {
        (1, true) => forward_tiled::<F, A, 1, 2, 6>(size, channels_in, input, weights, bias, relu, output),
        (1, false) => forward_tiled::<F, A, 1, 1, 12>(size, channels_in, input, weights, bias, relu, output),
        (8, true) => forward_tiled::<F, A, 8, 2, 6>(size, channels_in, input, weights, bias, relu, output),
        (8, false) => forward_tiled::<F, A, 8, 1, 12>(size, channels_in, input, weights, bias, relu, output),
        (16, true) => forward_tiled::<F, A, 16, 2, 6>(size, channels_in, input, weights, bias, relu, output),
        (16, false) => {
            forward_tiled::<F, A, 16, 1, 12>(size, channels_in, input, weights, bias, relu, output)
        }
        (_, true) => forward_tiled::<F, A, 0, 2, 6>(size, channels_in, input, weights, bias, relu, output),
        (_, false) => forward_tiled::<F, A, 0, 1, 12>(size, channels_in, input, weights, bias, relu, output),
    }
}

/// `B` vectors of output channels and `T` neighbouring pixels at a time, so that the sums stay in registers. `CIN` is the number of
/// input channels where it is known to the compiler, else 0.
#[inline(always)]
fn forward_tiled<F: Float, A: Arithmetic, const CIN: usize, const B: usize, const T: usize>(
    size: MapSize,
    channels_in: usize,
    input: &[F],
    weights: &[F],
    bias: &[F],
    relu: bool,
    output: &mut [F],
) {
    let cin = if CIN == 0 { channels_in } else { CIN };
    let cout = bias.len();
    let (rows, columns) = (size.height - 2, size.width - 2);
    for y in 0..rows {
        let lines = &input[y * size.width * cin..][..3 * size.width * cin];
        let out_row = &mut output[y * columns * cout..][..columns * cout];
        for co in (0..cout).step_by(B * LANES) {
            let mut x = 0;
            while x < columns {
                if columns >= T {
                    // The last tile overlaps the one before: the same sums again, which is cheaper than a slow remainder.
                    x = x.min(columns - T);
                    tile::<F, A, CIN, B, T>(
                        size.width,
                        cin,
                        x,
                        lines,
                        &weights[co..],
                        cout,
                        &bias[co..],
                        relu,
                        &mut out_row[x * cout + co..],
                    );
                    x += T;
                } else {
                    tile::<F, A, CIN, B, 1>(
                        size.width,
                        cin,
                        x,
                        lines,
                        &weights[co..],
                        cout,
                        &bias[co..],
                        relu,
                        &mut out_row[x * cout + co..],
                    );
                    x += 1;
                }
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "inlined: the arguments stay in registers")]
fn tile<F: Float, A: Arithmetic, const CIN: usize, const B: usize, const T: usize>(
    width: usize,
    channels_in: usize,
    x: usize,
    lines: &[F],
    weights: &[F],
    cout: usize,
    bias: &[F],
    relu: bool,
    output: &mut [F],
) {
    let cin = if CIN == 0 { channels_in } else { CIN };
    let mut sums = [[[F::ZERO; LANES]; B]; T];
    for pixel in &mut sums {
        for (b, lanes) in pixel.iter_mut().enumerate() {
            lanes.copy_from_slice(&bias[b * LANES..][..LANES]);
        }
    }
    for ky in 0..3 {
        let line = &lines[(ky * width + x) * cin..][..(T + 2) * cin];
        let weights = &weights[ky * 3 * cin * cout..];
        for k in 0..3 * cin {
            let taps = &weights[k * cout..][..B * LANES];
            for t in 0..T {
                let value = line[t * cin + k];
                for b in 0..B {
                    for lane in 0..LANES {
                        sums[t][b][lane] = A::mul_add(value, taps[b * LANES + lane], sums[t][b][lane]);
                    }
                }
            }
        }
    }
    for (t, pixel) in sums.iter().enumerate() {
        for (b, lanes) in pixel.iter().enumerate() {
            let out = &mut output[t * cout + b * LANES..][..LANES];
            for (out, &sum) in out.iter_mut().zip(lanes) {
                *out = if relu && sum < F::ZERO { F::ZERO } else { sum };
            }
        }
    }
}

kernel! {
    /// Adds to `weight_gradient` and `bias_gradient` what one picture contributes: `input` of `size` with `channels_in`, and the
    /// loss's gradient with respect to the convolution's output.
    pub fn weight_gradient(
        size: MapSize, channels_in: usize, input: &[F], output_gradient: &[F], weight_gradient: &mut [F], bias_gradient: &mut [F],
    ) = weight_gradient_body
}

#[inline(always)]
fn weight_gradient_body<F: Float, A: Arithmetic>(
    size: MapSize,
    channels_in: usize,
    input: &[F],
    output_gradient: &[F],
    weight_gradient: &mut [F],
    bias_gradient: &mut [F],
) {
    let cin = channels_in;
    let cout = bias_gradient.len();
    let (rows, columns) = (size.height - 2, size.width - 2);
    for y in 0..rows {
        let slopes = &output_gradient[y * columns * cout..][..columns * cout];
        for ky in 0..3 {
            let line = &input[(y + ky) * size.width * cin..][..size.width * cin];
            let into = &mut weight_gradient[ky * 3 * cin * cout..][..3 * cin * cout];
            if cout.is_multiple_of(2 * LANES) {
                row_products::<F, A, 2, 6>(cin, cout, line, slopes, into);
            } else {
                row_products::<F, A, 1, 12>(cin, cout, line, slopes, into);
            }
        }
        for pixel in slopes.chunks_exact(cout) {
            for (sum, &slope) in bias_gradient.iter_mut().zip(pixel) {
                *sum += slope;
            }
        }
    }
}

/// For one row: the products of `K` taps with `B` vectors of output channels at a time, summed over the row in registers.
#[inline(always)]
fn row_products<F: Float, A: Arithmetic, const B: usize, const K: usize>(
    cin: usize,
    cout: usize,
    line: &[F],
    slopes: &[F],
    into: &mut [F],
) {
    for co in (0..cout).step_by(B * LANES) {
        let mut k = 0;
        while k + K <= 3 * cin {
            taps_products::<F, A, B, K>(cin, cout, &line[k..], &slopes[co..], &mut into[k * cout + co..]);
            k += K;
        }
        while k + 3 <= 3 * cin {
            taps_products::<F, A, B, 3>(cin, cout, &line[k..], &slopes[co..], &mut into[k * cout + co..]);
            k += 3;
        }
    }
}

#[inline(always)]
fn taps_products<F: Float, A: Arithmetic, const B: usize, const K: usize>(
    cin: usize,
    cout: usize,
    line: &[F],
    slopes: &[F],
    into: &mut [F],
) {
    let mut sums = [[[F::ZERO; LANES]; B]; K];
    let columns = slopes.len().div_ceil(cout);
    for x in 0..columns {
        let taps = &line[x * cin..][..K];
        let slope = &slopes[x * cout..][..B * LANES];
        for k in 0..K {
            for b in 0..B {
                for lane in 0..LANES {
                    sums[k][b][lane] = A::mul_add(taps[k], slope[b * LANES + lane], sums[k][b][lane]);
                }
            }
        }
    }
    for (k, tap) in sums.iter().enumerate() {
        for (b, lanes) in tap.iter().enumerate() {
            for (sum, &lane) in into[k * cout + b * LANES..][..LANES].iter_mut().zip(lanes) {
                *sum += lane;
            }
        }
    }
}

/// Turns weights by half a turn and exchanges input and output channels: [`forward`] with them, over the output's gradient with a border of
/// two pixels of 0 ([`border`]), gives the gradient of the input.
pub fn turn<F: Float>(channels_in: usize, channels_out: usize, weights: &[F], turned: &mut [F]) {
    for tap in 0..9 {
        for ci in 0..channels_in {
            for co in 0..channels_out {
                turned[((8 - tap) * channels_out + co) * channels_in + ci] =
                    weights[(tap * channels_in + ci) * channels_out + co];
            }
        }
    }
}

/// Copies `map` of `size` into the middle of `output`, four rows and columns larger, whose border of two pixels is set to 0.
pub fn border<F: Float>(size: MapSize, channels: usize, map: &[F], output: &mut [F]) {
    let (row, wide) = (size.width * channels, (size.width + 4) * channels);
    let body = 2 * wide..(size.height + 2) * wide;
    output[..body.start].fill(F::ZERO);
    output[body.end..(size.height + 4) * wide].fill(F::ZERO);
    for (map, output) in map.chunks_exact(row).zip(output[body].chunks_exact_mut(wide)) {
        output[..2 * channels].fill(F::ZERO);
        output[2 * channels..][..row].copy_from_slice(map);
        output[2 * channels + row..].fill(F::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::super::float::Separate;
    use super::super::tests::{assert_close, numbers};
    use super::*;

    /// The definition, in the order of the indices.
    fn plain(
        size: MapSize,
        cin: usize,
        input: &[f32],
        weights: &[f32],
        bias: &[f32],
        relu: bool,
    ) -> Vec<f32> {
        let cout = bias.len();
        let mut output = Vec::new();
        for (y, x) in (0..size.height - 2).flat_map(|y| (0..size.width - 2).map(move |x| (y, x))) {
            for co in 0..cout {
                let mut sum = f64::from(bias[co]);
                for (ky, kx, ci) in taps(cin) {
                    let value = input[((y + ky) * size.width + x + kx) * cin + ci];
                    sum += f64::from(value) * f64::from(weights[((ky * 3 + kx) * cin + ci) * cout + co]);
                }
                output.push(if relu { sum.max(0.0) as f32 } else { sum as f32 });
            }
        }
        output
    }

    fn taps(cin: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        (0..9 * cin).map(move |i| (i / (3 * cin), i / cin % 3, i % cin))
    }

    /// Sizes around the tiles' width; channels of every branch.
    fn cases() -> impl Iterator<Item = (MapSize, usize, usize)> {
        let sizes = [(3, 3), (4, 7), (5, 8), (6, 9), (4, 14), (5, 27)];
        let channels = [(1, 8), (1, 16), (8, 8), (8, 16), (16, 8), (16, 32), (24, 8), (5, 16), (2, 24)];
        sizes.into_iter().flat_map(move |(height, width)| {
            channels.into_iter().map(move |(cin, cout)| (MapSize { height, width }, cin, cout))
        })
    }

    #[test]
    fn forward_is_its_definition_with_and_without_vector_instructions() {
        for (size, cin, cout) in cases() {
            let input = numbers(size.height * size.width * cin, 1);
            let (weights, bias) = (numbers(9 * cin * cout, 2), numbers(cout, 3));
            for relu in [false, true] {
                let wanted = plain(size, cin, &input, &weights, &bias, relu);
                let mut output = vec![f32::NAN; wanted.len()];
                forward(size, cin, &input, &weights, &bias, relu, &mut output);
                assert_close(&output, &wanted);
                output.fill(f32::NAN);
                forward_body::<f32, Separate>(size, cin, &input, &weights, &bias, relu, &mut output);
                assert_close(&output, &wanted);
            }
        }
    }

    #[test]
    fn the_weight_gradient_is_its_definition_with_and_without_vector_instructions() {
        for (size, cin, cout) in cases() {
            let input = numbers(size.height * size.width * cin, 1);
            let slopes = numbers((size.height - 2) * (size.width - 2) * cout, 2);
            let mut wanted = vec![1.0f32; 9 * cin * cout];
            let mut wanted_bias = vec![1.0f32; cout];
            for (i, &slope) in slopes.iter().enumerate() {
                let (y, x, co) = (i / cout / (size.width - 2), i / cout % (size.width - 2), i % cout);
                wanted_bias[co] += slope;
                for (ky, kx, ci) in taps(cin) {
                    let value = input[((y + ky) * size.width + x + kx) * cin + ci];
                    wanted[((ky * 3 + kx) * cin + ci) * cout + co] += value * slope;
                }
            }
            let (mut sums, mut bias_sums) = (vec![1.0; 9 * cin * cout], vec![1.0; cout]);
            weight_gradient(size, cin, &input, &slopes, &mut sums, &mut bias_sums);
            assert_close(&sums, &wanted);
            assert_close(&bias_sums, &wanted_bias);
            (sums, bias_sums) = (vec![1.0; 9 * cin * cout], vec![1.0; cout]);
            weight_gradient_body::<f32, Separate>(size, cin, &input, &slopes, &mut sums, &mut bias_sums);
            assert_close(&sums, &wanted);
            assert_close(&bias_sums, &wanted_bias);
        }
    }

    #[test]
    fn the_turned_weights_over_a_border_give_the_gradient_of_the_input() {
        for (size, cin, cout) in cases().filter(|&(_, cin, _)| cin % LANES == 0) {
            let small = MapSize { height: size.height - 2, width: size.width - 2 };
            let weights = numbers(9 * cin * cout, 1);
            let slopes = numbers(small.height * small.width * cout, 2);
            let mut wanted = vec![0.0f32; size.height * size.width * cin];
            for (i, &slope) in slopes.iter().enumerate() {
                let (y, x, co) = (i / cout / small.width, i / cout % small.width, i % cout);
                for (ky, kx, ci) in taps(cin) {
                    let weight = weights[((ky * 3 + kx) * cin + ci) * cout + co];
                    wanted[((y + ky) * size.width + x + kx) * cin + ci] += weight * slope;
                }
            }
            let mut turned = vec![f32::NAN; weights.len()];
            turn(cin, cout, &weights, &mut turned);
            let wide = MapSize { height: small.height + 4, width: small.width + 4 };
            let mut bordered = vec![f32::NAN; wide.height * wide.width * cout];
            border(small, cout, &slopes, &mut bordered);
            let mut gradient = vec![f32::NAN; wanted.len()];
            forward(wide, cout, &bordered, &turned, &vec![0.0; cin], false, &mut gradient);
            assert_close(&gradient, &wanted);
        }
    }
}
