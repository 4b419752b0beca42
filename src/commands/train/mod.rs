//! `castgate train`: trains a tapered network on labelled pictures and writes it with its manifest.
//!
//! Owns the order of a training run; reading, showing and writing have a file each.

mod export;
mod load;
mod progress;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow};

use super::labelled::Folders;
use super::{ExitCode, UsageError, files, print};
use crate::kernels::MapSize;
use crate::service::signals::{SignalWatch, end_at_once};
use crate::train::augment::Augment;
use crate::train::fit::{Fit, Go, Plan};
use crate::train::network::TAPERED;
use crate::train::pictures::{Pictures, Split};
use crate::train::{Network, checkpoint};
use crate::verdict::Truth;

use export::Made;
use progress::Show;

/// Fewest pictures of a class for training: below, nothing can be learnt or chosen by.
const LEAST: usize = 10;

/// Trains a model on labelled pictures
///
/// Reads a folder of pictures of good parts and one of defective parts, trains a small tapered network on this
/// computer's processor, and writes it as ONNX with a manifest beside it (MODEL.onnx and MODEL.yaml). A part of the
/// pictures is kept for validation: by it the best epoch and the threshold are chosen.
///
/// Ctrl-C ends the training early; the best so far is kept and written. The same pictures, settings and number of
/// threads give the same model on the same machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate train --data pictures --out impeller.onnx
  castgate train --data pictures --ok good --defect bad --out impeller.onnx --epochs 80
  castgate train --data pictures --out small.onnx --network 8np-8p-8n-d16 --size 96
  castgate train --data pictures --out impeller.onnx --resume    go on after Ctrl-C

Exit codes: 0 trained, 2 the pictures or the settings do not do, 3 a file cannot be written")]
pub(super) struct Args {
    #[command(flatten)]
    folders: Folders,
    /// ONNX file to write; its manifest gets the same name with `.yaml`
    #[arg(long, value_name = "MODEL.onnx")]
    out: PathBuf,
    /// The network: convolutions as CHANNELS with `n` for batch normalisation and `p` for pooling, then `d` and the
    /// units of the dense layer
    #[arg(long, value_name = "LAYERS", default_value = TAPERED)]
    network: String,
    /// Side of the square picture that the network sees, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 128, value_parser = clap::value_parser!(u16).range(8..=512))]
    size: u16,
    /// Passes over the training pictures
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Pictures for one training step
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..=1024))]
    batch: u16,
    /// Greatest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 0.003)]
    rate: f64,
    /// Seed of everything random: split, weights, order and changes of the pictures
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Changes to the training pictures: `none`, `flips` (flips and quarter turns), or `full` (framing and light too)
    #[arg(long, value_name = "KIND", default_value = "full")]
    augment: Augment,
    /// Draws labels towards 0.5 by this share, 0 to 0.5: makes scores less sure and wrong labels less harmful
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    smoothing: f64,
    /// Share of the pictures kept for validation, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(5..=50))]
    validation: u8,
    /// Threads; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// File that keeps the run's state after every epoch; without it, MODEL.checkpoint. Removed when the run is complete
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Goes on from the checkpoint of a run that was stopped
    #[arg(long)]
    resume: bool,
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
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    let _watch = SignalWatch::start(move || asked.store(true, Ordering::Relaxed), end_at_once)
        .context("cannot listen for Ctrl-C")?;
    let files = args.folders.list().map_err(|error| usage(format!("{error:#}")))?;
    let loaded = load::load(files, network.input(), threads(args))?;
    for (name, error) in &loaded.skipped {
        eprintln!("skipped {name}: {error}");
    }
    let pictures = loaded.pictures;
    let split = Split::new(&pictures, f64::from(args.validation) / 100.0, args.seed);
    enough(&pictures, &split)?;
    say_data(&pictures, &split, loaded.skipped.len());
    // Rounded, so that the manifest holds the very numbers in few digits.
    let rounded = |value: f64| ((value * 1000.0).round() / 1000.0) as f32;
    let (mean, std) = pictures.grey_level(&split.train);
    let normal = (rounded(mean), rounded(std).max(0.001));
    let plan = Plan {
        epochs: args.epochs,
        batch: usize::from(args.batch).min(split.train.len()),
        rate: args.rate,
        seed: args.seed,
        augment: args.augment,
        smoothing: args.smoothing,
        threads: threads(args),
    };
    say(&format!(
        "network   {network}: {} parameters, {:.1} million multiply-adds a picture of {}x{} pixels",
        network.parameters(),
        network.multiply_adds() as f64 / 1e6,
        args.size,
        args.size
    ));
    let mut fit = Fit::new(network.clone(), plan, &pictures, &split, normal);
    let file = args.checkpoint.clone().unwrap_or_else(|| args.out.with_extension("checkpoint"));
    if args.resume {
        resume(&mut fit, &network, &file)?;
    }
    let complete = train(&mut fit, args, &file, &stop)?;
    let nothing = || anyhow!("nothing was trained: the checkpoint has no epoch left to run and no best one");
    let best = fit.best().cloned().ok_or_else(nothing)?;
    let made = Made {
        args,
        network: &network,
        pictures: &pictures,
        split: &split,
        normal,
        epochs: fit.epoch(),
        best,
    };
    made.write(&mut fit)?;
    if complete {
        // Only a left-over: when it cannot be removed, nothing is lost.
        drop(std::fs::remove_file(&file));
    } else {
        say(&format!("stopped early; `--resume` goes on from {}", file.display()));
    }
    Ok(ExitCode::Ok)
}

/// A line on standard output. A reader that went away (`| head`) must not cost the model that was trained for hours.
fn say(line: &str) {
    let _ = print(&format!("{line}\n"));
}

fn threads(args: &Args) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(256);
    args.threads.map_or_else(cores, usize::from)
}

/// What can be refused before pictures are read.
fn check(args: &Args) -> anyhow::Result<Network> {
    let side = usize::from(args.size);
    let network = Network::parse(&args.network, MapSize { height: side, width: side })
        .map_err(|error| usage(format!("--network: {error}")))?;
    require(args.rate > 0.0 && args.rate <= 1.0, || format!("--rate {} is outside 0 to 1", args.rate))?;
    let smoothing = args.smoothing;
    require((0.0..=0.5).contains(&smoothing), || format!("--smoothing {smoothing} is outside 0 to 0.5"))?;
    let is_onnx = args.out.extension().is_some_and(|extension| extension == "onnx");
    require(is_onnx, || format!("--out {} must end in `.onnx`", args.out.display()))?;
    files::try_out(&args.out)?;
    Ok(network)
}

fn usage(text: String) -> anyhow::Error {
    UsageError(text).into()
}

fn require(holds: bool, problem: impl FnOnce() -> String) -> anyhow::Result<()> {
    if holds { Ok(()) } else { Err(usage(problem())) }
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
                    "no picture of a {word} part is left for {part}: too many are the same pixel for pixel"
                )
            })?;
        }
    }
    Ok(())
}

fn say_data(pictures: &Pictures, split: &Split, skipped: usize) {
    let both = |of: &[usize]| {
        let defective = pictures.count(of, Truth::Defect);
        format!("{} ok, {defective} defective", of.len() - defective)
    };
    say(&format!("pictures  {} read, {skipped} skipped", pictures.len()));
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
    say("          near repeats (the same part turned or moved) are not looked for: where there are any,");
    say("          validation figures are too good");
}

fn resume(fit: &mut Fit<'_>, network: &Network, file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file)
        .map_err(|error| usage(format!("--resume: cannot read {}: {error}", file.display())))?;
    let progress = checkpoint::decode(&bytes, network, fit.print())
        .map_err(|error| usage(format!("--resume: {} {error}", file.display())))?;
    say(&format!("resume    after epoch {}", progress.epoch));
    fit.resume(progress);
    Ok(())
}

/// Runs the epochs that are left; `false` when it was stopped.
fn train(fit: &mut Fit<'_>, args: &Args, file: &Path, stop: &AtomicBool) -> anyhow::Result<bool> {
    let mut show = Show::new(args.epochs, fit.epoch(), fit.steps());
    let print = fit.print();
    while fit.epoch() < args.epochs {
        let report = fit.run_epoch(|step| {
            show.step(step);
            if stop.load(Ordering::Relaxed) { Go::Stop } else { Go::On }
        });
        let Some(report) = report else {
            show.end();
            return Ok(false);
        };
        show.epoch(&report);
        files::write_whole(file, &checkpoint::encode(&fit.progress(), print))?;
    }
    show.end();
    Ok(true)
}
