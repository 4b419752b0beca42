//! `castgate config`: what can be configured, as sample, reference and schema.

use super::{ExitCode, print};
use crate::config::reference;

/// Print what can be configured: a sample file, the reference, or a JSON Schema
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate config sample > castgate.yaml
  castgate config schema > castgate.schema.json

The sample begins with a line that tells editors with a YAML language server where the schema is; they then complete
and check the file as it is written.")]
pub(super) struct Args {
    /// What to print
    #[arg(value_enum)]
    what: What,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// A complete configuration with every key, its meaning and its default
    Sample,
    /// The reference of all keys as Markdown
    Reference,
    /// A JSON Schema of the configuration, for editors
    Schema,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let text = match args.what {
        What::Sample => reference::sample(),
        What::Reference => reference::reference(),
        What::Schema => format!("{:#}\n", reference::schema()),
    };
    print(&text)?;
    Ok(ExitCode::Ok)
}
