//! The arguments that say what is known of labelled pictures beyond their labels.

use std::path::PathBuf;

use crate::lab::known;

/// Which pictures show one photograph, and which are to be left out.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Knowing {
    /// File that says which pictures show one photograph, from `castgate audit --out`; no photograph is then on two sides of a split
    #[arg(long, value_name = "groups.csv")]
    groups: Option<PathBuf>,
    /// Leave pictures out: a file with their names, one on each line; `conflicts` for all pictures whose photograph stands under both
    /// labels; `minority` for those of them whose label has no more pictures of the photograph than the other label
    #[arg(long, value_name = "FILE|conflicts|minority")]
    leave_out: Option<PathBuf>,
}

impl From<Knowing> for known::Knowing {
    fn from(Knowing { groups, leave_out }: Knowing) -> Self {
        Self { groups, leave_out }
    }
}
