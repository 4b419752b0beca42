//! `castgate train` on small made-up pictures, and what it says of data and settings that do not do.

use std::fs;
use std::path::Path;
use std::process::Output;

use castgate::config::manifest::Manifest;
use castgate::kernels::MapSize;
use castgate::model;
use castgate::network::{Network, Statistics, initial};
use castgate::strict::yaml;
use castgate::train::step::Trainer;
use image::{GrayImage, Luma};
use rand::SeedableRng;
use rand_pcg::Pcg64;

use crate::golden::castgate;

/// Parts of `count` grey levels; defective ones have a dark spot.
fn draw(folder: &Path, count: u32) {
    for (kind, spot) in [("ok_front", 0), ("def_front", 120)] {
        fs::create_dir_all(folder.join(kind)).unwrap();
        for i in 0..count {
            let at = (3 + i * 7 % 8, 3 + i * 5 % 8);
            let shade = |x: u32, y: u32| {
                let inside = x.abs_diff(at.0) < 3 && y.abs_diff(at.1) < 3;
                Luma([(140 + i % 40 + x + y - if inside { spot } else { 0 }) as u8])
            };
            GrayImage::from_fn(16, 16, shade).save(folder.join(kind).join(format!("{i:03}.png"))).unwrap();
        }
    }
}

/// Trains on `folder` into `out` with settings that take an instant.
fn train(folder: &Path, out: &Path, more: &[&str]) -> Output {
    let settings =
        ["--network", "4np-5n-d4", "--size", "16", "--epochs", "3", "--batch", "8", "--threads", "2"];
    let mut command = castgate();
    command.args(["train", "--data"]).arg(folder).arg("--out").arg(out);
    // A setting may be given once: those of the caller go before ours.
    let ours = settings.chunks(2).filter(|pair| !more.contains(&pair[0]));
    command.args(ours.flatten()).args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_same_seed_gives_the_same_files_and_the_engine_runs_them() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path(), 30);
    fs::write(dir.path().join("ok_front/broken.png"), b"\x89PNG but not really").unwrap();
    fs::write(dir.path().join("def_front/empty.jpg"), b"").unwrap();
    let out = |name: &str| dir.path().join(name);
    let first = train(dir.path(), &out("a.onnx"), &["--licence", "none, drawn"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    assert!(said(&first).contains("60 read, 2 skipped"), "{}", said(&first));
    assert!(said(&first).contains("skipped ok_front/broken.png: "), "{}", said(&first));
    assert!(said(&first).contains("skipped def_front/empty.jpg: is empty"), "{}", said(&first));
    assert!(said(&first).contains("epoch   3/3"), "{}", said(&first));
    train(dir.path(), &out("b.onnx"), &[]);
    train(dir.path(), &out("c.onnx"), &["--seed", "2"]);
    let bytes = |name: &str| fs::read(out(name)).unwrap();
    assert_eq!(bytes("a.onnx"), bytes("b.onnx"));
    assert_ne!(bytes("a.onnx"), bytes("c.onnx"));
    let manifest: Manifest = yaml::from_str(&fs::read_to_string(out("a.yaml")).unwrap()).unwrap();
    let images = &manifest.training.images;
    assert_eq!(images.train_ok + images.validation_ok, 30);
    assert_eq!(images.validation_defect, 6);
    assert_eq!((manifest.name.as_str(), manifest.training.data_licence.as_str()), ("a", "none, drawn"));
    assert!(manifest.training.command.contains("--network 4np-5n-d4"), "{}", manifest.training.command);
    let opened = model::open(&out("a.onnx")).unwrap();
    assert_eq!(opened.info().parameters, manifest.parameters);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".checkpoint")), "{left:?}");
}

#[test]
fn data_and_settings_that_do_not_do_end_with_2_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let (good, few) = (dir.path().join("good"), dir.path().join("few"));
    let (one_class, broken) = (dir.path().join("one"), dir.path().join("broken"));
    draw(&good, 12);
    draw(&few, 4);
    draw(&one_class, 12);
    fs::remove_dir_all(one_class.join("def_front")).unwrap();
    draw(&broken, 12);
    for entry in fs::read_dir(broken.join("def_front")).unwrap() {
        fs::write(entry.unwrap().path(), b"no picture").unwrap();
    }
    let out = dir.path().join("m.onnx");
    let checkpoint = dir.path().join("bad.checkpoint");
    fs::write(&checkpoint, b"castgate checkpoint 2\nand then something else entirely").unwrap();
    let checkpoint = checkpoint.to_str().unwrap();
    let cases: [(&Path, &[&str], &str); 13] = [
        (&dir.path().join("nowhere"), &[], "ok_front"),
        (&one_class, &[], "def_front"),
        (&few, &[], "only 4 usable pictures of good parts; at least 10 are needed"),
        (&broken, &[], "only 0 usable pictures of defective parts"),
        (&good, &["--network", "16x-d4"], "--network: network item `16x`"),
        (&good, &["--network", "8p-8p-8p-d4"], "which is too small"),
        (&good, &["--rate", "0"], "--rate 0 is outside"),
        (&good, &["--rate", "NaN"], "--rate NaN is outside"),
        (&good, &["--smoothing", "0.9"], "--smoothing 0.9 is outside"),
        (&good, &["--average", "21"], "--average 21 is outside"),
        (&good, &["--augment", "wild"], "`none`, `flips`, `full` and `paper`"),
        (&good, &["--resume"], "--resume: cannot read"),
        (&good, &["--resume", "--checkpoint", checkpoint], "is damaged or cut off"),
    ];
    for (folder, more, part) in cases {
        let output = train(folder, &out, more);
        assert_eq!(output.status.code(), Some(2), "{part}: {}", said(&output));
        assert!(said(&output).contains(part), "{part}: {}", said(&output));
        assert!(!out.exists());
    }
    let elsewhere = train(&good, &dir.path().join("no/such/folder/m.onnx"), &[]);
    assert_eq!(elsewhere.status.code(), Some(3), "{}", said(&elsewhere));
    assert!(said(&elsewhere).contains("cannot write"), "{}", said(&elsewhere));
    let no_onnx = train(&good, &dir.path().join("m.bin"), &[]);
    assert_eq!(no_onnx.status.code(), Some(2));
    assert!(said(&no_onnx).contains("must end in `.onnx`"), "{}", said(&no_onnx));
}

#[test]
fn the_written_graph_gives_the_scores_of_training() {
    let size = MapSize { height: 22, width: 26 };
    let network = Network::parse("3np-1-9n-10p-d5", size).unwrap();
    let mut random = Pcg64::seed_from_u64(4);
    let mut parameters: Vec<f32> = initial(&network, &mut random);
    parameters[network.stages()[0].slots.gamma.range().start] = -0.6;
    let mut trainer = Trainer::new(network.clone(), parameters.clone(), 4, 1);
    let value = |i: usize, at: usize| ((i * 31 + at * at * 17) % 255) as f32 / 255.0;
    let load = |i: usize, input: &mut [f32]| {
        input.iter_mut().enumerate().for_each(|(at, pixel)| *pixel = value(i, at));
    };
    let statistics: Statistics = trainer.measure(4, &load);
    let scores = trainer.score(&parameters, &statistics, 4, &load);
    let onnx = model::write::onnx(&network, &parameters, &statistics);
    let demo = fs::read_to_string(crate::golden::path("models/demo.yaml")).unwrap();
    let mut manifest: Manifest = yaml::from_str(&demo).unwrap();
    (manifest.input.width, manifest.input.height) = (size.width, size.height);
    manifest.sha256 = sha256(&onnx);
    let mut engine = model::from_parts("odd", onnx, yaml::to_string(&manifest).unwrap()).unwrap();
    for (i, score) in scores.iter().enumerate() {
        let mut input = vec![0.0; size.height * size.width];
        load(i, &mut input);
        let given = engine.score(&input).unwrap().get();
        assert!((given - score).abs() < 1e-4, "{given} instead of {score}");
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_pruned_model_is_smaller_runs_and_is_within_the_tolerance() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path(), 40);
    let out = |name: &str| dir.path().join(name);
    let network = ["--network", "12sn-9np-d0", "--epochs", "30", "--rate", "0.01", "--augment", "none"];
    let trained = train(dir.path(), &out("whole.onnx"), &network);
    assert_eq!(trained.status.code(), Some(0), "{}", said(&trained));
    let prune = |model: &str, more: &[&str]| {
        let mut command = castgate();
        command
            .arg("prune")
            .arg(out(model))
            .arg("--data")
            .arg(dir.path())
            .arg("--out")
            .arg(out("small.onnx"));
        command.args(["--batch", "8", "--threads", "2", "--augment", "none"]).args(more).output().unwrap()
    };
    // Any loss is allowed, so that the choice is the last point of the curve.
    let pruned = prune("whole.onnx", &["--tolerance", "1000", "--down-to", "40"]);
    assert_eq!(pruned.status.code(), Some(0), "{}", said(&pruned));
    let manifest =
        |name: &str| -> Manifest { yaml::from_str(&fs::read_to_string(out(name)).unwrap()).unwrap() };
    let (whole, small) = (manifest("whole.yaml"), manifest("small.yaml"));
    assert!(small.parameters < whole.parameters * 3 / 4, "{}", said(&pruned));
    assert_eq!((small.input.mean, small.input.std), (whole.input.mean, whole.input.std));
    assert_eq!(model::open(&out("small.onnx")).unwrap().info().parameters, small.parameters);
    let curve = fs::read_to_string(out("small.csv")).unwrap();
    assert!(curve.lines().nth(1).unwrap().starts_with("12sn-9np-d0,"), "{curve}");
    assert!(curve.lines().count() > 3, "{curve}");
    for (model, more, part) in [
        ("whole.onnx", &["--tolerance", "-1"][..], "'-1'"),
        ("whole.onnx", &["--tolerance", "1001"], "outside 0 to 1000"),
        ("none.onnx", &[], "none.onnx"),
    ] {
        let refused = prune(model, more);
        assert!(matches!(refused.status.code(), Some(2 | 3)), "{}", said(&refused));
        assert!(said(&refused).contains(part), "{}", said(&refused));
    }
}

#[test]
fn the_search_tries_networks_goes_on_where_it_was_and_recommends_one() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path(), 30);
    let out = dir.path().join("search");
    let search = |more: &[&str]| {
        let mut command = castgate();
        command.args(["taper", "--data"]).arg(dir.path()).arg("--out").arg(&out);
        command.args(["--networks", "4", "--sizes", "24", "--most", "0.3", "--epochs", "4", "--splits", "2"]);
        command.args(["--also", "4np-5n-d4", "--threads", "2", "--batch", "8"]).args(more).output().unwrap()
    };
    let stopped = search(&["--minutes", "0"]);
    assert_eq!(stopped.status.code(), Some(3), "{}", said(&stopped));
    assert!(said(&stopped).contains("stopped before the first round was complete"), "{}", said(&stopped));
    let first = search(&[]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let found: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("taper.json")).unwrap()).unwrap();
    let tried = found["tried"].as_array().unwrap();
    assert_eq!((tried.len(), found["rounds"].as_u64()), (5, Some(3)));
    assert!(tried.iter().any(|one| one["network"] == "4np-5n-d4"));
    assert!(tried.iter().all(|one| one["latency_ms"].as_f64().unwrap() > 0.0));
    let trainings = |text: &str| text.matches("ROC AUC 0.").count() + text.matches("ROC AUC 1.").count();
    assert!(trainings(&said(&first)) >= 20, "{}", said(&first));
    assert_eq!(fs::read_to_string(out.join("taper.csv")).unwrap().lines().count(), 6);
    assert!(fs::read_to_string(out.join("taper.svg")).unwrap().contains("</svg>"));
    assert!(image::open(out.join("taper.png")).unwrap().width() > 1000);
    // Nothing is trained twice, and the recommended command is one that `train` takes.
    let again = search(&[]);
    assert!(!said(&again).contains("  s  split") && !said(&again).contains("s  split 1"), "{}", said(&again));
    let command = found["recommended"]["command"].as_str().unwrap();
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let at = words.iter().position(|word| *word == "model.onnx").unwrap();
    let model = dir.path().join("model.onnx");
    let trained =
        castgate().args(&words[..at]).arg(&model).args(&words[at + 1..]).args(["--epochs", "1"]).output();
    let trained = trained.unwrap();
    assert_eq!(trained.status.code(), Some(0), "{}", said(&trained));
    let refused = search(&["--seed", "2", "--normalise", "odd"]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
}

#[test]
fn a_search_without_room_for_networks_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |more: &[&str]| {
        let mut command = castgate();
        let output =
            command.args(["taper", "--data", "none", "--out"]).arg(dir.path()).args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        said(&output)
    };
    assert!(refused(&["--most", "0.0001"]).contains("leaves no networks to choose from"));
    assert!(refused(&["--most=-1"]).contains("--most"));
    assert!(refused(&["--also", "16x"]).contains("--also: network item `16x`"));
    assert!(refused(&[]).contains("cannot read none: No such file"));
}
