//! `castgate eval`: how well a model inspects a labelled folder, by the very code that inspects on the line.

use std::collections::HashSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use super::known::{Knowing, Known};
use super::labelled::{Labelled, ManyFolders, short_name};
use super::train::{FoldArgs, run_folds};
use super::{ExitCode, UsageError, print};
use crate::camera::picture::read_picture;
use crate::clock::{Clock, SystemClock};
use crate::decide::Policy;
use crate::frame::Frame;
use crate::model::{self, Classifier};
use crate::score::evaluation::{Answer, Evaluation, Row, Skipped, Tested};
use crate::verdict::{Reason, Verdict};
use crate::vision::{Inspection, Preprocessor};

/// Judge a folder of labelled pictures and say how often the model was right
///
/// Uses the very code that reads, prepares and judges frames on the line. Figures are for the pictures given: a model that was
/// trained on copies of them looks better than it is. With --groups the report says how many of them show a photograph that the
/// model was trained on; with --folds models are trained and tested on photographs that have nothing in common.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate eval --model models/casting.onnx --data casting/test --json eval.json
  castgate eval --model parts.onnx --data parts/test --groups groups.csv --leave-out conflicts
  castgate eval --folds 5 --groups groups.csv --data casting/train casting/test --epochs 20 --work folds

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
    #[command(flatten)]
    folds: FoldArgs,
}

/// One picture at a time: file, preprocessing, model, verdict.
pub(super) struct Judge {
    model: Box<dyn Classifier>,
    preprocessor: Preprocessor,
    policy: Policy,
    clock: Arc<dyn Clock>,
    frame: Frame,
    seen: Inspection,
}

/// What [`Judge::judge`] found.
pub(super) struct Judged {
    pub answer: Answer,
    pub verdict: Verdict,
    /// Sharpness of what the model saw, in grey levels; see `preprocess.min_sharpness`.
    pub sharpness: Option<f32>,
    /// Seconds for reading and decoding, preprocessing, and the model.
    pub seconds: [f64; 3],
}

impl Judge {
    pub(super) fn new(model: &std::path::Path, threshold: Option<f32>) -> anyhow::Result<Self> {
        let model = model::open(model)?;
        let info = model.info();
        let policy = Policy { threshold: threshold.unwrap_or(info.threshold), unsure: info.unsure };
        let preprocessor = Preprocessor::for_pictures(model.input());
        let clock = Arc::new(SystemClock);
        Ok(Self { model, preprocessor, policy, clock, frame: Frame::default(), seen: Inspection::default() })
    }

    pub(super) fn info(&self) -> &model::ModelInfo {
        self.model.info()
    }

    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Judges the picture in a file; an error says why it cannot be read.
    pub(super) fn judge(&mut self, path: &std::path::Path) -> Result<Judged, String> {
        let begin = self.clock.now();
        read_picture(path, &mut self.frame).map_err(|error| error.to_string())?;
        let read = self.clock.now();
        self.preprocessor.apply(&self.frame, &mut self.seen);
        let prepared = self.clock.now();
        let (answer, verdict) = match self.seen.unusable {
            Some(reason) => (Answer::Fault(reason.name().to_owned()), Verdict::Reject(reason)),
            None => match self.model.score(&self.seen.tensors) {
                Ok(score) => (Answer::Score(score), self.policy.verdict(score)),
                Err(fault) => (Answer::Fault(fault.to_string()), Verdict::Reject(Reason::ModelFault)),
            },
        };
        let end = self.clock.now();
        let seconds = [read.seconds_since(begin), prepared.seconds_since(read), end.seconds_since(prepared)];
        let sharpness = self.seen.sightings.first().map(|sighting| sighting.sharpness);
        Ok(Judged { answer, verdict, sharpness, seconds })
    }
}

/// Runs the command.
///
/// # Errors
/// When the model or the folder cannot be used, or the JSON file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let known = args.knowing.read()?;
    let (pictures, left_out) = list(&args.folders, &known)?;
    let data: Vec<String> = args.folders.data.iter().map(|folder| short_name(folder)).collect();
    let data = data.join(" and ");
    // Opened first: a long evaluation must not end with a file that cannot be written.
    let json = args.json.map(|path| super::create(&path).map(|file| (path, file))).transpose()?;
    match &args.model {
        Some(model) if args.folds.folds.is_none() => {
            let judge = Judge::new(model, args.threshold)?;
            finish(&judge_all(judge, pictures, &known, data, left_out), json)
        }
        _ => finish(&run_folds(&args.folds, pictures, &data, left_out)?, json),
    }
}

/// The pictures of all folders with their photographs, and how many were left out. With several folders their names tell the folder.
fn list(folders: &ManyFolders, known: &Known) -> anyhow::Result<(Vec<Labelled>, usize)> {
    let (mut all, mut left_out) = (Vec::new(), 0);
    for folders in folders.each() {
        let pictures = folders.list().map_err(|error| UsageError(format!("{error:#}")))?;
        let (mut pictures, less) = known.apply(&folders.data, pictures)?;
        left_out += less;
        all.push((short_name(&folders.data), std::mem::take(&mut pictures)));
    }
    let several = all.len() > 1;
    let named = |(folder, pictures): (String, Vec<Labelled>)| {
        pictures.into_iter().map(move |mut picture| {
            if several {
                picture.name = format!("{folder}/{}", picture.name);
            }
            picture
        })
    };
    Ok((all.into_iter().flat_map(named).collect(), left_out))
}

fn judge_all(
    mut judge: Judge,
    pictures: Vec<Labelled>,
    known: &Known,
    split: String,
    left_out: usize,
) -> Evaluation {
    let trained: Option<HashSet<u64>> = known.groups_of(&judge.info().trained_on);
    let (mut rows, mut skipped) = (Vec::new(), Vec::new());
    let mut leaks = Some(0);
    let begin = judge.clock.now();
    for picture in pictures {
        match judge.judge(&picture.path) {
            Ok(judged) => {
                let shared = trained.as_ref().zip(picture.group).map(|(trained, g)| trained.contains(&g));
                leaks = leaks.zip(shared).map(|(leaks, shared)| leaks + u64::from(shared));
                rows.push(Row {
                    file: picture.name,
                    truth: picture.truth,
                    answer: judged.answer,
                    verdict: judged.verdict,
                });
            }
            Err(why) => {
                log::warn!("{} cannot be used: {why}", picture.path.display());
                skipped.push(Skipped { file: picture.name, why });
            }
        }
    }
    let seconds = judge.clock.now().seconds_since(begin);
    if leaks.is_none() && known.has_groups() {
        log::warn!(
            "--groups does not know all of these pictures, or not `{}`, on which the model was trained",
            judge.info().trained_on
        );
    }
    let tested = Tested { split, leaks, left_out: left_out as u64 };
    Evaluation::of(judge.info().name.clone(), judge.policy(), tested, &rows, skipped, seconds)
}

fn finish(
    figures: &(impl std::fmt::Display + serde::Serialize),
    json: Option<(PathBuf, File)>,
) -> anyhow::Result<ExitCode> {
    if let Some((path, file)) = json {
        super::write_json(file, figures).with_context(|| format!("cannot write {}", path.display()))?;
    }
    // Last: a reader that goes away must not cost the file.
    print(&figures.to_string())?;
    Ok(ExitCode::Ok)
}
