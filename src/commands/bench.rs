//! `castgate bench`: how fast models are on this machine, by batch size.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::labelled::tell_left;
use super::{ExitCode, UsageError, print};
use crate::album::names::FORMATS;
use crate::folder;
use crate::lab::files::{try_out, write_json};
use crate::lab::speed::{Pictures, time};
use crate::model::{self, ModelError};
use crate::printable::Printable as _;
use crate::score::speed::{Outcome, Row, Speed};

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
