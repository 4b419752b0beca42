//! The classifier behind the last block: the mean of each channel, the hidden dense layer if there is one, and the logit.

use super::{BlockMaps, Pass, Shared, Trace};
use crate::kernels::dense;
use crate::kernels::float::Float;
use crate::kernels::pool;
use crate::train::network::Network;
use crate::train::parameters::Filled;

/// Gradients within the classifier of the picture that is on its way back.
pub(super) struct Slopes<F> {
    hidden: Vec<F>,
    features: Vec<F>,
}

impl<F: Float> Slopes<F> {
    pub(super) fn new(network: &Network) -> Self {
        let lanes = network.stages().last().map_or(0, |stage| stage.lanes_out());
        Self { hidden: vec![F::ZERO; network.hidden()], features: vec![F::ZERO; lanes] }
    }
}

impl<F: Float> Pass<F> {
    /// From the last block's map to the logit.
    pub(super) fn classify(&mut self, shared: Shared<'_, F>, pictures: usize) {
        let channels = shared.network.features();
        let Filled { hidden_weights, hidden_bias, output_weights, output_bias, .. } = shared.parameters;
        for trace in &mut self.traces[..pictures] {
            let map = trace.blocks.last().map_or(trace.input.as_slice(), BlockMaps::output);
            pool::global_average(map, &mut trace.features);
            let features = &trace.features[..channels];
            let mut last = features;
            if !trace.hidden.is_empty() {
                dense::forward(features, hidden_weights, hidden_bias, true, &mut trace.hidden);
                last = &trace.hidden;
            }
            let mut logit = [F::ZERO];
            dense::forward(last, output_weights, output_bias, false, &mut logit);
            trace.logit = logit[0];
        }
    }

    /// The loss summed over this worker's share; leaves the gradient of the batch's mean loss with respect to the last block's map.
    pub(super) fn classify_backward(&mut self, shared: Shared<'_, F>, targets: &[F]) -> f64 {
        let share = F::from_f64(1.0 / shared.batch as f64);
        let mut total = 0.0;
        for (trace, &target) in self.traces.iter_mut().zip(targets) {
            let (loss, slope) = dense::cross_entropy(trace.logit, target);
            total += loss.to_f64();
            self.head.backward(shared, trace, slope * share, &mut self.gradient);
        }
        total
    }
}

impl<F: Float> Slopes<F> {
    /// Leaves in `trace` the gradient of the last block's map, where `slope` is that of the logit, and adds to `sums`.
    pub(super) fn backward(
        &mut self,
        shared: Shared<'_, F>,
        trace: &mut Trace<F>,
        slope: F,
        sums: &mut Filled<F>,
    ) {
        let (parameters, channels) = (shared.parameters, shared.network.features());
        let features = &trace.features[..channels];
        let into = &mut self.features[..channels];
        let (weights, bias) = (&mut sums.output_weights, &mut sums.output_bias);
        if trace.hidden.is_empty() {
            dense::backward(features, &parameters.output_weights, &[slope], weights, bias, into);
        } else {
            let hidden = &mut self.hidden;
            dense::backward(&trace.hidden, &parameters.output_weights, &[slope], weights, bias, hidden);
            dense::relu_backward(&trace.hidden, hidden);
            let (weights, bias) = (&mut sums.hidden_weights, &mut sums.hidden_bias);
            dense::backward(features, &parameters.hidden_weights, hidden, weights, bias, into);
        }
        let map = trace.blocks.last().map_or(0, |maps| maps.output().len());
        pool::global_average_backward(&self.features, &mut trace.gradient[..map]);
    }
}
