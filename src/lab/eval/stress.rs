//! The stress test: every labelled picture is judged again under alterations as a line may bring them.
//!
//! Owns which alterations are tried, and the threads. What an alteration does to pixels is known to `vision/alter.rs`.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::camera::picture::{drop_false_colour, read_picture, through_jpeg};
use crate::frame::Frame;
use crate::lab::judge::{Judge, Judged};
use crate::lab::labelled::Labelled;
use crate::lab::tell::{Counter, Tell};
use crate::score::row::Row;
use crate::score::stress::{Stress, StressRow};
use crate::vision::alter::Alteration::{self, *};

/// Seed of the noise.
const SEED: u64 = 1;

/// One thing that is done to every picture.
#[derive(Debug, Clone, Copy)]
enum Trial {
    Picture(Alteration),
    /// Saved as JPEG with this quality, 1 to 100, and read again.
    Jpeg(u8),
}
use Trial::{Jpeg, Picture};

/// Every trial, in the order of the table.
const TRIALS: &[Trial] = &[
    Picture(Unchanged),
    Picture(Exposure(-0.4)),
    Picture(Exposure(-0.2)),
    Picture(Exposure(0.2)),
    Picture(Exposure(0.4)),
    Picture(Gain(-3.0)),
    Picture(Gain(3.0)),
    Picture(Gain(6.0)),
    Picture(Gamma(0.6)),
    Picture(Gamma(0.8)),
    Picture(Gamma(1.25)),
    Picture(Gamma(1.6)),
    Picture(Blur(0.0025)),
    Picture(Blur(0.005)),
    Picture(Blur(0.01)),
    Picture(Noise(5.0)),
    Picture(Noise(10.0)),
    Picture(Noise(20.0)),
    Picture(Shift(-0.1, 0.0)),
    Picture(Shift(-0.05, 0.0)),
    Picture(Shift(0.05, 0.0)),
    Picture(Shift(0.1, 0.0)),
    Picture(Shift(0.0, -0.1)),
    Picture(Shift(0.0, 0.1)),
    Picture(Zoom(0.85)),
    Picture(Zoom(0.93)),
    Picture(Zoom(1.07)),
    Picture(Zoom(1.15)),
    Picture(Stretch(0.92, 1.0)),
    Picture(Stretch(1.08, 1.0)),
    Picture(Stretch(1.0, 0.92)),
    Picture(Stretch(1.0, 1.08)),
    Picture(Turn(5.0)),
    Picture(Turn(15.0)),
    Picture(Turn(45.0)),
    Picture(Turn(90.0)),
    Picture(Turn(133.0)),
    Picture(Turn(180.0)),
    Picture(Turn(287.0)),
    Picture(Ground(0)),
    Picture(Ground(64)),
    Picture(Ground(128)),
    Picture(Ground(192)),
    Picture(Ground(255)),
    Jpeg(90),
    Jpeg(70),
    Jpeg(50),
    Jpeg(30),
    Jpeg(10),
];

impl Trial {
    fn kind(self) -> &'static str {
        match self {
            Picture(alteration) => alteration.kind(),
            Jpeg(_) => "jpeg",
        }
    }

    /// An error says why the picture cannot be altered.
    fn apply(self, seed: u64, from: &Frame, into: &mut Frame) -> Result<(), String> {
        match self {
            Picture(alteration) => alteration.apply(seed, from, into),
            Jpeg(quality) => through_jpeg(from, quality, into).map_err(|error| error.to_string())?,
        }
        Ok(())
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Picture(alteration) => alteration.fmt(f),
            Jpeg(quality) => write!(f, "JPEG quality {quality}"),
        }
    }
}

/// Judges every picture under every alteration, on all cores. Pictures that cannot be read are left out; the evaluation names them.
///
/// # Errors
/// When the model cannot be used, or a thread cannot be started.
pub(super) fn run(
    model: &Path,
    threshold: Option<f32>,
    pictures: &[Labelled],
    tell: Tell<'_>,
) -> anyhow::Result<Stress> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(pictures.len().max(1));
    // Opened before the threads, so that a model that cannot be used is told once.
    let judges = (0..threads).map(|_| Judge::new(model, threshold)).collect::<Result<Vec<_>, _>>()?;
    let progress = Counter::new(tell, pictures.len() as u64, "pictures");
    let next = AtomicUsize::new(0);
    let mut judged: Vec<(usize, Vec<Row>)> = thread::scope(|scope| {
        let spawn = |judge: Judge| {
            let work = || work(judge, pictures, &next, &progress);
            thread::Builder::new().name("stress".to_owned()).spawn_scoped(scope, work)
        };
        let handles = judges.into_iter().map(spawn).collect::<Result<Vec<_>, _>>()?;
        let join = |handle: thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        anyhow::Ok(handles.into_iter().flat_map(join).collect())
    })?;
    progress.end(&format!("judged under {} alterations", TRIALS.len()));
    judged.sort_by_key(|(at, _)| *at);
    let mut by_trial: Vec<Vec<Row>> = TRIALS.iter().map(|_| Vec::with_capacity(judged.len())).collect();
    for (_, rows) in judged {
        by_trial.iter_mut().zip(rows).for_each(|(of_trial, row)| of_trial.push(row));
    }
    let row = |(trial, rows): (&Trial, &Vec<Row>)| {
        StressRow::of(trial.to_string(), trial.kind(), rows, &by_trial[0])
    };
    Ok(Stress { seed: SEED, rows: TRIALS.iter().zip(&by_trial).map(row).collect() })
}

/// Takes pictures until none is left; gives for each its place and a row a trial.
fn work(
    mut judge: Judge,
    pictures: &[Labelled],
    next: &AtomicUsize,
    progress: &Counter<'_>,
) -> Vec<(usize, Vec<Row>)> {
    let (mut frame, mut altered) = (Frame::default(), Frame::default());
    let mut done = Vec::new();
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(picture) = pictures.get(at) else { return done };
        if read_picture(&picture.path, &mut frame).is_ok() {
            drop_false_colour(&mut frame);
            let row = |(number, trial): (usize, &Trial)| {
                let seed = SEED ^ ((at * TRIALS.len() + number) as u64) << 8;
                let judged = match trial.apply(seed, &frame, &mut altered) {
                    Ok(()) => judge.judge_frame(&altered),
                    Err(why) => Judged::unusable(why),
                };
                Row {
                    file: picture.name.clone(),
                    truth: picture.truth,
                    answer: judged.answer,
                    verdict: judged.verdict,
                    unlike: judged.unlike,
                }
            };
            done.push((at, TRIALS.iter().enumerate().map(row).collect()));
        }
        progress.step();
    }
}
