//! Back through the classifier behind the last block: the logit, the hidden dense layer if there is one, and the mean of each channel.

use super::{Pass, Shared};
use crate::kernels::dense;
use crate::kernels::float::Float;
use crate::kernels::pool;
use crate::network::{Network, Padded, Stage, Trace};

/// Gradients within the classifier of the picture that is on its way back.
pub(super) struct Gradients<F> {
    hidden: Vec<F>,
    features: Vec<F>,
}

impl<F: Float> Gradients<F> {
    pub(super) fn new(network: &Network) -> Self {
        let lanes = network.stages().last().map_or(0, Stage::lanes_out);
        Self { hidden: vec![F::ZERO; network.hidden()], features: vec![F::ZERO; lanes] }
    }

    /// Leaves in `behind` the gradient of the last block's map, where `of_logit` is that of the logit, and adds to `sums`.
    pub(super) fn backward(
        &mut self,
        shared: Shared<'_, F>,
        (trace, behind): (&Trace<F>, &mut [F]),
        of_logit: F,
        sums: &mut Padded<F>,
    ) {
        let (parameters, channels) = (shared.parameters, shared.network.features());
        let features = &trace.features[..channels];
        let into = &mut self.features[..channels];
        let (weights, bias) = (&mut sums.output_weights, &mut sums.output_bias);
        if trace.hidden.is_empty() {
            dense::backward(features, &parameters.output_weights, &[of_logit], weights, bias, into);
        } else {
            let hidden = &mut self.hidden;
            dense::backward(&trace.hidden, &parameters.output_weights, &[of_logit], weights, bias, hidden);
            dense::relu_backward(&trace.hidden, hidden);
            let (weights, bias) = (&mut sums.hidden_weights, &mut sums.hidden_bias);
            dense::backward(features, &parameters.hidden_weights, hidden, weights, bias, into);
        }
        pool::global_average_backward(&self.features, &mut behind[..trace.last().len()]);
    }
}

impl<F: Float> Pass<F> {
    /// The loss summed over this worker's share; leaves the gradient of the batch's mean loss with respect to the last block's map.
    pub(super) fn classify_backward(&mut self, shared: Shared<'_, F>, targets: &[F]) -> f64 {
        let share = F::from_f64(1.0 / shared.batch as f64);
        let mut total = 0.0;
        for ((trace, behind), &target) in self.forward.traces.iter().zip(&mut self.behind).zip(targets) {
            let (loss, of_logit) = dense::cross_entropy(trace.logit, target);
            total += loss.to_f64();
            self.head.backward(shared, (trace, behind), of_logit * share, &mut self.gradient);
        }
        total
    }
}
