//! `castgate eval`: how well a model inspects a labelled folder, by the very code that inspects on the line.

mod report;
mod stress;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use super::labelled::Folders;
use super::{ExitCode, UsageError, print};
use crate::camera::picture::read_picture;
use crate::clock::{Clock, SystemClock};
use crate::config::manifest::Input;
use crate::decide::Policy;
use crate::frame::Frame;
use crate::model::{self, Classifier};
use crate::score::evaluation::{Answer, Evaluation, Row, Skipped};
use crate::verdict::{Reason, Verdict};
use crate::vision::{Inspection, Preprocessor};

/// Judge a folder of labelled pictures and say how often the model was right
///
/// Uses the very code that reads, prepares and judges frames on the line. Figures are for the pictures given: a model that was
/// trained on copies of them looks better than it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate eval --model models/casting.onnx --data casting/test --json eval.json
  castgate eval --model casting --data casting/test --stress --report casting.html

Exit codes: 0 judged, 2 the folder cannot be used, 3 the model cannot be used")]
pub(super) struct Args {
    /// ONNX file with its manifest beside it, or `demo` or `casting` for a built-in model
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Where the pictures are
    #[command(flatten)]
    folders: Folders,
    /// Score from which a part counts as defective, 0 to 1, instead of the manifest's
    #[arg(long, value_name = "SCORE", value_parser = super::probability)]
    threshold: Option<f32>,
    /// Write the figures as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Judge every picture again under changes of light, sharpness, framing, ground and JPEG quality, on all cores
    #[arg(long)]
    stress: bool,
    /// Say how often the model's heat maps point at the defect: --data must hold the places in labels.csv, as `draw` writes it
    #[arg(long)]
    locate: bool,
    #[command(flatten)]
    report: report::Args,
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

impl Judged {
    /// A picture that did not get as far as the model; `why` says what is wrong with it.
    fn unusable(why: String) -> Self {
        let verdict = Verdict::Reject(Reason::BadImage);
        Self { answer: Answer::Fault(why), verdict, sharpness: None, seconds: [0.0; 3] }
    }
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

    /// What the model takes.
    pub(super) fn input(&self) -> &Input {
        self.model.input()
    }

    /// The picture file that was judged last, and what the model was given of it; nothing when it did not get that far.
    pub(super) fn last(&self) -> (&Frame, &[f32]) {
        (&self.frame, &self.seen.tensors)
    }

    /// Judges the picture in a file; an error says why it cannot be read.
    pub(super) fn judge(&mut self, path: &std::path::Path) -> Result<Judged, String> {
        let begin = self.clock.now();
        let mut frame = std::mem::take(&mut self.frame);
        let read = read_picture(path, &mut frame).map_err(|error| error.to_string());
        let seconds = self.clock.now().seconds_since(begin);
        let judged = read.map(|()| self.judge_frame(&frame));
        self.frame = frame;
        let mut judged = judged?;
        judged.seconds[0] = seconds;
        Ok(judged)
    }

    /// Judges a picture in memory; its time for reading is 0.
    pub(super) fn judge_frame(&mut self, frame: &Frame) -> Judged {
        let read = self.clock.now();
        self.preprocessor.apply(frame, &mut self.seen);
        let prepared = self.clock.now();
        let (answer, verdict) = match self.seen.unusable {
            Some(reason) => (Answer::Fault(reason.name().to_owned()), Verdict::Reject(reason)),
            None => match self.model.score(&self.seen.tensors) {
                Ok(score) => (Answer::Score(score), self.policy.verdict(score)),
                Err(fault) => (Answer::Fault(fault.to_string()), Verdict::Reject(Reason::ModelFault)),
            },
        };
        let end = self.clock.now();
        let seconds = [0.0, prepared.seconds_since(read), end.seconds_since(prepared)];
        let sharpness = self.seen.sightings.first().map(|sighting| sighting.sharpness);
        Judged { answer, verdict, sharpness, seconds }
    }
}

/// Runs the command.
///
/// # Errors
/// When the model or the folder cannot be used, or the JSON file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let pictures = args.folders.list().map_err(|error| UsageError(format!("{error:#}")))?;
    // Opened first: a long evaluation must not end with a file that cannot be written.
    let json = args.json.as_ref().map(|path| super::create(path).map(|file| (path, file))).transpose()?;
    let report = args.report.create()?;
    let mut judge = Judge::new(&args.model, args.threshold)?;
    let (mut rows, mut spans, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    let begin = judge.clock.now();
    for picture in &pictures {
        match judge.judge(&picture.path) {
            Ok(Judged { answer, verdict, seconds, .. }) => {
                rows.push(Row { file: picture.name.clone(), truth: picture.truth, answer, verdict });
                spans.push(seconds);
            }
            Err(why) => {
                log::warn!("{} cannot be used: {why}", picture.path.display());
                skipped.push(Skipped { file: picture.name.clone(), why });
            }
        }
    }
    let seconds = judge.clock.now().seconds_since(begin);
    let mut evaluation = Evaluation::of(judge.info().name.clone(), judge.policy(), &rows, skipped, seconds);
    print(&evaluation.to_string())?;
    if args.locate {
        let located = super::heat::locate(&args.model, &args.folders.data, &pictures)?;
        print(&format!("\n{located}"))?;
    }
    if args.stress {
        let stress = stress::run(&args.model, args.threshold, &pictures)?;
        print(&format!("\n{stress}"))?;
        evaluation.stress = Some(stress);
    }
    if let Some(report) = report {
        let about = (judge.info(), args.folders.data.as_path());
        report.write(about, &pictures, &evaluation, (&rows, &spans))?;
    }
    if let Some((path, file)) = json {
        write_json(file, &evaluation).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::Ok)
}

fn write_json(mut file: File, evaluation: &Evaluation) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut file, evaluation)?;
    Ok(writeln!(file)?)
}
