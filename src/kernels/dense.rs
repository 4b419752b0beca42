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
    for (sum, &slope) in bias_gradient.iter_mut().zip(output_gradient) {
        *sum += slope;
    }
    let rows = weights.chunks_exact(outputs).zip(weight_gradient.chunks_exact_mut(outputs));
    for ((&value, gradient), (row, row_gradient)) in input.iter().zip(input_gradient).zip(rows) {
        *gradient = row.iter().zip(output_gradient).map(|(&weight, &slope)| weight * slope).sum();
        for (sum, &slope) in row_gradient.iter_mut().zip(output_gradient) {
            *sum += value * slope;
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
