//! The `castgate` program: parse, dispatch, exit code.

use std::process::ExitCode;

use castgate::commands::train;
use clap::Parser;

#[derive(Parser)]
#[command(version)]
enum Command {
    Train(train::Args),
}

fn main() -> ExitCode {
    let Command::Train(args) = Command::parse();
    train::run(&args).unwrap_or_else(|error| {
        eprintln!("castgate: {error:#}");
        ExitCode::from(2)
    })
}
