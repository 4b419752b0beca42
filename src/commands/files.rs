//! Files that are written whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Whether a file could be written there, found out before a long run.
pub(super) fn try_out(path: &Path) -> anyhow::Result<()> {
    ensure!(!path.is_dir(), "cannot write {}: it is a folder", path.display());
    let part = beside(path);
    std::fs::write(&part, b"").with_context(|| format!("cannot write {}", path.display()))?;
    std::fs::remove_file(&part).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file whole or not at all: under another name first.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let part = beside(path);
    std::fs::write(&part, bytes)
        .and_then(|()| std::fs::rename(&part, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
