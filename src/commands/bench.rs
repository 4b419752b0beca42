//! `castgate bench`: how fast models are on this machine, by batch size.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;

use super::files::{try_out, write_json};
use super::labelled::tell_left;
use super::{ExitCode, UsageError, print};
use crate::album::names::FORMATS;
use crate::camera::picture::read_picture;
use crate::clock::{Clock as _, SystemClock};
use crate::folder;
use crate::frame::Frame;
use crate::model::{self, Batch, ModelError};
use crate::printable::Printable as _;
use crate::score::speed::{Outcome, Row, Speed, Times};
use crate::vision::{Inspection, Preprocessor};

/// Time models on this machine, one picture or several at a time
///
/// Runs every model in the engine of the line, on one thread: each batch size once to warm up, then in timed passes. The table shows
/// the median, the fastest and the slowest pass, and how many times slower each model is than the first. With --data a pass also reads,
/// decodes and prepares every picture.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate bench --model casting demo
  castgate bench --model custom.onnx resnet50.onnx --batch 1,10,50,100,715 --data casting/test --json speed.json

Exit codes: 0 timed, 2 the pictures cannot be used, 3 a model cannot be used")]
pub(super) struct Args {
    /// ONNX files with their manifests beside them, or `demo` or `casting` for a built-in model; the others are compared with the first
    #[arg(long, value_name = "MODEL", num_args = 1.., default_value = "casting")]
    model: Vec<PathBuf>,
    /// Pictures judged at once, as a list
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: Vec<u16>,
    /// Time pictures from this folder, reading and preparing included; without it, the model alone on made-up values
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Seconds for each model and batch size; at least three passes are made
    #[arg(long, value_name = "S", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    seconds: u32,
    /// Most working memory that a batch may take, in GiB
    #[arg(long, value_name = "GIB", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    memory: u16,
    /// Write the figures as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Loading may take longer than on the line: a large graph is analysed anew for each batch size.
const LOAD_LIMIT: Duration = Duration::from_secs(300);
/// Fewest passes.
const LEAST_PASSES: usize = 3;
/// Most passes: enough for a median, whatever `--seconds` says.
const MOST_PASSES: usize = 100_000;

/// Where the values for the model come from.
enum Pictures {
    /// As many made-up pictures as the batch has.
    MadeUp,
    Files(Vec<PathBuf>),
}

/// Runs the command.
///
/// # Errors
/// When the folder cannot be used, a model cannot be used at all, or the JSON file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let pictures = match &args.data {
        None => Pictures::MadeUp,
        Some(folder) => {
            let found = folder::pictures(folder)
                .map_err(|error| UsageError(format!("--data: cannot read {}: {error}", folder.shown())))?;
            tell_left(&found.left);
            if found.pictures.is_empty() {
                return Err(UsageError(format!("--data: no {FORMATS} file in {}", folder.shown())).into());
            }
            Pictures::Files(found.pictures.into_iter().map(|picture| picture.path).collect())
        }
    };
    args.json.as_deref().map(try_out).transpose()?;
    let timed = if args.data.is_some() { "reading, preparing and model" } else { "model" };
    let mut speed = Speed { timed, rows: Vec::new() };
    for path in &args.model {
        // Whether the model can be used at all is no matter of the batch.
        let model = model::open_within(path, LOAD_LIMIT)?;
        let info = model.info().clone();
        drop(model);
        for &batch in &args.batch {
            let row = Row {
                model: info.name.clone(),
                parameters: info.parameters,
                file_mib: info.file_bytes as f64 / f64::from(1 << 20),
                multiply_adds: info.multiply_adds,
                batch: usize::from(batch),
                outcome: measure(path, usize::from(batch), &pictures, &args)?,
            };
            log::info!("{} at batch {batch}: {}", row.model, row.outcome);
            speed.rows.push(row);
        }
    }
    speed.compare();
    if let Some(path) = &args.json {
        write_json(path, &speed)?;
    }
    print(&speed.to_string())?;
    Ok(ExitCode::Ok)
}

/// The times of one model at one batch size, or why the model does not run so.
///
/// # Errors
/// When a picture cannot be read, or the model fails on one.
fn measure(path: &Path, batch: usize, pictures: &Pictures, args: &Args) -> anyhow::Result<Outcome> {
    let mut model = match model::open_batch(path, batch, u64::from(args.memory) << 10, LOAD_LIMIT) {
        Ok(model) => model,
        Err(ModelError::Graph { problem, .. } | ModelError::Engine { problem, .. }) => {
            return Ok(Outcome::Not { not_timed: format!("{problem} (see --memory)") });
        }
        Err(error) => return Err(error.into()),
    };
    let times = time(&mut model, batch, pictures, (f64::from(args.seconds), LEAST_PASSES))?;
    let untimed = || Outcome::Not { not_timed: "no pass was made".to_owned() };
    Ok(times.map_or_else(untimed, Outcome::Timed))
}

/// Times a model for one picture at a time on made-up values, for so many seconds and in any case so many passes.
///
/// # Errors
/// When the model fails on one.
#[cfg(feature = "train")]
pub(super) fn alone(model: &mut Batch, seconds: f64, least: usize) -> anyhow::Result<Option<Times>> {
    time(model, 1, &Pictures::MadeUp, (seconds, least))
}

/// One pass to warm up, then passes for `seconds` and at least `least` of them.
fn time(
    model: &mut Batch,
    batch: usize,
    pictures: &Pictures,
    (seconds, least): (f64, usize),
) -> anyhow::Result<Option<Times>> {
    let clock = SystemClock;
    let mut bench = Bench::new(model, batch);
    bench.pass(model, pictures)?;
    let (begin, mut passes) = (clock.now(), Vec::new());
    while passes.len() < least || (passes.len() < MOST_PASSES && clock.now().seconds_since(begin) < seconds) {
        let pass = clock.now();
        bench.pass(model, pictures)?;
        passes.push(clock.now().seconds_since(pass));
    }
    let count = match pictures {
        Pictures::MadeUp => batch,
        Pictures::Files(files) => files.len(),
    };
    Ok(Times::of(count, &passes))
}

/// What is used again for every batch.
struct Bench {
    preprocessor: Preprocessor,
    frame: Frame,
    seen: Inspection,
    /// The values of a batch.
    tensors: Vec<f32>,
    /// Values of one picture.
    one: usize,
    scores: Vec<crate::verdict::Score>,
}

impl Bench {
    fn new(model: &Batch, batch: usize) -> Self {
        let one = model.input().len();
        // Values as pixels have them once they are normalised, from a fixed rule, so that each run works on the same.
        let tensors = (0..batch * one)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8)
            .map(|v| f32::from(v) / 128.0 - 1.0);
        Self {
            preprocessor: Preprocessor::for_pictures(model.input()),
            frame: Frame::default(),
            seen: Inspection::default(),
            tensors: tensors.collect(),
            one,
            scores: Vec::new(),
        }
    }

    /// Judges every picture once. A last batch that is not full keeps pictures of the batch before in its free places.
    fn pass(&mut self, model: &mut Batch, pictures: &Pictures) -> anyhow::Result<()> {
        let Pictures::Files(files) = pictures else { return self.judge(model) };
        for files in files.chunks(self.tensors.len() / self.one) {
            for (at, file) in files.iter().enumerate() {
                read_picture(file, &mut self.frame)
                    .map_err(|error| UsageError(format!("--data: {} {error}", file.shown())))?;
                self.preprocessor.apply(&self.frame, &mut self.seen);
                // A picture that shows no part has no values; its place keeps those of the picture before.
                if let Some(values) = self.seen.tensors.get(..self.one) {
                    self.tensors[at * self.one..(at + 1) * self.one].copy_from_slice(values);
                }
            }
            self.judge(model)?;
        }
        Ok(())
    }

    fn judge(&mut self, model: &mut Batch) -> anyhow::Result<()> {
        if let Err(fault) = model.score(&self.tensors, &mut self.scores) {
            bail!("{}: {fault}", model.name);
        }
        Ok(())
    }
}
