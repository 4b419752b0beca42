//! Runs: stopped and resumed, averaged, and what they keep.

use super::*;
use crate::train::checkpoint;
use crate::train::split::Together;

fn pictures() -> Pictures {
    let mut pictures = Pictures::new(MapSize { height: 12, width: 12 });
    for i in 0..60u8 {
        let defective = i % 2 == 1;
        let mut grey = [100 + i; 144];
        if defective {
            grey[40..52].fill(20);
        }
        pictures.push(&grey, if defective { Truth::Defect } else { Truth::Ok }, None);
    }
    pictures
}

fn plan() -> Plan {
    let augment = Augment::full();
    Plan {
        epochs: 3,
        batch: 8,
        rate: 0.01,
        decay: 0.0,
        seed: 5,
        augment,
        smoothing: 0.05,
        average: 0.5,
        balance: 0.0,
        threads: 2,
    }
}

fn network() -> Network {
    Network::parse("3np-4n-d4", MapSize { height: 12, width: 12 }).unwrap()
}

#[test]
fn a_resumed_run_gives_the_weights_of_one_that_was_never_stopped() {
    let pictures = pictures();
    let split = Split::new(&pictures, 0.2, 1);
    let start = || Fit::new(network(), plan(), &pictures, &split, (0.5, 0.2));
    let mut whole = start();
    while whole.epoch() < 3 {
        whole.run_epoch(|_| Go::On).unwrap();
    }
    let mut stopped = start();
    stopped.run_epoch(|_| Go::On).unwrap();
    let bytes = checkpoint::encode(&stopped.progress(), stopped.print());
    let mut resumed = start();
    resumed.resume(checkpoint::decode(&bytes, &network(), resumed.print()).unwrap());
    while resumed.epoch() < 3 {
        resumed.run_epoch(|_| Go::On).unwrap();
    }
    assert_eq!(resumed.progress(), whole.progress());
}

#[test]
fn a_run_stopped_in_its_first_epoch_still_has_something_to_keep() {
    let pictures = pictures();
    let split = Split::new(&pictures, 0.2, 1);
    let mut fit = Fit::new(network(), plan(), &pictures, &split, (0.5, 0.2));
    let mut steps = 0;
    let report = fit.run_epoch(|_| {
        steps += 1;
        if steps == 2 { Go::Stop } else { Go::On }
    });
    assert!(report.is_none() && steps == 2 && fit.epoch() == 0);
    assert_eq!(fit.best().unwrap().epoch, 0);
}

#[test]
fn what_is_easy_is_learnt_and_the_best_epoch_is_kept() {
    let pictures = pictures();
    let split = Split::new(&pictures, 0.2, 1);
    let mut fit = Fit::new(network(), Plan { epochs: 30, ..plan() }, &pictures, &split, (0.5, 0.2));
    let mut least = f64::INFINITY;
    while fit.epoch() < 30 {
        let report = fit.run_epoch(|_| Go::On).unwrap();
        assert_eq!(report.best, report.validation.loss < least);
        least = least.min(report.validation.loss);
    }
    let best = fit.best().unwrap();
    assert_eq!(best.quality.loss, least);
    assert!(best.quality.auc > 0.95, "{:?}", best.quality);
}

#[test]
fn the_average_is_the_mean_of_the_first_steps_and_without_one_the_newest_weights_count() {
    let pictures = pictures();
    let split = Split::new(&pictures, 0.2, 1);
    let weights = |average: f64| {
        let mut fit = Fit::new(network(), Plan { average, ..plan() }, &pictures, &split, (0.5, 0.2));
        fit.run_epoch(|_| Go::On).unwrap();
        (fit.progress().averaged, fit.progress().parameters)
    };
    let (averaged, newest) = weights(0.0);
    assert_eq!(averaged, newest);
    let (mut steps, mut sum) = (0.0, vec![0.0; newest.len()]);
    let mut fit = Fit::new(network(), Plan { average: 5.0, ..plan() }, &pictures, &split, (0.5, 0.2));
    for batch in 1..=fit.steps() {
        let mut fit = Fit::new(network(), Plan { average: 5.0, ..plan() }, &pictures, &split, (0.5, 0.2));
        let mut taken = 0;
        fit.run_epoch(|_| {
            taken += 1;
            if taken == batch { Go::Stop } else { Go::On }
        });
        steps += 1.0;
        sum.iter_mut().zip(fit.progress().parameters).for_each(|(sum, weight)| *sum += weight);
    }
    fit.run_epoch(|_| Go::On).unwrap();
    for (average, sum) in fit.progress().averaged.iter().zip(sum) {
        assert!((average - sum / steps).abs() < 1e-5);
    }
}

#[test]
fn balanced_epochs_draw_every_photograph_and_both_classes_equally_often() {
    let mut pictures = Pictures::new(MapSize { height: 12, width: 12 });
    // Good: one photograph of 50 pictures and one of 5; defective: ten of one picture each, without a known photograph.
    for i in 0..65u8 {
        let (truth, group) = match i {
            0..50 => (Truth::Ok, Some(1)),
            50..55 => (Truth::Ok, Some(2)),
            _ => (Truth::Defect, None),
        };
        pictures.push(&[i; 144], truth, group);
    }
    let all = (0..65).collect();
    let split = Split {
        train: all,
        ..Split::among(&pictures, &(0..65).collect::<Vec<_>>(), 0.2, 1, Together::Photographs)
    };
    let fit = Fit::new(network(), Plan { balance: 1.0, ..plan() }, &pictures, &split, (0.5, 0.2));
    let (mut few, mut many, mut defective) = (0, 0, [0; 10]);
    for epoch in 1..=200 {
        let order = fit.order(epoch);
        assert_eq!(order.len(), 65);
        for at in order {
            match at {
                0..50 => many += 1,
                50..55 => few += 1,
                _ => defective[at - 55] += 1,
            }
        }
    }
    assert_eq!(many + few, 200 * 33);
    assert!((0.9..1.1).contains(&(f64::from(many) / f64::from(few))), "{many} {few}");
    assert!(defective.iter().all(|count| (540..740).contains(count)), "{defective:?}");
    assert_eq!(fit.order(3), fit.order(3));

    let half = Fit::new(network(), Plan { balance: 0.5, ..plan() }, &pictures, &split, (0.5, 0.2));
    let good = (1..=200).flat_map(|epoch| half.order(epoch)).filter(|&at| at < 55);
    let (many, few): (Vec<_>, Vec<_>) = good.partition(|&at| at < 50);
    let (ratio, root) = (many.len() as f64 / few.len() as f64, 10f64.sqrt());
    assert!((ratio / root - 1.0).abs() < 0.1, "{ratio}");
}
