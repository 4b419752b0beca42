//! The lab as a library: its functions are called without a command line, and tell how the work goes.

use std::path::Path;
use std::sync::Mutex;

use castgate::audit::compare::COPY;
use castgate::lab::known::Knowing;
use castgate::lab::labelled::{Folders, ManyFolders, Names};
use castgate::lab::tell::Event;
use castgate::lab::{UsageError, audit, eval, threshold};
use castgate::score::threshold::Aim;

use crate::eval::draw;

fn folders(data: &Path) -> ManyFolders {
    ManyFolders { data: vec![data.to_owned()], names: Names::default() }
}

#[test]
fn drawn_parts_are_audited_judged_and_a_threshold_is_chosen() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 6);
    std::fs::write(data.join("ok_front/notes.txt"), "x").unwrap();
    let audited =
        audit::Options { folders: folders(&data), out: None, json: None, least: COPY, threads: Some(2) };
    let report = audit::run(&audited).unwrap();
    assert!(report.broken.is_empty() && report.left_aside.files() == 1);

    let (notes, counts) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let tell = |event: Event<'_>| match event {
        Event::Note(text) => notes.lock().unwrap().push(text.to_owned()),
        Event::Done(done) => counts.lock().unwrap().push(done),
        _ => {}
    };
    let judged = eval::Options {
        model: "demo".into(),
        folders: folders(&data),
        knowing: Knowing::default(),
        threshold: None,
        stress: true,
        locate: false,
        foreign: None,
        report: None,
        json: None,
    };
    let evaluation = eval::run(&judged, &tell).unwrap();
    assert_eq!(evaluation.images, 6);
    let stress = evaluation.stress.unwrap();
    assert_eq!((stress.rows[0].images, stress.rows[0].accuracy), (6, evaluation.accuracy));
    let mut counts = counts.into_inner().unwrap();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5, 6], "every picture is told once, from whichever thread");
    let notes = notes.into_inner().unwrap();
    assert!(notes.len() == 1 && notes[0].contains("1 not a picture (.txt)"), "{notes:?}");

    let folders = Folders { data: data.clone(), names: Names::default() };
    let aim = Aim::Cost { escape: 10.0, reject: 1.0 };
    let asked =
        threshold::Options { model: "demo".into(), folders, aim, confidence: 0.95, write: false, json: None };
    let choice = threshold::run(&asked, &|_| {}).unwrap();
    assert_eq!((choice.chosen.defective, choice.chosen.good, choice.chosen.left_out), (3, 3, 0));
    assert_eq!(choice.written, None);

    let none = eval::Options { folders: self::folders(&dir.path().join("none")), ..judged };
    let error = eval::run(&none, &|_| {}).unwrap_err();
    assert!(error.is::<UsageError>() && error.to_string().contains("cannot read"), "{error:#}");
}

#[cfg(feature = "train")]
#[test]
fn a_model_is_trained_epoch_by_epoch_until_somebody_stops_it() {
    use std::sync::atomic::{AtomicBool, Ordering};

    use castgate::config::manifest::Normalise;
    use castgate::lab::train::settings::{Recipe, Settings};
    use castgate::lab::train::{self, Options};
    use castgate::train::augment::Augment;

    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 40);
    let recipe = Recipe {
        batch: 8,
        rate: 0.003,
        decay: 0.0,
        seed: 1,
        augment: Augment::NONE,
        views: 0,
        smoothing: 0.0,
        average: 0.0,
        balance: 0.0,
        all_photographs: false,
        validation: 20,
        threads: Some(2),
    };
    let options = Options {
        folders: folders(&data),
        out: dir.path().join("m.onnx"),
        settings: Settings {
            network: "4np-5n-d4".to_owned(),
            size: 16,
            epochs: 5,
            normalise: Normalise::None,
            recipe,
        },
        knowing: Knowing::default(),
        checkpoint: None,
        resume: false,
        threshold: Some(0.25),
        licence: "none, drawn".to_owned(),
        command: "a test".to_owned(),
    };
    let (stop, epochs) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let tell = |event: Event<'_>| {
        if let Event::Epoch(report) = event {
            epochs.lock().unwrap().push(report.epoch);
            stop.store(report.epoch == 2, Ordering::Relaxed);
        }
    };
    train::run(&options, &stop, &tell).unwrap();
    assert_eq!(epochs.into_inner().unwrap(), [1, 2]);
    let manifest = std::fs::read_to_string(dir.path().join("m.yaml")).unwrap();
    assert!(manifest.contains("command: a test") && manifest.contains("threshold: 0.25"), "{manifest}");
    assert!(options.out.with_extension("checkpoint").exists(), "it can go on");
    let error = train::run(&options, &stop, &|_| {}).unwrap_err();
    assert_eq!(error.to_string(), "stopped while pictures were read");
}
