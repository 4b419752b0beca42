//! `castgate teach`: from parts before the line's camera to a model that has learnt them, tested before it may work.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_channel::Receiver;

use super::recipe::Recipe;
use super::show::teller;
use super::{keys, typed};
use crate::camera::FrameSource;
use crate::clock::Clock;
use crate::commands::{ExitCode, stop_on_signal};
use crate::config::Config;
use crate::lab::train::teach::{self, Key, Source, Station};
use crate::line::devices;
use crate::verdict::Truth;

/// Train the line's model further with pictures of this line's parts
///
/// Takes pictures of parts with the camera of the configuration, each cut out as the model will see it, and saves them below --data under
/// the label from --label, --keys, --labels or --folders. Then trains the configured model, or that of --start, further with all pictures
/// below --data and writes it to --out. It measures the quality by folds: models trained without some of the photographs are tested on
/// those, and it names every part that they judge wrong.
///
/// --golden is a folder of other pictures that the new model must judge without a mistake. Only if it does, --install puts it in the
/// place of the model that the configuration names; that one is kept as `.previous`.
///
/// Without --label, --keys, --labels or --folders it takes no pictures and trains with those that are there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate teach --config castgate.yaml --data parts --label ok --parts 100      good parts on the belt
  castgate teach --config castgate.yaml --data parts --keys                      label each part by a key
  castgate teach --config castgate.yaml --data parts --golden golden --install   learn, test and install

Exit codes: 0 taught, and with --golden the test is passed; 1 the test is not passed: the line's model was left alone;
2 the configuration, the pictures or the settings cannot be used; 3 camera, model or file")]
pub(in crate::commands) struct Args {
    /// Configuration file; without it, the demonstration line's
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the training pictures; new ones are added to it
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Take pictures of parts that are all of this kind
    #[arg(long, value_name = "ok|defect", value_parser = label, group = "labels")]
    label: Option<Truth>,
    /// Take pictures and ask for each label: o (ok), d (defect), s (skip), u (undo) or q (done), each with Enter
    #[arg(long, group = "labels")]
    keys: bool,
    /// Take pictures from a folder camera, with labels from this file: lines of FILE,ok or FILE,defect
    #[arg(long = "labels", value_name = "FILE", group = "labels")]
    file: Option<PathBuf>,
    /// Take pictures from a folder camera, with labels from its subfolders `ok_front` and `def_front`
    #[arg(long, group = "labels")]
    folders: bool,
    /// Take pictures of so many parts; without it, until Ctrl-C, `q` or the camera's end
    #[arg(long, value_name = "N", requires = "labels", value_parser = clap::value_parser!(u32).range(1..))]
    parts: Option<u32>,
    /// Only take pictures
    #[arg(long, requires = "labels")]
    only_take: bool,
    /// Model to begin with; without it, the configuration's
    #[arg(long, value_name = "MODEL")]
    start: Option<PathBuf>,
    /// ONNX file to write; without it, taught.onnx in --data
    #[arg(long, value_name = "MODEL.onnx")]
    out: Option<PathBuf>,
    /// Folder of pictures that the new model must judge without a mistake, in `ok_front` and `def_front`
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// Good parts of the golden set that may be rejected
    #[arg(long, value_name = "N", default_value_t = 0, requires = "golden")]
    golden_rejects: usize,
    /// Replace the configuration's model with the new one, if that passes the golden set
    #[arg(long, requires = "golden")]
    install: bool,
    /// Number of folds for measuring the quality
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=50))]
    folds: u8,
    /// Passes over the training pictures; without it, as many as make 600 steps, 10 to 200
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: Option<u32>,
    /// Licence of the pictures, for the manifest
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    licence: String,
    #[command(flatten, next_help_heading = "Training")]
    recipe: Recipe,
}

fn label(text: &str) -> Result<Truth, String> {
    teach::label(text).ok_or_else(|| "not `ok` or `defect`".to_owned())
}

/// The line's camera, and the keyboard.
struct Line;

impl Station for Line {
    fn camera(&self, config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Box<dyn FrameSource>> {
        Ok(devices::camera(config, clock)?)
    }

    fn keys(&self) -> anyhow::Result<Receiver<Key>> {
        keys::listen()
    }
}

/// Runs the command.
///
/// # Errors
/// When configuration, pictures or settings do not do, or a device, the model or a file cannot be used.
pub(in crate::commands) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let labels = match (args.label, args.keys, args.file, args.folders) {
        (Some(truth), ..) => Some(Source::All(truth)),
        (_, true, ..) => Some(Source::Keys),
        (_, _, Some(file), _) => Some(Source::File(file)),
        (.., true) => Some(Source::Folders),
        _ => None,
    };
    let options = teach::Options {
        config: args.config,
        data: args.data,
        labels,
        parts: args.parts,
        only_take: args.only_take,
        start: args.start,
        out: args.out,
        golden: args.golden,
        golden_rejects: args.golden_rejects,
        install: args.install,
        folds: args.folds,
        epochs: args.epochs,
        licence: args.licence,
        recipe: args.recipe.into(),
        command: typed(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    let passed = teach::run(&options, &Line, &stop, &teller())?;
    Ok(if passed { ExitCode::Ok } else { ExitCode::No })
}
