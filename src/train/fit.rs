//! The training run: epochs, learning rate, statistics before every judgement, and the best epoch kept.
//!
//! Owns what a run consists of and everything random in it, which follows from the seed alone. Must not know files, the clock or how
//! progress is shown.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_pcg::Pcg64;

use super::adam::Adam;
use super::augment::{Augment, Change};
use super::pictures::{Pictures, fnv1a};
use super::quality::{Judged, Quality, judge};
use super::split::Split;
use super::step::{StepReport, Trainer};
use crate::kernels::MapSize;
use crate::network::{Moments, Network, Statistics, initial};
use crate::verdict::Truth;
use source::Source;

mod source;

/// What a training run is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Passes over the training pictures.
    pub epochs: u32,
    /// Pictures a step.
    pub batch: usize,
    /// Learning rate at its greatest.
    pub rate: f64,
    /// Share of the learning rate by which every weight shrinks at every step; 0 for none.
    pub decay: f64,
    /// Seed of weights, order and augmentation.
    pub seed: u64,
    /// Changes to training pictures.
    pub augment: Augment,
    /// Share by which labels are drawn towards 0.5: 0 for none, 0.1 for 0.05 and 0.95.
    pub smoothing: f64,
    /// Epochs over which the weights that are judged and kept are averaged; 0 takes them as they are.
    pub average: f64,
    /// 0 to 1. At 0 every picture is drawn once. Above, both classes are drawn equally often, and within one a photograph of n pictures in
    /// proportion to n^(1 - balance): at 1 every photograph equally often.
    pub balance: f64,
    /// Threads.
    pub threads: usize,
}

/// Training pictures by which batch statistics are measured before every judgement. With running averages instead, accuracy jumps from
/// epoch to epoch.
const MEASURED_ON: usize = 1024;
/// Share of the first epoch during which the learning rate rises.
const WARM_UP: f64 = 0.5;
/// Learning rate at the end, as a share of the greatest.
const LAST_RATE: f64 = 0.01;

/// Weights with their statistics, and how good they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Epochs trained, counted from 1; 0 for a run stopped within the first.
    pub epoch: u32,
    /// The weights in the order of the network's slots.
    pub parameters: Vec<f32>,
    /// Statistics for normalisation.
    pub statistics: Statistics,
    /// Judged at 0.5.
    pub quality: Quality,
}

/// What an epoch gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: u32,
    /// Mean loss over the training pictures, each at its own time.
    pub loss: f64,
    /// Share of training pictures on the right side.
    pub accuracy: f64,
    /// On the validation pictures.
    pub validation: Quality,
    /// Whether it is the best so far.
    pub best: bool,
}

/// Whether to go on; asked after every step.
pub enum Go {
    /// Go on.
    On,
    /// Stop now.
    Stop,
}

/// A training run.
pub struct Fit<'a> {
    plan: Plan,
    split: &'a Split,
    source: Source<'a>,
    /// For each class its photographs, and of each the training pictures; empty when pictures are drawn one by one.
    classes: Vec<Vec<Vec<usize>>>,
    trainer: Trainer<f32>,
    averaged: Vec<f32>,
    epoch: u32,
    best: Option<Candidate>,
}

/// What a run needs to go on later.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Epochs done.
    pub epoch: u32,
    /// Weights.
    pub parameters: Vec<f32>,
    /// Their average over the last steps.
    pub averaged: Vec<f32>,
    /// The optimiser.
    pub adam: Adam<f32>,
    /// Best so far.
    pub best: Option<Candidate>,
}

fn target(truth: Truth, smoothing: f64) -> f32 {
    let hard = if truth == Truth::Defect { 1.0 } else { 0.0 };
    (hard + smoothing * (0.5 - hard)) as f32
}

/// Numbers of their own for each place in the run, whatever the number of threads. The three are stirred (as SplitMix64 does), since generators
/// from neighbouring seeds would run alike.
fn random(seed: u64, epoch: u32, place: u64) -> Pcg64 {
    let stir = |state: u64, by: u64| {
        let state = (state ^ by).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    };
    Pcg64::seed_from_u64(stir(stir(stir(0, seed), u64::from(epoch)), place))
}

impl<'a> Fit<'a> {
    /// A run from the beginning. `normal` is mean and standard deviation of the pixels, with white as 1.
    pub fn new(
        network: Network,
        plan: Plan,
        pictures: &'a Pictures,
        split: &'a Split,
        normal: (f32, f32),
    ) -> Self {
        let parameters = initial(&network, &mut random(plan.seed, 0, 0));
        let averaged = parameters.clone();
        let trainer = Trainer::new(network, parameters, plan.batch, plan.threads);
        let of_class = |truth| photographs(pictures, &split.train, truth);
        let classes: Vec<_> = if plan.balance > 0.0 {
            [Truth::Ok, Truth::Defect].map(of_class).into_iter().filter(|class| !class.is_empty()).collect()
        } else {
            Vec::new()
        };
        let source = Source::new(pictures, &split.train, plan.augment, normal);
        Self { plan, split, source, classes, trainer, averaged, epoch: 0, best: None }
    }

    /// Begins with these weights instead of random ones.
    pub fn begin_with(&mut self, parameters: Vec<f32>) {
        self.trainer.adam = Adam::new(parameters.len());
        self.averaged.clone_from(&parameters);
        self.trainer.parameters = parameters;
    }

    /// Goes on from where another run of the same plan was.
    pub fn resume(&mut self, progress: Progress) {
        self.epoch = progress.epoch;
        self.trainer.parameters = progress.parameters;
        self.averaged = progress.averaged;
        self.trainer.adam = progress.adam;
        self.best = progress.best;
    }

    /// What [`Fit::resume`] needs.
    pub fn progress(&self) -> Progress {
        Progress {
            epoch: self.epoch,
            parameters: self.trainer.parameters.clone(),
            averaged: self.averaged.clone(),
            adam: self.trainer.adam.clone(),
            best: self.best.clone(),
        }
    }

    /// See [`fn@print`].
    pub fn print(&self) -> u64 {
        print(self.trainer.network(), &self.plan, self.source.pictures, self.split, self.source.normal)
    }

    /// Epochs done.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Steps of one epoch.
    pub fn steps(&self) -> usize {
        self.split.train.len().div_ceil(self.plan.batch)
    }

    /// The best so far.
    pub fn best(&self) -> Option<&Candidate> {
        self.best.as_ref()
    }

    /// Learning rate of a step: rises, then falls along a cosine.
    fn rate(&self, step: usize) -> f64 {
        let at = f64::from(self.epoch) + step as f64 / self.steps() as f64;
        let rise = ((at + 1.0 / self.steps() as f64) / WARM_UP).min(1.0);
        let turn = (1.0 + (std::f64::consts::PI * at / f64::from(self.plan.epochs)).cos()) / 2.0;
        self.plan.rate * rise * (LAST_RATE + (1.0 - LAST_RATE) * turn)
    }

    /// The training pictures in the order of an epoch.
    fn order(&self, epoch: u32) -> Vec<usize> {
        let mut random = random(self.plan.seed, epoch, u64::MAX);
        let mut order = self.split.train.clone();
        let weight = |one: &Vec<usize>| (one.len() as f64).powf(1.0 - self.plan.balance);
        let weighted = |class: &Vec<Vec<usize>>| WeightedIndex::new(class.iter().map(weight)).ok();
        let classes: Vec<_> =
            self.classes.iter().filter_map(|class| Some((class, weighted(class)?))).collect();
        if !classes.is_empty() {
            for (at, picture) in order.iter_mut().enumerate() {
                let (photographs, weights) = &classes[at % classes.len()];
                let photograph = &photographs[weights.sample(&mut random)];
                *picture = photograph.choose(&mut random).copied().unwrap_or(*picture);
            }
        }
        order.shuffle(&mut random);
        order
    }

    /// Trains one epoch and judges it. `None` when `each_step` stopped it; what was learnt in it is then judged only if there is nothing
    /// better to keep.
    pub fn run_epoch(&mut self, mut each_step: impl FnMut(StepReport) -> Go) -> Option<EpochReport> {
        let epoch = self.epoch + 1;
        let order = self.order(epoch);
        let mut sum = StepReport::default();
        for (step, batch) in order.chunks(self.plan.batch).enumerate() {
            let rate = self.rate(step);
            let targets: Vec<f32> =
                batch.iter().map(|&at| target(self.source.pictures.truth(at), self.plan.smoothing)).collect();
            let load = |i: usize, input: &mut [f32]| {
                self.source.load(batch[i], random(self.plan.seed, epoch, batch[i] as u64), input)
            };
            let report = self.trainer.step(rate, self.plan.decay, &targets, &load);
            self.follow();
            sum.loss += report.loss;
            sum.right += report.right;
            sum.pictures += report.pictures;
            if let Go::Stop = each_step(report) {
                if self.best.is_none() {
                    self.best = Some(self.judge(0));
                }
                return None;
            }
        }
        self.epoch = epoch;
        let candidate = self.judge(epoch);
        let validation = candidate.quality;
        let best = self.best.as_ref().is_none_or(|best| validation.loss < best.quality.loss);
        if best {
            self.best = Some(candidate);
        }
        let count = sum.pictures.max(1) as f64;
        let (loss, accuracy) = (sum.loss / count, sum.right as f64 / count);
        Some(EpochReport { epoch, loss, accuracy, validation, best })
    }

    /// Draws the average towards the newest weights: of the first steps it is the plain mean, later ones weigh more by and by (Polyak and
    /// Juditsky 1992, in the exponential form).
    fn follow(&mut self) {
        let over = self.plan.average * self.steps() as f64;
        let share = (1.0 / over.min(self.trainer.adam.steps as f64).max(1.0)) as f32;
        for (average, &newest) in self.averaged.iter_mut().zip(&self.trainer.parameters) {
            *average += (newest - *average) * share;
        }
    }

    /// The averaged weights, with statistics measured now, judged on the validation pictures.
    fn judge(&mut self, epoch: u32) -> Candidate {
        let mut order = self.split.train.clone();
        order.shuffle(&mut random(self.plan.seed, 0, u64::MAX));
        order.truncate(MEASURED_ON);
        let (pictures, normal) = (self.source.pictures, self.source.normal);
        let load = |i: usize, input: &mut [f32]| plain(pictures, normal, order[i], input);
        let parameters = self.averaged.clone();
        let newest = std::mem::replace(&mut self.trainer.parameters, parameters.clone());
        let statistics = self.trainer.measure_many(order.len(), self.plan.batch, &load);
        self.trainer.parameters = newest;
        let judged = self.scores(&parameters, &statistics, &self.split.validation);
        Candidate { epoch, parameters, statistics, quality: judge(&judged, 0.5) }
    }

    /// Mean and variance of what each channel of each block gives, over at most `most` training pictures.
    pub fn outputs(&mut self, parameters: &[f32], statistics: &Statistics, most: usize) -> Vec<Moments> {
        let (pictures, normal, of) = (self.source.pictures, self.source.normal, &self.split.train);
        // Spread over the collection, in which the good parts come first.
        let count = most.min(of.len());
        let load = |i: usize, input: &mut [f32]| plain(pictures, normal, of[i * of.len() / count], input);
        self.trainer.outputs(parameters, statistics, count, &load)
    }

    /// Picture `at` in grey, in the ways in which training shows it: as it is and in its views, or without any, changed at random.
    pub fn shown(&self, at: usize) -> Vec<Vec<u8>> {
        self.source.shown(at)
    }

    /// Scores of the pictures `of`, as at run time.
    pub fn scores(&mut self, parameters: &[f32], statistics: &Statistics, of: &[usize]) -> Vec<Judged> {
        let (pictures, normal) = (self.source.pictures, self.source.normal);
        let load = |i: usize, input: &mut [f32]| plain(pictures, normal, of[i], input);
        let scores = self.trainer.score(parameters, statistics, of.len(), &load);
        scores.into_iter().zip(of).map(|(score, &at)| (score, pictures.truth(at))).collect()
    }
}

/// The photographs of one class among the pictures `of`, each as its pictures. A picture whose photograph is not known is one of its own.
fn photographs(pictures: &Pictures, of: &[usize], truth: Truth) -> Vec<Vec<usize>> {
    let mut of_group: BTreeMap<(Option<u64>, usize), Vec<usize>> = BTreeMap::new();
    for &at in of.iter().filter(|&&at| pictures.truth(at) == truth) {
        let group = pictures.group(at);
        of_group.entry((group, if group.is_some() { 0 } else { at })).or_default().push(at);
    }
    of_group.into_values().collect()
}

/// A print of everything that decides how a run goes on, except the number of threads, by which a checkpoint is known.
pub fn print(network: &Network, plan: &Plan, pictures: &Pictures, split: &Split, normal: (f32, f32)) -> u64 {
    let Plan { epochs, batch, rate, decay, seed, augment, smoothing, average, balance, threads: _ } = plan;
    let size = pictures.size();
    let text = format!(
        "{network} {size:?} {epochs} {batch} {rate} {decay} {seed} {augment:?} {smoothing} {average} {balance} {normal:?} {split:?} {}",
        pictures.print()
    );
    fnv1a(text.bytes())
}

/// A picture as at run time.
fn plain(pictures: &Pictures, normal: (f32, f32), at: usize, input: &mut [f32]) {
    let size: MapSize = pictures.size();
    Change::NONE.apply(size, pictures.grey(at), None, normal, input);
}

#[cfg(test)]
mod tests;
