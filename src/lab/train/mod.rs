//! Training: trains a tapered network on labelled pictures and writes it with its manifest.
//!
//! Owns the order of a training run; reading, showing and writing have a file each.

mod export;
pub mod folds;
mod load;
pub mod prune;
pub mod settings;
pub mod taper;
pub mod teach;
pub(crate) mod words;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;

use super::known::{Knowing, Listed};
use super::labelled::ManyFolders;
use super::tell::{Event, Tell};
use super::{UsageError, files};
use crate::network::Network;
use crate::printable::Printable as _;
use crate::regular;
use crate::train::checkpoint;
use crate::train::fit::{Fit, Go};
use crate::train::pictures::Pictures;
use crate::train::split::Split;
use crate::verdict::Truth;

use export::Made;
use settings::{Settings, ends_in_onnx, require};

/// Fewest pictures of a class for training: below, nothing can be learnt or chosen by.
const LEAST: usize = 10;

/// What is asked of a training.
#[derive(Debug, Clone)]
pub struct Options {
    /// The pictures.
    pub folders: ManyFolders,
    /// ONNX file to write; its manifest gets the same name with `.yaml`.
    pub out: PathBuf,
    /// The network and how it is trained.
    pub settings: Settings,
    /// What is known of the pictures.
    pub knowing: Knowing,
    /// File that keeps the run's state after every epoch; without it, beside `out` with `.checkpoint`. Removed when the run is complete.
    pub checkpoint: Option<PathBuf>,
    /// Whether it goes on from the checkpoint of a run that was stopped.
    pub resume: bool,
    /// Score from which a part counts as defective, 0 to 1, instead of one that the validation pictures choose.
    pub threshold: Option<f32>,
    /// Licence of the pictures, for the manifest.
    pub licence: String,
    /// The command that asks for it as it was typed, for the manifest.
    pub command: String,
}

/// Trains, and writes the model. A `stop` ends the training early; the best so far is written.
///
/// # Errors
/// [`UsageError`] when settings, pictures or checkpoint do not allow the run; others when a file cannot be written.
pub fn run(options: &Options, stop: &AtomicBool, tell: Tell<'_>) -> anyhow::Result<()> {
    let network = check(options)?;
    let recipe = &options.settings.recipe;
    let known = options.knowing.read()?;
    let Listed { pictures: files, left_out, .. } = known.list(&options.folders, tell)?;
    let loaded = load::load(files, network.input(), options.settings.normalise, recipe, (stop, tell))?;
    loaded.tell_skipped(tell);
    if known.has_groups() {
        loaded.all_known()?;
    }
    let pictures = loaded.pictures;
    let split = recipe.split(&pictures, &(0..pictures.len()).collect::<Vec<_>>());
    enough(&pictures, &split)?;
    say_data(tell, &pictures, &split, loaded.skipped.len(), left_out);
    let normal = normal(&pictures, &split);
    say(
        tell,
        &format!(
            "network   {network}: {} parameters, {:.1} million multiply-adds a picture of {}x{} pixels",
            network.parameters(),
            network.multiply_adds() as f64 / 1e6,
            options.settings.size,
            options.settings.size
        ),
    );
    let plan = options.settings.plan(split.train.len());
    let mut fit = Fit::new(network.clone(), plan, &pictures, &split, normal);
    let file = checkpoint_file(options);
    if options.resume {
        resume(&mut fit, &network, &file, tell)?;
    }
    let complete = train(&mut fit, options.settings.epochs, Some(&file), (stop, tell))?;
    let nothing = || anyhow!("nothing was trained: the checkpoint has no epoch left to run and no best one");
    let best = fit.best().cloned().ok_or_else(nothing)?;
    let made = Made {
        out: &options.out,
        data: &options.folders.names(),
        licence: &options.licence,
        command: &options.command,
        normalise: options.settings.normalise,
        recipe,
        network: &network,
        pictures: &pictures,
        split: &split,
        normal,
        epochs: fit.epoch(),
        best,
        threshold: options.threshold,
    };
    made.write(&mut fit, tell)?;
    if complete {
        // Only a left-over: when it cannot be removed, nothing is lost.
        drop(std::fs::remove_file(&file));
    } else {
        say(tell, &format!("stopped early; `--resume` goes on from {}", file.shown()));
    }
    Ok(())
}

/// Mean and standard deviation of the training pixels, rounded so that the manifest holds the very numbers in few digits.
fn normal(pictures: &Pictures, split: &Split) -> (f32, f32) {
    let rounded = |value: f64| ((value * 1000.0).round() / 1000.0) as f32;
    let (mean, std) = pictures.grey_level(&split.train);
    (rounded(mean), rounded(std).max(0.001))
}

fn say(tell: Tell<'_>, line: &str) {
    tell(Event::Line(line));
}

fn checkpoint_file(options: &Options) -> PathBuf {
    options.checkpoint.clone().unwrap_or_else(|| options.out.with_extension("checkpoint"))
}

/// What can be refused before pictures are read.
fn check(options: &Options) -> anyhow::Result<Network> {
    let network = options.settings.network()?;
    ends_in_onnx(&options.out)?;
    files::try_out(&options.out)?;
    files::try_out(&checkpoint_file(options))?;
    Ok(network)
}

fn usage(text: String) -> anyhow::Error {
    UsageError(text).into()
}

fn enough(pictures: &Pictures, split: &Split) -> anyhow::Result<()> {
    for (truth, word) in [(Truth::Ok, "good"), (Truth::Defect, "defective")] {
        let all: Vec<usize> = (0..pictures.len()).collect();
        let count = pictures.count(&all, truth);
        require(count >= LEAST, || {
            format!(
                "only {count} usable pictures of {word} parts; at least {LEAST} are needed, some hundreds are better"
            )
        })?;
        for (part, of) in [("training", &split.train), ("validation", &split.validation)] {
            require(pictures.count(of, truth) > 0, || {
                format!(
                    "no picture of a {word} part is left for {part}: too many are the same, or of one photograph"
                )
            })?;
        }
    }
    Ok(())
}

fn say_data(tell: Tell<'_>, pictures: &Pictures, split: &Split, skipped: usize, left_out: usize) {
    let both = |of: &[usize]| {
        let defective = pictures.count(of, Truth::Defect);
        format!("{} ok, {defective} defective", of.len() - defective)
    };
    say(tell, &format!("pictures  {} read, {skipped} skipped, {left_out} left out", pictures.len()));
    say(tell, &format!("train     {}", both(&split.train)));
    say(tell, &format!("validate  {}", both(&split.validation)));
    if split.repeats > 0 {
        say(
            tell,
            &format!(
                "          {} pictures repeat another pixel for pixel; repeats stay on one side",
                split.repeats
            ),
        );
    }
    if split.conflicts > 0 {
        say(
            tell,
            &format!(
                "          {} pictures repeat one of the other class: a label is wrong",
                split.conflicts
            ),
        );
    }
    match split.leaks(pictures) {
        Some(0) => say(tell, "          no validation picture shows a photograph that is trained on"),
        Some(leaks) => say(
            tell,
            &format!(
                "          {leaks} validation pictures show a photograph that is trained on: figures are memory"
            ),
        ),
        None => {
            say(
                tell,
                "          copies of one photograph (turned, moved) are not looked for: where there are any, validation",
            );
            say(
                tell,
                "          figures are too good; `castgate audit` finds them, and --groups keeps them on one side",
            );
        }
    }
}

/// Largest checkpoint that is read, in bytes: the largest network that can be trained has a few MiB.
const LARGEST_CHECKPOINT: u64 = 1 << 30;

fn resume(fit: &mut Fit<'_>, network: &Network, file: &Path, tell: Tell<'_>) -> anyhow::Result<()> {
    let bytes = regular::read(file, LARGEST_CHECKPOINT)
        .map_err(|error| usage(format!("--resume: cannot read {}: {error}", file.shown())))?;
    let progress = checkpoint::decode(&bytes, network, fit.print())
        .map_err(|error| usage(format!("--resume: {} {error}", file.shown())))?;
    say(tell, &format!("resume    after epoch {}", progress.epoch));
    fit.resume(progress);
    Ok(())
}

/// Runs the epochs that are left, with a checkpoint after each where a file is given; `false` when it was stopped.
fn train(
    fit: &mut Fit<'_>,
    epochs: u32,
    file: Option<&Path>,
    (stop, tell): (&AtomicBool, Tell<'_>),
) -> anyhow::Result<bool> {
    tell(Event::Learning { epochs, done: fit.epoch(), steps: fit.steps() });
    let print = fit.print();
    while fit.epoch() < epochs {
        let report = fit.run_epoch(|step| {
            tell(Event::Step(step));
            if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On }
        });
        let Some(report) = report else {
            tell(Event::Learnt);
            return Ok(false);
        };
        tell(Event::Epoch(&report));
        if let Some(file) = file {
            files::write_whole(file, &checkpoint::encode(&fit.progress(), print))?;
        }
    }
    tell(Event::Learnt);
    Ok(true)
}
