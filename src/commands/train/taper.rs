//! `castgate taper`: searches for the network whose tapering suits the parts best.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::recipe::Recipe;
use super::show::teller;
use crate::commands::known::Knowing;
use crate::commands::labelled::ManyFolders;
use crate::commands::{ExitCode, stop_on_signal};
use crate::config::manifest::Normalise;
use crate::lab::train::taper;

/// Find the network whose tapering suits the parts best
///
/// Draws networks at random (how wide they begin, where and how fast they narrow, strides or pooling, head, size of the picture) and trains
/// them on splits of the pictures, in three rounds: in each the epochs double, and only the half with the better quality for its work goes
/// on. Writes all of them to taper.csv and taper.json, draws the front in taper.svg and taper.png, and recommends the network of least
/// work whose quality lies within one standard error of the best.
///
/// Each training uses one core. Finished ones are kept in DIR: after Ctrl-C or --minutes run the same command again to go on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate taper --data pictures --out search
  castgate taper --data casting/train casting/test --groups groups.csv --leave-out conflicts --out search --normalise round
  castgate taper --data pictures --out search --also 12sn-16sn-16n-12n-d32 --most 5 --minutes 60

Exit codes: 0 searched, 2 the pictures or the settings cannot be used, 3 a file cannot be written, or it was stopped before the first round was
complete")]
pub(in crate::commands) struct Args {
    #[command(flatten)]
    folders: ManyFolders,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of networks to try, besides those of --also and the paper's
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u16).range(2..=1000))]
    networks: u16,
    /// Networks to try in any case, as `train --network` takes them, at the largest of --sizes
    #[arg(long, value_name = "LAYERS", num_args = 1..)]
    also: Vec<String>,
    /// Sides of the square pictures that networks see, in pixels, as a list
    #[arg(long, value_name = "PIXELS,..", value_delimiter = ',', default_value = "96,128", value_parser = clap::value_parser!(u16).range(8..=512))]
    sizes: Vec<u16>,
    /// Most multiply-adds of a network, in millions
    #[arg(long, value_name = "MILLIONS", default_value_t = 10.0)]
    most: f64,
    /// Passes over the training pictures in the last round; the first has a quarter of them, the second half
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// Number of splits on which to train each network; with one, no standard error is known
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
    splits: u8,
    /// Start no training after so many minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
    /// How to normalise pictures, see `castgate train`
    #[arg(long, value_name = "KIND", default_value = "none")]
    normalise: Normalise,
    #[command(flatten)]
    knowing: Knowing,
    #[command(flatten, next_help_heading = "Training of each network")]
    recipe: Recipe,
}

/// Runs the search.
///
/// # Errors
/// When settings or pictures do not do, a file cannot be written, or it was stopped before there was anything to compare.
pub(in crate::commands) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        folders,
        out,
        networks,
        also,
        sizes,
        most,
        epochs,
        splits,
        minutes,
        normalise,
        knowing,
        recipe,
    } = args;
    let options = taper::Options {
        folders: folders.into(),
        out,
        networks,
        also,
        sizes,
        most,
        epochs,
        splits,
        minutes,
        normalise,
        knowing: knowing.into(),
        recipe: recipe.into(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    taper::run(&options, &stop, &teller())?;
    Ok(ExitCode::Ok)
}
