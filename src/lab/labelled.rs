//! Labelled folders: pictures of good parts in some folders and of defective ones in others.
//!
//! Owns the words that name them. How folders are read is known to `folder`, what their names say to `album`.

use std::path::{Path, PathBuf};

use super::UsageError;
use crate::album::label::{Labels, Pattern};
use crate::album::layout::{complete, unused};
use crate::album::left::Left;
use crate::album::names::FORMATS;
use crate::folder::{self, FolderError};
use crate::printable::Printable as _;
use crate::verdict::Truth;

/// A picture whose part is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// Where it is.
    pub path: PathBuf,
    /// Its path below the labelled folder, as a person would look for it.
    pub name: String,
    /// What the part in it is.
    pub truth: Truth,
    /// The folder that says so, see [`crate::album::label::Label::kind`].
    pub kind: String,
    /// The photograph that it shows, where that is known.
    pub group: Option<u64>,
}

/// The pictures of a folder, and what was left aside there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The good ones first, each kind in the order of its names.
    pub pictures: Vec<Labelled>,
    /// What is no such picture.
    pub left: Left,
}

/// The last two parts of a folder's path: enough to know it by, and nothing of whose computer it was on.
pub fn short_name(folder: &Path) -> String {
    let parts: Vec<_> = folder.iter().map(|part| part.shown().to_string()).collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

/// Which folders hold what. Where nothing is said, usual names of folders are looked for, see [`complete`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Folders with pictures of good parts.
    pub ok: Vec<Pattern>,
    /// Folders with pictures of defective parts.
    pub defect: Vec<Pattern>,
}

/// A folder with pictures of good parts and of defective ones, in folders of their own.
#[derive(Debug, Clone)]
pub struct Folders {
    /// Where it is.
    pub data: PathBuf,
    /// Which folders below it hold what.
    pub names: Names,
}

/// Several such folders, such as one for each split.
#[derive(Debug, Clone)]
pub struct ManyFolders {
    /// Where they are.
    pub data: Vec<PathBuf>,
    /// Which folders below each of them hold what.
    pub names: Names,
}

impl ManyFolders {
    /// Their short names, joined by ` and `.
    pub fn names(&self) -> String {
        self.data.iter().map(|folder| short_name(folder)).collect::<Vec<_>>().join(" and ")
    }

    /// What each of them holds, in their order.
    ///
    /// # Errors
    /// [`UsageError`] when one cannot be read, it is not clear which pictures show what, or there is none of a kind.
    pub fn list(&self) -> anyhow::Result<Vec<Found>> {
        list(&self.data, &self.names).map_err(|error| UsageError(error).into())
    }
}

impl Folders {
    /// What it holds.
    ///
    /// # Errors
    /// As [`ManyFolders::list`].
    pub fn list(&self) -> anyhow::Result<Found> {
        let found = list(std::slice::from_ref(&self.data), &self.names).map_err(UsageError)?;
        Ok(found.into_iter().next().unwrap_or_default())
    }
}

fn list(data: &[PathBuf], names: &Names) -> Result<Vec<Found>, String> {
    let said = Labels { ok: names.ok.clone(), defect: names.defect.clone() };
    let trees = data.iter().map(|folder| folder::tree(folder, &said));
    let trees = trees.collect::<Result<Vec<_>, _>>().map_err(|error| {
        format!(
            "{error}; --data must hold folders such as `ok_front` and `def_front` (see --ok and --defect)"
        )
    })?;
    let whole = data.iter().map(|folder| folder.shown().to_string()).collect::<Vec<_>>().join(" and ");
    // What was left aside may be what is missed.
    let aside = || {
        let found = data.iter().filter_map(|folder| folder::pictures(folder).ok());
        found.flat_map(|found| found.left.lines()).map(|line| format!("; {line}")).collect::<String>()
    };
    let labels = complete(said, &trees).map_err(|why| format!("{whole}: {why}{}", aside()))?;
    let found = data.iter().map(|folder| one(folder, &labels)).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| error.to_string())?;
    let mut wrong = unused(&labels, &trees);
    for (truth, word) in [(Truth::Ok, "good"), (Truth::Defect, "defective")] {
        let none = !found.iter().any(|found| found.pictures.iter().any(|picture| picture.truth == truth));
        if none && wrong.is_empty() {
            wrong.push(format!(
                "no {FORMATS} file shows {word} parts: each is in a nearer folder that says otherwise"
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(found);
    }
    Err(format!("{whole}: {}{}", wrong.join("; "), aside()))
}

fn one(data: &Path, labels: &Labels) -> Result<Found, FolderError> {
    let found = folder::labelled(data, labels)?;
    let of = |picture: folder::Picture| {
        let label = picture.label?;
        Some(Labelled {
            path: picture.path,
            name: picture.name,
            truth: label.truth,
            kind: label.kind,
            group: None,
        })
    };
    let mut pictures: Vec<Labelled> = found.pictures.into_iter().filter_map(of).collect();
    pictures.sort_by_key(|picture| picture.truth == Truth::Defect);
    Ok(Found { pictures, left: found.left })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, files: &[&str]) {
        for file in files {
            let path = dir.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
    }

    fn folders(dir: &Path, ok: &[&str], defect: &[&str]) -> Folders {
        let of = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        Folders { data: dir.to_owned(), names: Names { ok: of(ok), defect: of(defect) } }
    }

    #[test]
    fn pictures_are_listed_by_kind_and_name_and_missing_folders_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let folders = folders(dir.path(), &["good"], &["bad"]);
        let error = format!("{:#}", folders.list().unwrap_err());
        assert!(error.contains("good") && error.contains("bad"), "{error}");
        write(dir.path(), &["good/b.png", "good/a.jpeg", "bad/c.bmp", "bad/notes.txt"]);
        let found = folders.list().unwrap();
        let names: Vec<String> = found.pictures.into_iter().map(|l| l.name).collect();
        assert_eq!(names, ["good/a.jpeg", "good/b.png", "bad/c.bmp"]);
        assert_eq!(found.left.files(), 1);
        std::fs::remove_file(dir.path().join("bad/c.bmp")).unwrap();
        let error = folders.list().unwrap_err().to_string();
        assert!(error.contains("--defect bad names no folder that holds a JPEG, PNG, BMP"), "{error}");
        assert!(
            error.ends_with(
                "1 left aside in F: 1 not a picture (.txt)"
                    .replace('F', &dir.path().join("bad").display().to_string())
                    .as_str()
            ),
            "{error}"
        );
    }

    #[test]
    fn each_kind_of_defect_has_a_folder_and_not_every_split_has_both() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &["train/good/1.png", "test/good/2.png", "test/crack/3.png", "test/hole/4.png"]);
        let data = ["train", "test"].map(|name| dir.path().join(name)).to_vec();
        let names = folders(dir.path(), &["good"], &["crack", "h*"]).names;
        let found = ManyFolders { data: data.clone(), names }.list().unwrap();
        let kinds = |found: &Found| found.pictures.iter().map(|one| one.kind.clone()).collect::<Vec<_>>();
        assert_eq!(
            found.iter().map(kinds).collect::<Vec<_>>(),
            [vec!["good"], vec!["good", "crack", "hole"]]
        );
        std::fs::write(dir.path().join("test/good/2.heic"), b"x").unwrap();
        let error = ManyFolders { data, names: Names::default() }.list().unwrap_err().to_string();
        assert!(error.ends_with("test/good: 1 of a format that is not read (.heic)"), "{error}");
        assert!(error.contains("such as --ok good --defect crack --defect hole"), "{error}");
        let error = folders(dir.path(), &["train/good"], &["test"]).list().unwrap_err().to_string();
        assert!(error.contains("the folder test/good lies in test, which --defect names"), "{error}");
        let error = folders(dir.path(), &["good"], &["train"]).list().unwrap_err().to_string();
        assert!(error.contains("shows defective parts: each is in a nearer folder"), "{error}");
    }
}
