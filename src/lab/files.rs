//! Files that are written whole or not at all: whoever reads one finds the old one or the new one, never a part, whatever ends the process.
//!
//! - What is written goes under another name beside the file first, onto the disk, and then takes its place.
//! - Nothing is written through a link, into a pipe or a device: somebody else may have put it there. The streams that a shell names
//!   (`/dev/stdout`, `/dev/stderr`, `/dev/fd/N`) and `/dev/null` are meant as they are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, anyhow, bail};

use crate::camera::picture::png;
use crate::frame::Frame;
use crate::printable::Printable as _;

/// Largest list of pictures or labels that is read, in bytes: 100,000 pictures have some 20 MiB.
pub(crate) const LARGEST_LIST: u64 = 256 << 20;

/// Where something is written.
enum Target {
    /// A file, of which nothing is there yet.
    New,
    /// A file that will be replaced.
    Old(fs::Metadata),
    /// A stream that was given on purpose.
    Stream,
}

impl Target {
    /// What is at `path`.
    ///
    /// # Errors
    /// When it is nothing that may be written to.
    fn of(path: &Path) -> anyhow::Result<Self> {
        let streams = ["/dev/stdout", "/dev/stderr", "/dev/null"].map(Path::new);
        if streams.contains(&path) || path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd") {
            return Ok(Self::Stream);
        }
        let there = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::New),
            there => there.with_context(|| cannot(path))?,
        };
        match there.file_type() {
            kind if kind.is_symlink() => {
                let to = fs::read_link(path).map(|to| format!(" to {}", to.shown())).unwrap_or_default();
                Err(anyhow!(
                    "it is a link{to}, and links are not followed; name that file itself, or remove the link"
                ))
            }
            kind if kind.is_dir() => Err(anyhow!("it is a folder")),
            kind if !kind.is_file() => {
                Err(anyhow!("it is no file but a pipe, a socket or a device; name another file"))
            }
            // A file that is closed to writing is meant to stay.
            _ => OpenOptions::new().write(true).open(path).map(drop).map_err(Into::into),
        }
        .with_context(|| cannot(path))?;
        Ok(Self::Old(there))
    }
}

fn cannot(path: &Path) -> String {
    format!("cannot write {}", path.shown())
}

/// A file beside `path` that nobody else has, open for writing.
fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Another process of the same number may have been killed and have left one.
    for _ in 0..1000 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let part = folder.join(format!(".castgate-{}-{number}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&part) {
            Ok(file) => return Ok((part, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Whether a file could be written there, found out before a long run.
///
/// # Errors
/// When it could not.
pub(crate) fn try_out(path: &Path) -> anyhow::Result<()> {
    if let Target::Stream = Target::of(path)? {
        return Ok(());
    }
    if path.file_name().is_none() {
        bail!("{}: it names no file", cannot(path));
    }
    let (part, _) = beside(path).with_context(|| cannot(path))?;
    fs::remove_file(&part).with_context(|| cannot(path))
}

/// Writes a file whole or not at all; the one that it replaces gives it its rights. It is on the disk before it takes that one's place: a
/// cut of power must not leave an empty file there. Streams are written to as they are.
///
/// # Errors
/// When it cannot be written; what was there is there still.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write(path, bytes, File::sync_all)
}

/// `settle` is done to the file before it takes the old one's place.
fn write(path: &Path, bytes: &[u8], settle: fn(&File) -> io::Result<()>) -> anyhow::Result<()> {
    let old = match Target::of(path)? {
        Target::Stream => return stream(path, bytes).with_context(|| cannot(path)),
        Target::New => None,
        Target::Old(old) => Some(old),
    };
    let (part, mut file) = beside(path).with_context(|| cannot(path))?;
    let written = file.write_all(bytes).and_then(|()| {
        if let Some(old) = old {
            file.set_permissions(old.permissions())?;
            if file.metadata()?.uid() != old.uid() {
                // Only root may give a file away; who may not has its own file then.
                let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
            }
        }
        settle(&file)?;
        fs::rename(&part, path)
    });
    if written.is_err() {
        // The fault is told; a left-over does no harm.
        let _ = fs::remove_file(&part);
    }
    written.with_context(|| cannot(path))
}

fn stream(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path == Path::new("/dev/stdout") {
        let mut out = io::stdout().lock();
        return out.write_all(bytes).and_then(|()| out.flush());
    }
    OpenOptions::new().append(true).open(path)?.write_all(bytes)
}

/// A value as JSON, for people to read too, whole or not at all.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_json(path: &Path, value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec_pretty(value).with_context(|| cannot(path))?;
    text.push(b'\n');
    write_whole(path, &text)
}

/// A consistent frame as a PNG file, whole or not at all. Nobody waits for the disk: there may be thousands, and each can be made again.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_png(path: &Path, frame: &Frame) -> anyhow::Result<()> {
    write(path, &png(frame).with_context(|| cannot(path))?, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn said(result: anyhow::Result<()>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_its_rights() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("today.json");
        try_out(&path).unwrap();
        assert!(!path.exists());
        write_whole(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        // Whoever has it open keeps what was there.
        let mut reader = File::open(&path).unwrap();
        try_out(&path).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "old");
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
        write_json(&path, &[1]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"[\n  1\n]\n");
    }

    #[test]
    fn links_pipes_devices_and_folders_are_refused_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("secret"), "kept").unwrap();
        symlink("secret", at("link")).unwrap();
        symlink("nowhere\u{1b}[2J", at("dangling")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (name, part) in [
            ("link", "link: it is a link to secret, and links are not followed"),
            ("dangling", "it is a link to nowhere\\u001b[2J, and"),
            ("socket", "socket: it is no file but a pipe, a socket or a device"),
            ("", "it is a folder"),
            ("none/x", "none/x: No such file"),
        ] {
            for result in [try_out(&at(name)), write_whole(&at(name), b"x")] {
                let text = said(result);
                assert!(text.starts_with("cannot write ") && text.contains(part), "{text}");
            }
        }
        assert_eq!(fs::read(at("secret")).unwrap(), b"kept");
        assert!(!at("nowhere\u{1b}[2J").exists());
        assert!(said(write_whole(Path::new("/dev/zero"), b"x")).contains("it is no file"));
        write_whole(Path::new("/dev/null"), b"x").unwrap();
        // A link that somebody put in the place of the file after it was looked at is replaced, not followed.
        let (part, _) = beside(&at("new")).unwrap();
        symlink("secret", at("new")).unwrap();
        fs::rename(part, at("new")).unwrap();
        assert_eq!(fs::read(at("secret")).unwrap(), b"kept");
    }

    #[test]
    fn a_name_that_is_taken_beside_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("secret"), "kept").unwrap();
        let (one, _) = beside(&dir.path().join("a")).unwrap();
        let (other, _) = beside(&dir.path().join("a")).unwrap();
        assert_ne!(one, other);
        let number: u64 = other.to_str().unwrap().rsplit(['-', '.']).nth(1).unwrap().parse().unwrap();
        for ahead in 1..20 {
            let name = format!(".castgate-{}-{}.part", std::process::id(), number + ahead);
            symlink("secret", dir.path().join(name)).unwrap();
        }
        write_whole(&dir.path().join("a"), b"new").unwrap();
        assert_eq!(fs::read(dir.path().join("secret")).unwrap(), b"kept");
    }
}
