//! `castgate prune`, `taper` and `teach` in a build without the feature `train`: they say so.

use std::ffi::OsString;

use super::ExitCode;

/// Train (not in this build)
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    ignored: Vec<OsString>,
}

/// Refuses.
///
/// # Errors
/// Always.
pub(super) fn run(_: Args) -> anyhow::Result<ExitCode> {
    Err(super::train::refused())
}
