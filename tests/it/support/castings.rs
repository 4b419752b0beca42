//! The casting pictures, which lie beside the project where they are.

use std::path::PathBuf;

/// Their folder beside the project, or where `CASTGATE_DATA` says, if `needed` is in it; without it a line says what is skipped.
pub(crate) fn castings(needed: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/casting"));
    let folder = std::env::var_os("CASTGATE_DATA").map_or_else(beside, PathBuf::from);
    let there = folder.join(needed).exists().then_some(folder);
    if there.is_none() {
        eprintln!("skipped: no casting pictures beside the project; CASTGATE_DATA can name their folder");
    }
    there
}
