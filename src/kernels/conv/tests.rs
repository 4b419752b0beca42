//! The kernels against their definitions, with and without vector instructions.

use super::super::float::Separate;
use super::super::tests::{assert_close, numbers};
use super::*;

/// The definition, in the order of the indices.
fn plain(window: Window, input: &[f32], weights: &[f32], bias: &[f32], relu: bool) -> Vec<f32> {
    let (cin, cout, out) = (window.channels, bias.len(), window.output());
    let mut output = Vec::new();
    for (y, x) in (0..out.height).flat_map(|y| (0..out.width).map(move |x| (y, x))) {
        for co in 0..cout {
            let mut sum = f64::from(bias[co]);
            for (ky, kx, ci) in taps(cin) {
                let value = input[place(window, (y, x), (ky, kx, ci))];
                sum += f64::from(value) * f64::from(weights[((ky * 3 + kx) * cin + ci) * cout + co]);
            }
            output.push(if relu { sum.max(0.0) as f32 } else { sum as f32 });
        }
    }
    output
}

/// Where a tap of an output's pixel lies in the input.
fn place(window: Window, (y, x): (usize, usize), (ky, kx, ci): (usize, usize, usize)) -> usize {
    let Window { size, channels, stride } = window;
    ((y * stride + ky) * size.width + x * stride + kx) * channels + ci
}

fn taps(cin: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..9 * cin).map(move |i| (i / (3 * cin), i / cin % 3, i % cin))
}

/// Sizes around the tiles' width; channels of every branch; both strides. With output channels.
fn cases() -> impl Iterator<Item = (Window, usize)> {
    let sizes = [(3, 3), (4, 7), (5, 8), (6, 9), (4, 14), (5, 27), (6, 28), (8, 16)];
    let channels = [(1, 8), (1, 16), (8, 8), (8, 16), (16, 8), (16, 32), (24, 8), (5, 16), (2, 24)];
    sizes.into_iter().flat_map(move |(height, width)| {
        channels.into_iter().flat_map(move |(channels, cout)| {
            let size = MapSize { height, width };
            [1, 2].map(|stride| (Window { size, channels, stride }, cout))
        })
    })
}

#[test]
fn forward_is_its_definition_with_and_without_vector_instructions() {
    for (window, cout) in cases() {
        let cin = window.channels;
        let input = numbers(window.size.height * window.size.width * cin, 1);
        let (weights, bias) = (numbers(9 * cin * cout, 2), numbers(cout, 3));
        for relu in [false, true] {
            let wanted = plain(window, &input, &weights, &bias, relu);
            let mut output = vec![f32::NAN; wanted.len()];
            forward(window, &input, &weights, &bias, relu, &mut output);
            assert_close(&output, &wanted);
            output.fill(f32::NAN);
            forward_body::<f32, Separate>(window, &input, &weights, &bias, relu, &mut output);
            assert_close(&output, &wanted);
        }
    }
}

#[test]
fn the_weight_gradient_is_its_definition_with_and_without_vector_instructions() {
    for (window, cout) in cases() {
        let (cin, out) = (window.channels, window.output());
        let input = numbers(window.size.height * window.size.width * cin, 1);
        let gradients = numbers(out.height * out.width * cout, 2);
        let mut wanted = vec![1.0f32; 9 * cin * cout];
        let mut wanted_bias = vec![1.0f32; cout];
        for (i, &gradient) in gradients.iter().enumerate() {
            let (y, x, co) = (i / cout / out.width, i / cout % out.width, i % cout);
            wanted_bias[co] += gradient;
            for (ky, kx, ci) in taps(cin) {
                let value = input[place(window, (y, x), (ky, kx, ci))];
                wanted[((ky * 3 + kx) * cin + ci) * cout + co] += value * gradient;
            }
        }
        let (mut sums, mut bias_sums) = (vec![1.0; 9 * cin * cout], vec![1.0; cout]);
        weight_gradient(window, &input, &gradients, &mut sums, &mut bias_sums);
        assert_close(&sums, &wanted);
        assert_close(&bias_sums, &wanted_bias);
        (sums, bias_sums) = (vec![1.0; 9 * cin * cout], vec![1.0; cout]);
        weight_gradient_body::<f32, Separate>(window, &input, &gradients, &mut sums, &mut bias_sums);
        assert_close(&sums, &wanted);
        assert_close(&bias_sums, &wanted_bias);
    }
}

#[test]
fn the_turned_weights_over_the_spread_gradient_give_the_gradient_of_the_input() {
    for (window, cout) in cases().filter(|(window, _)| window.channels % LANES == 0) {
        let (cin, out) = (window.channels, window.output());
        let weights = numbers(9 * cin * cout, 1);
        let gradients = numbers(out.height * out.width * cout, 2);
        let mut wanted = vec![0.0f32; window.size.height * window.size.width * cin];
        for (i, &gradient) in gradients.iter().enumerate() {
            let (y, x, co) = (i / cout / out.width, i / cout % out.width, i % cout);
            for (ky, kx, ci) in taps(cin) {
                let weight = weights[((ky * 3 + kx) * cin + ci) * cout + co];
                wanted[place(window, (y, x), (ky, kx, ci))] += weight * gradient;
            }
        }
        let mut flipped = vec![f32::NAN; weights.len()];
        flip(cin, cout, &weights, &mut flipped);
        let wide = Window { channels: cout, ..window.dilated() };
        let mut laid = vec![f32::NAN; wide.size.height * wide.size.width * cout];
        dilate(window, cout, &gradients, &mut laid);
        let mut gradient = vec![f32::NAN; wanted.len()];
        forward(wide, &laid, &flipped, &vec![0.0; cin], false, &mut gradient);
        assert_close(&gradient, &wanted);
    }
}
