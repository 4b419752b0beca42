//! Golden files: what the product prints, kept beside what it was given.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A path inside the project.
pub(crate) fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// The program, with the environment that could change what it prints taken away.
pub(crate) fn castgate() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_castgate"));
    command
        .env_remove("CASTGATE_LOG")
        .env_remove("JOURNAL_STREAM")
        .env("COLUMNS", "100")
        .current_dir(path(""));
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    castgate().args(arguments).output().expect("the program was built with this test")
}

/// What stands at `file`, or `actual` itself after it was written there on request.
pub(crate) fn expect(file: &Path, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, actual).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == actual,
        "{} is not what the program gives now; UPDATE_GOLDEN=1 writes it anew\n--- kept\n{kept}\n--- now\n{actual}",
        file.display()
    );
}
