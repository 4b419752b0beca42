//! Which places of a map speak for DEFECT: the gradient of the answer, times what the network saw there.

use super::{Pass, Shared};
use crate::kernels::Float;
use crate::train::exchange::Exchange;
use crate::train::network::Network;
use crate::train::parameters::{Filled, Statistics};

impl<F: Float> Pass<F> {
    /// Sends the first input through the network with given statistics; gives the logit and, for each place of block `layer`'s map,
    /// the sum over its channels of activation times gradient of the logit: how much the place adds to it. Activations are those behind
    /// ReLU and pooling, which are 0 where nothing was found.
    pub(in crate::train) fn contributions(
        &mut self,
        network: &Network,
        parameters: &Filled<F>,
        statistics: &Statistics,
        layer: usize,
    ) -> (F, Vec<F>) {
        let logit = self.forward_fixed(network, parameters, statistics, 1)[0];
        let exchange = Exchange::new(1);
        let shared = Shared { network, parameters, exchange: &exchange, batch: 1 };
        self.head.backward(shared, &mut self.traces[0], F::ONE, &mut self.gradient);
        for at in (layer + 1..network.stages().len()).rev() {
            let factors = self.fixed_factors(network, at);
            self.through_block(shared, at, 1, &factors);
        }
        let lanes = network.stages()[layer].lanes_out();
        let [scale, ..] = self.fixed_factors(network, layer);
        let trace = &self.traces[0];
        let pixels = trace.blocks[layer].chosen().chunks_exact(lanes).zip(trace.gradient.chunks_exact(lanes));
        let sum = |(active, slopes): (&[F], &[F])| {
            let products = active.iter().zip(slopes).zip(&scale);
            products.fold(F::ZERO, |sum, ((&active, &slope), &scale)| sum + active * slope * scale)
        };
        (logit, pixels.map(sum).collect())
    }

    /// With fixed statistics normalisation only scales: nothing else of the batch depends on a value.
    fn fixed_factors(&self, network: &Network, at: usize) -> [Vec<F>; 3] {
        let stage = &network.stages()[at];
        let lanes = stage.lanes_out();
        let scale = if stage.block.norm { self.scalings[at].scale.clone() } else { vec![F::ONE; lanes] };
        [scale, vec![F::ZERO; lanes], vec![F::ZERO; lanes]]
    }
}
