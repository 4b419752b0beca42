//! `castgate man`: the manual pages, from the definition of the command line.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use super::{ExitCode, definition, print};

/// Print the manual page, or write the pages of all commands into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate man | man -l -
  castgate man --out /usr/share/man/man1")]
pub(super) struct Args {
    /// Folder to write the pages of all commands into; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Some(folder) = args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(definition()).render(&mut page)?;
        print(&String::from_utf8(page)?)?;
        return Ok(ExitCode::Ok);
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    clap_mangen::generate_to(definition(), &folder)
        .with_context(|| format!("cannot write the pages into {}", folder.display()))?;
    Ok(ExitCode::Ok)
}
