//! `castgate eval`: how well a model inspects a labelled folder, by the very code that inspects on the line.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::known::Knowing;
use super::labelled::ManyFolders;
use super::progress::teller;
use super::train::{FoldArgs, run_folds};
use super::{ExitCode, print};
use crate::lab::eval;

/// Judge a folder of labelled pictures and say how often the model was right
///
/// Uses the same code as the line to read, prepare and judge pictures. If the model was trained on copies of these pictures, the
/// figures are too good: with --groups the report says how many of them show a photograph that the model was trained on; with --folds
/// models are trained and tested on photographs that have nothing in common.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate eval --model models/casting.onnx --data casting/test --json eval.json
  castgate eval --model parts.onnx --data parts/test --groups groups.csv --leave-out conflicts
  castgate eval --folds 5 --groups groups.csv --data casting/train casting/test --epochs 20 --work folds
  castgate eval --model casting --data casting/test --stress --report casting.html

Exit codes: 0 judged, 2 the folder or the groups cannot be used, 3 the model cannot be used")]
pub(super) struct Args {
    /// ONNX file with its manifest beside it, or `demo` or `casting` for a built-in model
    #[arg(long, value_name = "MODEL", required_unless_present = "folds")]
    model: Option<PathBuf>,
    /// Where the pictures are
    #[command(flatten)]
    folders: ManyFolders,
    #[command(flatten)]
    knowing: Knowing,
    /// Score from which a part counts as defective, 0 to 1, instead of the manifest's
    #[arg(long, value_name = "SCORE", value_parser = super::probability, conflicts_with = "folds")]
    threshold: Option<f32>,
    /// Write the figures as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Judge every picture again under changes of light, sharpness, framing, ground and JPEG quality, on all cores
    #[arg(long, conflicts_with = "folds")]
    stress: bool,
    /// Say how often the model's heat maps point at the defect; needs the places of defects in DATA/labels.csv, as `draw` writes it
    #[arg(long, conflicts_with = "folds")]
    locate: bool,
    /// Also judge the pictures in this folder, which show other things, and say how many of them are unfamiliar to the model
    #[arg(long, value_name = "DIR", conflicts_with = "folds")]
    foreign: Option<PathBuf>,
    /// Write a report as one HTML file with curves, mistakes and their pictures; it needs no network
    #[arg(long, value_name = "FILE.html", conflicts_with = "folds")]
    report: Option<PathBuf>,
    // Last: its heading is that of every option behind it.
    #[command(flatten)]
    folds: FoldArgs,
}

/// Runs the command.
///
/// # Errors
/// When the model or the folder cannot be used, or a file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { model, folders, knowing, threshold, json, stress, locate, foreign, report, folds } = args;
    let (folders, knowing) = (folders.into(), knowing.into());
    let Some(model) = model.filter(|_| folds.folds.is_none()) else {
        print(&run_folds(folds, folders, knowing, json)?.to_string())?;
        return Ok(ExitCode::Ok);
    };
    let options = eval::Options { model, folders, knowing, threshold, stress, locate, foreign, report, json };
    let evaluation = eval::run(&options, &teller())?;
    let mut text = evaluation.to_string();
    // Writing to a text cannot fail, here and below.
    if let Some(located) = &evaluation.located {
        let _ = write!(text, "\n{located}");
    }
    if let Some(stress) = &evaluation.stress {
        let _ = write!(text, "\n{stress}");
    }
    if let Some(foreign) = &evaluation.foreign {
        let _ = write!(text, "\n{foreign}");
    }
    // Last: a reader that goes away must not cost the files.
    print(&text)?;
    Ok(ExitCode::Ok)
}
