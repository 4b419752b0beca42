//! Starts on files that were deleted, cut, zeroed, replaced or locked: numbers go on, and a line stop stands.

use proptest::prelude::*;

use super::*;
use crate::store::handle::Ready;
use crate::store::history::NoteKind;
use crate::store::reserve::look;
use crate::store::tests::{Bench, at, fill};
use crate::store::worker::Wish;
use crate::store::{Opened, Reader};
use crate::verdict::PartNumber;

/// A run of 30 parts in which the line was stopped, and which died.
fn died(bench: &Bench) {
    let Opened { store, first, .. } = bench.open();
    fill(&store, first.0..=first.0 + 29);
    store.noted(NoteKind::LineStop, "escape", at(31.0));
    assert!(store.flush());
}

fn name(bench: &Bench, ending: &str) -> std::path::PathBuf {
    super::super::files::beside(&bench.path(), ending)
}

fn set_aside_in(bench: &Bench) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(bench.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_one = |path: &std::path::PathBuf| {
        let name = path.to_str().unwrap();
        name.contains(".bad-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    entries.filter(is_one).collect()
}

#[test]
fn whatever_becomes_of_the_database_numbers_go_on_and_the_stop_stands() {
    type Harm = fn(&Bench);
    let harms: [(&str, bool, Harm); 9] = [
        ("deleted", false, |bench| {
            for ending in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(name(bench, ending));
            }
        }),
        ("emptied", false, |bench| fs::write(bench.path(), "").unwrap()),
        ("journal deleted", false, |bench| {
            let _ = fs::remove_file(name(bench, "-wal"));
            let _ = fs::remove_file(name(bench, "-shm"));
        }),
        ("cut to a page", true, |bench| {
            let file = fs::OpenOptions::new().write(true).open(bench.path()).unwrap();
            file.set_len(4096).unwrap();
        }),
        ("cut within a page", true, |bench| {
            let file = fs::OpenOptions::new().write(true).open(bench.path()).unwrap();
            file.set_len(2000).unwrap();
        }),
        ("zeroed", true, |bench| {
            let length = fs::metadata(bench.path()).unwrap().len() as usize;
            fs::write(bench.path(), vec![0; length]).unwrap();
        }),
        ("zeroed behind its first page", true, |bench| {
            let mut bytes = fs::read(bench.path()).unwrap();
            bytes[4096..].fill(0);
            fs::write(bench.path(), bytes).unwrap();
        }),
        ("a text", true, |bench| fs::write(bench.path(), "these are notes\n".repeat(400)).unwrap()),
        ("without tables", true, |bench| {
            let file = rusqlite_file(bench);
            file.execute_batch("DROP TABLE notes; DROP TABLE parts;").unwrap();
        }),
    ];
    for (what, is_set_aside, harm) in harms {
        let bench = Bench::new();
        died(&bench);
        // The file at rest, without a journal that would mend it.
        drop(bench.ready());
        harm(&bench);
        let Opened { store, first, stop, .. } = bench.open();
        assert!(first.0 >= 2001, "{what}: {first}");
        assert_eq!(stop, Some(StopReason::Escape), "{what}");
        assert_eq!(!set_aside_in(&bench).is_empty(), is_set_aside, "{what}");
        fill(&store, first.0..=first.0 + 2);
        assert!(store.end(true), "{what}");
        drop(store);
        let Opened { first: next, stop, .. } = bench.open();
        assert_eq!((next.0, stop), (first.0 + 3, Some(StopReason::Escape)), "{what}");
        assert!(bench.reader().part(first.0).unwrap().is_some(), "{what}");
    }
}

fn rusqlite_file(bench: &Bench) -> crate::store::sqlite::tests::File {
    crate::store::sqlite::tests::file(&bench.path())
}

#[test]
fn what_nothing_tells_is_taken_for_the_worst() {
    let bench = Bench::new();
    died(&bench);
    fs::remove_file(bench.path()).unwrap();
    fs::write(name(&bench, ".next"), "junk").unwrap();
    let Opened { first, stop, store, .. } = bench.open();
    assert_eq!(stop, Some(StopReason::Unknown));
    assert!(first.0 > 1 << 50, "{first}");
    store.noted(NoteKind::LineStopReset, "", at(40.0));
    assert!(store.end(true));
    drop(store);
    let opened = bench.open();
    assert_eq!((opened.first, opened.stop), (first, None), "numbers go on from there");
}

#[test]
fn a_database_without_its_file_of_numbers_is_enough_and_so_is_a_damaged_one_that_can_be_read() {
    let bench = Bench::new();
    died(&bench);
    fs::remove_file(name(&bench, ".next")).unwrap();
    let Opened { first, stop, .. } = bench.open();
    assert_eq!((first, stop), (PartNumber(1001), Some(StopReason::Escape)));
    assert!(matches!(look(&bench.path()), Found::Kept(_)), "it is made anew");

    fs::remove_file(name(&bench, ".next")).unwrap();
    rusqlite_file(&bench).execute_batch("DROP INDEX parts_finished; DROP TABLE parts").unwrap();
    let Opened { first, stop, .. } = bench.open();
    assert_eq!((first, stop), (PartNumber(2001), Some(StopReason::Escape)));
    assert_eq!(set_aside_in(&bench).len(), 1);
}

#[test]
fn the_end_in_order_gives_numbers_back_in_both_files() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=7);
    assert!(store.end(true));
    drop(store);
    assert_eq!(look(&bench.path()), Found::Kept(Kept { next: 8, ended: true, stop: None }));
    fs::remove_file(bench.path()).unwrap();
    assert_eq!(bench.open().first, PartNumber(8));
}

#[test]
fn a_database_that_is_locked_at_the_start_is_joined_when_it_is_free() {
    let bench = Bench::new();
    died(&bench);
    let Opened { store, .. } = bench.open();
    store.opened(PartNumber(1001), at(50.0));
    assert!(store.flush());
    drop(store);
    let other = rusqlite_file(&bench);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Ready { store, mut worker, first, left, stop, .. } = bench.ready();
    assert_eq!((first, left.len(), stop), (PartNumber(2001), 0, Some(StopReason::Escape)));
    assert!(store.health().failing);
    fill(&store, 2001..=2010);
    store.noted(NoteKind::LineStopReset, "", at(60.0));
    other.execute_batch("COMMIT").unwrap();
    assert!(worker.fulfil(Wish::Flush));
    assert!(!store.health().failing);
    assert_eq!(bench.reader().range().unwrap(), Some((1, 2010)));
    // A part of the run before is not told twice, and not forgotten.
    assert_eq!(bench.reader().part(1001).unwrap().unwrap().finished_at_ms, None);
    assert!(worker.fulfil(Wish::End(true)));
    drop((store, worker));
    let Opened { first, left, stop, .. } = bench.open();
    assert_eq!((first, stop), (PartNumber(2011), None));
    assert_eq!(left.iter().map(|part| part.number.0).collect::<Vec<_>>(), [1001]);
}

#[test]
fn a_first_start_that_cannot_write_is_not_stopped_by_a_run_before_it() {
    let bench = Bench::new();
    // As a first start on a full disk leaves it.
    fs::write(bench.path(), "").unwrap();
    let other = rusqlite_file(&bench);
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let Ready { store, first, stop, .. } = bench.ready();
    assert_eq!((first, stop, store.health().failing), (PartNumber(1), None, true));
}

#[test]
fn a_line_stop_whose_note_finds_the_queue_full_stands_all_the_same() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=crate::store::worker::QUEUE as u64);
    store.noted(NoteKind::LineStop, "air_low", at(9.0));
    assert!(worker.fulfil(Wish::Flush));
    drop((store, worker));
    assert_eq!(bench.open().stop, Some(StopReason::AirLow));
}

#[test]
fn a_pipe_where_the_database_should_be_is_refused_and_not_waited_for() {
    let mut bench = Bench::new();
    bench.section.path = "/dev/null".into();
    let told = bench.refusal().to_string();
    assert!(told.contains("it is a device, not a regular file"), "{told}");
    assert_eq!(Reader::open(&bench.section.path).unwrap_err().to_string(), told);
}

proptest! {
    #[test]
    fn numbers_that_nothing_records_are_above_those_that_are_known_and_exact_in_json(
        known in 1u64..(1 << 53) - (1 << 24), now in -5_000_000_000_000i64..10_000_000_000_000, chance in any::<u64>()
    ) {
        let first = never_given(known, now, chance);
        prop_assert!(first >= known && first < 1 << 53, "{first}");
    }

    #[test]
    fn a_later_run_begins_above_all_that_an_earlier_one_gave(
        now in FLOOR_MS..4_000_000_000_000, seconds in 1i64..10_000_000, rate in 1u64..1000
    ) {
        let first = never_given(1, now, 0);
        let later = never_given(1, now + seconds * 1000, 0);
        prop_assert!(first + rate * seconds.unsigned_abs() < later);
    }
}
