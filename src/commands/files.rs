//! Files that are written whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// Largest list of pictures or labels that is read, in bytes: 100,000 pictures have some 20 MiB.
pub(super) const LARGEST_LIST: u64 = 256 << 20;

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
    // On the disk before it takes the old one's place: a cut of power must not leave an empty file there.
    let write =
        || File::create(&part).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    write()
        .and_then(|()| std::fs::rename(&part, path))
        .with_context(|| format!("cannot write {}", path.display()))
}
