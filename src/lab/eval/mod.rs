//! The evaluation: how well a model inspects labelled pictures, by the very code that inspects on the line.

mod foreign;
mod report;
mod stress;

use std::collections::HashSet;
use std::path::PathBuf;

use super::UsageError;
use super::files::{try_out, write_json};
use super::heat;
use super::judge::{Judge, Judged};
use super::known::{Knowing, Known, Listed};
use super::labelled::{Labelled, ManyFolders};
use super::tell::Tell;
use crate::printable::Printable as _;
use crate::score::evaluation::{Evaluation, Skipped, Tested};
use crate::score::row::Row;

/// What is asked of an evaluation.
#[derive(Debug, Clone)]
pub struct Options {
    /// ONNX file with its manifest beside it, or the name of a built-in model.
    pub model: PathBuf,
    /// The pictures.
    pub folders: ManyFolders,
    /// What is known of them.
    pub knowing: Knowing,
    /// Score from which a part counts as defective, 0 to 1, instead of the manifest's.
    pub threshold: Option<f32>,
    /// Whether every picture is judged again under alterations as a line may bring them.
    pub stress: bool,
    /// Whether the heat maps of defective parts are compared with the places of defects in `labels.csv`.
    pub locate: bool,
    /// Folder of pictures of other things, which the model should know to be unfamiliar.
    pub foreign: Option<PathBuf>,
    /// Where a page with curves, mistakes and their pictures is written to.
    pub report: Option<PathBuf>,
    /// Where the figures are written to as JSON.
    pub json: Option<PathBuf>,
}

/// Judges the pictures and writes the files that are asked for.
///
/// # Errors
/// [`UsageError`] when folders or groups cannot be used; others when the model cannot be used, or a file cannot be written.
pub fn run(options: &Options, tell: Tell<'_>) -> anyhow::Result<Evaluation> {
    let known = options.knowing.read()?;
    let Listed { pictures, left_out, left } = known.list(&options.folders, tell)?;
    // Tried first: a long evaluation must not end with a file that cannot be written.
    for path in [&options.json, &options.report].into_iter().flatten() {
        try_out(path)?;
    }
    let model = options.model.as_path();
    let mut judge = Judge::new(model, options.threshold)?;
    let (mut evaluation, rows, spans) =
        judge_all(&mut judge, &pictures, &known, options.folders.names(), left_out);
    evaluation.left_aside = left;
    if options.locate {
        let [folder] = options.folders.data.as_slice() else {
            return Err(UsageError("--locate needs one --data folder, with its labels.csv".to_owned()).into());
        };
        evaluation.located = Some(heat::locate(model, folder, &pictures)?);
    }
    if options.stress {
        evaluation.stress = Some(stress::run(model, options.threshold, &pictures, tell)?);
    }
    if let Some(folder) = &options.foreign {
        let foreign = foreign::judge(&mut judge, folder, &rows, &mut evaluation.left_aside, tell)?;
        evaluation.foreign = Some(foreign);
    }
    if let Some(path) = &options.report {
        report::write(path, judge.info(), &pictures, &evaluation, (&rows, &spans))?;
    }
    if let Some(path) = &options.json {
        write_json(path, &evaluation)?;
    }
    Ok(evaluation)
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
    let begin = judge.clock().now();
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
    let seconds = judge.clock().now().seconds_since(begin);
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
