//! `castgate why`, on a store that was filled as the line fills it.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use castgate::clock::{SimClock, Time};
use castgate::config;
use castgate::decide::{Announced, GateId, Look, Outcome, PartRecord, State};
use castgate::frame::FrameId;
use castgate::store::{self, JudgedBy, NoteKind};
use castgate::verdict::{PartNumber, Reason, Score, Truth, Verdict};

use crate::golden::{castgate, expect, path, run};

fn at(seconds: f64) -> Time {
    Time::ZERO.plus_s(seconds)
}

fn look(frame: u64, captured: f64, age_ms: f64, score: Option<f32>) -> Look {
    Look {
        frame: FrameId(frame),
        captured_at: at(captured),
        judged_at: at(captured + age_ms / 1000.0),
        centre_mm: (captured - 17.0) * 500.0,
        off_mm: 0.8 - (captured - 17.0),
        sharpness: 11.5,
        score: score.and_then(Score::new),
    }
}

/// A part that was seen in three frames, found defective and removed.
fn defective() -> PartRecord {
    let views = vec![
        look(8, 17.2, 11.5, Some(0.01)),
        look(9, 17.233, 12.25, Some(0.973)),
        look(10, 17.266, 9.0, Some(0.9911)),
    ];
    PartRecord {
        number: PartNumber(17),
        announced: Announced::Sensor,
        triggered_at: at(17.0),
        length_mm: Some(119.25),
        last_look: views.last().copied(),
        views,
        looks: 3,
        score: Score::new(0.9911),
        verdict: Verdict::Reject(Reason::Defect),
        decided_at: at(17.4),
        deadline: at(17.7),
        window: (at(17.75), at(17.95)),
        gate: GateId::Main,
        wider_mm: 2.5,
        confirmed_at: Some(at(18.1)),
        empty: false,
        states: vec![
            (at(17.0), State::Open),
            (at(17.2115), State::Seen),
            (at(17.4), State::Condemned),
            (at(18.2), State::Ended(Outcome::RejectedConfirmed)),
        ],
        outcome: Outcome::RejectedConfirmed,
        config: "9f8e7d6c5b4a".into(),
        name: Some("cast_def_0_1134.jpeg".to_owned()),
        truth: Some(Truth::Defect),
    }
}

/// A part that was cleared, and then removed because the belt's position was lost.
fn revoked() -> PartRecord {
    PartRecord {
        number: PartNumber(18),
        announced: Announced::Vision,
        length_mm: None,
        verdict: Verdict::Reject(Reason::Position),
        decided_at: at(17.6),
        score: Score::new(0.125),
        views: vec![look(9, 17.233, 12.25, Some(0.125)), look(10, 17.266, 9.0, None)],
        last_look: Some(look(912, 17.5, 19.5, Some(0.125))),
        looks: 71,
        gate: GateId::Second,
        wider_mm: 0.0,
        confirmed_at: None,
        states: vec![
            (at(17.0), State::Open),
            (at(17.245_25), State::Seen),
            (at(17.4), State::Cleared),
            (at(17.6), State::Condemned),
            (at(18.2), State::Ended(Outcome::RejectedUnconfirmed)),
        ],
        outcome: Outcome::RejectedUnconfirmed,
        name: None,
        truth: None,
        ..defective()
    }
}

/// A part that no frame showed and whose way to the gate was never known.
fn unseen() -> PartRecord {
    PartRecord {
        number: PartNumber(16),
        announced: Announced::Nothing,
        verdict: Verdict::Reject(Reason::NoFrame),
        score: None,
        views: Vec::new(),
        last_look: None,
        looks: 0,
        deadline: Time::MAX,
        window: (Time::ZERO, Time::ZERO),
        states: vec![(at(17.0), State::Open), (at(19.0), State::Ended(Outcome::UnresolvedAtStop))],
        outcome: Outcome::UnresolvedAtStop,
        ..revoked()
    }
}

/// A part that was cleared and passed.
fn good() -> PartRecord {
    PartRecord {
        number: PartNumber(20),
        verdict: Verdict::Ok,
        score: Score::new(0.125),
        states: vec![(at(17.4), State::Cleared), (at(18.2), State::Ended(Outcome::Passed))],
        outcome: Outcome::Passed,
        name: None,
        truth: None,
        confirmed_at: None,
        ..defective()
    }
}

/// Fills a store with the parts above, and with one on the line when the process dies.
fn fill(file: &Path) {
    let section = config::Store { enabled: true, path: file.to_owned(), ..Default::default() };
    let by = || JudgedBy { model: "casting@1a2b3c4d5e6f".to_owned(), config: "9f8e7d6c5b4a".to_owned() };
    let clock = Arc::new(SimClock::new(at(10.0)));
    let opened = store::open(&section, by(), clock.clone()).unwrap();
    let store = opened.store;
    store.noted(NoteKind::LineStop, "bin_full", at(11.0));
    store.noted(NoteKind::LineStopReset, "", at(12.0));
    store.noted(NoteKind::LineStop, "air_low", at(13.5));
    for record in [unseen(), defective(), revoked(), good()] {
        store.opened(record.number, record.triggered_at);
        store.finished(Arc::new(record));
    }
    store.noted(NoteKind::PositionLost, "the encoder's count jumped", at(17.6));
    store.noted(NoteKind::PositionKnown, "", at(17.9));
    store.opened(PartNumber(21), at(40.0));
    // A busy machine may need longer than a flush waits.
    while !store.flush() {}
    drop(store);
    clock.advance_to(at(100.0));
    drop(store::open(&section, by(), clock).unwrap());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn why(file: &Path, arguments: &[&str]) -> Output {
    castgate().arg("why").args(arguments).arg("--store").arg(file).output().unwrap()
}

#[test]
fn a_part_s_life_is_told_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parts.db");
    fill(&file);
    for (part, golden) in [
        ("17", "why_defect.txt"),
        ("18", "why_revoked.txt"),
        ("16", "why_unseen.txt"),
        ("20", "why_ok.txt"),
        ("21", "why_left.txt"),
    ] {
        let output = why(&file, &[part]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        expect(&path("tests/data/golden").join(golden), &text(&output.stdout));
    }
    let output = why(&file, &["17", "--json"]);
    expect(&path("tests/data/golden/why.json"), &text(&output.stdout));
    assert_eq!(why(&file, &["last-reject"]).stdout, why(&file, &["18"]).stdout);
    assert_eq!(why(&file, &["last"]).stdout, why(&file, &["21"]).stdout);
}

#[test]
fn a_part_that_the_store_does_not_hold_ends_with_1_and_the_range() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("parts.db");
    fill(&file);
    let output = why(&file, &["4711"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr).replace(&file.display().to_string(), "FILE");
    assert_eq!(told, "castgate: no part 4711 in FILE; it holds parts between 16 and 21\n");
    assert!(output.stdout.is_empty());
}

#[test]
fn without_a_store_the_error_names_the_key_to_set() {
    let told = |arguments: &[&str]| {
        let output = run(arguments);
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = told(&["why", "last"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("--config") && said.contains("--store"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("line.yaml");
    std::fs::write(&config, "store: {path: parts.db}\n").unwrap();
    let named = config.to_str().unwrap();
    let (code, said) = told(&["why", "last", "--config", named]);
    assert_eq!(code, Some(2));
    assert!(said.contains("keeps no histories: set store.enabled to true"), "{said}");
    std::fs::write(&config, "store: {enabled: true, path: parts.db}\n").unwrap();
    let (code, said) = told(&["why", "last", "--config", named]);
    assert_eq!(code, Some(3));
    assert!(said.contains("parts.db: there is no such file; see store.path and store.enabled"), "{said}");
    let (code, said) = told(&["why", "first", "--config", named]);
    assert_eq!(code, Some(2));
    assert!(said.contains("neither a part's number nor `last` nor `last-reject`"), "{said}");
}

#[test]
fn a_line_that_runs_keeps_its_histories_and_goes_on_counting() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("line.yaml");
    std::fs::write(&config, "store: {enabled: true, path: parts.db}\n").unwrap();
    let config = config.to_str().unwrap();
    let check = run(&["check", "--config", config]);
    assert!(text(&check.stdout).contains("parts.db will be created"), "{}", text(&check.stderr));
    let line = run(&["run", "--parts", "2", "--config", config]);
    assert_eq!(line.status.code(), Some(0), "{}", text(&line.stderr));
    let first = run(&["why", "1", "--config", config]);
    assert!(text(&first.stdout).starts_with("part 1: "), "{}", text(&first.stderr));
    let last = |config| -> serde_json::Value {
        serde_json::from_slice(&run(&["why", "last", "--json", "--config", config]).stdout).unwrap()
    };
    let number = last(config)["part"]["number"].as_u64().unwrap();
    let line = run(&["run", "--parts", "1", "--config", config]);
    let told = text(&line.stderr);
    assert!(told.contains(&format!("the first part of this run is {}", number + 1)), "{told}");
    assert!(last(config)["part"]["number"].as_u64().unwrap() > number);
    assert!(text(&run(&["check", "--config", config]).stdout).contains("holds parts 1 to "));
}
