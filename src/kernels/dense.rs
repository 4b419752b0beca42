//! A dense layer for one picture, and the loss behind the last one. Small beside the convolutions: plain code.
//!
//! Weights are input x output, as Keras keeps them. Must not know networks.

use super::float::Float;

/// `output = input * weights + bias`, then ReLU if `relu`.
pub fn forward<F: Float>(input: &[F], weights: &[F], bias: &[F], relu: bool, output: &mut [F]) {
    output.copy_from_slice(bias);
    for (&value, row) in input.iter().zip(weights.chunks_exact(bias.len())) {
        for (sum, &weight) in output.iter_mut().zip(row) {
            *sum += value * weight;
        }
    }
    if relu {
        for value in output {
            *value = if *value < F::ZERO { F::ZERO } else { *value };
        }
    }
}

/// Adds one picture's share to the gradients of weights and bias, and gives the gradient of `input`. `output_gradient` is the gradient
/// in front of ReLU.
pub fn backward<F: Float>(
    input: &[F],
    weights: &[F],
    output_gradient: &[F],
    weight_gradient: &mut [F],
    bias_gradient: &mut [F],
    input_gradient: &mut [F],
) {
    let outputs = output_gradient.len();
    for (sum, &gradient) in bias_gradient.iter_mut().zip(output_gradient) {
        *sum += gradient;
    }
    let rows = weights.chunks_exact(outputs).zip(weight_gradient.chunks_exact_mut(outputs));
    for ((&value, gradient), (row, row_gradient)) in input.iter().zip(input_gradient).zip(rows) {
        *gradient = row.iter().zip(output_gradient).map(|(&weight, &gradient)| weight * gradient).sum();
        for (sum, &gradient) in row_gradient.iter_mut().zip(output_gradient) {
            *sum += value * gradient;
        }
    }
}

/// Sets to 0 the gradient where ReLU's `output` is 0.
pub fn relu_backward<F: Float>(output: &[F], gradient: &mut [F]) {
    for (gradient, &value) in gradient.iter_mut().zip(output) {
        if value <= F::ZERO {
            *gradient = F::ZERO;
        }
    }
}

/// 1 / (1 + exp(-x)), without overflow on either side.
pub fn sigmoid<F: Float>(x: F) -> F {
    if x >= F::ZERO {
        F::ONE / (F::ONE + (-x).exp())
    } else {
        let e = x.exp();
        e / (F::ONE + e)
    }
}

/// Binary cross-entropy of `sigmoid(logit)` against `target` (0 to 1), and its derivative with respect to `logit`. From the logit, so
/// that neither a sure hit nor a sure miss takes the logarithm of 0.
pub fn cross_entropy<F: Float>(logit: F, target: F) -> (F, F) {
    let magnitude = if logit < F::ZERO { -logit } else { logit };
    let positive = if logit < F::ZERO { F::ZERO } else { logit };
    let loss = positive - logit * target + (-magnitude).exp().ln_1p();
    (loss, sigmoid(logit) - target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layer_and_its_way_back_are_their_definition() {
        let (input, weights, bias) = ([1.0f64, -2.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [10.0, 0.0, -1.0]);
        let mut output = [0.0; 3];
        forward(&input, &weights, &bias, false, &mut output);
        assert_eq!(output, [3.0, -8.0, -10.0]);
        forward(&input, &weights, &bias, true, &mut output);
        assert_eq!(output, [3.0, 0.0, 0.0]);
        let mut gradients = [1.0, 1.0, 0.5];
        relu_backward(&output, &mut gradients);
        assert_eq!(gradients, [1.0, 0.0, 0.0]);
        let (mut of_weights, mut of_bias, mut of_input) = ([1.0; 6], [1.0; 3], [0.0; 2]);
        backward(&input, &weights, &[1.0, 0.0, 2.0], &mut of_weights, &mut of_bias, &mut of_input);
        assert_eq!(of_weights, [2.0, 1.0, 3.0, -1.0, 1.0, -3.0]);
        assert_eq!((of_bias, of_input), ([2.0, 1.0, 3.0], [7.0, 16.0]));
    }

    #[test]
    fn the_loss_is_finite_however_sure_the_network_is_and_its_gradient_is_its_derivative() {
        for logit in [-800.0_f64, -3.0, 0.0, 0.7, 800.0] {
            for target in [0.0, 0.3, 1.0] {
                let (loss, gradient) = cross_entropy(logit, target);
                let step = 1e-5;
                let wanted = (cross_entropy(logit + step, target).0 - cross_entropy(logit - step, target).0)
                    / (2.0 * step);
                assert!(
                    loss.is_finite() && (gradient - wanted).abs() < 1e-5,
                    "{logit} {target}: {loss} {gradient} {wanted}"
                );
            }
        }
        assert!((cross_entropy(0.0f64, 1.0).0 - 2.0f64.ln()).abs() < 1e-12);
        assert_eq!((sigmoid(-800.0f32), sigmoid(800.0f32), sigmoid(0.0f32)), (0.0, 1.0, 0.5));
    }
}
