//! The `castgate` program: logging, command line, dispatch, exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};

use castgate::commands::{ExitCode, Invocation, tell};
use castgate::service::logging;

fn main() -> ExitCode {
    logging::init();
    let invocation = match Invocation::read() {
        Ok(invocation) => invocation,
        Err(code) => return code,
    };
    // Nothing is used after a panic but the exit code; the panic hook has logged what happened.
    match catch_unwind(AssertUnwindSafe(|| invocation.run())) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => tell(&error),
        Err(_) => ExitCode::Bug,
    }
}
