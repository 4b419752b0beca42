//! `castgate prune`: makes a trained model smaller.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::recipe::Recipe;
use super::show::teller;
use super::typed;
use crate::commands::known::Knowing;
use crate::commands::labelled::ManyFolders;
use crate::commands::{ExitCode, stop_on_signal};
use crate::lab::train::prune;

/// Make a trained model smaller
///
/// Removes whole channels from a model that `castgate train` wrote, first those that matter least for the work they cost, and trains the
/// rest a little after each step. Writes the curve of quality against size (OUT.csv) and the smallest model whose errors on the
/// validation pictures cost at most --tolerance more than those of the first; a defective part that passes costs as much as ten good
/// ones that are rejected.
///
/// Ctrl-C ends it early and chooses among the complete steps.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate prune impeller.onnx --data pictures --out small.onnx
  castgate prune impeller.onnx --data pictures --out small.onnx --down-to 20 --epochs 8 --groups groups.csv

Exit codes: 0 made smaller, 1 nothing could be removed: no model was written, 2 the model, the pictures or the settings cannot be used,
3 a file cannot be read or written")]
pub(in crate::commands) struct Args {
    /// ONNX file of the model, or `demo` or `casting` for a built-in one
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,
    #[command(flatten)]
    folders: ManyFolders,
    /// ONNX file to write; its manifest gets the same name with `.yaml`, the curve with `.csv`
    #[arg(long, value_name = "OUT.onnx")]
    out: PathBuf,
    /// Stop at this share of the first model's multiply-adds, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=95))]
    down_to: u8,
    /// Share of the remaining multiply-adds to remove in each step, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 15, value_parser = clap::value_parser!(u8).range(1..=50))]
    step: u8,
    /// How much more errors on the validation pictures may cost than before, in good parts rejected for every hundred pictures
    #[arg(long, value_name = "POINTS", default_value_t = 0.5)]
    tolerance: f64,
    /// Passes over the training pictures after each step
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    #[command(flatten)]
    knowing: Knowing,
    #[command(flatten, next_help_heading = "Training after each step")]
    recipe: Recipe,
}

/// Runs the pruning.
///
/// # Errors
/// When settings or pictures do not allow it, the model is none of castgate's, or a file cannot be written.
pub(in crate::commands) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { model, folders, out, down_to, step, tolerance, epochs, knowing, recipe } = args;
    let options = prune::Options {
        model,
        folders: folders.into(),
        out,
        down_to,
        step,
        tolerance,
        epochs,
        knowing: knowing.into(),
        recipe: recipe.into(),
        command: typed(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    let written = prune::run(&options, &stop, &teller())?;
    Ok(if written { ExitCode::Ok } else { ExitCode::No })
}
