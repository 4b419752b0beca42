//! The `castgate` program: logging, command line, dispatch, exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};

use castgate::commands::{ExitCode, Invocation, tell, tell_bug};
use castgate::service::logging;

fn main() -> ExitCode {
    logging::init();
    let code = Invocation::read().map_or_else(|code| code, run);
    logging::finish();
    code
}

fn run(invocation: Invocation) -> ExitCode {
    // Nothing that a panic may have left half done is used after it.
    match catch_unwind(AssertUnwindSafe(|| invocation.run())) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => tell(&error),
        Err(_) => tell_bug(),
    }
}
