//! Files beside the database, and whether a file is still the one that it was.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::clock::rfc3339;

/// So many databases that were set aside are kept.
const SET_ASIDE: usize = 3;
/// What SQLite keeps beside a database while it is open.
pub(super) const JOURNALS: [&str; 2] = ["-wal", "-shm"];

/// Device and inode: what a file is, whatever its name.
pub(super) type Identity = (u64, u64);

/// Which file stands there now.
pub(super) fn identity(file: &Path) -> Option<Identity> {
    fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
}

/// The file whose name is that of `file` with `ending` behind it.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Gives a database that cannot be used another name, with what belongs to it, and removes the oldest ones of which there are too
/// many. Returns the new name.
///
/// # Errors
/// As the system says.
pub(super) fn set_aside(file: &Path, wall_ms: i64) -> io::Result<PathBuf> {
    let date: String = rfc3339(wall_ms).chars().take(19).map(|c| if c == ':' { '-' } else { c }).collect();
    let base = beside(file, &format!(".bad-{date}"));
    let taken = |name: &PathBuf| fs::symlink_metadata(name).is_ok();
    let mut name = base.clone();
    for n in 2..100 {
        if !taken(&name) {
            break;
        }
        name = beside(&base, &format!("-{n}"));
    }
    if taken(&name) {
        return Err(io::Error::from(io::ErrorKind::AlreadyExists));
    }
    fs::rename(file, &name)?;
    for journal in JOURNALS {
        // What is not there need not be moved.
        let _ = fs::rename(beside(file, journal), beside(&name, journal));
    }
    forget_oldest(file, &name);
    Ok(name)
}

/// Removes what was set aside longest ago, so that a card that breaks again and again does not fill up; never `newest`.
fn forget_oldest(file: &Path, newest: &Path) {
    let Some(folder) = file.parent() else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut begin = file.file_name().unwrap_or_default().to_owned();
    begin.push(".bad-");
    let is_one = |name: &std::ffi::OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(begin.as_encoded_bytes())
            && !JOURNALS.iter().any(|journal| name.ends_with(journal.as_bytes()))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut older: Vec<_> = entries
        .filter(|entry| {
            is_one(&entry.file_name()) && Some(entry.file_name().as_os_str()) != newest.file_name()
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    older.sort();
    let surplus = (older.len() + 1).saturating_sub(SET_ASIDE);
    for (_, path) in older.into_iter().take(surplus) {
        log::warn!("store: {} is removed: {SET_ASIDE} newer ones were set aside since", path.display());
        for name in JOURNALS.map(|journal| beside(&path, journal)).into_iter().chain([path]) {
            let _ = fs::remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_aside_takes_its_journals_along_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("parts.db");
        let names: Vec<PathBuf> = (0..5)
            .map(|_| {
                for ending in ["", "-wal"] {
                    fs::write(beside(&file, ending), "x").unwrap();
                }
                set_aside(&file, 1_767_247_200_000).unwrap()
            })
            .collect();
        assert!(names[0].ends_with("parts.db.bad-2026-01-01T06-00-00"), "{names:?}");
        assert!(!file.exists() && !beside(&file, "-wal").exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 * SET_ASIDE);
        assert!(names[4].exists() && beside(&names[4], "-wal").exists());
        assert!(set_aside(&file, 0).is_err(), "there is nothing to set aside");
    }
}
