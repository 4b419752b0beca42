//! The way through a folder: what is in it, in order, each file once.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Found, Picture};
use crate::album::label::{Label, Labels, Unclear};
use crate::album::left::{Left, Why};
use crate::album::names::{self, Aside, FIRST, Named};
use crate::printable::Printable as _;
use crate::regular;
use crate::verdict::Truth;

/// File systems that hold no files of people; reading them can wait for ever.
const KERNELS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Names under which a folder is looked at, as long as none gives it a label: any of them may be the one that does.
const NAMES: u32 = 16;
/// What is no device there.
const MEMORY: &str = "/dev/shm";

/// Which pictures are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule<'a> {
    /// All.
    All,
    /// Those that have a label.
    Labelled(&'a Labels),
    /// All, and no matter what else there is; what is named here is no mask.
    Names(&'a Labels),
}

/// A folder on the way.
#[derive(Debug, Clone)]
struct At {
    path: PathBuf,
    /// Below the root.
    folders: Vec<OsString>,
    /// Set for what is left aside as a whole: why, and the folder that it is told of.
    aside: Option<(Why, String)>,
}

/// Device and number of a file, and under which label it was met: one picture under both labels is a fault in the pictures, and must
/// show.
type Identity = (u64, u64, Option<Truth>);

/// A walk through one folder.
pub(super) struct Walk<'a> {
    root: &'a Path,
    rule: Rule<'a>,
    folders: Vec<At>,
    links: Vec<(At, OsString)>,
    /// How often each file and folder was met.
    seen: HashMap<Identity, u32>,
    pictures: Vec<Picture>,
    /// Pictures without a label: folder and name.
    outside: Vec<(At, OsString)>,
    left: Left,
    unclear: BTreeSet<Unclear>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path, rule: Rule<'a>) -> Self {
        let (folders, links, seen) = (Vec::new(), Vec::new(), HashMap::new());
        let (pictures, outside, left, unclear) = (Vec::new(), Vec::new(), Left::default(), BTreeSet::new());
        Self { root, rule, folders, links, seen, pictures, outside, left, unclear }
    }

    /// Walks through everything.
    ///
    /// # Errors
    /// When the folder itself cannot be read; others are among what was left aside.
    pub(super) fn go(&mut self) -> io::Result<()> {
        fs::read_dir(self.root)?;
        self.folders.push(At { path: self.root.to_owned(), folders: Vec::new(), aside: None });
        loop {
            while let Some(at) = self.folders.pop() {
                self.folder(&at);
            }
            // Links last: what is really there has its own name.
            if self.links.is_empty() {
                return Ok(());
            }
            let mut links = std::mem::take(&mut self.links);
            links.sort_by(|(one, name), (other, other_name)| {
                (&one.path, name).cmp(&(&other.path, other_name))
            });
            links.into_iter().for_each(|(at, name)| self.link(&at, &name));
            self.folders.reverse();
        }
    }

    /// What was found, and what was not clear.
    pub(super) fn finish(mut self) -> (Found, Vec<Unclear>) {
        for (at, name) in std::mem::take(&mut self.outside) {
            // It may have a label under another name.
            let labelled = fs::metadata(at.path.join(&name)).is_ok_and(|metadata| {
                let met = |truth| self.seen.contains_key(&(metadata.dev(), metadata.ino(), Some(truth)));
                met(Truth::Ok) || met(Truth::Defect)
            });
            self.leave(&at, &name, if labelled { Why::Twice } else { Why::NoLabel }, None);
        }
        self.pictures.sort_by(|one, other| one.path.cmp(&other.path));
        (Found { pictures: self.pictures, left: self.left }, self.unclear.into_iter().collect())
    }

    /// The name of a folder for people: as it was given, and below it as it is.
    fn shown(&self, folders: &[OsString]) -> String {
        let mut path = self.root.to_owned();
        path.extend(folders);
        path.shown().to_string()
    }

    fn leave(&mut self, at: &At, name: &OsStr, why: Why, said: Option<&str>) {
        match &at.aside {
            Some((why, folder)) => self.left.add(folder, *why, "", None),
            None => {
                let folder = self.shown(&at.folders);
                let ending = match why {
                    Why::NotAPicture | Why::Format | Why::Unknown | Why::Disguised => names::ending(name),
                    _ => String::new(),
                };
                let ending = ending.as_str().shown().to_string();
                let name = name.shown().to_string();
                self.left.add(&folder, why, &ending, said.map(|said| (name.as_str(), said)));
            }
        }
    }

    /// What the folders say of a picture.
    fn label(&self, folders: &[OsString]) -> Result<Option<Label>, Unclear> {
        match self.rule {
            Rule::Labelled(labels) => labels.of(folders),
            Rule::All | Rule::Names(_) => Ok(None),
        }
    }

    /// Whether this file, or folder, was met less than `most` times under its label.
    fn is_new(&mut self, metadata: &Metadata, truth: Option<Truth>, most: u32) -> bool {
        let times = self.seen.entry((metadata.dev(), metadata.ino(), truth)).or_default();
        *times += 1;
        *times <= most
    }

    fn folder(&mut self, at: &At) {
        let entries = fs::read_dir(&at.path).and_then(|entries| {
            let kind = |entry: fs::DirEntry| Ok((entry.file_name(), entry.file_type()?));
            entries.map(|entry| kind(entry?)).collect::<io::Result<Vec<_>>>()
        });
        let entries = entries.and_then(|entries| Ok((entries, fs::metadata(&at.path)?)));
        let (mut entries, metadata) = match entries {
            Ok(read) => read,
            Err(error) => {
                let (before, name) = at.parent();
                return self.leave(
                    &before,
                    &name,
                    Why::Unreadable,
                    Some(&format!("cannot be read: {error}")),
                );
            }
        };
        let truth = self.label(&at.folders).ok().flatten().map(|label| label.truth);
        let most = if truth.is_some() || matches!(self.rule, Rule::All) { 1 } else { NAMES };
        if at.aside.is_none() && !self.is_new(&metadata, truth, most) {
            let (before, name) = at.parent();
            return self.leave(&before, &name, Why::Twice, None);
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        let first = self.folders.len();
        for (name, kind) in entries {
            self.entry(at, &name, kind);
        }
        // Taken from the end.
        self.folders[first..].reverse();
    }

    fn entry(&mut self, at: &At, name: &OsStr, kind: FileType) {
        if at.aside.is_some() {
            match kind.is_dir() {
                true => self.folders.push(at.below(name, at.aside.clone())),
                false => self.leave(at, name, Why::Hidden, None),
            }
        } else if kind.is_dir() {
            self.subfolder(at, name);
        } else if kind.is_symlink() {
            self.links.push((at.clone(), name.to_owned()));
        } else {
            self.file(at, name, kind.is_file());
        }
    }

    /// A folder, real or linked.
    fn subfolder(&mut self, at: &At, name: &OsStr) {
        let mut below = at.below(name, None);
        let named =
            matches!(self.rule, Rule::Labelled(labels) | Rule::Names(labels) if labels.names(&below.folders));
        let why = match names::of_folder(name) {
            Some(Aside::Hidden) => Some(Why::Hidden),
            Some(Aside::Mask) if !named => Some(Why::Mask),
            _ => None,
        };
        below.aside = why.map(|why| (why, self.shown(&at.folders)));
        self.folders.push(below);
    }

    fn link(&mut self, at: &At, name: &OsStr) {
        let path = at.path.join(name);
        let hidden = names::of_folder(name) == Some(Aside::Hidden) || names::of_file(name) == Named::Hidden;
        let kernels =
            |real: &Path| KERNELS.iter().any(|kernel| real.starts_with(kernel)) && !real.starts_with(MEMORY);
        let target = fs::metadata(&path).and_then(|target| Ok((target, fs::canonicalize(&path)?)));
        match target {
            _ if hidden => self.leave(at, name, Why::Hidden, None),
            // It may come back, or else whoever reads it says what is wrong.
            Err(_) if names::is_picture_name(name) => self.file(at, name, true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.leave(at, name, Why::DanglingLink, Some("is a link to nothing"));
            }
            Err(error) => self.leave(at, name, Why::Unreadable, Some(&format!("cannot be read: {error}"))),
            Ok((_, real)) if kernels(&real) => {
                self.leave(at, name, Why::NoFile, Some("links to a device"));
            }
            Ok((target, real)) if target.is_dir() => {
                let inside =
                    |folder: &Path| fs::canonicalize(folder).is_ok_and(|folder| folder.starts_with(&real));
                if inside(&at.path) || inside(self.root) {
                    self.leave(at, name, Why::Loop, None);
                } else {
                    self.subfolder(at, name);
                }
            }
            Ok((target, _)) => self.file(at, name, target.is_file()),
        }
    }

    /// What is no folder.
    fn file(&mut self, at: &At, name: &OsStr, is_file: bool) {
        let named = names::of_file(name);
        if named == Named::Hidden {
            return self.leave(at, name, Why::Hidden, None);
        }
        let label = match self.label(&at.folders) {
            Ok(label) => label,
            Err(unclear) => {
                if named == Named::Picture {
                    self.unclear.insert(unclear);
                }
                return;
            }
        };
        let path = at.path.join(name);
        // Of what lies outside the labelled folders only pictures are told.
        let outside = matches!(self.rule, Rule::Labelled(_)) && label.is_none();
        match named {
            Named::Mask => self.leave(at, name, Why::Mask, None),
            Named::Picture if !is_file => {
                self.leave(at, name, Why::NoFile, Some("is no file but a pipe or a device"))
            }
            Named::Picture if outside => self.outside.push((at.clone(), name.to_owned())),
            Named::Picture => self.picture(at, name, path, label),
            _ if outside || matches!(self.rule, Rule::Names(_)) => {}
            _ if !is_file => self.leave(at, name, Why::NoFile, Some("is no file but a pipe or a device")),
            Named::Unread => self.leave(at, name, Why::Format, None),
            Named::Plain | Named::Nothing | Named::Hidden => self.other(at, name, &path, named),
        }
    }

    fn picture(&mut self, at: &At, name: &OsStr, path: PathBuf, label: Option<Label>) {
        let most = if matches!(self.rule, Rule::Names(_)) { u32::MAX } else { 1 };
        let truth = label.as_ref().map(|label| label.truth);
        match fs::metadata(&path) {
            Ok(metadata) if !self.is_new(&metadata, truth, most) => self.leave(at, name, Why::Twice, None),
            // What cannot even be looked at now is told by whoever reads it.
            _ => {
                let below = at.folders.iter().collect::<PathBuf>().join(name);
                let name = below.shown().to_string();
                self.pictures.push(Picture { path, name, label, folders: at.folders.clone() });
            }
        }
    }

    /// A regular file whose name is none of a picture.
    fn other(&mut self, at: &At, name: &OsStr, path: &Path, named: Named) {
        let mut first = Vec::with_capacity(FIRST);
        let read = regular::open(path).and_then(|file| file.take(FIRST as u64).read_to_end(&mut first));
        let ending = names::ending(name);
        match (read, names::looks_like(&first)) {
            (Ok(_), Some(format)) => {
                let called = match ending.is_empty() {
                    true => "has no ending".to_owned(),
                    false => format!("is called .{}", ending.as_str().shown()),
                };
                self.leave(at, name, Why::Disguised, Some(&format!("looks like a {format} but {called}")));
            }
            _ if named == Named::Plain => self.leave(at, name, Why::NotAPicture, None),
            (Err(error), _) => {
                self.leave(at, name, Why::Unreadable, Some(&format!("cannot be read: {error}")))
            }
            (Ok(_), None) if names::is_text(&first) => self.leave(at, name, Why::NotAPicture, None),
            (Ok(_), None) => self.leave(at, name, Why::Unknown, None),
        }
    }
}

impl At {
    fn below(&self, name: &OsStr, aside: Option<(Why, String)>) -> Self {
        let mut folders = self.folders.clone();
        folders.push(name.to_owned());
        Self { path: self.path.join(name), folders, aside }
    }

    /// The folder around it, and its name there.
    fn parent(&self) -> (Self, OsString) {
        let mut folders = self.folders.clone();
        let name = folders.pop().unwrap_or_default();
        let path = self.path.parent().unwrap_or(&self.path).to_owned();
        (Self { path, folders, aside: self.aside.clone() }, name)
    }
}
