//! 2x2 pooling, and the gradients of pooling and global average.
//!
//! A normalised map is pooled before it is normalised: `scale * x + shift` grows with x where scale is positive and falls where it is
//! negative, so the greatest normalised value is the normalised greatest or least value. Pooling first touches a quarter of the numbers
//! later. Odd last rows and columns are left out, as with Keras's `valid` padding. Must not know networks.

use super::dispatch::kernel;
use super::float::{Arithmetic, Float};
use super::norm::{Backward, Factors, lanes};
use super::{LANES, MapSize};

kernel! {
    /// The greatest value of each 2x2 square, or the least in channels whose `scale` is negative, and in `choice` which of the four it
    /// is: 0 and 1 in the upper row, 2 and 3 in the lower.
    pub fn forward(size: MapSize, input: &[F], scale: &[F], output: &mut [F], choice: &mut [u8]) = forward_body
}

#[inline(always)]
#[expect(
    clippy::extra_unused_type_parameters,
    reason = "every body is called with an arithmetic; this one sums nothing"
)]
fn forward_body<F: Float, A: Arithmetic>(
    size: MapSize,
    input: &[F],
    scale: &[F],
    output: &mut [F],
    choice: &mut [u8],
) {
    let channels = scale.len();
    let (rows, columns) = (size.height / 2, size.width / 2);
    for y in 0..rows {
        let upper = &input[2 * y * size.width * channels..][..2 * columns * channels];
        let lower = &input[(2 * y + 1) * size.width * channels..][..2 * columns * channels];
        let output = &mut output[y * columns * channels..][..columns * channels];
        let choice = &mut choice[y * columns * channels..][..columns * channels];
        for x in 0..columns {
            for from in (0..channels).step_by(LANES) {
                let sign = lanes::<F, LANES>(scale, from).map(|s| if s < F::ZERO { -F::ONE } else { F::ONE });
                let at = 2 * x * channels + from;
                let square = [
                    lanes::<F, LANES>(upper, at),
                    lanes::<F, LANES>(upper, at + channels),
                    lanes::<F, LANES>(lower, at),
                    lanes::<F, LANES>(lower, at + channels),
                ];
                let mut best = square[0];
                let mut which = [0u8; LANES];
                for (i, values) in square.iter().enumerate().skip(1) {
                    for lane in 0..LANES {
                        let better = values[lane] * sign[lane] > best[lane] * sign[lane];
                        best[lane] = if better { values[lane] } else { best[lane] };
                        which[lane] = if better { i as u8 } else { which[lane] };
                    }
                }
                output[x * channels + from..][..LANES].copy_from_slice(&best);
                choice[x * channels + from..][..LANES].copy_from_slice(&which);
            }
        }
    }
}

kernel! {
    /// From the gradient behind ReLU, normalisation and pooling (of the pooled size) to that in front of the three. `map` of `size` is
    /// ReLU's output, `choice` what [`forward`] chose.
    pub fn relu_norm_pool_backward(
        size: MapSize, map: &[F], gradient: &[F], choice: &[u8], backward: Backward<'_, F>, output: &mut [F],
    ) = relu_norm_pool_backward_body
}

#[inline(always)]
fn relu_norm_pool_backward_body<F: Float, A: Arithmetic>(
    size: MapSize,
    map: &[F],
    gradient: &[F],
    choice: &[u8],
    backward: Backward<'_, F>,
    output: &mut [F],
) {
    let channels = backward.of_gradient.len();
    let (pooled_rows, pooled_row) = (size.height / 2, size.width / 2 * channels);
    let row = size.width * channels;
    for (y, (map, output)) in map.chunks_exact(row).zip(output.chunks_exact_mut(row)).enumerate() {
        let (gradient, choice) = if y / 2 < pooled_rows {
            let at = y / 2 * pooled_row;
            (&gradient[at..][..pooled_row], &choice[at..][..pooled_row])
        } else {
            (&gradient[..0], &choice[..0])
        };
        let which = (y % 2 * 2) as u8;
        for from in (0..channels).step_by(LANES) {
            let factors = Factors::of(&backward, from);
            let squares = gradient.chunks_exact(channels).zip(choice.chunks_exact(channels));
            let pairs = map.chunks_exact(2 * channels).zip(output.chunks_exact_mut(2 * channels));
            for ((gradient, choice), (map, output)) in squares.zip(pairs) {
                let gradient = lanes::<F, LANES>(gradient, from);
                let choice = &choice[from..][..LANES];
                for side in 0..2 {
                    let at = side * channels + from;
                    let mut chosen = [F::ZERO; LANES];
                    for lane in 0..LANES {
                        let hit = choice[lane] == which + side as u8;
                        chosen[lane] = if hit { gradient[lane] } else { F::ZERO };
                    }
                    factors.apply::<A>(&map[at..][..LANES], chosen, &mut output[at..][..LANES]);
                }
            }
            let left = 2 * gradient.len();
            let pixels = map[left..].chunks_exact(channels).zip(output[left..].chunks_exact_mut(channels));
            for (map, output) in pixels {
                factors.apply::<A>(&map[from..][..LANES], [F::ZERO; LANES], &mut output[from..][..LANES]);
            }
        }
    }
}

/// The mean of each channel over the whole map.
pub fn global_average<F: Float>(map: &[F], means: &mut [F]) {
    let channels = means.len();
    means.fill(F::ZERO);
    for pixel in map.chunks_exact(channels) {
        for (mean, &value) in means.iter_mut().zip(pixel) {
            *mean += value;
        }
    }
    let share = F::ONE / F::from_f64((map.len() / channels) as f64);
    for mean in means {
        *mean = *mean * share;
    }
}

/// From the gradient of the means to that of every pixel.
pub fn global_average_backward<F: Float>(means_gradient: &[F], gradient: &mut [F]) {
    let channels = means_gradient.len();
    let share = F::ONE / F::from_f64((gradient.len() / channels) as f64);
    for pixel in gradient.chunks_exact_mut(channels) {
        for (gradient, &mean) in pixel.iter_mut().zip(means_gradient) {
            *gradient = mean * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::float::Separate;
    use super::super::tests::{assert_close, numbers};
    use super::*;

    const SIZES: [(usize, usize); 5] = [(2, 2), (3, 5), (4, 4), (5, 2), (7, 9)];

    #[test]
    fn pooling_and_its_way_back_are_their_definition_with_and_without_vector_instructions() {
        for (height, width) in SIZES {
            for channels in [8, 16, 24] {
                check(MapSize { height, width }, channels);
            }
        }
    }

    fn check(size: MapSize, channels: usize) {
        let map = numbers(size.height * size.width * channels, 1);
        let scale = numbers(channels, 2);
        let (rows, columns) = (size.height / 2, size.width / 2);
        let at = |y: usize, x: usize, c: usize| (y * size.width + x) * channels + c;
        let gradients = numbers(rows * columns * channels, 3);
        let (of_gradient, of_map, constant) =
            (numbers(channels, 4), numbers(channels, 5), numbers(channels, 6));
        let mut wanted = Vec::new();
        let mut wanted_back: Vec<f32> =
            map.iter().enumerate().map(|(i, x)| of_map[i % channels] * x + constant[i % channels]).collect();
        for (i, &above) in gradients.iter().enumerate() {
            let (y, x, c) = (i / channels / columns, i / channels % columns, i % channels);
            let places = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(dy, dx)| at(2 * y + dy, 2 * x + dx, c));
            let sign = if scale[c] < 0.0 { -1.0 } else { 1.0 };
            let best =
                places.into_iter().max_by(|&a, &b| (map[a] * sign).total_cmp(&(map[b] * sign))).unwrap();
            wanted.push(map[best]);
            wanted_back[best] += of_gradient[c] * above;
        }
        for (back, &value) in wanted_back.iter_mut().zip(&map) {
            *back = if value > 0.0 { *back } else { 0.0 };
        }
        let backward = Backward { of_gradient: &of_gradient, of_map: &of_map, constant: &constant };
        let (mut output, mut choice) = (vec![f32::NAN; wanted.len()], vec![9; wanted.len()]);
        for body in [forward::<f32>, forward_body::<f32, Separate>] {
            body(size, &map, &scale, &mut output, &mut choice);
            assert_close(&output, &wanted);
        }
        for body in [relu_norm_pool_backward::<f32>, relu_norm_pool_backward_body::<f32, Separate>] {
            let mut back = vec![f32::NAN; map.len()];
            body(size, &map, &gradients, &choice, backward, &mut back);
            assert_close(&back, &wanted_back);
        }
    }

    #[test]
    fn the_average_and_its_way_back_share_alike() {
        let mut means = [0.0f64; 2];
        global_average(&[1.0, 10.0, 3.0, 30.0], &mut means);
        assert_eq!(means, [2.0, 20.0]);
        let mut gradient = [0.0f64; 4];
        global_average_backward(&[1.0, 4.0], &mut gradient);
        assert_eq!(gradient, [0.5, 2.0, 0.5, 2.0]);
    }
}
