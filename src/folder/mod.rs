//! Reading folders of pictures: every reader of pictures finds them here, by the same rules.
//!
//! - Real folders and files come first, then links, each in the order of its name. A link is followed once: what was reached before, by
//!   device and number of the file, counts once, and a link to a folder around it is not followed.
//! - What is hidden, belongs to a program, or is a mask is left aside, and so is what is no file. Nothing but a regular file is opened.
//! - What is left aside is counted with its reason. Names are shown by [`crate::printable`].
//!
//! Owns the way through the folders. What names mean is known to [`crate::album`].

mod walk;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::album::label::{Label, Labels, Unclear};
use crate::album::layout::Tree;
use crate::album::left::Left;
use crate::printable::Printable as _;

use walk::{Rule, Walk};

/// A picture in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Where it is.
    pub path: PathBuf,
    /// Its path below the folder, as it is shown: no other picture there has the same.
    pub name: String,
    /// What its folder says of it, where that was asked.
    pub label: Option<Label>,
    /// Its folders below the folder that was read.
    folders: Vec<OsString>,
}

/// What a folder holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its pictures in the order of their paths.
    pub pictures: Vec<Picture>,
    /// What else is in it.
    pub left: Left,
}

/// A folder cannot be read as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder itself cannot be read.
    #[error("cannot read {}: {cause}", .folder.shown())]
    Unreadable {
        /// The folder.
        folder: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is not clear what some pictures show.
    #[error("{}: {}", .folder.shown(), .what.iter().map(Unclear::to_string).collect::<Vec<_>>().join("; "))]
    Unclear {
        /// The folder.
        folder: PathBuf,
        /// All that is not clear.
        what: Vec<Unclear>,
    },
}

/// Every picture below `folder`.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn pictures(folder: &Path) -> io::Result<Found> {
    let mut walk = Walk::new(folder, Rule::All);
    walk.go()?;
    Ok(walk.finish().0)
}

/// The pictures below `folder` that `labels` say something of, each with what they say.
///
/// # Errors
/// When the folder itself cannot be read, or it is not clear what is said of a picture.
pub fn labelled(folder: &Path, labels: &Labels) -> Result<Found, FolderError> {
    let mut walk = Walk::new(folder, Rule::Labelled(labels));
    walk.go().map_err(|cause| FolderError::Unreadable { folder: folder.to_owned(), cause })?;
    match walk.finish() {
        (found, what) if what.is_empty() => Ok(found),
        (_, what) => Err(FolderError::Unclear { folder: folder.to_owned(), what }),
    }
}

/// The folders below `folder` that hold pictures, links followed; those that `said` names may be called like masks.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn tree(folder: &Path, said: &Labels) -> Result<Tree, FolderError> {
    let mut walk = Walk::new(folder, Rule::Names(said));
    walk.go().map_err(|cause| FolderError::Unreadable { folder: folder.to_owned(), cause })?;
    let mut tree: Tree = walk.finish().0.pictures.into_iter().map(|picture| picture.folders).collect();
    tree.sort();
    tree.dedup();
    Ok(tree)
}

#[cfg(test)]
mod tests;
