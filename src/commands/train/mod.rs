//! `castgate train`: trains a tapered network on labelled pictures and writes it with its manifest.
//!
//! Owns the order of a training run; reading, showing and writing have a file each.

mod export;
mod folds;
mod load;
mod progress;
pub(super) mod prune;
mod settings;
pub(super) mod taper;
pub(super) mod teach;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;

use super::known::{Knowing, Listed};
use super::labelled::ManyFolders;
use super::{ExitCode, UsageError, files, print, stop_on_signal};
use crate::network::Network;
use crate::printable::Printable as _;
use crate::regular;
use crate::train::checkpoint;
use crate::train::fit::{Fit, Go};
use crate::train::pictures::Pictures;
use crate::train::split::Split;
use crate::verdict::Truth;

use export::Made;
use progress::Show;
use settings::{ends_in_onnx, require};

pub(super) use folds::{FoldArgs, WITH_FOLDS, run_folds};
pub(super) use settings::Settings;

/// Fewest pictures of a class for training: below, nothing can be learnt or chosen by.
const LEAST: usize = 10;

/// Train a model on labelled pictures
///
/// Reads a folder of pictures of good parts and one of defective parts, trains a small tapered network on this
/// computer's processor, and writes it as ONNX with a manifest beside it (MODEL.onnx and MODEL.yaml). Some of the
/// pictures are kept for validation: they choose the best epoch and the threshold.
///
/// Ctrl-C ends the training early and writes the best model so far. The same pictures, settings and number of
/// threads give the same model on the same machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate train --data pictures --out impeller.onnx
  castgate train --data pictures --ok good --defect crack --defect 'hole*' --out impeller.onnx --epochs 80
  castgate train --data pictures --out small.onnx --network 8np-8p-8n-d16 --size 96
  castgate train --data pictures --out impeller.onnx --resume    go on after Ctrl-C
  castgate train --data pictures --out impeller.onnx --groups groups.csv --leave-out conflicts

Exit codes: 0 trained, 2 the pictures or the settings cannot be used, 3 a file cannot be written")]
pub(super) struct Args {
    #[command(flatten)]
    folders: ManyFolders,
    /// ONNX file to write; its manifest gets the same name with `.yaml`
    #[arg(long, value_name = "MODEL.onnx")]
    out: PathBuf,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    knowing: Knowing,
    /// File for the state of the run after every epoch; without it, MODEL.checkpoint. Removed when the run is complete
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Go on from the checkpoint of a run that was stopped
    #[arg(long)]
    resume: bool,
    /// Score from which a part counts as defective; without it, the validation pictures choose. Take what `eval --folds` recommends for
    /// this way of training
    #[arg(long, value_name = "SCORE", value_parser = crate::commands::probability)]
    threshold: Option<f32>,
    /// Licence of the pictures, for the manifest
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    licence: String,
}

/// Runs the training.
///
/// # Errors
/// [`UsageError`] when settings, pictures or checkpoint do not allow the run; others when a file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let args = &args;
    let network = check(args)?;
    let recipe = &args.settings.recipe;
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    let known = args.knowing.read()?;
    let Listed { pictures: files, left_out, .. } = known.list(&args.folders)?;
    let loaded = load::load(files, network.input(), args.settings.normalise, recipe, &stop)?;
    loaded.tell_skipped();
    if known.has_groups() {
        loaded.all_known()?;
    }
    let pictures = loaded.pictures;
    let split = recipe.split(&pictures, &(0..pictures.len()).collect::<Vec<_>>());
    enough(&pictures, &split)?;
    say_data(&pictures, &split, loaded.skipped.len(), left_out);
    let normal = normal(&pictures, &split);
    say(&format!(
        "network   {network}: {} parameters, {:.1} million multiply-adds a picture of {}x{} pixels",
        network.parameters(),
        network.multiply_adds() as f64 / 1e6,
        args.settings.size,
        args.settings.size
    ));
    let plan = args.settings.plan(split.train.len());
    let mut fit = Fit::new(network.clone(), plan, &pictures, &split, normal);
    let file = checkpoint_file(args);
    if args.resume {
        resume(&mut fit, &network, &file)?;
    }
    let complete = train(&mut fit, args.settings.epochs, Some(&file), &stop)?;
    let nothing = || anyhow!("nothing was trained: the checkpoint has no epoch left to run and no best one");
    let best = fit.best().cloned().ok_or_else(nothing)?;
    let made = Made {
        out: &args.out,
        data: &args.folders.names(),
        licence: &args.licence,
        normalise: args.settings.normalise,
        recipe,
        network: &network,
        pictures: &pictures,
        split: &split,
        normal,
        epochs: fit.epoch(),
        best,
        threshold: args.threshold,
    };
    made.write(&mut fit)?;
    if complete {
        // Only a left-over: when it cannot be removed, nothing is lost.
        drop(std::fs::remove_file(&file));
    } else {
        say(&format!("stopped early; `--resume` goes on from {}", file.shown()));
    }
    Ok(ExitCode::Ok)
}

/// Mean and standard deviation of the training pixels, rounded so that the manifest holds the very numbers in few digits.
fn normal(pictures: &Pictures, split: &Split) -> (f32, f32) {
    let rounded = |value: f64| ((value * 1000.0).round() / 1000.0) as f32;
    let (mean, std) = pictures.grey_level(&split.train);
    (rounded(mean), rounded(std).max(0.001))
}

/// A line on standard output. A reader that went away (`| head`) must not cost the model that was trained for hours.
fn say(line: &str) {
    let _ = print(&format!("{line}\n"));
}

fn checkpoint_file(args: &Args) -> PathBuf {
    args.checkpoint.clone().unwrap_or_else(|| args.out.with_extension("checkpoint"))
}

/// What can be refused before pictures are read.
fn check(args: &Args) -> anyhow::Result<Network> {
    let network = args.settings.network()?;
    ends_in_onnx(&args.out)?;
    files::try_out(&args.out)?;
    files::try_out(&checkpoint_file(args))?;
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

fn say_data(pictures: &Pictures, split: &Split, skipped: usize, left_out: usize) {
    let both = |of: &[usize]| {
        let defective = pictures.count(of, Truth::Defect);
        format!("{} ok, {defective} defective", of.len() - defective)
    };
    say(&format!("pictures  {} read, {skipped} skipped, {left_out} left out", pictures.len()));
    say(&format!("train     {}", both(&split.train)));
    say(&format!("validate  {}", both(&split.validation)));
    if split.repeats > 0 {
        say(&format!(
            "          {} pictures repeat another pixel for pixel; repeats stay on one side",
            split.repeats
        ));
    }
    if split.conflicts > 0 {
        say(&format!(
            "          {} pictures repeat one of the other class: a label is wrong",
            split.conflicts
        ));
    }
    match split.leaks(pictures) {
        Some(0) => say("          no validation picture shows a photograph that is trained on"),
        Some(leaks) => say(&format!(
            "          {leaks} validation pictures show a photograph that is trained on: figures are memory"
        )),
        None => {
            say(
                "          copies of one photograph (turned, moved) are not looked for: where there are any, validation",
            );
            say(
                "          figures are too good; `castgate audit` finds them, and --groups keeps them on one side",
            );
        }
    }
}

/// Largest checkpoint that is read, in bytes: the largest network that can be trained has a few MiB.
const LARGEST_CHECKPOINT: u64 = 1 << 30;

fn resume(fit: &mut Fit<'_>, network: &Network, file: &Path) -> anyhow::Result<()> {
    let bytes = regular::read(file, LARGEST_CHECKPOINT)
        .map_err(|error| usage(format!("--resume: cannot read {}: {error}", file.shown())))?;
    let progress = checkpoint::decode(&bytes, network, fit.print())
        .map_err(|error| usage(format!("--resume: {} {error}", file.shown())))?;
    say(&format!("resume    after epoch {}", progress.epoch));
    fit.resume(progress);
    Ok(())
}

/// Runs the epochs that are left, with a checkpoint after each where a file is given; `false` when it was stopped.
fn train(fit: &mut Fit<'_>, epochs: u32, file: Option<&Path>, stop: &AtomicBool) -> anyhow::Result<bool> {
    let mut show = Show::new(epochs, fit.epoch(), fit.steps());
    let print = fit.print();
    while fit.epoch() < epochs {
        let report = fit.run_epoch(|step| {
            show.step(step);
            if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On }
        });
        let Some(report) = report else {
            show.end();
            return Ok(false);
        };
        show.epoch(&report);
        if let Some(file) = file {
            files::write_whole(file, &checkpoint::encode(&fit.progress(), print))?;
        }
    }
    show.end();
    Ok(true)
}
