//! Regular files: looked at before they are opened, opened without waiting, read within a bound.
//!
//! Owns every opening of a file that a configuration, a manifest, a command line or a state folder names. A pipe would wait for its other
//! end, a device may act on being opened, and a file of the kernel may never end. Must not know what a file is for: the caller names the
//! key or the option that it comes from.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a file for reading.
///
/// # Errors
/// When it is missing, forbidden, or anything but a regular file; says which, and never waits.
pub fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// Opens a file for writing, made where it is missing and kept as it is where it is there.
///
/// # Errors
/// As [`open`].
pub fn open_to_write(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().write(true).create(true).truncate(false))
}

/// Opens a file for writing at its end, made where it is missing.
///
/// # Errors
/// As [`open`].
pub fn open_to_append(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().append(true).create(true))
}

/// The whole of a file of at most `limit` bytes.
///
/// # Errors
/// As [`open`], and with [`ErrorKind::FileTooLarge`] where there is more of it.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    if file.metadata()?.len() > limit {
        return Err(too_large(limit));
    }
    let bytes = up_to(file, limit.saturating_add(1))?;
    if bytes.len() as u64 > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

/// The whole of a text file of at most `limit` bytes, without the mark that some editors put before it.
///
/// # Errors
/// As [`read`], and where it is not UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    let mut text = String::from_utf8(read(path, limit)?).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        let what = format!("it is not UTF-8 text: no letter is written with a byte of line {}", line + 1);
        io::Error::new(ErrorKind::InvalidData, what)
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// The first `limit` bytes of a file, or the whole of a shorter one.
///
/// # Errors
/// As [`open`].
pub fn beginning(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    up_to(open(path)?, limit)
}

/// Brings what was done in a folder, such as a file that was given another name, onto the disk.
///
/// # Errors
/// When it is no folder, or its file system cannot do that.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?.sync_all()
}

/// What stands at `path`, for programs that open it by its name: a regular file, or nothing.
///
/// # Errors
/// When it is anything else, or cannot be looked at.
pub fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(about) => regular(about).map(Some),
        // A link into nothing is made a file by whoever opens it to write.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(path, error)),
    }
}

fn open_with(path: &Path, options: &OpenOptions) -> io::Result<File> {
    look(path)?;
    // What stands there may be exchanged in between: such a pipe does not make the opening wait, and is refused below.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let open = options.clone().custom_flags(flags.bits().cast_signed()).open(path);
    let file = open.map_err(|error| told(path, error))?;
    regular(file.metadata()?)?;
    Ok(file)
}

fn up_to(file: File, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match file.take(limit).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        // Some files of the kernel count as regular and wait for news.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(io::Error::new(
            error.kind(),
            "it has no end, as files of the kernel may; name a regular file",
        )),
        Err(error) => Err(error),
    }
}

fn regular(about: Metadata) -> io::Result<Metadata> {
    let kind = about.file_type();
    let (error, what) = if kind.is_file() {
        return Ok(about);
    } else if kind.is_dir() {
        (ErrorKind::IsADirectory, "it is a folder; name the file in it")
    } else if kind.is_fifo() {
        (ErrorKind::InvalidInput, "it is a pipe, not a regular file")
    } else if kind.is_socket() {
        (ErrorKind::InvalidInput, "it is a socket, not a regular file")
    } else {
        (ErrorKind::InvalidInput, "it is a device, not a regular file")
    };
    Err(io::Error::new(error, what))
}

/// What the system says of a file that cannot be opened, and what is behind it as far as that can be seen.
fn told(path: &Path, error: io::Error) -> io::Error {
    let what = match error.kind() {
        ErrorKind::NotFound => fs::read_link(path).ok().map(|to| {
            format!("it is a link to {}, where nothing is", to.display().to_string().escape_debug())
        }),
        ErrorKind::PermissionDenied => {
            let me = rustix::process::geteuid().as_raw();
            Some(match fs::metadata(path) {
                Ok(file) => format!(
                    "user {me} may not open it: it belongs to user {} and group {}, with the rights {:04o}",
                    file.uid(),
                    file.gid(),
                    file.mode() & 0o7777
                ),
                Err(_) => format!("user {me} may not enter the folder that it is in"),
            })
        }
        _ => None,
    };
    match what {
        Some(what) => io::Error::new(error.kind(), format!("{error}: {what}")),
        None => error,
    }
}

fn too_large(limit: u64) -> io::Error {
    let most = match limit {
        mib if mib >= 1 << 20 && mib % (1 << 20) == 0 => format!("{} MiB", mib >> 20),
        kib if kib >= 1 << 10 && kib % (1 << 10) == 0 => format!("{} KiB", kib >> 10),
        bytes => format!("{bytes} bytes"),
    };
    io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {most}, and no more is read of it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    /// Every way in.
    fn ways(path: &Path) -> Vec<String> {
        let word = |result: io::Result<()>| result.err().map(|error| error.to_string()).unwrap_or_default();
        vec![
            word(open(path).map(drop)),
            word(open_to_write(path).map(drop)),
            word(open_to_append(path).map(drop)),
            word(read(path, 100).map(drop)),
            word(read_text(path, 100).map(drop)),
            word(beginning(path, 100).map(drop)),
            word(look(path).map(drop)),
        ]
    }

    fn fifo(folder: &Path) -> PathBuf {
        let path = folder.join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        path
    }

    #[test]
    fn what_is_no_regular_file_is_named_by_every_way_in_and_none_waits() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        symlink(fifo(folder.path()), &link).unwrap();
        for (path, wanted) in [
            (folder.path(), "it is a folder; name the file in it"),
            (&folder.path().join("fifo"), "it is a pipe, not a regular file"),
            (&link, "it is a pipe, not a regular file"),
            (&socket, "it is a socket, not a regular file"),
            (Path::new("/dev/zero"), "it is a device, not a regular file"),
            (Path::new("/dev/null"), "it is a device, not a regular file"),
        ] {
            assert_eq!(ways(path), [wanted; 7], "{}", path.display());
        }
    }

    #[test]
    fn links_into_nothing_and_forbidden_files_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("nowhere/at all", at("link")).unwrap();
        let told = |name: &str| read(&at(name), 10).unwrap_err().to_string();
        assert!(
            told("link").ends_with("it is a link to nowhere/at all, where nothing is"),
            "{}",
            told("link")
        );
        assert_eq!(told("missing"), "No such file or directory (os error 2)");
        fs::write(at("secret"), "x").unwrap();
        fs::set_permissions(at("secret"), fs::Permissions::from_mode(0o000)).unwrap();
        if read(&at("secret"), 10).is_ok() {
            eprintln!("skipped: who may read everything is refused nothing");
            return;
        }
        assert!(told("secret").contains(" may not open it: it belongs to user "), "{}", told("secret"));
        assert!(told("secret").ends_with(", with the rights 0000"), "{}", told("secret"));
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, [7; 1025]).unwrap();
        assert_eq!(read(&path, 1025).unwrap().len(), 1025);
        assert_eq!(beginning(&path, 3).unwrap(), [7; 3]);
        let error = read(&path, 1024).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it has more than 1 KiB, and no more is read of it");
        // The kernel says that this one has no bytes.
        let endless = Path::new("/proc/self/stat");
        assert_eq!(read(endless, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert!(!read(endless, 1 << 16).unwrap().is_empty());
    }

    #[test]
    fn a_text_has_no_mark_before_it_and_bytes_that_are_no_text_are_placed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "\u{feff}a\r\nb").unwrap();
        assert_eq!(read_text(&path, 100).unwrap(), "a\r\nb");
        fs::write(&path, b"a\nb\xff").unwrap();
        let told = read_text(&path, 100).unwrap_err().to_string();
        assert_eq!(told, "it is not UTF-8 text: no letter is written with a byte of line 2");
    }

    #[test]
    fn what_is_opened_to_write_is_made_or_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        drop(open_to_write(&path).unwrap());
        fs::write(&path, "kept").unwrap();
        drop(open_to_write(&path).unwrap());
        io::Write::write_all(&mut open_to_append(&path).unwrap(), b" and more").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept and more");
        assert!(look(&path).unwrap().is_some() && look(&folder.path().join("none")).unwrap().is_none());
    }
}
