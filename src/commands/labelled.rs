//! Labelled folders: pictures of good parts in one folder and of defective ones in another.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::UsageError;
use crate::camera::picture::{DEFECT, OK, pictures_below};
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
    /// The photograph that it shows, where that is known.
    pub group: Option<u64>,
}

/// The last two parts of a folder's path: enough to know it by, and nothing of whose computer it was on.
pub fn short_name(folder: &Path) -> String {
    let parts: Vec<_> = folder.iter().map(|part| part.to_string_lossy()).collect();
    parts[parts.len().saturating_sub(2)..].join("/")
}

/// Which folders hold what, below `--data`.
#[derive(Debug, Clone, clap::Args)]
pub struct Folders {
    /// Folder with pictures of good parts and of defective ones, in the subfolders named by --ok and --defect
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Subfolder with pictures of good parts
    #[arg(long, value_name = "NAME", default_value = OK)]
    pub ok: String,
    /// Subfolder with pictures of defective parts
    #[arg(long, value_name = "NAME", default_value = DEFECT)]
    pub defect: String,
}

/// The same below each of several folders.
#[derive(Debug, Clone, clap::Args)]
pub struct ManyFolders {
    /// Folders, such as one for each split, with pictures of good parts and of defective ones in the subfolders named by --ok and --defect
    #[arg(long, value_name = "DIR", num_args = 1.., required = true)]
    pub data: Vec<PathBuf>,
    /// Subfolder with pictures of good parts
    #[arg(long, value_name = "NAME", default_value = OK)]
    pub ok: String,
    /// Subfolder with pictures of defective parts
    #[arg(long, value_name = "NAME", default_value = DEFECT)]
    pub defect: String,
}

impl ManyFolders {
    /// Their short names, joined by ` and `.
    pub fn names(&self) -> String {
        self.data.iter().map(|folder| short_name(folder)).collect::<Vec<_>>().join(" and ")
    }

    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = Folders> {
        let of =
            |data: &PathBuf| Folders { data: data.clone(), ok: self.ok.clone(), defect: self.defect.clone() };
        self.data.iter().map(of)
    }
}

impl Folders {
    /// All labelled pictures: the good ones first, each kind in the order of its names.
    ///
    /// # Errors
    /// [`UsageError`] when a folder is missing or holds no picture.
    pub fn list(&self) -> anyhow::Result<Vec<Labelled>> {
        self.find().map_err(|error| UsageError(format!("{error:#}")).into())
    }

    fn find(&self) -> anyhow::Result<Vec<Labelled>> {
        let mut found = Vec::new();
        for (subfolder, truth) in [(&self.ok, Truth::Ok), (&self.defect, Truth::Defect)] {
            let folder = self.data.join(subfolder);
            let paths = pictures_below(&folder).with_context(|| {
                format!(
                    "cannot read {}; --data must hold the folders `{}` and `{}` (see --ok and --defect)",
                    folder.display(),
                    self.ok,
                    self.defect
                )
            })?;
            if paths.is_empty() {
                bail!("no JPEG, PNG or BMP file in {}", folder.display());
            }
            let name = |path: &Path| path.strip_prefix(&self.data).unwrap_or(path).display().to_string();
            found.extend(paths.into_iter().map(|path| Labelled {
                name: name(&path),
                path,
                truth,
                group: None,
            }));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_listed_by_kind_and_name_and_missing_folders_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let folders =
            Folders { data: dir.path().to_owned(), ok: "good".to_owned(), defect: "bad".to_owned() };
        let error = format!("{:#}", folders.list().unwrap_err());
        assert!(error.contains("good") && error.contains("bad"), "{error}");
        for file in ["good/b.png", "good/a.jpeg", "bad/c.bmp", "bad/notes.txt"] {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        let names: Vec<String> = folders.list().unwrap().into_iter().map(|l| l.name).collect();
        assert_eq!(names, ["good/a.jpeg", "good/b.png", "bad/c.bmp"]);
        std::fs::remove_file(dir.path().join("bad/c.bmp")).unwrap();
        assert!(folders.list().unwrap_err().to_string().contains("no JPEG, PNG or BMP"));
    }
}
