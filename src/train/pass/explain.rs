//! Which places of a map speak for DEFECT: the gradient of the answer, times what the network saw there.

use super::{Pass, Shared};
use crate::kernels::Float;
use crate::network::{Network, Padded, Statistics};
use crate::train::all_reduce::AllReduce;

impl<F: Float> Pass<F> {
    /// Sends the first input through the network with given statistics; gives the logit and, for each place of block `layer`'s map,
    /// the sum over its channels of activation times gradient of the logit: how much the place adds to it. Activations are those behind
    /// ReLU and pooling, which are 0 where nothing was found.
    pub(in crate::train) fn contributions(
        &mut self,
        network: &Network,
        parameters: &Padded<F>,
        statistics: &Statistics,
        layer: usize,
    ) -> (F, Vec<F>) {
        let logit = self.forward.run(network, parameters, statistics, 1)[0];
        let all_reduce = AllReduce::new(1);
        let shared = Shared { network, parameters, all_reduce: &all_reduce, batch: 1 };
        let (trace, behind) = (&self.forward.traces[0], &mut self.behind[0]);
        self.head.backward(shared, (trace, behind), F::ONE, &mut self.gradient);
        for at in (layer + 1..network.stages().len()).rev() {
            let factors = self.fixed_factors(network, at);
            self.through_block(shared, at, 1, &factors);
        }
        let lanes = network.stages()[layer].lanes_out();
        let [scale, ..] = self.fixed_factors(network, layer);
        let chosen = self.forward.traces[0].blocks[layer].chosen();
        let pixels = chosen.chunks_exact(lanes).zip(self.behind[0].chunks_exact(lanes));
        let sum = |(active, gradients): (&[F], &[F])| {
            let products = active.iter().zip(gradients).zip(&scale);
            products.fold(F::ZERO, |sum, ((&active, &gradient), &scale)| sum + active * gradient * scale)
        };
        (logit, pixels.map(sum).collect())
    }

    /// With fixed statistics normalisation only scales: nothing else of the batch depends on a value.
    fn fixed_factors(&self, network: &Network, at: usize) -> [Vec<F>; 3] {
        let stage = &network.stages()[at];
        let lanes = stage.lanes_out();
        let fixed = &self.forward.scalings[at].scale;
        let scale = if stage.block.norm { fixed.clone() } else { vec![F::ONE; lanes] };
        [scale, vec![F::ZERO; lanes], vec![F::ZERO; lanes]]
    }
}
