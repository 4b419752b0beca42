//! `castgate train`: trains a tapered network on labelled pictures and writes it with its manifest.
//!
//! Owns its arguments; the other commands that train have a file each beside it.

mod folds;
mod keys;
pub(super) mod prune;
mod recipe;
mod show;
pub(super) mod taper;
pub(super) mod teach;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::known::Knowing;
use super::labelled::ManyFolders;
use super::{ExitCode, stop_on_signal};
use crate::lab::train;
use crate::lab::train::words::quoted;

use recipe::Settings;
use show::teller;

pub(super) use folds::{FoldArgs, WITH_FOLDS, run_folds};

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
/// When settings, pictures or checkpoint do not allow the run, or a file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { folders, out, settings, knowing, checkpoint, resume, threshold, licence } = args;
    let options = train::Options {
        folders: folders.into(),
        out,
        settings: settings.into(),
        knowing: knowing.into(),
        checkpoint,
        resume,
        threshold,
        licence,
        command: typed(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    train::run(&options, &stop, &teller())?;
    Ok(ExitCode::Ok)
}

/// The command as it was typed, but for the program's folder.
fn typed() -> String {
    let words = std::env::args_os().skip(1).map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("castgate".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
