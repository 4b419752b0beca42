//! Which pictures show good parts and which defective ones, by the names of the folders that they are in.
//!
//! Owns the patterns of `--ok` and `--defect` and the rule that the nearest folder decides. Names that nobody gave are found in `layout`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

use crate::printable::Printable as _;
use crate::verdict::Truth;

/// Usual names of folders with pictures of good parts, in small letters; the first is castgate's own.
pub(super) const GOOD: [&str; 3] = ["ok_front", "ok", "good"];
/// Usual names of folders with pictures of defective parts, in small letters; the first is castgate's own.
pub(super) const DEFECTIVE: [&str; 8] =
    ["def_front", "def", "defect", "defects", "defective", "bad", "ng", "nok"];

/// What a folder's name says by itself.
pub(super) fn usual(name: &OsStr) -> Option<Truth> {
    let lower = name.to_string_lossy().to_lowercase();
    match () {
        () if GOOD.contains(&lower.as_str()) => Some(Truth::Ok),
        () if DEFECTIVE.contains(&lower.as_str()) => Some(Truth::Defect),
        () => None,
    }
}

/// The name of a folder, or the last parts of its path below the folder of pictures (`test/crack`); `./crack` is the one directly in it.
/// `*` stands for any characters, `?` for any one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<OsString>,
    /// Whether the parts are the whole path.
    whole: bool,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (whole, rest) = text.strip_prefix("./").map_or((false, text), |rest| (true, rest));
        let parts: Vec<OsString> =
            rest.split('/').filter(|part| !part.is_empty()).map(OsString::from).collect();
        if rest.starts_with('/') || parts.is_empty() || parts.iter().any(|part| part == "." || part == "..") {
            return Err(format!(
                "`{}` names no folder below --data; give a name such as `good`, the end of a path such as `test/crack`, or `./good` for \
                 the folder directly in --data",
                text.shown()
            ));
        }
        Ok(Self { parts, whole })
    }

    /// For the folder of this very name.
    pub(super) fn named(name: &OsStr, whole: bool) -> Self {
        Self { parts: vec![name.to_owned()], whole }
    }

    fn is_name(&self) -> bool {
        self.parts.iter().all(|part| !part.as_bytes().iter().any(|byte| b"*?".contains(byte)))
    }

    /// Whether it names the folder at this path below the folder of pictures.
    pub fn matches(&self, folders: &[OsString]) -> bool {
        let Some(before) = folders.len().checked_sub(self.parts.len()) else { return false };
        let fits = |(part, name): (&OsString, &OsString)| glob(part.as_bytes(), name.as_bytes());
        (before == 0 || !self.whole) && self.parts.iter().zip(&folders[before..]).all(fits)
    }

    /// How well it names the folder: not at all, by `*` and `?`, by name.
    fn rank(&self, folders: &[OsString]) -> u8 {
        if self.matches(folders) { 1 + u8::from(self.is_name()) } else { 0 }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.parts.iter().map(|part| part.shown().to_string()).collect();
        write!(f, "{}{}", if self.whole { "./" } else { "" }, parts.join("/"))
    }
}

/// Whether `name` is what `pattern` describes.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stands, and how much of the name it takes.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'?') => {
                // A whole character of UTF-8.
                n += 1;
                while name.get(n).is_some_and(|byte| byte & 0xC0 == 0x80) {
                    n += 1;
                }
                p += 1;
            }
            Some(byte) if *byte == name[n] => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// What a folder says of the pictures in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// What the parts are.
    pub truth: Truth,
    /// The name of the folder that says it, or of the one directly in it where its own is a usual one: the kind of defect, where each kind
    /// has a folder.
    pub kind: String,
}

/// It is not clear what a folder says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Unclear {
    /// Both flags name it equally well.
    #[error("both --ok and --defect name the folder {0}")]
    Both(String),
    /// Its name says the contrary of what the folder around it is named by.
    #[error(
        "the folder {folder} lies in {inside}, which {flag} names, but is called like one of {contrary} parts; say which it is: \
         {other} {folder}, or {flag} {folder}"
    )]
    Contrary {
        /// The folder.
        folder: String,
        /// The folder around it.
        inside: String,
        /// The flag that names that.
        flag: &'static str,
        /// What its own name says.
        contrary: &'static str,
        /// The other flag.
        other: &'static str,
    },
}

/// What is said of folders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Folders of good parts.
    pub ok: Vec<Pattern>,
    /// Folders of defective parts.
    pub defect: Vec<Pattern>,
}

/// A path below the folder of pictures, for people.
pub(super) fn joined(folders: &[OsString]) -> String {
    folders.iter().map(|name| name.shown().to_string()).collect::<Vec<_>>().join("/")
}

impl Labels {
    /// What the nearest folder that is named says of the pictures in `folders`, a path below the folder of pictures; `None` where none
    /// is named. A name goes before a pattern with `*` or `?`.
    ///
    /// # Errors
    /// When it is not clear.
    pub fn of(&self, folders: &[OsString]) -> Result<Option<Label>, Unclear> {
        for depth in (1..=folders.len()).rev() {
            let path = &folders[..depth];
            let rank = |patterns: &[Pattern]| patterns.iter().map(|one| one.rank(path)).max().unwrap_or(0);
            let truth = match (rank(&self.ok), rank(&self.defect)) {
                (0, 0) => continue,
                (ok, defect) if ok == defect => return Err(Unclear::Both(joined(path))),
                (ok, defect) if ok > defect => Truth::Ok,
                _ => Truth::Defect,
            };
            let deeper =
                (depth..folders.len()).find(|&at| usual(&folders[at]).is_some_and(|says| says != truth));
            if let Some(at) = deeper {
                let good = truth == Truth::Ok;
                let [flag, other] = if good { ["--ok", "--defect"] } else { ["--defect", "--ok"] };
                return Err(Unclear::Contrary {
                    folder: joined(&folders[..=at]),
                    inside: joined(path),
                    flag,
                    contrary: if good { "defective" } else { "good" },
                    other,
                });
            }
            // A folder of all defects, or of all good parts, may hold one for each kind.
            let kind = folders.get(depth).filter(|_| usual(&folders[depth - 1]).is_some());
            let kind = kind.unwrap_or(&folders[depth - 1]).shown().to_string();
            return Ok(Some(Label { truth, kind }));
        }
        Ok(None)
    }

    /// Whether the folder at this path is named by its name: then it is one of parts, whatever it is called.
    pub fn names(&self, folders: &[OsString]) -> bool {
        self.ok.iter().chain(&self.defect).any(|pattern| pattern.rank(folders) > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<OsString> {
        text.split('/').filter(|part| !part.is_empty()).map(OsString::from).collect()
    }

    fn labels(ok: &[&str], defect: &[&str]) -> Labels {
        let of = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        Labels { ok: of(ok), defect: of(defect) }
    }

    fn says(labels: &Labels, folders: &str) -> Option<(Truth, String)> {
        labels.of(&path(folders)).unwrap().map(|label| (label.truth, label.kind))
    }

    #[test]
    fn patterns_name_folders_by_name_path_and_wildcards() {
        for (pattern, yes, no) in [
            ("good", &["good", "train/good"][..], &["goods", "good/x", ""][..]),
            ("test/good/", &["test/good", "a/test/good"], &["good", "train/good"]),
            ("./good", &["good"], &["train/good"]),
            ("crack*", &["crack", "crack_2", "x/cracks"], &["a_crack"]),
            ("*a*b", &["ab", "xaxbxb"], &["ba", "abx"]),
            ("?x", &["ax", "\u{e9}x"], &["x", "aax"]),
            ("day-?/*", &["day-1/anything"], &["day-1", "day-10/x"]),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            yes.iter().for_each(|folder| assert!(parsed.matches(&path(folder)), "{pattern} {folder}"));
            no.iter().for_each(|folder| assert!(!parsed.matches(&path(folder)), "{pattern} {folder}"));
        }
        for wrong in ["", ".", "./", "..", "/data/good", "a/../b", ".//x"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_nearest_named_folder_decides_and_gives_the_kind() {
        let kinds = labels(&["good"], &["crack*", "hole"]);
        assert_eq!(says(&kinds, "train/good"), Some((Truth::Ok, "good".to_owned())));
        assert_eq!(says(&kinds, "test/crack_2/monday"), Some((Truth::Defect, "crack_2".to_owned())));
        assert_eq!(says(&kinds, "test/scratch"), None);
        assert_eq!(says(&kinds, ""), None);
        let all = labels(&["good"], &["test"]);
        assert_eq!(says(&all, "test/good"), Some((Truth::Ok, "good".to_owned())));
        assert_eq!(says(&all, "test/hole"), Some((Truth::Defect, "test".to_owned())));
        let own = labels(&["./ok_front"], &["./def_front"]);
        assert_eq!(says(&own, "def_front/crack/mon"), Some((Truth::Defect, "crack".to_owned())));
        assert_eq!(says(&own, "def_front"), Some((Truth::Defect, "def_front".to_owned())));
        let rest = labels(&["good"], &["*"]);
        assert_eq!(says(&rest, "test/good"), Some((Truth::Ok, "good".to_owned())));
        assert_eq!(says(&rest, "test/hole"), Some((Truth::Defect, "hole".to_owned())));
        assert!(rest.names(&path("a/good")) && !rest.names(&path("masks")));
    }

    #[test]
    fn what_is_not_clear_is_said() {
        let said = |labels: &Labels, folders: &str| labels.of(&path(folders)).unwrap_err().to_string();
        assert_eq!(
            said(&labels(&["train/good"], &["test"]), "test/good"),
            "the folder test/good lies in test, which --defect names, but is called like one of good parts; say which it is: --ok \
             test/good, or --defect test/good"
        );
        assert!(
            said(&labels(&["ok_front"], &["def_front"]), "ok_front/x/Bad/y")
                .contains("--defect ok_front/x/Bad")
        );
        assert_eq!(said(&labels(&["a*"], &["*b"]), "x/ab/y"), "both --ok and --defect name the folder x/ab");
        // Named itself it is what was said.
        let meant = labels(&["train/good"], &["test", "test/good"]);
        assert_eq!(says(&meant, "test/good"), Some((Truth::Defect, "good".to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_hangs_or_panics(picks in proptest::collection::vec(0usize..6, 0..24), cut in 0usize..12) {
            let text: String = picks.iter().map(|&pick| ["a", "*", "?", "/", ".", "\u{e9}"][pick]).collect();
            let cut = text.char_indices().nth(cut).map_or(text.len(), |(at, _)| at);
            if let Ok(pattern) = Pattern::parse(&text[..cut]) {
                let _ = pattern.matches(&path(&text[cut..]));
                proptest::prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }
    }
}
