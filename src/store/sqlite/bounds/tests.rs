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
    assert_eq!(reader.notes_between(0, bench.clock.wall_ms()).unwrap(), []);
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
