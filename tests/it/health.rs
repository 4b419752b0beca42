//! Frames where each one is a part: those that nothing can be seen in, that came before, that are damaged, lost or dropped, and those
//! that wait because the line is busy. None may pass unseen, and none that was seen may be rejected for want of room.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use castgate::camera::picture::png;
use castgate::camera::{CameraError, Captured, FrameSource};
use castgate::clock::{SimClock, SystemClock, Time};
use castgate::config::{CameraKind, Config, Pace};
use castgate::frame::{Frame, Origin, PixelFormat};
use castgate::pipeline::{Cause, Hooks, Lockstep, Stopper, run_threads};
use castgate::score::summary::Summary;
use castgate::units::Speed;
use castgate::verdict::Truth;
use proptest::prelude::*;

use crate::golden::castgate;
use crate::support::line::{FakeCamera, Recorder, line_of};

/// A good part: two greys, and something that tells it from its neighbours.
fn good(n: u64, frame: &mut Frame) {
    (frame.width, frame.height, frame.format) = (16, 16, PixelFormat::Grey8);
    frame.pixels.clear();
    frame.pixels.extend((0..256).map(|at| if at % 16 < 8 { 20 } else { 40 }));
    frame.pixels[0] += (n % 16) as u8;
    frame.missed = 0;
}

/// A camera that gives frames 1, 2, ... until it ends, each 50 ms.
fn camera(mut give: impl FnMut(u64, &mut Frame) -> Captured + Send + 'static) -> Box<dyn FrameSource> {
    let mut n = 0;
    let fill = move |_, frame: &mut Frame| -> Result<Captured, CameraError> {
        n += 1;
        good(n, frame);
        Ok(give(n, frame))
    };
    Box::new(FakeCamera { every: Some(Duration::from_millis(50)), next: Time::ZERO, waits: false, fill })
}

/// A source that waits for the line and gives so many good parts, as a folder at full pace does.
fn folder(count: u64) -> Box<dyn FrameSource> {
    let mut n = 0;
    let origin = Some(Arc::new(Origin { name: "a.png".to_owned(), truth: Some(Truth::Ok) }));
    let fill = move |_, frame: &mut Frame| -> Result<Captured, CameraError> {
        n += 1;
        good(0, frame);
        frame.origin.clone_from(&origin);
        Ok(if n > count { Captured::End } else { Captured::Frame })
    };
    Box::new(FakeCamera { every: None, next: Time::ZERO, waits: true, fill })
}

fn full_pace(config: &mut Config) {
    (config.camera.kind, config.camera.pace) = (CameraKind::Folder, Pace::Full);
}

/// In lockstep, each frame taking so long to its score.
fn lockstep(camera: Box<dyn FrameSource>, takes: Duration, change: impl FnOnce(&mut Config)) -> Summary {
    let clock = Arc::new(SimClock::default());
    let (line, _) = line_of(camera, Recorder::default(), clock.clone(), change);
    let hooks = Hooks { delays: Some(Box::new(move |_, _| Some(takes))), tap: None };
    let mut lockstep = Lockstep::new(line, clock, hooks).unwrap();
    assert_eq!(lockstep.run(Time::from_nanos(u64::MAX)).unwrap(), Cause::EndOfPictures);
    lockstep.stop()
}

fn reasons(summary: &Summary) -> Vec<(&'static str, u64)> {
    summary.rejected_by_reason.iter().map(|(name, count)| (*name, *count)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However small the ledger and slow the model.
    #[test]
    fn at_full_pace_every_picture_is_judged(count in 1u64..120, max_parts in 1u32..40, ms in 0u64..2000) {
        let summary = lockstep(folder(count), Duration::from_millis(ms), |config| {
            full_pace(config);
            config.decide.max_parts = max_parts;
        });
        prop_assert_eq!((summary.parts, summary.ok, summary.frames.dropped), (count, count, 0), "{}", summary);
        prop_assert_eq!((summary.false_rejects, summary.frames.inspected), (Some(0), count));
    }
}

#[test]
fn at_full_pace_every_picture_is_judged_by_threads_too() {
    let (line, _) = line_of(folder(100), Recorder::default(), Arc::new(SystemClock), |config| {
        full_pace(config);
        config.decide.max_parts = 16;
        config.line.speed = Speed::mm_per_s(4_000.0);
    });
    let summary = run_threads(line, &Stopper::default()).unwrap().summary;
    // A machine that is ten times too busy may judge a part after its time; it looks at every picture all the same.
    let late = summary.rejected_by_reason.get("late").copied().unwrap_or_default();
    let frames = summary.frames;
    assert_eq!((summary.parts, summary.ok + late), (100, 100), "{summary}");
    assert_eq!((frames.captured, frames.inspected, frames.dropped), (100, 100, 0), "{summary}");
}

#[test]
fn a_good_part_that_the_ledger_has_no_room_for_is_a_false_reject() {
    let origin = Some(Arc::new(Origin { name: "a.png".to_owned(), truth: Some(Truth::Ok) }));
    let camera = camera(move |n, frame| {
        frame.origin.clone_from(&origin);
        if n > 100 { Captured::End } else { Captured::Frame }
    });
    let summary = lockstep(camera, Duration::ZERO, |config| config.decide.max_parts = 4);
    assert!(summary.rejected_by_reason["queue_full"] > 20, "{summary}");
    assert_eq!((summary.parts, summary.false_rejects), (100, Some(summary.rejected)), "{summary}");
}

#[test]
fn a_part_whose_frame_was_damaged_lost_or_dropped_is_rejected() {
    let give = |n: u64, frame: &mut Frame| match n {
        3 | 4 => Captured::Damaged { why: (n == 3).then(|| "torn".to_owned()) },
        6 => {
            frame.missed = 2;
            Captured::Frame
        }
        11 => Captured::End,
        _ => Captured::Frame,
    };
    let summary = lockstep(camera(give), Duration::ZERO, |_| {});
    assert_eq!(reasons(&summary), [("bad_image", 2), ("no_frame", 2)], "{summary}");
    assert_eq!((summary.parts, summary.ok), (12, 8), "{summary}");
    let frames = summary.frames;
    assert_eq!((frames.captured, frames.unusable, frames.missed), (8, 2, 2));
    let (line, _) = line_of(camera(give), Recorder::default(), Arc::new(SystemClock), |_| {});
    let threads = run_threads(line, &Stopper::default()).unwrap().summary;
    assert_eq!((threads.parts, threads.frames.unusable, threads.frames.missed), (12, 2, 2), "{threads}");
    assert!(threads.rejected_by_reason["bad_image"] == 2 && threads.rejected_by_reason["no_frame"] == 2);

    let busy = |n, _: &mut Frame| if n > 40 { Captured::End } else { Captured::Frame };
    let summary = lockstep(camera(busy), Duration::from_millis(180), |_| {});
    let (dropped, overload) = (summary.frames.dropped, summary.rejected_by_reason["overload"]);
    assert!(dropped > 10 && dropped == overload && summary.parts == 40, "{summary}");
}

#[test]
fn a_camera_that_hangs_passes_no_part_and_a_file_that_lies_there_twice_is_two() {
    let hangs = |n: u64, frame: &mut Frame| {
        if (5..=10).contains(&n) {
            good(4, frame);
        }
        if n > 14 { Captured::End } else { Captured::Frame }
    };
    let summary = lockstep(camera(hangs), Duration::ZERO, |_| {});
    // Those that show the fourth again, and the first one after them, which may be an old picture.
    assert_eq!((reasons(&summary), summary.ok), (vec![("stale_frame", 7)], 7), "{summary}");
    let summary = lockstep(folder(9), Duration::ZERO, full_pace);
    assert_eq!((summary.ok, summary.rejected), (9, 0), "{summary}");
}

/// Pictures in which nothing can be seen, by their names.
fn nothing() -> BTreeMap<&'static str, Frame> {
    let mut state = 7u64;
    let mut noise = |level: f64, width: f64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (level + width * ((state >> 40) as f64 / f64::from(1 << 24) - 0.5)).clamp(0.0, 255.0) as u8
    };
    let mut grey = |level: f64, width: f64| {
        let pixels = (0..200 * 200).map(|_| noise(level, width)).collect();
        Frame { width: 200, height: 200, pixels, ..Frame::default() }
    };
    let mut all: BTreeMap<_, _> = [
        ("black.png", grey(0.0, 0.0)),
        ("white.png", grey(255.0, 0.0)),
        ("grey.png", grey(128.0, 0.0)),
        ("dark-noise.png", grey(9.0, 14.0)),
        ("bright-noise.png", grey(247.0, 12.0)),
        ("grey-noise.png", grey(120.0, 60.0)),
        ("all-noise.png", grey(127.0, 250.0)),
    ]
    .into();
    for (name, colour) in
        [("green.png", [0, 135, 0]), ("blue.png", [0, 0, 250]), ("pink.png", [240, 80, 200])]
    {
        let pixels = colour.repeat(200 * 200);
        all.insert(
            name,
            Frame { width: 200, height: 200, format: PixelFormat::Rgb8, pixels, ..Frame::default() },
        );
    }
    all
}

fn save(folder: &Path, pictures: &BTreeMap<&'static str, Frame>) {
    std::fs::create_dir_all(folder).unwrap();
    pictures.iter().for_each(|(name, frame)| fs::write(folder.join(name), png(frame).unwrap()).unwrap());
}

#[test]
fn pictures_of_nothing_are_bad_images_to_inspect_eval_audit_and_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = nothing();
    let data = dir.path().join("data");
    crate::eval::draw(&data, 6);
    save(&data.join("ok_front"), &pictures);
    let files: Vec<_> = pictures.keys().map(|name| data.join("ok_front").join(name)).collect();

    let inspected = castgate().args(["inspect", "--model", "demo"]).args(&files).output().unwrap();
    let told = String::from_utf8(inspected.stdout).unwrap();
    assert_eq!(told.lines().count(), pictures.len());
    assert!(told.lines().all(|line| line.starts_with("REJECT  bad_image: ")), "{told}");
    assert!(told.contains("bad_image: every pixel has the same grey (128 of 255)"), "{told}");

    let json = dir.path().join("eval.json");
    let mut evaluate = castgate();
    evaluate.args(["eval", "--model", "demo", "--json"]).arg(&json).arg("--data").arg(&data);
    let evaluated = evaluate.output().unwrap();
    assert_eq!(evaluated.status.code(), Some(0), "{}", String::from_utf8_lossy(&evaluated.stderr));
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(figures["false_rejects"], pictures.len(), "{figures}");

    let found = dir.path().join("audit.json");
    let mut audit = castgate();
    audit.args(["audit", "--data"]).arg(&data).arg("--out").arg(dir.path().join("groups.csv"));
    audit.arg("--json").arg(&found).output().unwrap();
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&found).unwrap()).unwrap();
    let flat = figures["flat"].to_string();
    assert!(pictures.keys().all(|name| flat.contains(name)), "{flat}");

    let config = dir.path().join("line.yaml");
    std::fs::write(
        &config,
        format!(
            "camera: {{kind: folder, path: {}, pace: full}}\nsensor: {{kind: none}}\npreprocess: {{find: false}}\n\
             decide: {{trigger: every_frame}}\nmodel: {{path: demo}}\n",
            data.join("ok_front").display()
        ),
    )
    .unwrap();
    let summary = dir.path().join("summary.json");
    let mut run = castgate();
    run.args(["run", "--quiet", "--config"]).arg(&config).arg("--summary").arg(&summary);
    let ran = run.output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&summary).unwrap()).unwrap();
    assert_eq!(figures["rejected_by_reason"]["bad_image"], pictures.len(), "{figures}");
    assert_eq!((&figures["ok"], &figures["false_rejects"]), (&3.into(), &pictures.len().into()), "{figures}");
    let told = String::from_utf8(ran.stderr).unwrap();
    assert!(told.contains("cannot be judged: "), "{told}");
}

#[cfg(feature = "train")]
#[test]
fn training_leaves_pictures_of_nothing_aside_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    crate::eval::draw(&data, 24);
    save(&data.join("ok_front"), &nothing());
    let mut train = castgate();
    train
        .args([
            "train",
            "--epochs",
            "1",
            "--network",
            "4np-5n-d4",
            "--size",
            "16",
            "--threads",
            "1",
            "--data",
        ])
        .arg(&data);
    let trained = train.arg("--out").arg(dir.path().join("m.onnx")).output().unwrap();
    let told = String::from_utf8(trained.stderr).unwrap();
    assert_eq!(trained.status.code(), Some(0), "{told}");
    for name in nothing().keys() {
        assert!(
            told.contains(&format!("skipped ok_front/{name}: it "))
                || told.contains(&format!("skipped ok_front/{name}: every ")),
            "{told}"
        );
    }
}
