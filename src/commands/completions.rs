//! `castgate completions`: what a shell needs to complete castgate's command line.

use super::{ExitCode, definition, print};

/// Print the completions of the command line for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate completions bash > /etc/bash_completion.d/castgate
  castgate completions zsh > \"${fpath[1]}/_castgate\"
  castgate completions fish > ~/.config/fish/completions/castgate.fish")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "castgate", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(ExitCode::Ok)
}
