//! The arguments of `castgate eval --folds`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::recipe::Settings;
use super::show::teller;
use crate::commands::stop_on_signal;
use crate::lab::known::Knowing;
use crate::lab::labelled::ManyFolders;
use crate::lab::train::folds;
use crate::score::folds::FoldsReport;

/// Heading of the settings that only `--folds` uses.
pub(in crate::commands) const WITH_FOLDS: &str = "Training, with --folds";

/// What the folds are asked to do.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::commands) struct FoldArgs {
    /// Train and test K models instead of judging one, each tested on photographs that it never saw. Needs --groups
    #[arg(long, value_name = "K", conflicts_with = "model", requires = "groups",
        value_parser = clap::value_parser!(u8).range(2..=50))]
    pub(in crate::commands) folds: Option<u8>,
    /// Folder for the result of each fold; finished folds found there are not trained again
    #[arg(long, value_name = "DIR", requires = "folds")]
    work: Option<PathBuf>,
    #[command(flatten, next_help_heading = WITH_FOLDS)]
    settings: Settings,
}

/// Trains and tests all folds of the pictures.
///
/// # Errors
/// When pictures or settings do not do, a result cannot be written, or it was stopped.
pub(in crate::commands) fn run_folds(
    args: FoldArgs,
    folders: ManyFolders,
    knowing: Knowing,
    json: Option<PathBuf>,
) -> anyhow::Result<FoldsReport> {
    let FoldArgs { folds, work, settings } = args;
    let settings = settings.into();
    let options = folds::Options { folders, knowing, folds: folds.unwrap_or(2), work, settings, json };
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    folds::run(&options, &stop, &teller())
}
