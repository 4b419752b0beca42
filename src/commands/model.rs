//! `castgate model`: what an ONNX file from elsewhere holds, and a manifest for it.

use std::path::PathBuf;

use super::{ExitCode, exit, print};
use crate::lab::files::write_whole;
use crate::model::{self, Description};
use crate::printable::short;

/// Look into a network from elsewhere, and draft its manifest
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate model describe part.onnx        writes part.yaml, and says what you must decide in it

A model is an ONNX file with a manifest of the same name beside it. docs/manifest.md has every key of a manifest.

Exit codes: 0 ok, 1 the graph cannot be run as it is, 2 usage, 3 the file cannot be read or is no ONNX file")]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say what an ONNX file holds, and draft its manifest
    ///
    /// Writes the draft beside the file; if there is a manifest already, leaves it alone and prints the draft instead.
    Describe {
        /// The ONNX file
        #[arg(value_name = "FILE.onnx")]
        file: PathBuf,
    },
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Action::Describe { file } = args.action;
    let Description { manifest, facts, problems } = model::describe(&file)?;
    let beside = file.with_extension("yaml");
    // A link into nothing counts as something: nothing is written through it.
    if beside == file || beside.symlink_metadata().is_ok() {
        print(&manifest)?;
    } else {
        write_whole(&beside, manifest.as_bytes())?;
        let facts: String = facts.iter().map(|fact| format!("{fact}\n")).collect();
        print(&facts)?;
        let name = short(&beside.display().to_string(), 200);
        print(&format!(
            "written: {name}; what is marked `decide` in it must be filled in before the model is used\n"
        ))?;
    }
    for problem in &problems {
        exit::line(&format!("castgate: error: {}: {problem}", file.display()));
    }
    Ok(if problems.is_empty() { ExitCode::Ok } else { ExitCode::No })
}
