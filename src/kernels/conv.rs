//! 3x3 convolution with stride 1 or 2 and no padding, over one picture.
//!
//! Maps are rows x columns x channels, channels innermost. Output channels are whole vectors (a multiple of [`LANES`]); input
//! channels are any number. Weights are 3 x 3 x input channel x output channel, as Keras keeps them. Owns the products; must not
//! know networks.

use super::dispatch::kernel;
use super::float::{Arithmetic, Float};
use super::{LANES, MapSize};

/// What a convolution takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns, at least 3 each.
    pub size: MapSize,
    /// Input channels.
    pub channels: usize,
    /// Rows and columns from one window to the next: 1 or 2.
    pub stride: usize,
}

impl Window {
    /// Rows and columns of what it gives.
    pub fn output(self) -> MapSize {
        let count = |side: usize| (side - 3) / self.stride + 1;
        MapSize { height: count(self.size.height), width: count(self.size.width) }
    }

    /// What [`dilate`] makes of the gradient of its output.
    pub fn dilated(self) -> Window {
        let size = MapSize { height: self.size.height + 2, width: self.size.width + 2 };
        Window { size, stride: 1, ..self }
    }
}

kernel! {
    /// Convolution, plus `bias`, then ReLU if `relu`: `input` to `output`, which has `bias.len()` channels.
    pub fn forward(
        window: Window, input: &[F], weights: &[F], bias: &[F], relu: bool, output: &mut [F],
    ) = forward_body
}

#[inline(always)]
fn forward_body<F: Float, A: Arithmetic>(
    window: Window,
    input: &[F],
    weights: &[F],
    bias: &[F],
    relu: bool,
    output: &mut [F],
) {
    if window.stride == 1 {
        forward_strided::<F, A, 1>(window, input, weights, bias, relu, output);
    } else {
        forward_strided::<F, A, 2>(window, input, weights, bias, relu, output);
    }
}

#[inline(always)]
fn forward_strided<F: Float, A: Arithmetic, const S: usize>(
    window: Window,
    input: &[F],
    weights: &[F],
    bias: &[F],
    relu: bool,
    output: &mut [F],
) {
    match (window.channels, bias.len().is_multiple_of(2 * LANES)) {
        (1, true) => forward_tiled::<F, A, S, 1, 2, 6>(window, input, weights, bias, relu, output),
        (1, false) => forward_tiled::<F, A, S, 1, 1, 12>(window, input, weights, bias, relu, output),
        (8, true) => forward_tiled::<F, A, S, 8, 2, 6>(window, input, weights, bias, relu, output),
        (8, false) => forward_tiled::<F, A, S, 8, 1, 12>(window, input, weights, bias, relu, output),
        (16, true) => forward_tiled::<F, A, S, 16, 2, 6>(window, input, weights, bias, relu, output),
        (16, false) => forward_tiled::<F, A, S, 16, 1, 12>(window, input, weights, bias, relu, output),
        (_, true) => forward_tiled::<F, A, S, 0, 2, 6>(window, input, weights, bias, relu, output),
        (_, false) => forward_tiled::<F, A, S, 0, 1, 12>(window, input, weights, bias, relu, output),
    }
}

/// `B` vectors of output channels and `T` neighbouring pixels at a time, so that the sums stay in registers. `S` is the stride, `CIN` the
/// number of input channels where it is known to the compiler, else 0.
#[inline(always)]
fn forward_tiled<
    F: Float,
    A: Arithmetic,
    const S: usize,
    const CIN: usize,
    const B: usize,
    const T: usize,
>(
    window: Window,
    input: &[F],
    weights: &[F],
    bias: &[F],
    relu: bool,
    output: &mut [F],
) {
    let cin = if CIN == 0 { window.channels } else { CIN };
    let cout = bias.len();
    let (width, MapSize { height: rows, width: columns }) = (window.size.width, window.output());
    for y in 0..rows {
        let lines = &input[y * S * width * cin..][..3 * width * cin];
        let out_row = &mut output[y * columns * cout..][..columns * cout];
        for co in (0..cout).step_by(B * LANES) {
            let (weights, bias) = (&weights[co..], &bias[co..]);
            let mut x = 0;
            while x < columns {
                if columns >= T {
                    // The last tile overlaps the one before: the same sums again, which is cheaper than a slow remainder.
                    x = x.min(columns - T);
                    let out = &mut out_row[x * cout + co..];
                    tile::<F, A, S, CIN, B, T>(width, cin, x, lines, weights, cout, bias, relu, out);
                    x += T;
                } else {
                    let out = &mut out_row[x * cout + co..];
                    tile::<F, A, S, CIN, B, 1>(width, cin, x, lines, weights, cout, bias, relu, out);
                    x += 1;
                }
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "inlined: the arguments stay in registers")]
fn tile<F: Float, A: Arithmetic, const S: usize, const CIN: usize, const B: usize, const T: usize>(
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
        let line = &lines[(ky * width + x * S) * cin..][..((T - 1) * S + 3) * cin];
        let weights = &weights[ky * 3 * cin * cout..];
        for k in 0..3 * cin {
            let taps = &weights[k * cout..][..B * LANES];
            for t in 0..T {
                let value = line[t * S * cin + k];
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
    /// Adds to `weight_gradient` and `bias_gradient` what one picture contributes: `input`, and the loss's gradient with respect to the
    /// convolution's output.
    pub fn weight_gradient(
        window: Window, input: &[F], output_gradient: &[F], weight_gradient: &mut [F], bias_gradient: &mut [F],
    ) = weight_gradient_body
}

#[inline(always)]
fn weight_gradient_body<F: Float, A: Arithmetic>(
    window: Window,
    input: &[F],
    output_gradient: &[F],
    weight_gradient: &mut [F],
    bias_gradient: &mut [F],
) {
    if window.stride == 1 {
        weight_gradient_strided::<F, A, 1>(window, input, output_gradient, weight_gradient, bias_gradient);
    } else {
        weight_gradient_strided::<F, A, 2>(window, input, output_gradient, weight_gradient, bias_gradient);
    }
}

#[inline(always)]
fn weight_gradient_strided<F: Float, A: Arithmetic, const S: usize>(
    window: Window,
    input: &[F],
    output_gradient: &[F],
    weight_gradient: &mut [F],
    bias_gradient: &mut [F],
) {
    let (cin, cout) = (window.channels, bias_gradient.len());
    let (width, MapSize { height: rows, width: columns }) = (window.size.width, window.output());
    for y in 0..rows {
        let gradients = &output_gradient[y * columns * cout..][..columns * cout];
        for ky in 0..3 {
            let line = &input[(y * S + ky) * width * cin..][..width * cin];
            let into = &mut weight_gradient[ky * 3 * cin * cout..][..3 * cin * cout];
            if cout.is_multiple_of(2 * LANES) {
                row_products::<F, A, S, 2, 6>(cin, cout, line, gradients, into);
            } else {
                row_products::<F, A, S, 1, 12>(cin, cout, line, gradients, into);
            }
        }
        for pixel in gradients.chunks_exact(cout) {
            for (sum, &gradient) in bias_gradient.iter_mut().zip(pixel) {
                *sum += gradient;
            }
        }
    }
}

/// For one row: the products of `K` taps with `B` vectors of output channels at a time, summed over the row in registers.
#[inline(always)]
fn row_products<F: Float, A: Arithmetic, const S: usize, const B: usize, const K: usize>(
    cin: usize,
    cout: usize,
    line: &[F],
    gradients: &[F],
    into: &mut [F],
) {
    for co in (0..cout).step_by(B * LANES) {
        let mut k = 0;
        while k + K <= 3 * cin {
            taps_products::<F, A, S, B, K>(
                cin,
                cout,
                &line[k..],
                &gradients[co..],
                &mut into[k * cout + co..],
            );
            k += K;
        }
        while k + 3 <= 3 * cin {
            taps_products::<F, A, S, B, 3>(
                cin,
                cout,
                &line[k..],
                &gradients[co..],
                &mut into[k * cout + co..],
            );
            k += 3;
        }
    }
}

#[inline(always)]
fn taps_products<F: Float, A: Arithmetic, const S: usize, const B: usize, const K: usize>(
    cin: usize,
    cout: usize,
    line: &[F],
    gradients: &[F],
    into: &mut [F],
) {
    let mut sums = [[[F::ZERO; LANES]; B]; K];
    let columns = gradients.len().div_ceil(cout);
    for x in 0..columns {
        let taps = &line[x * S * cin..][..K];
        let gradient = &gradients[x * cout..][..B * LANES];
        for k in 0..K {
            for b in 0..B {
                for lane in 0..LANES {
                    sums[k][b][lane] = A::mul_add(taps[k], gradient[b * LANES + lane], sums[k][b][lane]);
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

/// Turns weights by half a turn and exchanges input and output channels: [`forward`] with them, over the output's gradient as [`dilate`]
/// lays it out, gives the gradient of the input.
pub fn flip<F: Float>(channels_in: usize, channels_out: usize, weights: &[F], flipped: &mut [F]) {
    for tap in 0..9 {
        for ci in 0..channels_in {
            for co in 0..channels_out {
                flipped[((8 - tap) * channels_out + co) * channels_in + ci] =
                    weights[(tap * channels_in + ci) * channels_out + co];
            }
        }
    }
}

/// Lays the gradient of the output of a convolution over `window` out over [`Window::dilated`]: two pixels from the border and a stride
/// apart, 0 between and around.
pub fn dilate<F: Float>(window: Window, channels: usize, map: &[F], output: &mut [F]) {
    let MapSize { height, width } = window.dilated().size;
    let (row, wide) = (window.output().width * channels, width * channels);
    let output = &mut output[..height * wide];
    output.fill(F::ZERO);
    let lines = output[2 * wide..].chunks_exact_mut(wide).step_by(window.stride);
    for (map, line) in map.chunks_exact(row).zip(lines) {
        let places = line[2 * channels..].chunks_exact_mut(channels).step_by(window.stride);
        map.chunks_exact(channels).zip(places).for_each(|(pixel, place)| place.copy_from_slice(pixel));
    }
}

#[cfg(test)]
mod tests;
