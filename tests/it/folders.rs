//! Folders of pictures as people have them, names that hold codes for the terminal, and files that are written whole or not at all.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::golden::castgate;
use crate::support::process::{expect, said};

/// A scratch folder with drawn parts in `drawn`, half of them defective.
struct Bench(TempDir);

impl Bench {
    fn new(parts: u32) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        crate::eval::draw(&bench.at("drawn"), parts);
        bench
    }

    fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Copies the first drawn parts of a kind that are left into a folder.
    fn take(&self, kind: &str, parts: usize, folder: &str) {
        fs::create_dir_all(self.at(folder)).unwrap();
        let drawn = fs::read_dir(self.at("drawn").join(kind)).unwrap().map(|entry| entry.unwrap().path());
        let mut drawn: Vec<PathBuf> = drawn.collect();
        drawn.sort();
        for file in drawn.iter().take(parts) {
            fs::rename(file, self.at(folder).join(file.file_name().unwrap())).unwrap();
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        castgate().args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.at(name)).unwrap()).unwrap()
    }
}

#[test]
fn linked_folders_and_every_ending_are_read_by_every_reader() {
    let bench = Bench::new(24);
    for (kind, ending) in [("ok_front", "JPG"), ("def_front", "jfif")] {
        bench.take(kind, 5, &format!("store/{kind}/mon"));
        bench.take(kind, 4, &format!("set/{kind}"));
        symlink(format!("../../store/{kind}/mon"), bench.at(format!("set/{kind}/mon"))).unwrap();
        symlink(format!("../../store/{kind}/mon"), bench.at(format!("set/{kind}/again"))).unwrap();
        bench.take(kind, 3, "left");
        for entry in fs::read_dir(bench.at("left")).unwrap() {
            let name = entry.unwrap().path();
            let to = bench.at(format!("set/{kind}")).join(name.file_name().unwrap()).with_extension(ending);
            // Read by content, whatever the ending says.
            fs::rename(name, to).unwrap();
        }
    }
    let audit = bench.run(&["audit", "--data", "set", "--json", "a.json", "--threads", "2"]);
    expect(&audit, 0, &["pictures     24 read, 0 broken, 2 left aside", "read before under another name"]);
    assert_eq!(bench.json("a.json")["splits"][0]["ok"], 12);
    let eval = bench.run(&["eval", "--model", "demo", "--data", "set", "--json", "e.json"]);
    expect(&eval, 0, &["pictures       24 of set"]);
    assert!(
        String::from_utf8_lossy(&eval.stderr).contains("1 left aside in set/ok_front: 1 read before"),
        "{}",
        said(&eval)
    );
    assert_eq!(bench.json("e.json")["left_aside"][0]["why"], "twice");
    let inspect = bench.run(&["inspect", "--model", "demo", "set/ok_front"]);
    assert_eq!(String::from_utf8_lossy(&inspect.stdout).lines().count(), 12, "{}", said(&inspect));
    expect(&bench.run(&["inspect", "left"]), 2, &["no JPEG, PNG, BMP, WebP or TIFF file in left"]);
    let config = "camera: {kind: folder, path: set, pace: full}\nsensor: {kind: none}\npreprocess: {find: false}\n\
                  decide: {trigger: every_frame}\nmodel: {path: demo}\n";
    fs::write(bench.at("line.yaml"), config).unwrap();
    expect(&bench.run(&["run", "--quiet", "--config", "line.yaml"]), 0, &["1 left aside in set/def_front"]);
}

#[test]
fn what_is_left_aside_is_told_and_an_audit_ends_with_1_where_it_may_be_missed() {
    let bench = Bench::new(20);
    let checkpoints = bench.at("drawn/def_front/.ipynb_checkpoints");
    fs::create_dir(&checkpoints).unwrap();
    for name in ["part_0-checkpoint.png", "part_1-checkpoint.png"] {
        fs::write(checkpoints.join(name), b"x").unwrap();
    }
    fs::write(bench.at("drawn/def_front/notes.txt"), b"two of them").unwrap();
    let audit =
        |more: &[&str]| bench.run(&[&["audit", "--data", "drawn", "--json", "a.json"], more].concat());
    expect(
        &audit(&[]),
        0,
        &[
            "20 read, 0 broken, 3 left aside",
            "3 left aside in drawn/def_front: 2 hidden, 1 not a picture (.txt)",
        ],
    );
    fs::copy(bench.at("drawn/ok_front/part_00.png"), bench.at("drawn/ok_front/x.dat")).unwrap();
    expect(
        &audit(&[]),
        1,
        &["LEFT ASIDE", "not read: drawn/ok_front/x.dat looks like a PNG but is called .dat"],
    );
    expect(&audit(&["--accept-left-aside"]), 0, &["LEFT ASIDE"]);
    let inspect = bench.run(&["inspect", "--threshold", "1", "--model", "demo", "drawn/ok_front"]);
    expect(&inspect, 1, &["not read: drawn/ok_front/x.dat"]);
    let row = &bench.json("a.json")["left_aside"][2];
    assert_eq!(
        (&row["folder"], &row["why"], &row["unasked"]),
        (&"drawn/ok_front".into(), &"disguised".into(), &true.into())
    );
    fs::remove_file(bench.at("drawn/ok_front/x.dat")).unwrap();
    fs::create_dir(bench.at("drawn/other")).unwrap();
    fs::copy(bench.at("drawn/ok_front/part_00.png"), bench.at("drawn/other/x.png")).unwrap();
    expect(
        &audit(&[]),
        1,
        &["1 left aside in drawn/other: 1 picture in a folder that neither --ok nor --defect names"],
    );
    #[cfg(feature = "train")]
    {
        let line = [
            "train",
            "--data",
            "drawn",
            "--out",
            "m.onnx",
            "--network",
            "4np-5n-d4",
            "--size",
            "16",
            "--epochs",
            "1",
        ];
        expect(
            &bench.run(&line),
            0,
            &["20 read, 0 skipped", "2 hidden, 1 not a picture (.txt)", "1 left aside in drawn/other"],
        );
    }
}

#[test]
#[cfg(feature = "train")]
fn a_golden_set_that_is_not_read_whole_is_no_test() {
    let bench = Bench::new(4);
    let teach = ["teach", "--data", "drawn", "--golden", "drawn"];
    fs::write(bench.at("drawn/ok_front/y.heic"), b"x").unwrap();
    let words = ["--golden: not all of it can be tested: ", "1 of a format that is not read (.heic)"];
    expect(&bench.run(&teach), 2, &words);
    fs::remove_dir_all(bench.at("drawn/def_front")).unwrap();
    expect(&bench.run(&teach), 2, &["./def_front holds no JPEG, PNG, BMP, WebP or TIFF file"]);
}

#[test]
fn a_folder_for_each_kind_of_defect_is_read_as_it_was_said_and_never_guessed() {
    let bench = Bench::new(24);
    bench.take("ok_front", 8, "mv/train/good");
    bench.take("ok_front", 4, "mv/test/good");
    bench.take("def_front", 7, "mv/test/crack");
    bench.take("def_front", 5, "mv/test/hole");
    fs::create_dir_all(bench.at("mv/ground_truth/crack")).unwrap();
    fs::copy(
        bench.at("mv/test/hole").join("part_23.png"),
        bench.at("mv/ground_truth/crack/part_23_mask.png"),
    )
    .unwrap();
    let eval = |more: &[&str]| {
        bench.run(&[&["eval", "--model", "demo", "--json", "e.json", "--data", "mv"], more].concat())
    };
    let names =
        "the folder test/good lies in test, which --defect names, but is called like one of good parts";
    expect(&eval(&["--ok", "train/good", "--defect", "test"]), 2, &[names, "--ok test/good"]);
    expect(
        &eval(&[]),
        2,
        &["no folder with pictures of defective parts", "such as --ok good --defect crack --defect hole"],
    );
    expect(
        &eval(&["--ok", "good", "--defect", "crakc"]),
        2,
        &["--defect crakc names no folder", "test/crack"],
    );
    expect(&eval(&["--ok", "/mv/good"]), 2, &["names no folder below --data"]);
    for flags in
        [&["--ok", "good", "--defect", "crack", "--defect", "h*e"][..], &["--ok", "good", "--defect", "test"]]
    {
        expect(&eval(flags), 0, &["of 12 defective", "of 12 good"]);
    }
    let audit = [
        "audit", "--data", "mv", "--ok", "good", "--defect", "crack", "--defect", "hole", "--json", "a.json",
    ];
    expect(&bench.run(&audit), 0, &["12 ok, 12 defective (7 crack, 5 hole)"]);
    assert_eq!(bench.json("a.json")["splits"][0]["kinds"]["crack"], 7);
    let splits = ["audit", "--data", "mv/train", "mv/test", "--ok", "good", "--defect", "*"];
    expect(
        &bench.run(&splits),
        0,
        &["train      8 ok, 0 defective", "test       4 ok, 12 defective (7 crack, 5 hole)"],
    );
}

#[test]
fn names_bring_no_codes_to_the_terminal_and_no_line_of_their_own() {
    let bench = Bench::new(20);
    let bad = |folder: &str, name: &[u8]| bench.at(folder).join(OsStr::from_bytes(name));
    let names = [
        &b"\x1b]0;owned\x07\x1b[2J.png"[..],
        b"\xff.png",
        b"\xfe.png",
        b"a\nERROR forged.png",
        "\u{202e}gnp.png".as_bytes(),
        b"\xc2\x9b31m.png",
    ];
    for (at, name) in names.iter().enumerate() {
        let drawn = bench.at(format!("drawn/ok_front/part_{:02}.png", 2 * at));
        fs::rename(drawn, bad("drawn/ok_front", name)).unwrap();
        fs::copy(bench.at("drawn/labels.csv"), bad("drawn/def_front", name)).unwrap();
    }
    let twice = bench.at("drawn/ok_front").join(OsStr::from_bytes(b"\x1b[1m.dat"));
    fs::write(&twice, b"\xff\xd8\xff").unwrap();
    symlink(OsStr::from_bytes(b"\x1b[5mnowhere"), bench.at("link.json")).unwrap();
    let odd = "\u{1b}[31m\u{202e}";
    let config = "camera: {kind: folder, path: drawn, pace: full}\nsensor: {kind: none}\npreprocess: {find: false}\n\
                  decide: {trigger: every_frame}\nmodel: {path: demo}\nline_stop: {consecutive_rejects: 0, reject_rate: 100%}\n";
    fs::write(bench.at("line.yaml"), config).unwrap();
    let mut lines: Vec<Vec<&str>> = vec![
        vec!["audit", "--data", "drawn", "--out", "groups.csv", "--json", "a.json"],
        vec![
            "eval",
            "--model",
            "demo",
            "--data",
            "drawn",
            "--threshold",
            "0",
            "--report",
            "e.html",
            "--json",
            "/dev/stdout",
        ],
        vec!["eval", "--model", "demo", "--data", "drawn", "--foreign", "drawn"],
        vec!["threshold", "--model", "demo", "--data", "drawn"],
        vec!["inspect", "--model", "demo", "drawn"],
        vec!["inspect", "--model", "demo", "--json", "drawn"],
        vec!["run", "--config", "line.yaml"],
        vec!["inspect", odd],
        vec!["inspect", "--model", odd, "x.png"],
        vec!["check", "--config", odd],
        vec!["eval", "--model", "demo", "--data", odd],
        vec![odd],
        vec!["run", "--parts", "1", "--summary", "link.json"],
        vec!["bench", "--model", "demo", "--data", "drawn"],
    ];
    if cfg!(feature = "train") {
        lines.push(vec![
            "train",
            "--data",
            "drawn",
            "--out",
            "m.onnx",
            "--network",
            "4np-5n-d4",
            "--size",
            "16",
            "--epochs",
            "1",
        ]);
    }
    for line in lines {
        let output = bench.run(&line);
        for (text, stream) in [(&output.stdout, "out"), (&output.stderr, "err")] {
            let text = std::str::from_utf8(text).unwrap_or_else(|_| panic!("{line:?}: {stream} is no text"));
            let odd = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{9b}".contains(c);
            assert!(!text.contains(odd), "{line:?} {stream}:\n{text:?}");
            assert!(!text.lines().any(|line| line.starts_with("ERROR forged")), "{line:?} {stream}:\n{text}");
            assert!(!text.is_empty() || stream == "err" || output.status.code() != Some(0), "{line:?}");
        }
    }
    let csv = fs::read_to_string(bench.at("groups.csv")).unwrap();
    for name in [
        "ok_front/\\xff.png,",
        "ok_front/\\xfe.png,",
        "ok_front/a\\u000aERROR forged.png,",
        "ok_front/\\u202egnp.png,",
    ] {
        assert!(csv.contains(name), "{name}\n{csv}");
    }
    let page = fs::read_to_string(bench.at("e.html")).unwrap();
    assert!(page.contains("\\u202egnp.png") && !page.contains(['\u{202e}', '\u{1b}']));
    let again = bench.run(&[
        "eval",
        "--model",
        "demo",
        "--data",
        "drawn",
        "--groups",
        "groups.csv",
        "--json",
        "e.json",
    ]);
    expect(&again, 0, &["pictures       20 of drawn"]);
}

#[test]
fn a_summary_takes_its_place_at_the_end_and_follows_no_link() {
    let bench = Bench::new(2);
    fs::write(bench.at("secret"), "kept").unwrap();
    symlink("secret", bench.at("link.json")).unwrap();
    let run = |file: &str, more: &[&str]| {
        bench.run(&[&["run", "--quiet", "--parts", "1", "--summary", file], more].concat())
    };
    expect(
        &run("link.json", &[]),
        3,
        &["cannot write link.json: it is a link to secret, and links are not followed"],
    );
    assert_eq!(fs::read_to_string(bench.at("secret")).unwrap(), "kept");
    // A run that fails leaves the old summary.
    fs::write(bench.at("old.json"), "old").unwrap();
    fs::create_dir(bench.at("empty")).unwrap();
    let config = "camera: {kind: folder, path: empty}\nsensor: {kind: none}\npreprocess: {find: false}\ndecide: {trigger: every_frame}\n";
    fs::write(bench.at("line.yaml"), config).unwrap();
    let failed = run("old.json", &["--config", "line.yaml"]);
    assert_ne!(failed.status.code(), Some(0), "{}", said(&failed));
    assert_eq!(fs::read_to_string(bench.at("old.json")).unwrap(), "old");
    expect(&run("old.json", &[]), 0, &[]);
    assert_eq!(bench.json("old.json")["parts"], 1);
    expect(&run("empty", &[]), 3, &["cannot write empty: it is a folder"]);
    expect(&run("none/x.json", &[]), 3, &["cannot write none/x.json: No such file"]);
    let left = fs::read_dir(bench.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().ends_with(".part")));
}

#[test]
fn no_output_goes_through_a_link_or_into_a_pipe() {
    let bench = Bench::new(4);
    fs::write(bench.at("secret"), "kept").unwrap();
    symlink("secret", bench.at("link")).unwrap();
    symlink("secret", bench.at("link.csv")).unwrap();
    symlink("secret", bench.at("link.onnx")).unwrap();
    let piped = Command::new("mkfifo").arg(bench.at("pipe")).status().is_ok_and(|status| status.success());
    if !piped {
        eprintln!("skipped: pipes, as there is no program `mkfifo` here");
    }
    let eval = ["eval", "--model", "demo", "--data", "drawn"];
    let commands: [Vec<&str>; 9] = [
        vec!["audit", "--data", "drawn", "--json"],
        vec!["audit", "--data", "drawn", "--out"],
        [&eval[..], &["--json"]].concat(),
        [&eval[..], &["--report"]].concat(),
        vec!["threshold", "--model", "demo", "--data", "drawn", "--json"],
        vec!["bench", "--model", "demo", "--seconds", "0", "--json"],
        vec!["simulate", "--parts", "10", "--json"],
        vec!["inspect", "--model", "demo", "drawn/ok_front/part_0.png", "--seen"],
        vec!["verify", "--report"],
    ];
    for command in commands {
        let files = if piped { &["link", "pipe"][..] } else { &["link"] };
        for file in files {
            let output = bench.run(&[&command[..], &[file]].concat());
            expect(&output, 3, &[&format!("cannot write {file}: it is ")]);
        }
    }
    assert_eq!(fs::read_to_string(bench.at("secret")).unwrap(), "kept");
    let out = bench.run(&[&eval[..], &["--json", "/dev/stdout"]].concat());
    expect(&out, 0, &["\"images\": 4", "accuracy"]);
}
