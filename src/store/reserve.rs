//! What must outlast the database: the first number that no run may have given, and the line stop that stands.
//!
//! A small file beside the database, `parts.db.next`, with two slots that are written in turn, in place, and are on the disk (fsync)
//! before they count: that needs no room on a full disk, and a write that was cut off leaves the other slot. Must not know SQL.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::files::{Identity, beside, identity};
use crate::decide::StopReason;
use crate::regular;

/// Size of a slot: what a disk writes as a whole, or more.
const SLOT: usize = 4096;
/// How a slot begins.
const MARK: &str = "castgate 1";

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    /// The first number that is not reserved.
    pub next: u64,
    /// Whether the run that wrote it ended in order.
    pub ended: bool,
    /// The line stop that nobody has reset.
    pub stop: Option<StopReason>,
}

/// What was found at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no such file.
    Nothing,
    /// The newest slot that is whole.
    Kept(Kept),
    /// There is a file, and this is why it says nothing.
    Damaged(String),
}

/// The file, for writing.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    open: Option<(File, Identity)>,
    /// Number of the newest write.
    writes: u64,
    kept: Option<Kept>,
}

impl Reserve {
    /// The file beside `database`, and what it says. Creates nothing.
    pub(super) fn open(database: &Path) -> (Self, Found) {
        let path = beside(database, ".next");
        let (writes, found) = match read(&path) {
            Ok(Some((writes, kept))) => (writes, Found::Kept(kept)),
            Ok(None) => (0, Found::Nothing),
            Err(why) => (0, Found::Damaged(why)),
        };
        let kept = if let Found::Kept(kept) = found { Some(kept) } else { None };
        (Self { path, open: None, writes, kept }, found)
    }

    /// Whether this is what stands in the file, and the file in its place.
    pub(super) fn holds(&self, kept: Kept) -> bool {
        let in_place = || self.open.as_ref().is_some_and(|(_, known)| identity(&self.path) == Some(*known));
        self.kept == Some(kept) && in_place()
    }

    /// Writes what is to be kept; it is on the disk when this returns.
    ///
    /// # Errors
    /// As the system says. What was kept before may still be there.
    pub(super) fn write(&mut self, kept: Kept) -> Result<(), String> {
        if self.holds(kept) {
            return Ok(());
        }
        let writes = self.writes.saturating_add(1);
        self.put(&slot(writes, kept), writes).map_err(|error| format!("{}: {error}", self.path.display()))?;
        (self.writes, self.kept) = (writes, Some(kept));
        Ok(())
    }

    fn put(&mut self, slot: &[u8], writes: u64) -> io::Result<()> {
        let here = identity(&self.path);
        let (file, known) = match self.open.take() {
            Some((file, known)) if here == Some(known) => (file, known),
            _ if here.is_some() && self.kept.is_some() => {
                let file = regular::open_to_write(&self.path)?;
                (file, here.ok_or(io::ErrorKind::NotFound)?)
            }
            _ => self.make(slot)?,
        };
        file.write_all_at(slot, writes % 2 * SLOT as u64)?;
        file.sync_data()?;
        self.open = Some((file, known));
        Ok(())
    }

    /// Makes the file, with `slot` in both places, and puts it in its place as a whole.
    fn make(&self, slot: &[u8]) -> io::Result<(File, Identity)> {
        let new = beside(&self.path, ".new");
        let _ = fs::remove_file(&new);
        let make = || {
            let file = OpenOptions::new().create_new(true).write(true).open(&new)?;
            file.write_all_at(slot, 0)?;
            file.write_all_at(slot, SLOT as u64)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)?;
            Ok(file)
        };
        let made: io::Result<File> = make();
        let file = made.inspect_err(|_| drop(fs::remove_file(&new)))?;
        if let Some(folder) = self.path.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            // A file system that cannot do this for folders keeps their order by itself.
            let _ = regular::sync_folder(folder);
        }
        let known = identity(&self.path).ok_or(io::ErrorKind::NotFound)?;
        Ok((file, known))
    }
}

/// What stands in the file beside `database`, for who only looks.
pub(super) fn look(database: &Path) -> Found {
    Reserve::open(database).1
}

/// The newest whole slot and the number of its write; `None` without a file.
fn read(path: &Path) -> Result<Option<(u64, Kept)>, String> {
    let bytes = match regular::beginning(path, 2 * SLOT as u64) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| error.to_string())?,
    };
    let newest = bytes.chunks(SLOT).filter_map(understood).max_by_key(|(writes, _)| *writes);
    newest.map(Some).ok_or_else(|| "its content is damaged".to_owned())
}

fn slot(writes: u64, kept: Kept) -> Vec<u8> {
    let Kept { next, ended, stop } = kept;
    let stop = stop.map_or("-", StopReason::name);
    let text = format!("{MARK} write {writes} next {next} ended {} stop {stop}", u8::from(ended));
    let mut slot = format!("{text} sum {}", sum(&text)).into_bytes();
    slot.resize(SLOT - 1, b' ');
    slot.push(b'\n');
    slot
}

fn understood(slot: &[u8]) -> Option<(u64, Kept)> {
    let (text, check) = std::str::from_utf8(slot).ok()?.rsplit_once(" sum ")?;
    if check.trim_end() != sum(text) {
        return None;
    }
    let words: Vec<&str> = text.strip_prefix(MARK)?.split_whitespace().collect();
    let ["write", writes, "next", next, "ended", ended, "stop", stop] = words.as_slice() else { return None };
    // A reason that this build does not know is a stop all the same.
    let stop = (*stop != "-").then(|| StopReason::named(stop).unwrap_or(StopReason::Unknown));
    Some((writes.parse().ok()?, Kept { next: next.parse().ok()?, ended: *ended == "1", stop }))
}

fn sum(text: &str) -> String {
    Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
