//! The way through a network, for some pictures at a time, in memory that is allocated once.
//!
//! Owns the order of kernels and the maps between them. Where normalisation takes its statistics from, the caller says. Must not know
//! gradients or pictures on disk.

use super::moments::{Moments, Statistics};
use super::parameters::Padded;
use super::shape::{Network, Stage};
use crate::kernels::float::Float;
use crate::kernels::{conv, dense, norm, pool};

/// Added to a variance before its root is taken, as in Keras.
pub const EPSILON: f64 = 1e-3;

/// Maps of one block for one picture.
pub(crate) struct BlockMaps<F> {
    /// Behind ReLU.
    pub(crate) active: Vec<F>,
    /// Behind pooling; empty without it.
    pooled: Vec<F>,
    /// Which of four was pooled; empty without pooling.
    pub(crate) choice: Vec<u8>,
    /// Behind normalisation; empty without it.
    normal: Vec<F>,
}

impl<F: Float> BlockMaps<F> {
    fn new(stage: &Stage) -> Self {
        let lanes = stage.lanes_out();
        let full = stage.conv.height * stage.conv.width * lanes;
        let out = stage.output.height * stage.output.width * lanes;
        let pooled = if stage.block.pool { out } else { 0 };
        let normal = if stage.block.norm { out } else { 0 };
        Self {
            active: vec![F::ZERO; full],
            pooled: vec![F::ZERO; pooled],
            choice: vec![0; pooled],
            normal: vec![F::ZERO; normal],
        }
    }

    /// What normalisation takes: pooled before, where the block pools.
    pub(crate) fn chosen(&self) -> &[F] {
        if self.pooled.is_empty() { &self.active } else { &self.pooled }
    }

    /// What the next block takes.
    pub(crate) fn output(&self) -> &[F] {
        if self.normal.is_empty() { self.chosen() } else { &self.normal }
    }
}

/// Everything that one picture leaves on its way through.
pub(crate) struct Trace<F> {
    pub(crate) input: Vec<F>,
    pub(crate) blocks: Vec<BlockMaps<F>>,
    pub(crate) features: Vec<F>,
    /// Behind the hidden dense layer; empty without one.
    pub(crate) hidden: Vec<F>,
    /// The answer, before the sigmoid.
    pub(crate) logit: F,
}

impl<F: Float> Trace<F> {
    fn new(network: &Network) -> Self {
        let (input, stages) = (network.input(), network.stages());
        Self {
            input: vec![F::ZERO; input.height * input.width],
            blocks: stages.iter().map(BlockMaps::new).collect(),
            features: vec![F::ZERO; stages.last().map_or(0, Stage::lanes_out)],
            hidden: vec![F::ZERO; network.hidden()],
            logit: F::ZERO,
        }
    }

    /// What block `at` takes.
    pub(crate) fn before(&self, at: usize) -> &[F] {
        at.checked_sub(1).map_or(self.input.as_slice(), |before| self.blocks[before].output())
    }

    /// The last block's map.
    pub(crate) fn last(&self) -> &[F] {
        self.before(self.blocks.len())
    }
}

/// Factors of one block's normalisation.
#[derive(Default)]
pub(crate) struct Scaling<F> {
    pub(crate) scale: Vec<F>,
    shift: Vec<F>,
    /// Where they come from.
    pub(crate) moments: Moments,
}

impl<F: Float> Scaling<F> {
    fn set(&mut self, gamma: &[F], beta: &[F]) {
        self.scale.clear();
        self.shift.clear();
        let moments = self.moments.mean.iter().zip(&self.moments.variance);
        for ((mean, variance), (gamma, beta)) in moments.zip(gamma.iter().zip(beta)) {
            let factor = gamma.to_f64() / (variance + EPSILON).sqrt();
            self.scale.push(F::from_f64(factor));
            self.shift.push(F::from_f64(beta.to_f64() - mean * factor));
        }
    }
}

/// The memory of a pass through a network.
pub(crate) struct Forward<F> {
    pub(crate) traces: Vec<Trace<F>>,
    pub(crate) scalings: Vec<Scaling<F>>,
    nothing: Vec<F>,
}

/// The network's answers, one a picture: before the sigmoid.
pub(crate) type Logits<F> = Vec<F>;

impl<F: Float> Forward<F> {
    /// For at most `pictures` at a time.
    pub(crate) fn new(network: &Network, pictures: usize) -> Self {
        let widest = network.stages().iter().map(Stage::lanes_out).max().unwrap_or(0);
        Self {
            traces: (0..pictures).map(|_| Trace::new(network)).collect(),
            scalings: network.stages().iter().map(|_| Scaling::default()).collect(),
            nothing: vec![F::ZERO; widest],
        }
    }

    /// The input of each picture, to be filled in before a pass.
    pub(crate) fn inputs(&mut self) -> impl Iterator<Item = &mut [F]> {
        self.traces.iter_mut().map(|trace| trace.input.as_mut_slice())
    }

    /// The answers to the first `pictures` inputs, with the given statistics, as at run time.
    pub(crate) fn run(
        &mut self,
        network: &Network,
        parameters: &Padded<F>,
        statistics: &Statistics,
        pictures: usize,
    ) -> Logits<F> {
        for (at, moments) in statistics.blocks.iter().enumerate() {
            self.convolve(network, parameters, at, pictures);
            if network.stages()[at].block.norm {
                self.scalings[at].moments.clone_from(moments);
                self.normalise(parameters, at, pictures);
            }
        }
        self.classify(network, parameters, pictures);
        self.traces[..pictures].iter().map(|trace| trace.logit).collect()
    }

    /// Convolution, ReLU and pooling of block `at`.
    pub(crate) fn convolve(&mut self, network: &Network, parameters: &Padded<F>, at: usize, pictures: usize) {
        let stage = &network.stages()[at];
        let block = &parameters.blocks[at];
        for trace in &mut self.traces[..pictures] {
            let (before, rest) = trace.blocks.split_at_mut(at);
            let input = before.last().map_or(trace.input.as_slice(), BlockMaps::output);
            let maps = &mut rest[0];
            conv::forward(stage.window(), input, &block.weights, &block.bias, true, &mut maps.active);
            if stage.block.pool {
                let falling = if stage.block.norm { block.gamma.as_slice() } else { &self.nothing };
                let falling = &falling[..stage.lanes_out()];
                pool::forward(stage.conv, &maps.active, falling, &mut maps.pooled, &mut maps.choice);
            }
        }
    }

    /// Normalisation of block `at` by the moments of its scaling.
    pub(crate) fn normalise(&mut self, parameters: &Padded<F>, at: usize, pictures: usize) {
        let block = &parameters.blocks[at];
        self.scalings[at].set(&block.gamma, &block.beta);
        let Scaling { scale, shift, .. } = &self.scalings[at];
        for trace in &mut self.traces[..pictures] {
            let BlockMaps { active, pooled, normal, .. } = &mut trace.blocks[at];
            let chosen = if pooled.is_empty() { active } else { pooled };
            norm::scale_shift(chosen, scale, shift, normal);
        }
    }

    /// From the last block's map to the logit: the mean of each channel, the hidden dense layer if there is one, and the last.
    pub(crate) fn classify(&mut self, network: &Network, parameters: &Padded<F>, pictures: usize) {
        let channels = network.features();
        let Padded { hidden_weights, hidden_bias, output_weights, output_bias, .. } = parameters;
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

    /// Mean and variance over the places of what each channel of each block gave for the first picture.
    pub(crate) fn output_moments(&self, network: &Network) -> Vec<Moments> {
        let of_block = |(maps, stage): (&BlockMaps<F>, &Stage)| {
            let lanes = stage.lanes_out();
            let (mut mean, mut squares) = (vec![0.0; lanes], vec![0.0; lanes]);
            norm::sum_products(maps.output(), maps.output(), &mut mean, &mut squares);
            let count = (stage.output.height * stage.output.width) as f64;
            mean.iter_mut().for_each(|sum| *sum /= count);
            let spread = squares.iter().zip(&mean).map(|(sum, mean)| (sum / count - mean * mean).max(0.0));
            Moments { variance: spread.collect(), mean }
        };
        self.traces
            .iter()
            .take(1)
            .flat_map(|trace| trace.blocks.iter().zip(network.stages()).map(of_block))
            .collect()
    }
}
