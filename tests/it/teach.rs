//! `castgate teach`: from a folder camera to an installed model, and what keeps a model from being installed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use castgate::model;
use tempfile::TempDir;

use crate::golden::castgate;
use crate::support::process::{Running, expect, said};

/// A line with a folder camera of 40 drawn parts, half of them defective, and a model in a file.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.draw("drawn", 40, 3);
        for name in ["demo.onnx", "demo.yaml"] {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name);
            fs::copy(from, bench.at(&name.replace("demo", "line"))).unwrap();
        }
        let config = "camera: {kind: folder, path: drawn, pace: full}\nsensor: {kind: none}\npreprocess: {find: false}\n\
                      decide: {trigger: every_frame}\nmodel: {path: line.onnx}\n";
        fs::write(bench.at("castgate.yaml"), config).unwrap();
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn draw(&self, folder: &str, parts: u32, seed: u32) {
        let (parts, seed) = (parts.to_string(), seed.to_string());
        let drawn = castgate()
            .args(["draw", "--out"])
            .arg(self.at(folder))
            .args(["--parts", &parts, "--seed", &seed, "--defects", "50%"])
            .output()
            .unwrap();
        assert!(drawn.status.success(), "{}", said(&drawn));
    }

    fn teach(&self, more: &[&str], typed: &str) -> Output {
        let mut child = Running::start(
            castgate()
                .current_dir(self.0.path())
                .args([
                    "teach",
                    "--config",
                    "castgate.yaml",
                    "--threads",
                    "2",
                    "--folds",
                    "2",
                    "--epochs",
                    "1",
                ])
                .args(more)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        );
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        child.output()
    }

    /// Names of the pictures below a folder.
    fn pictures(&self, folder: &str) -> usize {
        fs::read_dir(self.at(folder)).unwrap().count()
    }
}

#[test]
fn a_taught_model_is_installed_when_it_passes_the_golden_set_and_only_then() {
    let bench = Bench::new();
    bench.draw("golden", 8, 4);
    let before = fs::read(bench.at("line.onnx")).unwrap();
    // One picture under both labels cannot be judged without a mistake.
    bench.draw("impossible", 8, 4);
    let one = fs::read_dir(bench.at("impossible/ok_front")).unwrap().next().unwrap().unwrap().path();
    fs::copy(&one, bench.at("impossible/def_front/same.png")).unwrap();
    let failed = bench.teach(&["--data", "parts", "--folders", "--golden", "impossible", "--install"], "");
    let words = ["taken     20 good, 20 defective", "before    0 of 40", "fold      2 of 2", "not passed"];
    expect(&failed, 1, &words);
    assert_eq!(fs::read(bench.at("line.onnx")).unwrap(), before);
    let passed = bench.teach(&["--data", "parts", "--golden", "golden", "--install"], "");
    expect(&passed, 0, &["golden    0 escapes and 0 false rejects of 8", "installed "]);
    assert_eq!(bench.pictures("parts/ok_front") + bench.pictures("parts/def_front"), 40);
    assert_ne!(fs::read(bench.at("line.onnx")).unwrap(), before);
    assert_eq!(fs::read(bench.at("line.onnx.previous")).unwrap(), before);
    assert_eq!(model::open(&bench.at("line.onnx")).unwrap().info().trained_on, "parts");
    assert!(bench.at("line.yaml.previous").exists());
}

#[test]
fn labels_are_typed_or_come_from_a_file() {
    let bench = Bench::new();
    let typed = bench.teach(&["--data", "typed", "--keys", "--only-take"], "o\nd\nu\nwhat\ns\nd\nq\n");
    expect(&typed, 0, &["o: good, d: defective", "removed ", "taken     1 good, 1 defective"]);
    assert_eq!((bench.pictures("typed/ok_front"), bench.pictures("typed/def_front")), (1, 1));
    let name = |kind: &str| {
        let file = fs::read_dir(bench.at("drawn").join(kind)).unwrap().next().unwrap().unwrap().file_name();
        format!("{kind}/{}", file.into_string().unwrap())
    };
    let list = format!("file,label\n{},defect\n{},ok\n", name("ok_front"), name("def_front"));
    fs::write(bench.at("labels.csv"), list).unwrap();
    let listed = bench.teach(&["--data", "listed", "--labels", "labels.csv", "--only-take"], "");
    expect(&listed, 0, &["taken     1 good, 1 defective, 38 without a label"]);
    let all = bench.teach(&["--data", "all", "--label", "ok", "--parts", "3", "--only-take"], "");
    expect(&all, 0, &["taken     3 good, 0 defective"]);
}

#[test]
fn what_cannot_be_taught_is_refused_before_anything_is_trained() {
    let bench = Bench::new();
    let refused = |more: &[&str], words: &[&str]| {
        let output = bench.teach(more, "");
        expect(&output, 2, words);
        assert!(!said(&output).contains("epoch"), "{}", said(&output));
    };
    refused(&["--data", "nothing"], &["cannot read nothing: No such file"]);
    refused(&["--data", "drawn", "--golden", "nowhere"], &["cannot read nowhere: No such file"]);
    refused(&["--data", "drawn", "--golden", "drawn"], &["shows the photograph of", "learnt from"]);
    refused(&["--data", "drawn", "--labels", "none.csv"], &["--labels: cannot read none.csv"]);
    refused(&["--data", "drawn", "--out", "x.bin"], &["must end in `.onnx`"]);
    bench.draw("few", 12, 5);
    refused(&["--data", "few"], &["too few different parts for --folds 2: only "]);
    fs::write(bench.at("castgate.yaml"), "model: {path: demo}\n").unwrap();
    bench.draw("golden", 8, 4);
    let built_in = ["--data", "drawn", "--golden", "golden", "--install"];
    refused(&built_in, &["--install: `model.path` is demo, which is built in"]);
}
