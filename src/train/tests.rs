//! The whole network against finite differences, against itself on more threads, and against Keras.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::step::Trainer;
use crate::kernels::{Float, MapSize};
use crate::network::{Network, Statistics, initial};

/// Channel counts that fill no vector, odd sizes, every combination of normalisation and pooling.
const ODD: &str = "3np-1-9n-10p-d5";
/// Strides with and without the rest, behind another block and in front; no hidden layer.
const STRIDED: &str = "3sn-9s-10np-d0";

fn pictures(count: usize, len: usize) -> Vec<Vec<f64>> {
    let mut random = Pcg64::seed_from_u64(3);
    (0..count).map(|_| (0..len).map(|_| random.random_range(-1.0..1.0)).collect()).collect()
}

fn odd_trainer(threads: usize) -> Trainer<f64> {
    trainer_of(ODD, threads)
}

fn trainer_of(text: &str, threads: usize) -> Trainer<f64> {
    let network = Network::parse(text, MapSize { height: 19, width: 21 }).unwrap();
    let mut random = Pcg64::seed_from_u64(5);
    let mut parameters: Vec<f64> = initial(&network, &mut random);
    // Gamma of either sign, and no bias at rest where ReLU bends.
    for value in &mut parameters {
        *value += random.random_range(-0.3..0.3);
    }
    let gamma = network.stages()[0].slots.gamma.range();
    parameters[gamma.start] = -0.7;
    Trainer::new(network, parameters, 4, threads)
}

#[test]
fn the_gradient_of_the_whole_network_agrees_with_finite_differences() {
    let pictures = pictures(4, 19 * 21);
    let targets = [0.0, 1.0, 1.0, 0.1];
    let load = |i: usize, input: &mut [f64]| input.copy_from_slice(&pictures[i]);
    for text in [ODD, STRIDED] {
        let mut trainer = trainer_of(text, 1);
        trainer.differentiate(&targets, &load);
        let gradient = trainer.gradient().to_vec();
        let mut worst = 0.0_f64;
        for (at, &analytic) in gradient.iter().enumerate() {
            let mut loss_at = |step: f64| {
                let before = trainer.parameters[at];
                trainer.parameters[at] = before + step;
                let report = trainer.differentiate(&targets, &load);
                trainer.parameters[at] = before;
                report.loss / 4.0
            };
            let step = 1e-6;
            let slope = (loss_at(step) - loss_at(-step)) / (2.0 * step);
            worst = worst.max((slope - analytic).abs());
        }
        let greatest = gradient.iter().fold(0.0_f64, |most, slope| most.max(slope.abs()));
        assert!(greatest > 1e-2 && worst < 1e-6, "{text}: {worst} beside {greatest}");
    }
}

#[test]
fn more_threads_give_the_same_step_but_for_rounding_and_the_same_threads_the_very_same() {
    let pictures = pictures(4, 19 * 21);
    let load = |i: usize, input: &mut [f64]| input.copy_from_slice(&pictures[i]);
    let train = |threads: usize| {
        let mut trainer = odd_trainer(threads);
        for _ in 0..3 {
            trainer.step(1e-2, 0.0, &[0.0, 1.0, 1.0, 0.0], &load);
        }
        trainer.parameters
    };
    let alone = train(1);
    assert_eq!(alone, train(1));
    for threads in [2, 3, 9] {
        let together = train(threads);
        assert_eq!(together, train(threads));
        let difference = alone.iter().zip(&together).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
        assert!(difference < 1e-7, "{threads} threads: {difference}");
    }
}

#[test]
fn a_gamma_of_zero_divides_nothing() {
    let pictures = pictures(4, 19 * 21);
    let load = |i: usize, input: &mut [f64]| input.copy_from_slice(&pictures[i]);
    let mut trainer = odd_trainer(1);
    for stage in trainer.network().stages().to_vec() {
        trainer.parameters[stage.slots.gamma.range()].fill(0.0);
    }
    let report = trainer.step(1e-3, 0.0, &[0.0, 1.0, 1.0, 0.0], &load);
    assert!(report.loss.is_finite() && trainer.parameters.iter().all(|value| value.is_finite()));
}

#[test]
fn with_the_batch_s_own_statistics_run_time_scores_are_training_s() {
    let pictures = pictures(4, 19 * 21);
    let load = |i: usize, input: &mut [f64]| input.copy_from_slice(&pictures[i]);
    let mut trainer = odd_trainer(2);
    let statistics: Statistics = trainer.measure_many(4, 4, &load);
    let parameters = trainer.parameters.clone();
    let scores = trainer.score(&parameters, &statistics, 4, &load);
    let loss: f64 = scores.iter().map(|score| -score.ln()).sum();
    let report = trainer.differentiate(&[1.0; 4], &load);
    assert!((loss - report.loss).abs() < 1e-9, "{loss} {report:?}");
}

/// One training step by Keras 3; `tests/data/train_step/make.py` made it.
#[derive(serde::Deserialize)]
struct Golden {
    network: String,
    side: usize,
    rate: f64,
    pixels: Vec<Vec<u8>>,
    targets: Vec<f64>,
    parameters: Vec<f64>,
    loss: f64,
    gradient: Vec<f64>,
    stepped: Vec<f64>,
}

fn agrees_with_keras<F: Float>(tolerance: f64) {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/data/train_step/step.json")).unwrap();
    let network =
        Network::parse(&golden.network, MapSize { height: golden.side, width: golden.side }).unwrap();
    let numbers = |values: &[f64]| values.iter().map(|&value| F::from_f64(value)).collect::<Vec<F>>();
    let targets = numbers(&golden.targets);
    let mut trainer = Trainer::new(network, numbers(&golden.parameters), targets.len(), 2);
    let load = |i: usize, input: &mut [F]| {
        let pixels = input.iter_mut().zip(&golden.pixels[i]);
        pixels.for_each(|(value, &pixel)| *value = F::from_f64(f64::from(pixel) / 255.0));
    };
    let report = trainer.step(golden.rate, 0.0, &targets, &load);
    assert!((report.loss / 4.0 - golden.loss).abs() < tolerance, "{report:?}");
    let far = |ours: &[F], theirs: &[f64]| {
        assert_eq!(ours.len(), theirs.len());
        ours.iter().zip(theirs).fold(0.0_f64, |most, (a, b)| most.max((a.to_f64() - b).abs()))
    };
    let gradient = far(trainer.gradient(), &golden.gradient);
    assert!(gradient < tolerance, "gradients differ by {gradient}");
    let stepped = far(&trainer.parameters, &golden.stepped);
    // Adam divides by the gradient's size, which enlarges what little the gradients differ.
    assert!(stepped < 100.0 * tolerance, "parameters differ by {stepped} after the step");
}

#[test]
fn a_training_step_is_that_of_keras() {
    agrees_with_keras::<f64>(1e-9);
    agrees_with_keras::<f32>(1e-4);
}
