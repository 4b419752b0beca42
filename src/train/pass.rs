//! One worker's way through the network and back, over its share of the batch, in memory that is allocated once.
//!
//! Owns the order of kernels and the maps between them. Batch normalisation needs sums over the whole batch: there the workers meet at the
//! [`Exchange`]. Must not know the optimiser, pictures on disk, or how many epochs there are.

use super::exchange::{Broken, Exchange};
use super::network::{Network, Stage};
use super::parameters::{Filled, Moments, Statistics};
use crate::kernels::float::Float;
use crate::kernels::{conv, norm, pool};

mod explain;
mod head;

/// Added to a variance before its root is taken, as in Keras.
pub const EPSILON: f64 = 1e-3;

/// Maps of one block for one picture.
struct BlockMaps<F> {
    /// Behind ReLU.
    active: Vec<F>,
    /// Behind pooling; empty without it.
    pooled: Vec<F>,
    /// Which of four was pooled; empty without pooling.
    choice: Vec<u8>,
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
    fn chosen(&self) -> &[F] {
        if self.pooled.is_empty() { &self.active } else { &self.pooled }
    }

    fn output(&self) -> &[F] {
        if self.normal.is_empty() { self.chosen() } else { &self.normal }
    }
}

/// Everything that one picture leaves on its way through.
struct Trace<F> {
    input: Vec<F>,
    blocks: Vec<BlockMaps<F>>,
    features: Vec<F>,
    hidden: Vec<F>,
    logit: F,
    /// Gradient of the output of the block that is on its way back.
    gradient: Vec<F>,
}

/// Factors of one block's normalisation.
#[derive(Default)]
struct Scaling<F> {
    scale: Vec<F>,
    shift: Vec<F>,
    moments: Moments,
}

/// What the workers share in one step.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a, F> {
    pub(super) network: &'a Network,
    pub(super) parameters: &'a Filled<F>,
    pub(super) exchange: &'a Exchange,
    /// Pictures in the whole batch.
    pub(super) batch: usize,
}

/// One worker's memory.
pub(super) struct Pass<F> {
    worker: usize,
    traces: Vec<Trace<F>>,
    scalings: Vec<Scaling<F>>,
    slope: Vec<F>,
    spread: Vec<F>,
    head: head::Slopes<F>,
    nothing: Vec<F>,
    pub(super) gradient: Filled<F>,
}

/// The network's answers, one a picture: before the sigmoid.
pub(super) type Logits<F> = Vec<F>;

impl<F: Float> Pass<F> {
    /// For at most `pictures` at a time; `backwards` if gradients are wanted.
    pub(super) fn new(network: &Network, worker: usize, pictures: usize, backwards: bool) -> Self {
        let input = network.input();
        let stages = network.stages();
        let most = |count: &dyn Fn(&Stage) -> usize| stages.iter().map(count).max().unwrap_or(0);
        let if_back = |len: usize| if backwards { len } else { 0 };
        let gradient =
            if_back(most(&|s| s.output.height * s.output.width * s.lanes_out()).max(network.features()));
        let trace = || Trace {
            input: vec![F::ZERO; input.height * input.width],
            blocks: stages.iter().map(BlockMaps::new).collect(),
            features: vec![F::ZERO; stages.last().map_or(0, Stage::lanes_out)],
            hidden: vec![F::ZERO; network.hidden()],
            logit: F::ZERO,
            gradient: vec![F::ZERO; gradient],
        };
        let spread = |s: &Stage| (s.input.height + 2) * (s.input.width + 2) * s.lanes_out();
        Self {
            worker,
            traces: (0..pictures).map(|_| trace()).collect(),
            scalings: stages.iter().map(|_| Scaling::default()).collect(),
            slope: vec![F::ZERO; if_back(most(&|s| s.conv.height * s.conv.width * s.lanes_out()))],
            spread: vec![F::ZERO; if_back(most(&spread))],
            head: head::Slopes::new(network),
            nothing: vec![F::ZERO; most(&|s| s.lanes_in.max(s.lanes_out()))],
            gradient: Filled::zero(network),
        }
    }

    /// The input of each picture of this worker's share, to be filled before a pass.
    pub(super) fn inputs(&mut self) -> impl Iterator<Item = &mut [F]> {
        self.traces.iter_mut().map(|trace| trace.input.as_mut_slice())
    }

    /// Through the network with the batch's own statistics; `pictures` is this worker's share.
    pub(super) fn forward_batch(&mut self, shared: Shared<'_, F>, pictures: usize) -> Result<(), Broken> {
        for at in 0..shared.network.stages().len() {
            self.convolve(shared, at, pictures);
            if shared.network.stages()[at].block.norm {
                self.measure(shared, at, pictures)?;
                self.normalise(at, pictures);
            }
        }
        self.classify(shared, pictures);
        Ok(())
    }

    /// Through the network with given statistics, as at run time.
    pub(super) fn forward_fixed(
        &mut self,
        network: &Network,
        parameters: &Filled<F>,
        statistics: &Statistics,
        pictures: usize,
    ) -> Logits<F> {
        let shared = Shared { network, parameters, exchange: &Exchange::new(1), batch: pictures };
        for (at, moments) in statistics.blocks.iter().enumerate() {
            self.convolve(shared, at, pictures);
            if network.stages()[at].block.norm {
                self.scalings[at].moments.clone_from(moments);
                self.scale(shared, at);
                self.normalise(at, pictures);
            }
        }
        self.classify(shared, pictures);
        self.traces[..pictures].iter().map(|trace| trace.logit).collect()
    }

    /// How many of the last batch's pictures of this worker lie on the right side of 0.5.
    pub(super) fn right(&self, targets: &[F]) -> usize {
        let half = F::from_f64(0.5);
        let is_right = |(trace, &target): (&Trace<F>, &F)| (trace.logit > F::ZERO) == (target > half);
        self.traces.iter().zip(targets).filter(|&pair| is_right(pair)).count()
    }

    /// Statistics of the last batch.
    pub(super) fn moments(&self) -> impl Iterator<Item = &Moments> {
        self.scalings.iter().map(|scaling| &scaling.moments)
    }

    /// Mean and variance over the places of what each channel of each block gave for the first picture.
    pub(super) fn output_moments(&self, network: &Network) -> Vec<Moments> {
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

    /// Convolution, ReLU and pooling of block `at`.
    fn convolve(&mut self, shared: Shared<'_, F>, at: usize, pictures: usize) {
        let stage = &shared.network.stages()[at];
        let block = &shared.parameters.blocks[at];
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

    /// Mean and variance of block `at` over the whole batch.
    fn measure(&mut self, shared: Shared<'_, F>, at: usize, pictures: usize) -> Result<(), Broken> {
        let stage = &shared.network.stages()[at];
        let lanes = stage.lanes_out();
        let mut sums = vec![0.0; 2 * lanes];
        let (values, squares) = sums.split_at_mut(lanes);
        for trace in &self.traces[..pictures] {
            let active = &trace.blocks[at].active;
            norm::sum_products(active, active, values, squares);
        }
        shared.exchange.sum(self.worker, &mut sums)?;
        let count = (shared.batch * stage.conv.height * stage.conv.width) as f64;
        let moments = &mut self.scalings[at].moments;
        moments.mean = sums[..lanes].iter().map(|sum| sum / count).collect();
        let squares = sums[lanes..].iter().zip(&moments.mean);
        moments.variance = squares.map(|(sum, mean)| (sum / count - mean * mean).max(0.0)).collect();
        self.scale(shared, at);
        Ok(())
    }

    /// From mean and variance to the factors.
    fn scale(&mut self, shared: Shared<'_, F>, at: usize) {
        let Scaling { scale, shift, moments } = &mut self.scalings[at];
        let block = &shared.parameters.blocks[at];
        scale.clear();
        shift.clear();
        let per_channel = moments.mean.iter().zip(&moments.variance).zip(block.gamma.iter().zip(&block.beta));
        for ((mean, variance), (gamma, beta)) in per_channel {
            let factor = gamma.to_f64() / (variance + EPSILON).sqrt();
            scale.push(F::from_f64(factor));
            shift.push(F::from_f64(beta.to_f64() - mean * factor));
        }
    }

    fn normalise(&mut self, at: usize, pictures: usize) {
        let Scaling { scale, shift, .. } = &self.scalings[at];
        for trace in &mut self.traces[..pictures] {
            let BlockMaps { active, pooled, normal, .. } = &mut trace.blocks[at];
            let chosen = if pooled.is_empty() { active } else { pooled };
            norm::scale_shift(chosen, scale, shift, normal);
        }
    }

    /// The loss summed over this worker's share, and back through the network: leaves the gradient of the batch's mean loss. `targets` are 0
    /// (ok) to 1 (defective).
    pub(super) fn backward(&mut self, shared: Shared<'_, F>, targets: &[F]) -> Result<f64, Broken> {
        let loss = self.classify_backward(shared, targets);
        for at in (0..shared.network.stages().len()).rev() {
            self.block_backward(shared, at, targets.len())?;
        }
        Ok(loss)
    }

    fn block_backward(&mut self, shared: Shared<'_, F>, at: usize, pictures: usize) -> Result<(), Broken> {
        let stage = &shared.network.stages()[at];
        let lanes = stage.lanes_out();
        let mut factors = [vec![F::ONE; lanes], vec![F::ZERO; lanes], vec![F::ZERO; lanes]];
        if stage.block.norm {
            self.norm_backward(shared, at, pictures, &mut factors)?;
        }
        self.through_block(shared, at, pictures, &factors);
        Ok(())
    }

    /// From the gradient behind block `at` to that in front of it; `factors` are those of [`norm::Backward`].
    fn through_block(&mut self, shared: Shared<'_, F>, at: usize, pictures: usize, factors: &[Vec<F>; 3]) {
        let stage = &shared.network.stages()[at];
        let lanes = stage.lanes_out();
        let [slope, of_map, constant] = factors;
        let backward = norm::Backward { slope, of_map, constant };
        let conv_len = stage.conv.height * stage.conv.width * lanes;
        let out_len = stage.output.height * stage.output.width * lanes;
        let sums = &mut self.gradient.blocks[at];
        for trace in &mut self.traces[..pictures] {
            let maps = &trace.blocks[at];
            let behind = &trace.gradient[..out_len];
            let slope = &mut self.slope[..conv_len];
            if stage.block.pool {
                let (active, choice) = (&maps.active, &maps.choice);
                pool::relu_norm_pool_backward(stage.conv, active, behind, choice, backward, slope);
            } else {
                norm::relu_norm_backward(&maps.active, behind, backward, slope);
            }
            let before = at.checked_sub(1).map(|before| &trace.blocks[before]);
            let input = before.map_or(trace.input.as_slice(), BlockMaps::output);
            let window = stage.window();
            conv::weight_gradient(window, input, slope, &mut sums.weights, &mut sums.bias);
            if at > 0 {
                conv::spread(window, lanes, slope, &mut self.spread);
                let spread = conv::Window { channels: lanes, ..window.spread() };
                let (turned, none) = (&shared.parameters.turned[at], &self.nothing[..stage.lanes_in]);
                conv::forward(spread, &self.spread, turned, none, false, &mut trace.gradient);
            }
        }
    }

    /// Gradients of gamma and beta, and the factors of [`norm::Backward`], from sums over the whole batch.
    fn norm_backward(
        &mut self,
        shared: Shared<'_, F>,
        at: usize,
        pictures: usize,
        factors: &mut [Vec<F>; 3],
    ) -> Result<(), Broken> {
        let stage = &shared.network.stages()[at];
        let lanes = stage.lanes_out();
        let out_len = stage.output.height * stage.output.width * lanes;
        let mut sums = vec![0.0; 2 * lanes];
        let (slopes, products) = sums.split_at_mut(lanes);
        for trace in &self.traces[..pictures] {
            norm::sum_products(&trace.gradient[..out_len], trace.blocks[at].chosen(), slopes, products);
        }
        shared.exchange.sum(self.worker, &mut sums)?;
        let count = (shared.batch * stage.conv.height * stage.conv.width) as f64;
        let Scaling { scale, moments, .. } = &self.scalings[at];
        for channel in 0..lanes {
            let (mean, variance) = (moments.mean[channel], moments.variance[channel]);
            let deviation = (variance + EPSILON).sqrt();
            let slopes = sums[channel];
            let products = (sums[lanes + channel] - mean * slopes) / deviation;
            let scale = scale[channel].to_f64();
            let of_map = -scale * products / (count * deviation);
            factors[0][channel] = F::from_f64(scale);
            factors[1][channel] = F::from_f64(of_map);
            factors[2][channel] = F::from_f64(-scale * slopes / count - of_map * mean);
            // The sums are those of the whole batch: one worker hands them in.
            if self.worker == 0 {
                let block = &mut self.gradient.blocks[at];
                block.gamma[channel] += F::from_f64(products);
                block.beta[channel] += F::from_f64(slopes);
            }
        }
        Ok(())
    }
}
