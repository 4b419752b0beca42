//! Training steps and scoring over several threads: each worker takes its share of the batch.
//!
//! Owns the workers, the parameters and the optimiser. The same seed and number of threads give the same weights. Must not know where
//! pictures come from.

use std::ops::Range;
use std::thread;

use super::adam::Adam;
use super::all_reduce::{AllReduce, Broken};
use super::pass::{Pass, Shared};
use crate::kernels::Float;
use crate::kernels::dense::sigmoid;
use crate::network::{Forward, Moments, Network, Padded, Statistics};

/// Gives the input of a picture of the batch, by its number in the batch.
pub type Load<'a, F> = &'a (dyn Fn(usize, &mut [F]) + Sync);

/// What a training step found, before it changed the weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepReport {
    /// Loss summed over the batch.
    pub loss: f64,
    /// Pictures on the right side of 0.5.
    pub right: usize,
    /// Pictures.
    pub pictures: usize,
}

/// Trains one network.
pub struct Trainer<F> {
    network: Network,
    workers: Vec<Pass<F>>,
    scorers: Vec<Forward<F>>,
    padded: Padded<F>,
    gradient: Vec<F>,
    /// The parameters, in the order of the network's slots.
    pub parameters: Vec<F>,
    /// The optimiser.
    pub adam: Adam<F>,
}

/// Splits `count` things evenly over at most `workers`; nobody gets none.
fn shares(count: usize, workers: usize) -> Vec<Range<usize>> {
    let workers = workers.clamp(1, count.max(1));
    (0..workers).map(|i| count * i / workers..count * (i + 1) / workers).collect()
}

impl<F: Float> Trainer<F> {
    /// For batches of at most `batch` pictures on `threads` threads.
    pub fn new(network: Network, parameters: Vec<F>, batch: usize, threads: usize) -> Self {
        let shares = shares(batch, threads);
        let workers = shares.iter().enumerate().map(|(i, share)| Pass::new(&network, i, share.len()));
        let scorers = (0..threads.max(1)).map(|_| Forward::new(&network, 1));
        Self {
            workers: workers.collect(),
            scorers: scorers.collect(),
            padded: Padded::zero(&network),
            gradient: vec![F::ZERO; parameters.len()],
            adam: Adam::new(parameters.len()),
            parameters,
            network,
        }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Gradient of the mean loss of the last batch.
    pub fn gradient(&self) -> &[F] {
        &self.gradient
    }

    /// Loss and gradient of one batch; the weights stay.
    ///
    /// # Panics
    /// When there are more targets than the batch that was asked for, or none.
    pub fn differentiate(&mut self, targets: &[F], load: Load<'_, F>) -> StepReport {
        let report = self.batch(targets.len(), load, Some(targets));
        self.gradient.fill(F::ZERO);
        for worker in &mut self.workers {
            worker.gradient.drain_into(&self.network, &mut self.gradient);
        }
        report
    }

    /// One step of Adam with learning rate `rate` and weight decay `decay`.
    ///
    /// # Panics
    /// As [`Trainer::differentiate`].
    pub fn step(&mut self, rate: f64, decay: f64, targets: &[F], load: Load<'_, F>) -> StepReport {
        let report = self.differentiate(targets, load);
        self.adam.step(rate, decay, &self.gradient, &mut self.parameters);
        report
    }

    /// Statistics of one batch, for [`Trainer::score`].
    ///
    /// # Panics
    /// As [`Trainer::differentiate`].
    pub fn measure(&mut self, pictures: usize, load: Load<'_, F>) -> Statistics {
        self.batch(pictures, load, None);
        let blocks = self.workers[0].moments().cloned().collect();
        Statistics { blocks }
    }

    /// Statistics over many pictures, batch by batch: the mean over the batches of the mean and of the mean square.
    pub fn measure_many(&mut self, pictures: usize, batch: usize, load: Load<'_, F>) -> Statistics {
        let mut total = Statistics::default();
        let batches = (pictures / batch).max(1);
        for at in 0..batches {
            let from = at * batch;
            let len = batch.min(pictures - from);
            let part = self.measure(len, &|i, input| load(from + i, input));
            accumulate(&mut total, &part);
        }
        finish(&mut total, batches as f64);
        total
    }

    fn batch(&mut self, pictures: usize, load: Load<'_, F>, targets: Option<&[F]>) -> StepReport {
        self.padded.fill(&self.network, &self.parameters);
        let shares = shares(pictures, self.workers.len());
        let all_reduce = AllReduce::new(shares.len());
        let shared = Shared {
            network: &self.network,
            parameters: &self.padded,
            all_reduce: &all_reduce,
            batch: pictures,
        };
        let work = |pass: &mut Pass<F>, share: Range<usize>| -> Result<StepReport, Broken> {
            let _presence = all_reduce.presence();
            for (i, input) in share.clone().zip(pass.forward.inputs()) {
                load(i, input);
            }
            pass.forward_batch(shared, share.len())?;
            let Some(targets) = targets else { return Ok(StepReport::default()) };
            let targets = &targets[share];
            let right = pass.right(targets);
            let loss = pass.backward(shared, targets)?;
            Ok(StepReport { loss, right, pictures: targets.len() })
        };
        let (first, others) = self.workers.split_first_mut().expect("there is at least one worker");
        let reports: Vec<Result<StepReport, Broken>> = thread::scope(|scope| {
            let work = &work;
            let start = |(pass, share): (_, Range<usize>)| spawn(scope, "train", move || work(pass, share));
            let handles: Vec<_> = others.iter_mut().zip(shares[1..].iter().cloned()).map(start).collect();
            let mut reports = vec![work(first, shares[0].clone())];
            reports.extend(handles.into_iter().map(join));
            reports
        });
        reports.into_iter().flatten().fold(StepReport::default(), |sum, part| StepReport {
            loss: sum.loss + part.loss,
            right: sum.right + part.right,
            pictures: sum.pictures + part.pictures,
        })
    }

    /// The scores of `pictures` pictures with given weights and statistics, as at run time.
    pub fn score(
        &mut self,
        parameters: &[F],
        statistics: &Statistics,
        pictures: usize,
        load: Load<'_, F>,
    ) -> Vec<F> {
        self.padded.fill(&self.network, parameters);
        let (network, padded) = (&self.network, &self.padded);
        let work = |pass: &mut Forward<F>, share: Range<usize>| -> Vec<F> {
            let mut scores = Vec::with_capacity(share.len());
            for i in share {
                pass.inputs().take(1).for_each(|input| load(i, input));
                scores.extend(pass.run(network, padded, statistics, 1).into_iter().map(sigmoid));
            }
            scores
        };
        let shares = shares(pictures, self.scorers.len());
        thread::scope(|scope| {
            let work = &work;
            let start = |(pass, share): (_, Range<usize>)| spawn(scope, "score", move || work(pass, share));
            let handles: Vec<_> = self.scorers.iter_mut().zip(shares).map(start).collect();
            handles.into_iter().flat_map(join).collect()
        })
    }
}

impl<F: Float> Trainer<F> {
    /// Mean and variance of what each channel of each block gives, over `pictures` pictures and all places, as at run time. Channels are
    /// filled up.
    pub fn outputs(
        &mut self,
        parameters: &[F],
        statistics: &Statistics,
        pictures: usize,
        load: Load<'_, F>,
    ) -> Vec<Moments> {
        self.padded.fill(&self.network, parameters);
        let mut total = Statistics::default();
        let Some(pass) = self.scorers.first_mut() else { return total.blocks };
        for i in 0..pictures {
            pass.inputs().take(1).for_each(|input| load(i, input));
            pass.run(&self.network, &self.padded, statistics, 1);
            let part = Statistics { blocks: pass.output_moments(&self.network) };
            accumulate(&mut total, &part);
        }
        finish(&mut total, pictures.max(1) as f64);
        total.blocks
    }
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> thread::ScopedJoinHandle<'scope, T> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .expect("the system grants a training thread")
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Adds means and mean squares of `part` to `total`.
fn accumulate(total: &mut Statistics, part: &Statistics) {
    total.blocks.resize_with(part.blocks.len(), Moments::default);
    for (total, part) in total.blocks.iter_mut().zip(&part.blocks) {
        total.mean.resize(part.mean.len(), 0.0);
        total.variance.resize(part.mean.len(), 0.0);
        for channel in 0..part.mean.len() {
            let mean = part.mean[channel];
            total.mean[channel] += mean;
            total.variance[channel] += part.variance[channel] + mean * mean;
        }
    }
}

/// From sums over `parts` parts to mean and variance.
fn finish(total: &mut Statistics, parts: f64) {
    for Moments { mean, variance } in &mut total.blocks {
        for (mean, variance) in mean.iter_mut().zip(variance) {
            *mean /= parts;
            *variance = (*variance / parts - *mean * *mean).max(0.0);
        }
    }
}
