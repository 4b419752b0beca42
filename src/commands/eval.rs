//! `castgate eval`: how well a model inspects a labelled folder, by the very code that inspects on the line.

mod foreign;
mod report;
mod stress;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::files::{try_out, write_json};
use super::known::{Knowing, Known, Listed};
use super::labelled::{Labelled, ManyFolders};
use super::train::{FoldArgs, run_folds};
use super::{ExitCode, UsageError, print};
use crate::lab::judge::{Judge, Judged};
use crate::printable::Printable as _;
use crate::score::evaluation::{Evaluation, Skipped, Tested};
use crate::score::row::Row;

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
    #[command(flatten)]
    report: report::Args,
    // Last: its heading is that of every option behind it.
    #[command(flatten)]
    folds: FoldArgs,
}

/// Runs the command.
///
/// # Errors
/// When the model or the folder cannot be used, or the JSON file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let known = args.knowing.read()?;
    let Listed { pictures, left_out, left } = known.list(&args.folders)?;
    let data = args.folders.names();
    // Tried first: a long evaluation must not end with a file that cannot be written.
    let json = args.json.as_deref();
    json.map(try_out).transpose()?;
    args.report.try_out()?;
    let Some(model) = args.model.as_deref().filter(|_| args.folds.folds.is_none()) else {
        let mut folds = run_folds(&args.folds, pictures, &data, left_out)?;
        folds.left_aside = left;
        return finish(&folds, "", json);
    };
    let mut judge = Judge::new(model, args.threshold)?;
    let (mut evaluation, rows, spans) = judge_all(&mut judge, &pictures, &known, data, left_out);
    evaluation.left_aside = left;
    let mut more = String::new();
    if args.locate {
        let [folder] = args.folders.data.as_slice() else {
            return Err(UsageError("--locate needs one --data folder, with its labels.csv".to_owned()).into());
        };
        // Writing to a text cannot fail, here and below.
        let located = super::heat::locate(model, folder, &pictures)?;
        let _ = write!(more, "\n{located}");
        evaluation.located = Some(located);
    }
    if args.stress {
        let stress = stress::run(model, args.threshold, &pictures)?;
        let _ = write!(more, "\n{stress}");
        evaluation.stress = Some(stress);
    }
    if let Some(folder) = &args.foreign {
        let foreign = foreign::judge(&mut judge, folder, &rows, &mut evaluation.left_aside)?;
        let _ = write!(more, "\n{foreign}");
        evaluation.foreign = Some(foreign);
    }
    args.report.write(judge.info(), &pictures, &evaluation, (&rows, &spans))?;
    finish(&evaluation, &more, json)
}

/// Judges every picture; what was said of each, and the seconds that it took.
fn judge_all(
    judge: &mut Judge,
    pictures: &[Labelled],
    known: &Known,
    split: String,
    left_out: usize,
) -> (Evaluation, Vec<Row>, Vec<[f64; 3]>) {
    let trained: Option<HashSet<u64>> = known.groups_of(&judge.info().trained_on);
    let (mut rows, mut spans, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let mut leaks = Some(0);
    let begin = judge.now();
    for picture in pictures {
        match judge.judge(&picture.path) {
            Ok(Judged { answer, verdict, seconds, unlike, .. }) => {
                let shared = trained.as_ref().zip(picture.group).map(|(trained, g)| trained.contains(&g));
                leaks = leaks.zip(shared).map(|(leaks, shared)| leaks + u64::from(shared));
                let (file, truth) = (picture.name.clone(), picture.truth);
                rows.push(Row { file, truth, answer, verdict, unlike });
                spans.push(seconds);
            }
            Err(why) => {
                log::warn!("{} cannot be used: {why}", picture.path.shown());
                skipped.push(Skipped { file: picture.name.clone(), why });
            }
        }
    }
    let seconds = judge.now().seconds_since(begin);
    if leaks.is_none() && known.has_groups() {
        log::warn!(
            "--groups does not know all of these pictures, or not `{}`, on which the model was trained",
            judge.info().trained_on
        );
    }
    let tested = Tested { split, leaks, left_out: left_out as u64 };
    let name = judge.info().name.clone();
    (Evaluation::of(name, judge.policy(), tested, &rows, skipped, seconds), rows, spans)
}

/// Writes the file, then says the figures and what there is beside them.
fn finish(
    figures: &(impl std::fmt::Display + serde::Serialize),
    more: &str,
    json: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    if let Some(path) = json {
        write_json(path, figures)?;
    }
    // Last: a reader that goes away must not cost the file.
    print(&format!("{figures}{more}"))?;
    Ok(ExitCode::Ok)
}
