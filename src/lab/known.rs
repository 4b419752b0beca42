//! What is known of labelled pictures beyond their labels: which show one photograph, and which are to be left out.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::UsageError;
use super::files::LARGEST_LIST;
use super::labelled::{Labelled, ManyFolders, short_name};
use super::tell::{Tell, left_aside};
use crate::album::left::Left;
use crate::audit::listing::{Conflict, Listing};
use crate::printable::Printable as _;
use crate::regular;

/// The word that stands for the pictures of `--groups` whose photograph is under both labels.
const CONFLICTS: &str = "conflicts";
/// The word for those of them whose label the photograph's other pictures outvote, or balance.
const MINORITY: &str = "minority";

/// Where it stands.
#[derive(Debug, Clone, Default)]
pub struct Knowing {
    /// Which pictures show one photograph, as [`Listing`] is written.
    pub groups: Option<PathBuf>,
    /// Which pictures are left out: a file with their names, one a line, or `conflicts` for all whose photograph stands under both labels,
    /// or `minority` for those of them that are outvoted.
    pub leave_out: Option<PathBuf>,
}

/// What stands there.
#[derive(Debug, Default)]
pub struct Known {
    listing: Option<Listing>,
    /// Names, or ends of names, of pictures to leave out, as they are or as they are shown.
    names: HashSet<PathBuf>,
    /// Which conflicts of labels lead to leaving a picture out.
    conflicts: &'static [Conflict],
}

/// Labelled pictures of some folders.
pub struct Listed {
    /// With the photograph that each shows, where that is known.
    pub pictures: Vec<Labelled>,
    /// How many were left out on request.
    pub left_out: usize,
    /// What the folders hold beside them.
    pub left: Left,
}

impl Knowing {
    /// Reads the files.
    ///
    /// # Errors
    /// [`UsageError`] when one cannot be read or understood.
    pub fn read(&self) -> anyhow::Result<Known> {
        let listing = match &self.groups {
            None => None,
            Some(path) => Some(
                Listing::parse(&text(path, "--groups")?)
                    .map_err(|error| UsageError(format!("--groups {}: {error}", path.shown())))?,
            ),
        };
        let conflicts: &[Conflict] = match self.leave_out.as_deref().and_then(Path::to_str) {
            Some(CONFLICTS) => &[Conflict::Majority, Conflict::Minority, Conflict::Tie],
            Some(MINORITY) => &[Conflict::Minority, Conflict::Tie],
            _ => &[],
        };
        if let (Some(word), false, None) = (&self.leave_out, conflicts.is_empty(), &listing) {
            let word = word.shown();
            return Err(UsageError(format!("--leave-out {word} needs --groups, which names them")).into());
        }
        let names = match &self.leave_out {
            Some(path) if conflicts.is_empty() => text(path, "--leave-out")?
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(PathBuf::from)
                .collect(),
            _ => HashSet::new(),
        };
        Ok(Known { listing, names, conflicts })
    }
}

fn text(path: &Path, option: &str) -> anyhow::Result<String> {
    let unreadable = |error| UsageError(format!("{option}: cannot read {}: {error}", path.shown()));
    Ok(regular::read_text(path, LARGEST_LIST).map_err(unreadable)?)
}

impl Known {
    /// Whether photographs are known.
    pub fn has_groups(&self) -> bool {
        self.listing.is_some()
    }

    /// Says of the pictures of the folder `data` which photograph each shows, and takes away those that are to be left out; gives their
    /// number too.
    ///
    /// # Errors
    /// [`UsageError`] when the groups know nothing of this folder.
    pub fn apply(&self, data: &Path, mut pictures: Vec<Labelled>) -> anyhow::Result<(Vec<Labelled>, usize)> {
        let mut conflicts = HashSet::new();
        if let Some(listing) = &self.listing {
            let whole = data.canonicalize().unwrap_or_else(|_| data.to_owned()).shown().to_string();
            let split = listing.split_of(Path::new(&whole)).ok_or_else(|| {
                UsageError(format!(
                    "--groups knows no folder {}; make it with `castgate audit --data {} --out groups.csv`",
                    data.shown(),
                    data.shown()
                ))
            })?;
            for picture in &mut pictures {
                let entry = listing.find(split, &picture.name);
                picture.group = entry.map(|entry| entry.group);
                if entry.and_then(|entry| entry.conflict).is_some_and(|one| self.conflicts.contains(&one)) {
                    conflicts.insert(picture.name.clone());
                }
            }
        }
        let before = pictures.len();
        let is_named = |picture: &Labelled| {
            self.is_named(&picture.path) || self.is_named(Path::new(&picture.path.shown().to_string()))
        };
        pictures.retain(|picture| !conflicts.contains(&picture.name) && !is_named(picture));
        let left_out = before - pictures.len();
        Ok((pictures, left_out))
    }

    /// The pictures of all folders with their photographs; tells what was left aside there. With several folders their
    /// names tell the folder.
    ///
    /// # Errors
    /// [`UsageError`] when a folder does not do, or the groups know nothing of it.
    pub fn list(&self, folders: &ManyFolders, tell: Tell<'_>) -> anyhow::Result<Listed> {
        let (mut all, mut left_out, mut left) = (Vec::new(), 0, Left::default());
        for (data, found) in folders.data.iter().zip(folders.list()?) {
            let (pictures, less) = self.apply(data, found.pictures)?;
            left_out += less;
            left.extend(found.left);
            all.push((short_name(data), pictures));
        }
        left_aside(&left, tell);
        let several = all.len() > 1;
        let named = |(folder, pictures): (String, Vec<Labelled>)| {
            pictures.into_iter().map(move |mut picture| {
                if several {
                    picture.name = format!("{folder}/{}", picture.name);
                }
                picture
            })
        };
        Ok(Listed { pictures: all.into_iter().flat_map(named).collect(), left_out, left })
    }

    /// Whether the path, or an end of it, is among the names.
    fn is_named(&self, path: &Path) -> bool {
        let parts: Vec<_> = path.iter().collect();
        let end = |from: usize| parts[from..].iter().collect::<PathBuf>();
        !self.names.is_empty() && (0..parts.len()).any(|from| self.names.contains(&end(from)))
    }

    /// The photographs of the folders `data`, named as [`ManyFolders::names`] names them; `None` when they are not known.
    pub fn groups_of(&self, data: &str) -> Option<HashSet<u64>> {
        let listing = self.listing.as_ref()?;
        let split = |name: &str| listing.split_of(Path::new(name));
        let splits = data.split(" and ").map(split).collect::<Option<HashSet<_>>>()?;
        let of_splits = listing.entries().iter().filter(|entry| splits.contains(entry.split.as_str()));
        Some(of_splits.map(|entry| entry.group).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Truth;

    fn known(leave_out: &str, list: &str) -> Known {
        let dir = tempfile::tempdir().unwrap();
        let (groups, names) = (dir.path().join("groups.csv"), dir.path().join("names.txt"));
        let text = "file,split,label,group,conflict,exact_of,sha256\n\
                    ok/a.png,train,ok,1,majority,,\nok/b.png,train,ok,2,,,\nbad/c.png,train,defect,1,minority,,\n\
                    ok/gone.png,train,ok,9,,,\nok/d.png,test,ok,2,,,\n";
        std::fs::write(&groups, text).unwrap();
        std::fs::write(&names, list).unwrap();
        let leave_out = if leave_out == "file" { Some(names) } else { Some(PathBuf::from(leave_out)) };
        Knowing { groups: Some(groups), leave_out: leave_out.filter(|path| path != Path::new("")) }
            .read()
            .unwrap()
    }

    fn pictures() -> Vec<Labelled> {
        let picture = |name: &str| Labelled {
            path: Path::new("x/train").join(name),
            name: name.to_owned(),
            truth: Truth::Ok,
            kind: "ok".to_owned(),
            group: None,
        };
        ["ok/a.png", "ok/b.png", "bad/c.png", "ok/new.png"].map(picture).into()
    }

    #[test]
    fn pictures_get_their_photographs_and_some_are_left_out() {
        let groups = |of: &[Labelled]| of.iter().map(|picture| picture.group).collect::<Vec<_>>();
        let (all, left_out) = known("", "").apply(Path::new("x/train"), pictures()).unwrap();
        assert_eq!((groups(&all), left_out), (vec![Some(1), Some(2), Some(1), None], 0));
        let (some, left_out) = known("conflicts", "").apply(Path::new("x/train"), pictures()).unwrap();
        assert_eq!((groups(&some), left_out), (vec![Some(2), None], 2));
        let (some, left_out) = known("minority", "").apply(Path::new("x/train"), pictures()).unwrap();
        assert_eq!((groups(&some), left_out), (vec![Some(1), Some(2), None], 1));
        let list = "\n a.png\r\ntrain/ok/b.png\nno/such.png\n";
        let (some, left_out) = known("file", list).apply(Path::new("x/train"), pictures()).unwrap();
        assert_eq!((groups(&some), left_out), (vec![Some(1), None], 2));
        assert_eq!(known("", "").groups_of("casting/test"), Some(HashSet::from([2])));
        assert_eq!(known("", "").groups_of("casting/test and casting/train"), Some(HashSet::from([1, 2, 9])));
        assert_eq!(known("", "").groups_of("other"), None);
        assert_eq!(known("", "").groups_of("casting/test and other"), None);
    }

    #[test]
    fn what_cannot_be_used_is_said() {
        let said = |error: anyhow::Error| format!("{error:#}");
        let error = said(known("", "").apply(Path::new("x/other"), pictures()).unwrap_err());
        assert!(error.contains("--groups knows no folder x/other"), "{error}");
        let knowing = |groups: Option<&str>, leave_out: Option<&str>| Knowing {
            groups: groups.map(PathBuf::from),
            leave_out: leave_out.map(PathBuf::from),
        };
        let error = said(knowing(None, Some("conflicts")).read().unwrap_err());
        assert!(error.contains("needs --groups"), "{error}");
        for (groups, leave_out) in [(Some("/none.csv"), None), (None, Some("/none.txt"))] {
            let error = said(knowing(groups, leave_out).read().unwrap_err());
            assert!(error.contains("cannot read /none."), "{error}");
        }
    }
}
