//! One worker's way through the network and back, over its share of the batch, in memory that is allocated once.
//!
//! Owns the order of the kernels on the way back. Batch normalisation needs sums over the whole batch: there the workers meet at the
//! [`AllReduce`]. Must not know the optimiser, pictures on disk, or how many epochs there are.

use super::all_reduce::{AllReduce, Broken};
use crate::kernels::float::Float;
use crate::kernels::{conv, norm, pool};
use crate::network::{EPSILON, Forward, Moments, Network, Padded, Stage, Trace};

mod explain;
mod head;

/// What the workers share in one step.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a, F> {
    pub(super) network: &'a Network,
    pub(super) parameters: &'a Padded<F>,
    pub(super) all_reduce: &'a AllReduce,
    /// Pictures in the whole batch.
    pub(super) batch: usize,
}

/// One worker's memory.
pub(super) struct Pass<F> {
    worker: usize,
    pub(super) forward: Forward<F>,
    /// For each picture the gradient of the output of the block that is on its way back.
    behind: Vec<Vec<F>>,
    /// Gradient of a convolution's output, and the same dilated.
    of_conv: Vec<F>,
    dilated: Vec<F>,
    head: head::Gradients<F>,
    nothing: Vec<F>,
    pub(super) gradient: Padded<F>,
}

impl<F: Float> Pass<F> {
    /// For at most `pictures` at a time.
    pub(super) fn new(network: &Network, worker: usize, pictures: usize) -> Self {
        let stages = network.stages();
        let most = |count: &dyn Fn(&Stage) -> usize| stages.iter().map(count).max().unwrap_or(0);
        let output = most(&|s| s.output.height * s.output.width * s.lanes_out()).max(network.features());
        let dilated = |s: &Stage| (s.input.height + 2) * (s.input.width + 2) * s.lanes_out();
        Self {
            worker,
            forward: Forward::new(network, pictures),
            behind: vec![vec![F::ZERO; output]; pictures],
            of_conv: vec![F::ZERO; most(&|s| s.conv.height * s.conv.width * s.lanes_out())],
            dilated: vec![F::ZERO; most(&dilated)],
            head: head::Gradients::new(network),
            nothing: vec![F::ZERO; most(&|s| s.lanes_in)],
            gradient: Padded::zero(network),
        }
    }

    /// Through the network with the batch's own statistics; `pictures` is this worker's share.
    pub(super) fn forward_batch(&mut self, shared: Shared<'_, F>, pictures: usize) -> Result<(), Broken> {
        let Shared { network, parameters, .. } = shared;
        for at in 0..network.stages().len() {
            self.forward.convolve(network, parameters, at, pictures);
            if network.stages()[at].block.norm {
                self.measure(shared, at, pictures)?;
                self.forward.normalise(parameters, at, pictures);
            }
        }
        self.forward.classify(network, parameters, pictures);
        Ok(())
    }

    /// How many of the last batch's pictures of this worker lie on the right side of 0.5.
    pub(super) fn right(&self, targets: &[F]) -> usize {
        let half = F::from_f64(0.5);
        let is_right = |(trace, &target): (&Trace<F>, &F)| (trace.logit > F::ZERO) == (target > half);
        self.forward.traces.iter().zip(targets).filter(|&pair| is_right(pair)).count()
    }

    /// Statistics of the last batch.
    pub(super) fn moments(&self) -> impl Iterator<Item = &Moments> {
        self.forward.scalings.iter().map(|scaling| &scaling.moments)
    }

    /// Mean and variance of block `at` over the whole batch.
    fn measure(&mut self, shared: Shared<'_, F>, at: usize, pictures: usize) -> Result<(), Broken> {
        let stage = &shared.network.stages()[at];
        let lanes = stage.lanes_out();
        let mut sums = vec![0.0; 2 * lanes];
        let (values, squares) = sums.split_at_mut(lanes);
        for trace in &self.forward.traces[..pictures] {
            let active = &trace.blocks[at].active;
            norm::sum_products(active, active, values, squares);
        }
        shared.all_reduce.sum(self.worker, &mut sums)?;
        let count = (shared.batch * stage.conv.height * stage.conv.width) as f64;
        let moments = &mut self.forward.scalings[at].moments;
        moments.mean = sums[..lanes].iter().map(|sum| sum / count).collect();
        let squares = sums[lanes..].iter().zip(&moments.mean);
        moments.variance = squares.map(|(sum, mean)| (sum / count - mean * mean).max(0.0)).collect();
        Ok(())
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
        let [of_gradient, of_map, constant] = factors;
        let backward = norm::Backward { of_gradient, of_map, constant };
        let conv_len = stage.conv.height * stage.conv.width * lanes;
        let out_len = stage.output.height * stage.output.width * lanes;
        let sums = &mut self.gradient.blocks[at];
        for (trace, gradient) in self.forward.traces[..pictures].iter().zip(&mut self.behind) {
            let maps = &trace.blocks[at];
            let behind = &gradient[..out_len];
            let of_conv = &mut self.of_conv[..conv_len];
            if stage.block.pool {
                let (active, choice) = (&maps.active, &maps.choice);
                pool::relu_norm_pool_backward(stage.conv, active, behind, choice, backward, of_conv);
            } else {
                norm::relu_norm_backward(&maps.active, behind, backward, of_conv);
            }
            let window = stage.window();
            conv::weight_gradient(window, trace.before(at), of_conv, &mut sums.weights, &mut sums.bias);
            if at > 0 {
                conv::dilate(window, lanes, of_conv, &mut self.dilated);
                let dilated = conv::Window { channels: lanes, ..window.dilated() };
                let (flipped, none) = (&shared.parameters.flipped[at], &self.nothing[..stage.lanes_in]);
                conv::forward(dilated, &self.dilated, flipped, none, false, gradient);
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
        let (gradients, products) = sums.split_at_mut(lanes);
        for (trace, behind) in self.forward.traces[..pictures].iter().zip(&self.behind) {
            norm::sum_products(&behind[..out_len], trace.blocks[at].chosen(), gradients, products);
        }
        shared.all_reduce.sum(self.worker, &mut sums)?;
        let count = (shared.batch * stage.conv.height * stage.conv.width) as f64;
        let scaling = &self.forward.scalings[at];
        for channel in 0..lanes {
            let (mean, variance) = (scaling.moments.mean[channel], scaling.moments.variance[channel]);
            let deviation = (variance + EPSILON).sqrt();
            let gradients = sums[channel];
            let products = (sums[lanes + channel] - mean * gradients) / deviation;
            let scale = scaling.scale[channel].to_f64();
            let of_map = -scale * products / (count * deviation);
            factors[0][channel] = F::from_f64(scale);
            factors[1][channel] = F::from_f64(of_map);
            factors[2][channel] = F::from_f64(-scale * gradients / count - of_map * mean);
            // The sums are those of the whole batch: one worker hands them in.
            if self.worker == 0 {
                let block = &mut self.gradient.blocks[at];
                block.gamma[channel] += F::from_f64(products);
                block.beta[channel] += F::from_f64(gradients);
            }
        }
        Ok(())
    }
}
