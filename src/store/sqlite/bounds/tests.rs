//! Bounds of age and size.

use crate::clock::Clock;
use crate::store::handle::Ready;
use crate::store::tests::{Bench, at, fill};
use crate::store::worker::Wish;
use crate::store::{NoteKind, Opened};
use crate::units::Span;
use crate::verdict::PartNumber;

#[test]
fn what_is_older_than_its_time_goes() {
    let mut bench = Bench::new();
    bench.section.keep = Span::s(3600.0);
    let Ready { store, mut worker, .. } = bench.ready();
    store.noted(NoteKind::LineStop, "escape", at(0.0));
    fill(&store, 1..=1250);
    assert!(worker.fulfil(Wish::Flush));
    fill(&store, 1251..=2500);
    store.opened(PartNumber(2501), at(1.0));
    assert!(worker.fulfil(Wish::Flush));
    bench.clock.advance_to(at(3000.0));
    assert!(!worker.writer.trim());
    assert_eq!(bench.reader().range().unwrap(), Some((1, 2501)));
    // Parts come a second apart, and leave 1.2 s after their trigger.
    bench.clock.advance_to(at(3600.0 + 2200.0));
    assert!(worker.writer.trim(), "a step removes 2000 parts, and 198 more are due");
    assert_eq!(bench.reader().range().unwrap(), Some((2001, 2501)));
    assert!(!worker.writer.trim());
    let reader = bench.reader();
    assert_eq!(reader.range().unwrap(), Some((2199, 2501)));
    let notes = reader.notes_between(0, bench.clock.wall_ms()).unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!((notes[0].kind.as_str(), notes[0].detail.as_str()), ("line_stop", "escape"));
    bench.clock.advance_to(at(1e6));
    assert!(!worker.writer.trim());
    assert_eq!(reader.range().unwrap(), Some((2501, 2501)), "a part on the line is never removed");
}

#[test]
fn the_file_stays_within_its_size_and_the_newest_parts_stay() {
    let mut bench = Bench::new();
    bench.section.max_mib = 1;
    let Ready { store, mut worker, .. } = bench.ready();
    let size = || {
        let of = |name: &str| std::fs::metadata(bench.folder.path().join(name)).map_or(0, |file| file.len());
        of("parts.db") + of("parts.db-wal")
    };
    store.opened(PartNumber(1), at(1.0));
    let mut trimmed = 0;
    for block in 0..20 {
        fill(&store, block * 100 + 2..=block * 100 + 101);
        assert!(worker.fulfil(Wish::Flush));
        while worker.writer.is_oversize() && worker.writer.trim() {
            trimmed += 1;
        }
        assert!(!worker.writer.is_oversize() && size() <= 1 << 20, "{}", size());
    }
    let reader = bench.reader();
    let kept = reader.parts_between(0, i64::MAX).unwrap();
    assert_eq!(kept.last().unwrap().number, 2001);
    assert!(kept.len() > 150 && kept.len() < 1500, "{}", kept.len());
    let numbers: Vec<u64> = kept.iter().map(|part| part.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "the oldest go first");
    assert_eq!(reader.range().unwrap(), Some((1, 2001)), "a part on the line is never removed");
    assert!(trimmed < 60, "{trimmed}");
}

#[test]
fn the_thread_keeps_the_bounds_by_itself() {
    let mut bench = Bench::new();
    bench.section.max_mib = 1;
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=1500);
    assert!(store.flush());
    drop(store);
    // What the thread had no time for at its end is done at the next start.
    let Ready { mut worker, .. } = bench.ready();
    while worker.writer.trim() {}
    assert!(std::fs::metadata(bench.path()).unwrap().len() <= 1 << 20);
}

#[test]
fn a_line_stop_outlasts_every_bound() {
    let mut bench = Bench::new();
    (bench.section.keep, bench.section.max_mib) = (Span::s(3600.0), 1);
    let Ready { store, mut worker, .. } = bench.ready();
    for n in 0..3000 {
        store.noted(NoteKind::PositionLost, &"slip".repeat(200), at(f64::from(n)));
        if n == 1000 {
            store.noted(NoteKind::LineStop, "escape", at(1.0));
        }
        if n % 500 == 0 {
            assert!(worker.fulfil(Wish::Flush));
        }
    }
    while worker.writer.is_oversize() && worker.writer.trim() {}
    assert!(!worker.writer.is_oversize(), "notes alone do not outgrow the bounds");
    bench.clock.advance_to(at(1e6));
    while worker.writer.trim() {}
    let kept = bench.reader().notes_between(0, i64::MAX).unwrap();
    assert_eq!(kept.iter().map(|note| note.detail.as_str()).collect::<Vec<_>>(), ["escape"]);
    drop((store, worker));
    std::fs::remove_file(bench.folder.path().join("parts.db.next")).unwrap();
    assert_eq!(bench.open().stop, Some(crate::decide::StopReason::Escape));
}

/// Parts 1 to 9, dated as given in hours before (or after) now, and those that are left when histories are kept for `keep` hours.
fn left(hours: [i64; 9], keep: i64) -> Vec<u64> {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=9);
    assert!(worker.fulfil(Wish::Flush));
    let now = bench.clock.wall_ms();
    let file = crate::store::sqlite::tests::file(&bench.path());
    for (number, hours) in (1i64..).zip(hours) {
        let sql = "UPDATE parts SET finished_at_ms = max(?2, 0) WHERE number = ?1";
        file.execute(sql, (number, now + hours * 3_600_000)).unwrap();
    }
    let database = worker.writer.database.as_mut().unwrap();
    let bounds = super::Bounds { keep_ms: keep * 3_600_000, max_bytes: 1 << 30 };
    assert!(!database.trim(&bounds, Some(now)).unwrap());
    let parts = bench.reader().latest(9).unwrap();
    parts.iter().rev().map(|part| part.number).collect()
}

#[test]
fn a_part_without_a_date_that_can_be_right_is_as_old_as_the_next_one_that_has_one() {
    const NONE: i64 = -9_000_000; // 1970
    const AHEAD: i64 = 600_000; // 2094
    assert_eq!(left([-9, -8, -7, -6, -5, -4, -3, -2, -1], 5), [5, 6, 7, 8, 9]);
    assert_eq!(left([NONE; 9], 5), [1, 2, 3, 4, 5, 6, 7, 8, 9], "nobody knows how old they are");
    assert_eq!(left([AHEAD; 9], 5), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(left([NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, -1], 5), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(left([NONE, NONE, -7, NONE, NONE, -6, NONE, -1, NONE], 5), [7, 8, 9]);
    assert_eq!(left([AHEAD, -7, AHEAD, AHEAD, -1, AHEAD, -1, -1, -1], 5), [3, 4, 5, 6, 7, 8, 9]);
}
