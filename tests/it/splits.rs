//! Groups of photographs in training and evaluation: no photograph on two sides, pictures left out, and what reports say of it.

use std::fs;
use std::path::Path;
use std::process::Output;

use castgate::config::manifest::Manifest;
use castgate::strict::yaml;
use image::{GrayImage, Luma};

use crate::golden::castgate;

/// Photographs of each class, and pictures of each.
const PHOTOGRAPHS: u32 = 12;
const COPIES: u32 = 3;

/// A folder of parts, each `COPIES` times with another brightness, and the `groups.csv` that an audit would write of it. Defective ones
/// have a dark spot. One picture of the last good photograph stands among the defective ones.
fn draw(folder: &Path) {
    let mut csv = "file,split,label,group,conflict,exact_of,sha256\n".to_owned();
    for (kind, label, spot) in [("ok_front", "ok", 0), ("def_front", "defect", 110)] {
        fs::create_dir_all(folder.join("train").join(kind)).unwrap();
        for i in 0..PHOTOGRAPHS * COPIES {
            let (photograph, copy) = (i / COPIES, i % COPIES);
            let at = (4 + photograph * 5 % 8, 4 + photograph * 3 % 8);
            let shade = |x: u32, y: u32| {
                let inside = x.abs_diff(at.0) < 3 && y.abs_diff(at.1) < 3;
                Luma([(140 + 3 * photograph + copy + x + y - if inside { spot } else { 0 }) as u8])
            };
            let name = format!("{kind}/{i:02}.png");
            GrayImage::from_fn(16, 16, shade).save(folder.join("train").join(&name)).unwrap();
            let group = if spot == 0 { photograph } else { 100 + photograph };
            let conflict = if group == PHOTOGRAPHS - 1 { "majority" } else { "" };
            csv += &format!("{name},train,{label},{group},{conflict},,\n");
        }
    }
    let (from, to) = (folder.join("train/ok_front/35.png"), folder.join("train/def_front/wrong.png"));
    fs::copy(from, to).unwrap();
    csv += "def_front/wrong.png,train,defect,11,minority,,\ndef_front/gone.png,train,defect,500,,,\n";
    fs::write(folder.join("groups.csv"), csv).unwrap();
}

const QUICK: [&str; 8] = ["--network", "4np-5n-d4", "--size", "16", "--batch", "8", "--threads", "2"];

fn run(folder: &Path, arguments: &[&str]) -> Output {
    castgate().args(arguments).current_dir(folder).output().unwrap()
}

fn train(folder: &Path, more: &[&str]) -> Output {
    let line = [&["train", "--data", "train", "--out", "m.onnx", "--epochs", "2"], &QUICK[..], more].concat();
    run(folder, &line)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn json(file: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn training_keeps_photographs_on_one_side_and_reports_say_what_leaks() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path());
    let manifest =
        || -> Manifest { yaml::from_str(&fs::read_to_string(dir.path().join("m.yaml")).unwrap()).unwrap() };
    let plain = train(dir.path(), &[]);
    assert_eq!(plain.status.code(), Some(0), "{}", said(&plain));
    assert_eq!(manifest().quality.leaks, None);
    let grouped = train(dir.path(), &["--groups", "groups.csv", "--leave-out", "conflicts"]);
    assert_eq!(grouped.status.code(), Some(0), "{}", said(&grouped));
    assert!(said(&grouped).contains("69 read, 0 skipped, 4 left out"), "{}", said(&grouped));
    assert!(said(&grouped).contains("no validation picture shows a photograph that is trained on"));
    let made = manifest();
    assert_eq!(made.quality.leaks, Some(0));
    let images = &made.training.images;
    assert_eq!((images.validation_ok % 3, images.validation_defect % 3), (0, 0), "whole photographs");

    fs::write(dir.path().join("list.txt"), "ok_front/00.png\n01.png\n").unwrap();
    let eval = |more: &[&str]| {
        let line = ["eval", "--model", "m.onnx", "--data", "train", "--json", "e.json"];
        let output = run(dir.path(), &[&line[..], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        (said(&output), json(&dir.path().join("e.json")))
    };
    let (text, figures) = eval(&[]);
    assert!(text.contains("leaks          unknown") && figures["leaks"].is_null(), "{text}");
    assert_eq!(figures["split"], "train");
    let (text, figures) = eval(&["--groups", "groups.csv", "--leave-out", "list.txt"]);
    // `01.png` names a picture of each class.
    assert!(text.contains("leaks          70 of them show a photograph that was trained on"), "{text}");
    assert_eq!((&figures["leaks"], &figures["left_out"]), (&70.into(), &3.into()));
}

#[test]
fn folds_share_no_photograph_are_kept_and_are_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path());
    let line = ["eval", "--folds", "3", "--groups", "groups.csv", "--data", "train", "--json", "f.json"];
    let more = ["--work", "work", "--epochs", "12", "--leave-out", "conflicts"];
    let line = [&line[..], &QUICK, &more].concat();
    let first = run(dir.path(), &line);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let figures = json(&dir.path().join("f.json"));
    assert_eq!((&figures["leaks"], &figures["left_out"]), (&0.into(), &4.into()));
    assert_eq!(figures["pooled"]["images"], 69);
    assert_eq!(figures["folds"].as_array().unwrap().len(), 3);
    for fold in figures["folds"].as_array().unwrap() {
        let count = |key: &str| fold[key].as_u64().unwrap();
        assert_eq!(count("trained") + count("validated") + count("images"), 69);
    }
    assert!(figures["pooled"]["auc"].as_f64().unwrap() > 0.6, "{figures}");
    // One fold is done anew, the others are taken as they are.
    fs::write(dir.path().join("work/fold-2.json"), "{ not a result").unwrap();
    let again = run(dir.path(), &line);
    assert_eq!(said(&again).matches("finished before").count(), 2, "{}", said(&again));
    assert_eq!(json(&dir.path().join("f.json")), figures);
}

#[test]
fn groups_that_do_not_do_end_with_2_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path());
    let good = fs::read_to_string(dir.path().join("groups.csv")).unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("empty.csv", "");
    write("binary.csv", "\u{0}\u{1}\n,,,\"");
    write("short.csv", &good.lines().take(20).collect::<Vec<_>>().join("\n"));
    write("other.csv", &good.replace(",train,", ",test,"));
    fs::write(dir.path().join("latin.csv"), b"file,split\n\xff\xfe").unwrap();
    for (file, part) in [
        ("none.csv", "--groups: cannot read none.csv"),
        ("empty.csv", "line 1: the file is empty"),
        ("binary.csv", "line 2: a quotation mark is never closed"),
        ("latin.csv", "cannot read latin.csv"),
        ("short.csv", "--groups does not know 54 of the pictures"),
        ("other.csv", "--groups knows no folder train; make it with `castgate audit"),
    ] {
        let output = train(dir.path(), &["--groups", file]);
        assert_eq!(output.status.code(), Some(2), "{file}: {}", said(&output));
        assert!(said(&output).contains(part), "{part}: {}", said(&output));
    }
    for (arguments, part) in [
        (&["--leave-out", "conflicts"][..], "--leave-out conflicts needs --groups"),
        (&["--leave-out", "none.txt"], "cannot read none.txt"),
    ] {
        let output = train(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    let folds = |more: &[&str]| {
        let output = run(dir.path(), &[&["eval", "--data", "train"], &QUICK[..], more].concat());
        (output.status.code(), said(&output))
    };
    let (code, text) = folds(&["--folds", "3"]);
    assert!(code == Some(2) && text.contains("--groups"), "{text}");
    let (code, text) = folds(&["--folds", "40", "--groups", "groups.csv"]);
    assert!(code == Some(2) && text.contains("use a smaller --folds"), "{text}");
    let (code, text) = folds(&[]);
    assert!(code == Some(2) && text.contains("--model"), "{text}");
}
