//! Folders as people have them: links, hidden folders, masks, odd names, odd files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::album::label::Pattern;
use crate::verdict::Truth;

/// A folder `set` that goes away.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new(files: &[&str]) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(bench.at("set")).unwrap();
        files.iter().for_each(|file| bench.file(OsStr::new(file), b"x"));
        bench
    }

    fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.0.path().join(Path::new(&name))
    }

    fn file(&self, name: &OsStr, bytes: &[u8]) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn link(&self, to: &str, name: &str) {
        symlink(to, self.at(name)).unwrap();
    }

    /// Names of all pictures, and what is told of the rest.
    fn all(&self) -> (Vec<String>, Vec<String>) {
        self.told(pictures(&self.at("set")).unwrap())
    }

    fn told(&self, found: Found) -> (Vec<String>, Vec<String>) {
        let root = format!("{}/", self.0.path().display());
        let lines = found.left.lines().into_iter().map(|line| line.replace(&root, ""));
        (found.pictures.into_iter().map(|picture| picture.name).collect(), lines.collect())
    }

    fn labelled(&self, ok: &[&str], defect: &[&str]) -> Result<Found, FolderError> {
        let of = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        labelled(&self.at("set"), &Labels { ok: of(ok), defect: of(defect) })
    }
}

#[test]
fn pictures_of_every_ending_are_found_in_the_order_of_their_paths() {
    let bench = Bench::new(&[
        "set/b.WEBP",
        "set/a.JPG",
        "set/x/c.tif",
        "set/d.jfif",
        "set/e.jpe",
        "set/f.TIFF",
        "set/g.bmp",
    ]);
    let (names, left) = bench.all();
    assert_eq!(names, ["a.JPG", "b.WEBP", "d.jfif", "e.jpe", "f.TIFF", "g.bmp", "x/c.tif"]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_no_picture_of_a_part_is_left_aside_and_said() {
    let bench = Bench::new(&[
        "set/a.png",
        "set/.ipynb_checkpoints/a-checkpoint.png",
        "set/.ipynb_checkpoints/deep/b.png",
        "set/@eaDir/a.png/thumb.jpg",
        "set/._a.png",
        "set/Thumbs.db",
        "set/a_mask.png",
        "set/ground_truth/a.png",
        "set/notes.txt",
        "set/labels.csv",
        "set/README",
        "set/photo.heic",
    ]);
    bench.file(OsStr::new("set/x.dat"), b"\xff\xd8\xff\xe0 and so on");
    bench.file(OsStr::new("set/noending"), b"\x89PNG\r\n\x1a\n");
    bench.file(OsStr::new("set/raw.bin"), b"\x00\x01\x02");
    let (names, left) = bench.all();
    assert_eq!(names, ["a.png"]);
    assert_eq!(
        left,
        [
            "14 left aside in set: 5 hidden, 2 masks, 3 not pictures (.csv, .txt), 1 of a format that is not read (.heic), 1 of an unknown \
             kind (.bin), 2 pictures that are called otherwise (.dat)",
            "not read: set/noending looks like a PNG but has no ending",
            "not read: set/x.dat looks like a JPEG but is called .dat",
        ]
    );
}

#[test]
fn links_are_followed_once_and_never_in_a_circle() {
    let bench = Bench::new(&[
        "store/mon/1.png",
        "store/mon/2.png",
        "store/tue/3.png",
        "set/own.png",
        "other/file.png",
    ]);
    bench.link("../store/mon", "set/a_monday");
    bench.link("../store/mon", "set/monday again");
    bench.link("../store/tue", "set/tue");
    bench.link("../../set", "store/tue/back");
    bench.link("../mon", "store/tue/monday");
    bench.link("..", "set/up");
    bench.link("/", "set/root");
    bench.link("/proc", "set/kernel");
    bench.link("../other/file.png", "set/linked.png");
    bench.link("own.png", "set/same.png");
    std::fs::hard_link(bench.at("set/own.png"), bench.at("set/twin.png")).unwrap();
    bench.link("gone.txt", "set/nothing.txt");
    bench.link("gone.png", "set/later.png");
    let (names, left) = bench.all();
    assert_eq!(
        names,
        ["a_monday/1.png", "a_monday/2.png", "later.png", "linked.png", "own.png", "tue/3.png"]
    );
    assert_eq!(
        left,
        [
            "7 left aside in set: 3 read before under another name, 2 links back to a folder around them, 1 link to nothing, 1 no file",
            "2 left aside in set/tue: 1 read before under another name, 1 link back to a folder around it",
            "not read: set/nothing.txt is a link to nothing",
            "not read: set/kernel links to a device",
        ]
    );
}

#[test]
fn one_picture_under_both_labels_is_kept_under_both() {
    let bench = Bench::new(&["store/mon/1.png", "set/ok/2.png", "set/bad/3.png"]);
    bench.link("../../store/mon", "set/ok/mon");
    bench.link("../../store/mon", "set/bad/mon");
    std::fs::hard_link(bench.at("set/ok/2.png"), bench.at("set/bad/2.png")).unwrap();
    let found = bench.labelled(&["ok"], &["bad"]).unwrap();
    let (names, left) = bench.told(found);
    assert_eq!(names, ["bad/2.png", "bad/3.png", "bad/mon/1.png", "ok/2.png", "ok/mon/1.png"]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_folder_may_be_named_by_any_of_its_links() {
    let bench = Bench::new(&["store/fine/1.png", "store/fine/deep/2.png", "store/poor/3.png"]);
    bench.link("../store/fine", "set/a");
    bench.link("a", "set/ok_front");
    bench.link("../store/poor", "set/def_front");
    bench.link("def_front", "set/z");
    bench.link("../store", "set/all");
    let folders = tree(&bench.at("set"), &Labels::default()).unwrap();
    let folders: Vec<PathBuf> = folders.into_iter().map(|path| path.iter().collect()).collect();
    let under = |name: &str| folders.iter().filter(|path| path.starts_with(name)).count();
    assert_eq!(["a", "all", "def_front", "ok_front", "z"].map(under), [2, 3, 1, 2, 1]);
    let found = bench.labelled(&["./ok_front"], &["./def_front"]).unwrap();
    let (names, left) = bench.told(found);
    assert_eq!(names, ["def_front/3.png", "ok_front/1.png", "ok_front/deep/2.png"]);
    assert!(left.iter().all(|line| line.contains("read before under another name")), "{left:?}");
}

#[test]
fn names_that_are_no_utf8_stay_apart_and_escape_codes_are_shown() {
    let bench = Bench::new(&[]);
    for name in
        [&b"set/\xff.png"[..], b"set/\xfe.png", b"set/\x1b[2J.png", b"set/two\nlines.png", b"set/z\x9b.dat"]
    {
        bench.file(OsStr::from_bytes(name), b"\xff\xd8\xff\xe0");
    }
    let (names, left) = bench.all();
    assert_eq!(names, ["\\u001b[2J.png", "two\\u000alines.png", "\\xfe.png", "\\xff.png"]);
    assert_eq!(left[1], "not read: set/z\\x9b.dat looks like a JPEG but is called .dat");
}

#[test]
fn pipes_are_not_opened_and_what_cannot_be_read_is_named() {
    let bench = Bench::new(&["set/a.png", "set/closed/b.png", "set/closed.txt"]);
    for name in ["set/pipe.png", "set/pipe.dat"] {
        let made = std::process::Command::new("mkfifo").arg(bench.at(name)).status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no program `mkfifo` here");
            return;
        }
    }
    let _socket = std::os::unix::net::UnixListener::bind(bench.at("set/socket")).unwrap();
    bench.link("/dev/zero", "set/zero.png");
    let closed = bench.at("set/closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let readable = std::fs::read_dir(&closed).is_ok();
    let (names, left) = bench.all();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    if readable {
        // As root nothing is closed.
        assert_eq!(names, ["a.png", "closed/b.png"]);
    } else {
        assert_eq!(names, ["a.png"]);
        assert!(
            left.iter().any(|line| line.starts_with("not read: set/closed cannot be read: ")),
            "{left:?}"
        );
    }
    assert!(left[0].contains("4 no file"), "{left:?}");
    assert!(
        left.contains(&"not read: set/pipe.png is no file but a pipe or a device".to_owned()),
        "{left:?}"
    );
}

#[test]
fn folders_get_the_label_of_the_nearest_name_and_the_others_are_said() {
    let files =
        ["set/train/good/1.png", "set/test/good/2.png", "set/test/crack/3.png", "set/test/hole/deep/4.png"];
    let bench = Bench::new(&files);
    bench.file(OsStr::new("set/test/scratch/5.png"), b"x");
    bench.file(OsStr::new("set/ground_truth/crack/3.png"), b"x");
    bench.file(OsStr::new("set/license.txt"), b"x");
    let found = bench.labelled(&["good"], &["crack*", "hole"]).unwrap();
    let labels: Vec<(String, Truth, String)> = found
        .pictures
        .iter()
        .map(|picture| {
            let label = picture.label.clone().unwrap();
            (picture.name.clone(), label.truth, label.kind)
        })
        .collect();
    let row = |name: &str, truth, kind: &str| (name.to_owned(), truth, kind.to_owned());
    assert_eq!(
        labels,
        [
            row("test/crack/3.png", Truth::Defect, "crack"),
            row("test/good/2.png", Truth::Ok, "good"),
            row("test/hole/deep/4.png", Truth::Defect, "hole"),
            row("train/good/1.png", Truth::Ok, "good"),
        ]
    );
    let (_, left) = bench.told(found);
    assert_eq!(
        left,
        [
            "1 left aside in set: 1 mask",
            "1 left aside in set/test/scratch: 1 picture in a folder that neither --ok nor --defect names",
        ]
    );
    let error = bench.labelled(&["train/good"], &["test"]).unwrap_err().to_string();
    assert!(error.contains("test/good lies in test, which --defect names"), "{error}");
    // Named by name, a folder of masks is one of parts.
    let found = bench.labelled(&["ground_truth"], &["hole"]).unwrap();
    assert_eq!(found.pictures.len(), 2);
    let said = Labels { ok: vec![Pattern::parse("good").unwrap()], defect: Vec::new() };
    let folders = tree(&bench.at("set"), &said).unwrap();
    assert_eq!(folders.len(), 5);
}

#[test]
fn a_folder_that_is_none_is_refused() {
    let bench = Bench::new(&["set/a.png"]);
    assert!(pictures(&bench.at("none")).is_err());
    assert!(pictures(&bench.at("set/a.png")).is_err());
    let error = labelled(&bench.at("none"), &Labels::default()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.contains("none: "), "{error}");
}
