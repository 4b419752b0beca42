//! Adam (Kingma and Ba 2015), with the constants that Keras uses, and with weight decay apart from the gradient's moments (Loshchilov and
//! Hutter 2019).
//!
//! Owns the two moments of every parameter. Must not know what the parameters mean.

use crate::kernels::Float;

/// Decay of the mean of gradients.
const BETA_1: f64 = 0.9;
/// Decay of the mean of squared gradients.
const BETA_2: f64 = 0.999;
/// Keeps the step finite where gradients vanish.
const EPSILON: f64 = 1e-7;

/// State of the optimiser.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam<F> {
    /// Steps taken.
    pub steps: u64,
    /// Decaying mean of each gradient.
    pub mean: Vec<F>,
    /// Decaying mean of each squared gradient.
    pub square: Vec<F>,
}

impl<F: Float> Adam<F> {
    /// For this many parameters, before the first step.
    pub fn new(parameters: usize) -> Self {
        Self { steps: 0, mean: vec![F::ZERO; parameters], square: vec![F::ZERO; parameters] }
    }

    /// One step of size `rate` against `gradient`; every parameter also shrinks by the share `rate * decay`.
    pub fn step(&mut self, rate: f64, decay: f64, gradient: &[F], parameters: &mut [F]) {
        self.steps += 1;
        let kept = F::from_f64(1.0 - rate * decay);
        let steps = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let rate = rate * (1.0 - BETA_2.powi(steps)).sqrt() / (1.0 - BETA_1.powi(steps));
        let (rate, epsilon) = (F::from_f64(rate), F::from_f64(EPSILON));
        let (one_minus_1, one_minus_2) = (F::from_f64(1.0 - BETA_1), F::from_f64(1.0 - BETA_2));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((parameter, &gradient), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *mean += (gradient - *mean) * one_minus_1;
            *square += (gradient * gradient - *square) * one_minus_2;
            *parameter = *parameter * kept - rate * *mean / (square.sqrt() + epsilon);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_has_the_rate_as_its_length_whatever_the_gradient() {
        let mut adam = Adam::<f64>::new(3);
        let mut parameters = [1.0, 1.0, 1.0];
        adam.step(0.01, 0.0, &[5.0, -0.02, 0.0], &mut parameters);
        for (parameter, wanted) in parameters.iter().zip([0.99, 1.01, 1.0]) {
            assert!((parameter - wanted).abs() < 1e-5, "{parameters:?}");
        }
        adam.step(0.01, 0.5, &[0.0, 0.0, 0.0], &mut parameters);
        assert_eq!(parameters[2], 1.0 - 0.01 * 0.5);
    }
}
