//! `castgate train` in a build without the feature `train`: says so.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{ExitCode, UsageError};
use crate::lab::known::Knowing;
use crate::lab::labelled::ManyFolders;
use crate::score::folds::FoldsReport;

/// Train a model on labelled pictures (not in this build)
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    ignored: Vec<OsString>,
}

/// Heading of settings that this build has not.
pub(super) const WITH_FOLDS: &str = "";

/// Arguments of the folds.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct FoldArgs {
    /// Train and test on this many shares of the photographs (not in this build)
    #[arg(long, value_name = "K")]
    pub(super) folds: Option<u8>,
}

/// Refuses.
///
/// # Errors
/// Always.
pub(super) fn run(_: Args) -> anyhow::Result<ExitCode> {
    Err(refused())
}

/// Refuses.
///
/// # Errors
/// Always.
pub(super) fn run_folds(
    _: FoldArgs,
    _: ManyFolders,
    _: Knowing,
    _: Option<PathBuf>,
) -> anyhow::Result<FoldsReport> {
    Err(refused())
}

/// What every command that trains says.
pub(super) fn refused() -> anyhow::Error {
    let text =
        "this build has no `train` feature; build castgate with `cargo build --release --features train`";
    UsageError(text.to_owned()).into()
}
