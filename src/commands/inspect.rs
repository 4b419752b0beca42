//! `castgate inspect`: the verdict on single pictures.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;

use super::labelled::tell_left;
use super::seen;
use super::{ExitCode, UsageError, print};
use crate::album::names::FORMATS;
use crate::folder;
use crate::lab::files::try_out;
use crate::lab::heat::{Grid, Heat};
use crate::lab::judge::{Judge, Judged};
use crate::printable::Printable as _;
use crate::score::row::Answer;
use crate::verdict::Verdict;

/// Judge single pictures of parts
///
/// Prints a line for each: verdict, score, and the milliseconds for reading, preparing and judging it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate inspect part.png
  castgate inspect --model demo --heatmap heat.png part.png
  castgate inspect pictures
  castgate inspect --model models/casting.onnx --json casting/test/ok_front/*.jpeg

Exit codes: 0 every part is ok, 1 a part is rejected, a picture cannot be read, or a file of a folder was left aside that is perhaps a
picture, 2 a folder holds no picture, 3 the model cannot be used")]
pub(super) struct Args {
    /// JPEG, PNG, BMP, WebP or TIFF pictures that show one part each, or folders of them
    #[arg(value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// ONNX file with its manifest beside it, or `demo` or `casting` for a built-in model
    #[arg(long, value_name = "MODEL", default_value = "casting")]
    model: PathBuf,
    /// Score from which a part counts as defective, 0 to 1, instead of the manifest's
    #[arg(long, value_name = "SCORE", value_parser = super::probability)]
    threshold: Option<f32>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    /// Write the picture with colours where the model sees a defect: a PNG file, or for several pictures a folder. Only for
    /// models that castgate trained
    #[arg(long, value_name = "PNG")]
    heatmap: Option<PathBuf>,
    /// Write what the model saw of the picture: a PNG file, or for several pictures a folder
    #[arg(long, value_name = "PNG")]
    seen: Option<PathBuf>,
}

/// One picture's line in JSON; the names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Serialize)]
struct Line {
    file: String,
    verdict: &'static str,
    reason: Option<&'static str>,
    score: Option<f32>,
    /// What is wrong with the picture or the model, if something is.
    fault: Option<String>,
    /// In grey levels; see `preprocess.min_sharpness`.
    sharpness: Option<f32>,
    read_ms: Option<f64>,
    preprocess_ms: Option<f64>,
    infer_ms: Option<f64>,
    /// With `--heatmap`, for pictures that the model saw.
    heatmap: Option<Grid>,
}

impl Line {
    fn of(file: String, judged: Result<Judged, String>) -> Self {
        let judged = match judged {
            Ok(judged) => judged,
            Err(fault) => {
                let (reason, verdict) = (Some("bad_image"), "reject");
                let (read_ms, preprocess_ms, infer_ms) = (None, None, None);
                return Self {
                    file,
                    verdict,
                    reason,
                    score: None,
                    fault: Some(fault),
                    sharpness: None,
                    read_ms,
                    preprocess_ms,
                    infer_ms,
                    heatmap: None,
                };
            }
        };
        let (score, fault) = match judged.answer {
            Answer::Score(score) => (Some(score.get()), None),
            Answer::Fault(fault) => (None, Some(fault)),
        };
        let [read_ms, preprocess_ms, infer_ms] = judged.seconds.map(|s| Some((s * 1e6).round() / 1e3));
        let reason = judged.verdict.reason().map(|reason| reason.name());
        let verdict = if judged.verdict == Verdict::Ok { "ok" } else { "reject" };
        let sharpness = judged.sharpness.map(|value| (value * 100.0).round() / 100.0);
        Self {
            file,
            verdict,
            reason,
            score,
            fault,
            sharpness,
            read_ms,
            preprocess_ms,
            infer_ms,
            heatmap: None,
        }
    }

    fn text(&self) -> String {
        let verdict = if self.reason.is_none() { "OK    " } else { "REJECT" };
        let mut line = format!("{verdict}  ");
        // Writing to a text cannot fail.
        let _ = match (self.score, &self.fault) {
            (Some(score), _) => write!(line, "{score:.4}  {:<8}", self.reason.unwrap_or("")),
            (None, Some(fault)) => write!(line, "{}: {fault}", self.reason.unwrap_or("")),
            (None, None) => Ok(()),
        };
        if let Some(sharpness) = self.sharpness {
            let _ = write!(line, "  sharpness {sharpness:.1}");
        }
        if let (Some(read), Some(preprocess), Some(infer)) = (self.read_ms, self.preprocess_ms, self.infer_ms)
        {
            let _ = write!(line, "  read {read:.2} ms, prepare {preprocess:.2} ms, infer {infer:.2} ms");
        }
        format!("{line}  {}\n", self.file)
    }
}

/// Where the PNG made of `file` goes: the given file for one picture, else a file in that folder, numbered so that pictures of the
/// same name from two folders do not meet.
fn png_file(given: &Path, file: &Path, (number, files): (usize, usize)) -> PathBuf {
    if files == 1 && !given.is_dir() {
        return given.to_owned();
    }
    let stem = file.file_stem().unwrap_or_default().shown();
    given.join(format!("{:04}_{stem}.png", number + 1))
}

/// The files, and in the place of folders the pictures in them; and how many files were left aside that may be pictures, told on standard
/// error.
///
/// # Errors
/// [`UsageError`] when a folder cannot be read or holds no picture.
fn files(given: &[PathBuf]) -> anyhow::Result<(Vec<PathBuf>, u64)> {
    let (mut files, mut unread) = (Vec::new(), 0);
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let found = folder::pictures(path)
            .map_err(|error| UsageError(format!("cannot read the folder {}: {error}", path.shown())))?;
        tell_left(&found.left);
        unread += found.left.unasked();
        if found.pictures.is_empty() {
            return Err(UsageError(format!("no {FORMATS} file in {}", path.shown())).into());
        }
        files.extend(found.pictures.into_iter().map(|picture| picture.path));
    }
    Ok((files, unread))
}

/// Runs the command.
///
/// # Errors
/// When the model cannot be used or looked into, or a heat map cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut judge = Judge::new(&args.model, args.threshold)?;
    let mut heat = args.heatmap.as_ref().map(|_| Heat::open(&args.model, &judge)).transpose()?;
    let (files, unread) = files(&args.files)?;
    for folder in [&args.heatmap, &args.seen].into_iter().flatten().filter(|_| files.len() > 1) {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("cannot use the folder {} for {} pictures", folder.shown(), files.len())
        })?;
    }
    for png in
        [&args.heatmap, &args.seen].into_iter().flatten().filter(|path| files.len() == 1 && !path.is_dir())
    {
        try_out(png)?;
    }
    let mut code = if unread > 0 { ExitCode::No } else { ExitCode::Ok };
    for (number, file) in files.iter().enumerate() {
        let judged = judge.judge(file);
        let read = judged.is_ok();
        let mut line = Line::of(file.shown().to_string(), judged);
        if line.reason.is_some() {
            code = ExitCode::No;
        }
        if let (Some(path), Some(heat), true) = (&args.heatmap, &mut heat, read)
            && let Some(seen) = heat.of_last(&judge)
        {
            seen.save(judge.last().0, &png_file(path, file, (number, files.len())))?;
            line.heatmap = Some(seen.grid());
        }
        if let (Some(path), true) = (&args.seen, read) {
            seen::save(&judge, &png_file(path, file, (number, files.len())))?;
        }
        print(&if args.json { serde_json::to_string(&line)? + "\n" } else { line.text() })?;
    }
    Ok(code)
}
