//! The trained numbers: their beginning, and their form for the kernels, in which channels are padded to whole vectors.
//!
//! Owns the conversion between the compact list (files, optimiser) and the padded one (kernels). Must not know the passes.

use rand::RngExt;
use rand_pcg::Pcg64;

use super::shape::{Network, Stage};
use super::slots::Slot;
use crate::kernels::Float;
use crate::kernels::conv;

/// Random weights for a new network: Glorot's uniform distribution (2010), biases and beta 0, gamma 1, as Keras begins.
pub fn initial<F: Float>(network: &Network, random: &mut Pcg64) -> Vec<F> {
    let mut values = vec![F::ZERO; network.parameters()];
    let mut glorot = |slot: Slot, inputs: usize, outputs: usize, values: &mut [F]| {
        let limit = (6.0 / (inputs + outputs) as f64).sqrt();
        for value in &mut values[slot.range()] {
            *value = F::from_f64(random.random_range(-limit..limit));
        }
    };
    for stage in network.stages() {
        glorot(stage.slots.weights, 9 * stage.channels_in, 9 * stage.block.channels, &mut values);
        values[stage.slots.gamma.range()].fill(F::ONE);
    }
    let head = network.head();
    glorot(head.hidden_weights, network.features(), network.hidden(), &mut values);
    glorot(head.output_weights, head.output_weights.len, 1, &mut values);
    values
}

/// One block's parameters, or their gradient, with padded channels. Whatever stands in the padding is 0.
#[derive(Debug, Clone)]
pub(crate) struct PaddedBlock<F> {
    /// 3 x 3 x padded input channel x padded output channel.
    pub(crate) weights: Vec<F>,
    pub(crate) bias: Vec<F>,
    pub(crate) gamma: Vec<F>,
    pub(crate) beta: Vec<F>,
}

impl<F: Float> PaddedBlock<F> {
    fn zero(stage: &Stage) -> Self {
        let channels = vec![F::ZERO; stage.lanes_out()];
        Self {
            weights: vec![F::ZERO; 9 * stage.lanes_in * stage.lanes_out()],
            bias: channels.clone(),
            gamma: channels.clone(),
            beta: channels,
        }
    }

    /// Pairs of a compact stretch and the padded rows it is laid out over.
    fn rows<'a>(&'a mut self, stage: &Stage) -> impl Iterator<Item = (std::ops::Range<usize>, &'a mut [F])> {
        let (cin, cout) = (stage.channels_in, stage.block.channels);
        let (lanes_in, lanes_out) = (stage.lanes_in, stage.lanes_out());
        let slots = stage.slots;
        let weights =
            self.weights.chunks_exact_mut(lanes_out).enumerate().filter_map(move |(row, padded)| {
                let (tap, channel) = (row / lanes_in, row % lanes_in);
                let start = slots.weights.start + (tap * cin + channel) * cout;
                (channel < cin).then(|| (start..start + cout, &mut padded[..cout]))
            });
        let vectors =
            [(slots.bias, &mut self.bias), (slots.gamma, &mut self.gamma), (slots.beta, &mut self.beta)];
        weights.chain(vectors.into_iter().map(|(slot, padded)| (slot.range(), &mut padded[..slot.len])))
    }
}

/// All parameters, or their gradient, in the kernels' form.
#[derive(Debug, Clone)]
pub(crate) struct Padded<F> {
    pub(crate) blocks: Vec<PaddedBlock<F>>,
    /// For the gradient of each block's input: weights flipped in both directions, input and output channels exchanged.
    pub(crate) flipped: Vec<Vec<F>>,
    pub(crate) hidden_weights: Vec<F>,
    pub(crate) hidden_bias: Vec<F>,
    pub(crate) output_weights: Vec<F>,
    pub(crate) output_bias: Vec<F>,
}

impl<F: Float> Padded<F> {
    /// All 0.
    pub(crate) fn zero(network: &Network) -> Self {
        let head = network.head();
        Self {
            blocks: network.stages().iter().map(PaddedBlock::zero).collect(),
            flipped: network
                .stages()
                .iter()
                .map(|stage| vec![F::ZERO; 9 * stage.lanes_in * stage.lanes_out()])
                .collect(),
            hidden_weights: vec![F::ZERO; head.hidden_weights.len],
            hidden_bias: vec![F::ZERO; head.hidden_bias.len],
            output_weights: vec![F::ZERO; head.output_weights.len],
            output_bias: vec![F::ZERO; head.output_bias.len],
        }
    }

    fn head_rows(&mut self, network: &Network) -> [(Slot, &mut Vec<F>); 4] {
        let head = network.head();
        [
            (head.hidden_weights, &mut self.hidden_weights),
            (head.hidden_bias, &mut self.hidden_bias),
            (head.output_weights, &mut self.output_weights),
            (head.output_bias, &mut self.output_bias),
        ]
    }

    /// Takes over the compact `values`.
    pub(crate) fn fill(&mut self, network: &Network, values: &[F]) {
        for ((block, flipped), stage) in self.blocks.iter_mut().zip(&mut self.flipped).zip(network.stages()) {
            for (compact, padded) in block.rows(stage) {
                padded.copy_from_slice(&values[compact]);
            }
            conv::flip(stage.lanes_in, stage.lanes_out(), &block.weights, flipped);
        }
        for (slot, padded) in self.head_rows(network) {
            padded.copy_from_slice(&values[slot.range()]);
        }
    }

    /// Adds itself, as a gradient, to the compact `sum`, and becomes 0.
    pub(crate) fn drain_into(&mut self, network: &Network, sum: &mut [F]) {
        let mut drain = |compact: std::ops::Range<usize>, padded: &mut [F]| {
            for (sum, value) in sum[compact].iter_mut().zip(padded) {
                *sum += *value;
                *value = F::ZERO;
            }
        };
        for (block, stage) in self.blocks.iter_mut().zip(network.stages()) {
            block.rows(stage).for_each(|(compact, padded)| drain(compact, padded));
        }
        for (slot, padded) in self.head_rows(network) {
            drain(slot.range(), padded);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::kernels::MapSize;

    #[test]
    fn padding_and_draining_give_back_every_parameter() {
        let network = Network::parse("3n-5p-17sn-d6", MapSize { height: 20, width: 24 }).unwrap();
        let values: Vec<f64> = initial(&network, &mut Pcg64::seed_from_u64(7));
        let mut padded = Padded::zero(&network);
        padded.fill(&network, &values);
        let mut back = vec![0.0; values.len()];
        padded.drain_into(&network, &mut back);
        assert_eq!(back, values);
        assert!(values[network.stages()[0].slots.gamma.range()].iter().all(|&gamma| gamma == 1.0));
    }
}
