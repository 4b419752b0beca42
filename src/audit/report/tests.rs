//! What is counted, what is marked, and how it is told.

use super::*;
use crate::album::left::Why;
use crate::audit::compare::COPY;

fn entry(split: &str, file: &str, label: Truth, group: u64, sha256: &str) -> Entry {
    let exact_of = (sha256 == "same" && split == "test").then(|| "train/ok/a.png".to_owned());
    let (file, split, sha256) = (file.to_owned(), split.to_owned(), sha256.to_owned());
    Entry { file, split, label, group, conflict: None, exact_of, sha256 }
}

fn sample() -> Report {
    let mut entries = vec![
        entry("train", "ok/a.png", Truth::Ok, 1, "same"),
        entry("train", "ok/b.png", Truth::Ok, 1, "1"),
        entry("train", "bad/c.png", Truth::Defect, 1, "2"),
        entry("train", "ok/d.png", Truth::Ok, 2, "3"),
        entry("train", "ok/e.png", Truth::Ok, 3, "4"),
        entry("train", "ok/f.png", Truth::Ok, 4, "5"),
        entry("train", "ok/g.png", Truth::Ok, 5, "6"),
        entry("test", "ok/a.png", Truth::Ok, 1, "same"),
        entry("test", "ok/h.png", Truth::Ok, 2, "7"),
        entry("test", "bad/i.png", Truth::Defect, 6, "8"),
        entry("test", "ok/j.png", Truth::Ok, 6, "9"),
    ];
    mark_conflicts(&mut entries);
    let tells = vec![
        Telling { name: "border", auc: 0.875, defect_is_greater: false },
        Telling { name: "bytes", auc: 0.5, defect_is_greater: true },
    ];
    let mut report = Report::new(&entries, &["train".to_owned(), "test".to_owned()], tells, COPY);
    let fault = |file: &str, why: &str| Fault { file: file.to_owned(), why: why.to_owned() };
    report.broken = vec![fault("test/ok/k.png", "is empty")];
    report.odd_sized = vec![fault("train/ok/g.png", "30 x 20 instead of 300 x 300")];
    report.flat = vec!["train/ok/f.png".to_owned()];
    report.splits[0].kinds = [("crack".to_owned(), 1), ("hole".to_owned(), 0)].into();
    (0..2).for_each(|_| report.left_aside.add("train/ok", Why::Hidden, "", None));
    let named = ("x.dat", "looks like a JPEG but is called .dat");
    report.left_aside.add("test/bad", Why::Disguised, "dat", Some(named));
    report
}

#[test]
fn photographs_leaks_and_conflicts_are_counted() {
    let report = sample();
    assert_eq!((report.pictures, report.photographs, report.copies, report.exact_copies), (11, 6, 5, 1));
    assert_eq!(report.largest_group, 4);
    assert_eq!((report.leaks[0].pictures, report.leaks[0].exact), (2, 1));
    let conflicts: Vec<(&str, Conflict)> =
        report.conflicts.iter().map(|wrong| (wrong.file.as_str(), wrong.conflict)).collect();
    assert_eq!(conflicts[0], ("train/bad/c.png", Conflict::Minority));
    assert_eq!(conflicts[1], ("test/bad/i.png", Conflict::Tie));
    assert_eq!(conflicts.len(), 6);
    assert!(!report.is_clean());
    assert!(Report::new(&[], &[], Vec::new(), COPY).is_clean());
}

#[test]
fn the_json_keeps_its_names() {
    let json = serde_json::to_string_pretty(&sample()).unwrap() + "\n";
    assert_eq!(json, include_str!("../../../tests/data/golden/audit.json"));
}

#[test]
fn the_text_for_people() {
    assert_eq!(sample().to_string(), include_str!("../../../tests/data/golden/audit.txt"));
}
