//! Configuration files, good and bad, through `castgate check`: what is said of each stands beside it.

use std::fs;
use std::path::PathBuf;

use crate::golden::{castgate, expect, path, run};

fn cases(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(path(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn check(folder: &str, file: &std::path::Path) -> std::process::Output {
    // Named as a person in that folder would name it, so that the answers hold no path of this machine.
    let name = file.file_name().unwrap();
    castgate().current_dir(path(folder)).args(["check", "--config"]).arg(name).output().unwrap()
}

#[test]
fn bad_files_are_refused_with_what_would_be_right() {
    let files = cases("tests/data/config/bad");
    assert!(files.len() >= 25, "{} cases", files.len());
    for file in files {
        let output = check("tests/data/config/bad", &file);
        expect(&file.with_extension("stderr"), &String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(2), "{}", file.display());
        assert!(output.stdout.is_empty(), "{}", file.display());
    }
}

#[test]
fn good_files_are_explained() {
    for file in cases("tests/data/config/ok") {
        let output = check("tests/data/config/ok", &file);
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{}", file.display());
        // What was measured on this machine differs from run to run.
        let told = String::from_utf8(output.stdout).unwrap();
        let told: String =
            told.lines().filter(|line| !line.contains("measured on")).map(|l| format!("{l}\n")).collect();
        expect(&file.with_extension("stdout"), &told);
        assert_eq!(output.status.code(), Some(0), "{}", file.display());
    }
}

#[test]
fn the_printed_sample_is_accepted() {
    let sample = run(&["config", "sample"]).stdout;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("castgate.yaml");
    fs::write(&file, sample).unwrap();
    let output = castgate().args(["check", "--config"]).arg(&file).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let fingerprint =
        |text: &str| text.lines().next().and_then(|line| line.rsplit(' ').next()).map(str::to_owned);
    let demonstration = String::from_utf8(run(&["check"]).stdout).unwrap();
    assert_eq!(fingerprint(&told), fingerprint(&demonstration));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn files_that_are_named_and_not_there_are_told_with_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("castgate.yaml");
    fs::write(
        &file,
        "camera: {kind: folder, path: pictures}\nsensor: {kind: none}\ndecide: {trigger: every_frame}\nmodel:\n  path: m.onnx\n\
         mqtt:\n  enabled: true\n  user: a\n  password_file: pw\n",
    )
    .unwrap();
    fs::write(folder.path().join("pw"), "\n").unwrap();
    let output =
        castgate().current_dir(&folder).args(["check", "--config", "castgate.yaml"]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    for part in [
        "castgate.yaml:1:30: camera.path: cannot read the folder pictures: No such file",
        "castgate.yaml:5:9: model.path: ",
        "m.onnx",
        "castgate.yaml:9:18: mqtt.password_file: pw is empty",
        "castgate: error: 3 problems in castgate.yaml",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert_eq!(output.status.code(), Some(2));
}
