//! `castgate audit` on drawn parts with known copies, and on the real casting pictures where they are.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Output;

use castgate::frame::Frame;
use castgate::scene::draw_sample;
use castgate::verdict::Truth;
use image::{GrayImage, Luma};

use crate::golden::castgate;
use crate::support::castings::castings;

/// Side of the drawn pictures.
const SIDE: u32 = 240;

fn drawn(index: u64, truth: Truth) -> GrayImage {
    let mut frame = Frame::default();
    draw_sample(5, index, truth, SIDE as usize, &mut frame);
    GrayImage::from_raw(SIDE, SIDE, frame.pixels).unwrap()
}

/// The picture turned by `degrees` about its middle, zoomed, shifted in pixels, and mirrored on request.
fn changed(picture: &GrayImage, degrees: f32, zoom: f32, shift: (f32, f32), mirror: bool) -> GrayImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let middle = (SIDE - 1) as f32 / 2.0;
    let grey = |x: f32, y: f32| {
        let last = (SIDE - 1) as f32;
        let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
        let (left, top) = ((x as u32).min(SIDE - 2), (y as u32).min(SIDE - 2));
        let (dx, dy) = (x - left as f32, y - top as f32);
        let at = |x: u32, y: u32| f32::from(picture.get_pixel(x, y)[0]);
        let upper = at(left, top) * (1.0 - dx) + at(left + 1, top) * dx;
        let lower = at(left, top + 1) * (1.0 - dx) + at(left + 1, top + 1) * dx;
        upper * (1.0 - dy) + lower * dy
    };
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let x = (x as f32 - middle) * if mirror { -1.0 } else { 1.0 };
        let y = y as f32 - middle;
        let (u, v) = ((cos * x - sin * y) / zoom + shift.0, (sin * x + cos * y) / zoom + shift.1);
        Luma([grey(u + middle, v + middle).round() as u8])
    })
}

fn save(folder: &Path, name: &str, picture: &GrayImage) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    picture.save(file).unwrap();
}

fn audit(folders: &[&Path], out: &Path, more: &[&str]) -> Output {
    let mut command = castgate();
    command.arg("audit").arg("--data").args(folders).arg("--out").arg(out.join("groups.csv"));
    command.arg("--json").arg(out.join("audit.json")).args(more).output().unwrap()
}

fn findings(out: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(out.join("audit.json")).unwrap()).unwrap()
}

/// Group by `split/file`.
fn groups(out: &Path) -> std::collections::HashMap<String, (u64, String)> {
    let text = fs::read_to_string(out.join("groups.csv")).unwrap();
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    text.lines()
        .skip(1)
        .map(fields)
        .map(|f| (format!("{}/{}", f[1], f[0]), (f[3].parse().unwrap(), f[4].clone())))
        .collect()
}

#[test]
fn copies_within_and_across_splits_conflicts_and_broken_files_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (train, test) = (dir.path().join("train"), dir.path().join("test"));
    for index in 0..12 {
        save(&train, &format!("ok_front/{index:02}.png"), &drawn(index, Truth::Ok));
        save(&train, &format!("def_front/{index:02}.png"), &drawn(100 + index, Truth::Defect));
    }
    save(&test, "ok_front/alone.png", &drawn(50, Truth::Ok));
    save(&test, "def_front/alone.png", &drawn(150, Truth::Defect));
    let copies = [
        ("def_front/00.png", changed(&drawn(100, Truth::Defect), 0.0, 1.0, (0.0, 0.0), true)),
        ("def_front/01.png", changed(&drawn(101, Truth::Defect), 270.0, 1.0, (0.0, 0.0), false)),
        ("def_front/02.png", changed(&drawn(102, Truth::Defect), 9.0, 1.0, (4.0, -6.0), false)),
        ("ok_front/03.png", changed(&drawn(3, Truth::Ok), -10.0, 0.92, (0.0, 0.0), true)),
        ("ok_front/04.png", changed(&drawn(4, Truth::Ok), 95.0, 1.1, (0.0, 3.0), false)),
    ];
    for (name, picture) in &copies {
        save(&test, name, picture);
    }
    fs::copy(train.join("ok_front/05.png"), test.join("ok_front/05.png")).unwrap();
    // The photograph of a defective part among the good ones, and a copy of it where it belongs.
    save(&test, "ok_front/wrong.png", &changed(&drawn(106, Truth::Defect), 180.0, 1.0, (0.0, 0.0), true));
    save(&train, "def_front/06b.png", &changed(&drawn(106, Truth::Defect), 3.0, 1.0, (0.0, 0.0), false));
    fs::write(test.join("ok_front/broken.jpg"), b"\xff\xd8\xff no picture").unwrap();
    save(&test, "ok_front/flat.png", &GrayImage::from_pixel(30, 20, Luma([90])));

    let output = audit(&[&train, &test], dir.path(), &["--threads", "2"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let found = groups(dir.path());
    let same = |one: &str, other: &str| found[one].0 == found[other].0;
    for (name, _) in &copies {
        assert!(same(&format!("test/{name}"), &format!("train/{name}")), "{name}\n{said}");
    }
    assert!(same("test/ok_front/05.png", "train/ok_front/05.png"));
    assert!(same("test/ok_front/wrong.png", "train/def_front/06.png"));
    assert!(same("train/def_front/06b.png", "train/def_front/06.png"));
    let json = findings(dir.path());
    assert_eq!((&json["pictures"], &json["photographs"]), (&35.into(), &27.into()), "{said}");
    assert_eq!((&json["leaks"][0]["pictures"], &json["leaks"][0]["exact"]), (&7.into(), &1.into()));
    assert_eq!(json["conflicts"][0]["file"], "test/ok_front/wrong.png");
    assert_eq!(json["conflicts"][0]["conflict"], "minority");
    assert_eq!(json["broken"][0]["file"], "test/ok_front/broken.jpg");
    assert_eq!(json["odd_sized"][0]["why"], "30 x 20 instead of 240 x 240");
    assert_eq!(json["flat"][0], "test/ok_front/flat.png");
    assert!(said.contains("LEAK         7 of 10 pictures of test show a photograph of train"), "{said}");

    let written = fs::read(dir.path().join("groups.csv")).unwrap();
    audit(&[&train, &test], dir.path(), &["--threads", "3"]);
    assert_eq!(fs::read(dir.path().join("groups.csv")).unwrap(), written, "threads change nothing");

    let clean = audit(&[&train], dir.path(), &[]);
    assert_eq!(clean.status.code(), Some(0), "copies within one split are no leak");
}

#[test]
fn folders_that_do_not_do_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let output = audit(&[&dir.path().join("none")], dir.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none"));
    let output = audit(&[dir.path()], dir.path(), &["--least", "0.5"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn known_copies_among_real_castings_are_found_and_independent_ones_are_not() {
    let Some(data) = castings("leak_test_vs_train.csv") else { return };
    let data = fs::canonicalize(data).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let link = |name: &str| {
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        // Several test pictures may have the same picture as their best match.
        drop(symlink(data.join(name), file));
    };
    let text = fs::read_to_string(data.join("leak_test_vs_train.csv")).unwrap();
    let (mut copies, mut alone) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        let same: f64 = fields[3].parse().unwrap();
        // The series of these names has no copy in the training pictures.
        let is_alone = fields[0].contains("/new__") && same < 0.8;
        if index % 9 == 0 || is_alone {
            fields[..5].iter().filter(|name| name.contains('/')).for_each(|name| link(name));
        }
        if is_alone {
            alone.push(fields[0].to_owned());
        } else if index % 9 == 0 && same > 0.921 {
            copies.push((fields[0].to_owned(), fields[2].to_owned()));
        }
    }
    let output = audit(&[&dir.path().join("train"), &dir.path().join("test")], dir.path(), &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let found = groups(dir.path());
    let joined = copies.iter().filter(|(test, train)| found[test].0 == found[train].0).count();
    assert!(copies.len() > 60 && joined * 100 >= copies.len() * 95, "{joined} of {}\n{said}", copies.len());
    assert!(alone.len() > 4);
    for test in alone {
        let strangers =
            found.iter().filter(|(name, (group, _))| *group == found[&test].0 && name.starts_with("train"));
        assert_eq!(strangers.count(), 0, "{test}\n{said}");
    }
}
