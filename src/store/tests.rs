//! The store as the line uses it: what is written is read back, numbers never repeat, and nothing goes missing uncounted.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::handle::{self, Ready};
use super::worker::{QUEUE, Wish};
use super::{JudgedBy, NoteKind, Opened, Reader, Store, StoreError};
use crate::clock::{Clock, SimClock, Time};
use crate::config;
use crate::decide::{Announced, GateId, Look, Outcome, PartRecord, State, StopReason};
use crate::frame::FrameId;
use crate::verdict::{PartNumber, Reason, Score, Truth, Verdict};

pub(super) fn at(seconds: f64) -> Time {
    Time::ZERO.plus_s(seconds)
}

/// A part whose trigger was at `seconds`; every third is rejected.
pub(super) fn record(number: u64, seconds: f64) -> PartRecord {
    let look = |n: u64| Look {
        frame: FrameId(40 + n),
        captured_at: at(seconds + 0.2 + 0.033 * n as f64),
        judged_at: at(seconds + 0.211_5 + 0.033 * n as f64),
        centre_mm: 100.0 + 16.5 * n as f64,
        off_mm: -0.4,
        sharpness: 12.5,
        score: Score::new(0.125),
    };
    let reject = number.is_multiple_of(3);
    let outcome = if reject { Outcome::RejectedConfirmed } else { Outcome::Passed };
    let decided = if reject { State::Condemned } else { State::Cleared };
    PartRecord {
        number: PartNumber(number),
        announced: Announced::Sensor,
        triggered_at: at(seconds),
        length_mm: Some(119.25),
        last_look: Some(look(4)),
        views: (0..5).map(look).collect(),
        looks: 5,
        score: Score::new(0.125),
        verdict: if reject { Verdict::Reject(Reason::Defect) } else { Verdict::Ok },
        decided_at: at(seconds + 0.4),
        deadline: at(seconds + 0.7),
        window: (at(seconds + 0.75), at(seconds + 0.95)),
        gate: GateId::Main,
        wider_mm: 0.0,
        confirmed_at: reject.then(|| at(seconds + 1.1)),
        empty: false,
        states: vec![
            (at(seconds), State::Open),
            (at(seconds + 0.211_5), State::Seen),
            (at(seconds + 0.4), decided),
            (at(seconds + 1.2), State::Ended(outcome)),
        ],
        outcome,
        config: "9f8e7d6c5b4a".into(),
        name: Some("cast_\"1\".jpeg".to_owned()),
        truth: Some(Truth::Ok),
    }
}

/// A folder for a database, and a clock that stands still.
pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) clock: Arc<SimClock>,
    pub(super) section: config::Store,
}

impl Bench {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let section =
            config::Store { enabled: true, path: folder.path().join("parts.db"), ..Default::default() };
        Self { folder, clock: Arc::new(SimClock::new(at(100.0))), section }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.section.path.clone()
    }

    pub(super) fn by() -> JudgedBy {
        JudgedBy { model: "casting@1a2b3c4d5e6f".to_owned(), config: "9f8e7d6c5b4a".to_owned() }
    }

    pub(super) fn open(&self) -> Opened {
        let mut opened = super::open(&self.section, Self::by(), self.clock.clone()).unwrap();
        // Whatever else this machine does.
        opened.store.within = Duration::from_secs(300);
        opened
    }

    pub(super) fn refusal(&self) -> StoreError {
        super::open(&self.section, Self::by(), self.clock.clone()).err().expect("it is refused")
    }

    /// A store whose worker the test drives itself.
    pub(super) fn ready(&self) -> Ready {
        handle::prepare(&self.section, Self::by(), self.clock.clone()).unwrap()
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.section.path).unwrap()
    }
}

/// Opens and finishes parts, a second apart.
pub(super) fn fill(store: &Store, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        let record = record(number, number as f64);
        store.opened(record.number, record.triggered_at);
        store.finished(Arc::new(record));
    }
}

#[test]
fn a_part_and_what_happened_around_it_are_read_back() {
    let bench = Bench::new();
    let Opened { store, first, left, .. } = bench.open();
    assert_eq!((first, left.len()), (PartNumber(1), 0));
    store.noted(NoteKind::LineStop, "bin_full", at(0.5));
    fill(&store, 1..=3);
    store.opened(PartNumber(4), at(4.0));
    assert!(store.flush());
    let reader = bench.reader();
    let part = reader.part(3).unwrap().unwrap();
    assert_eq!((part.opened_at_ms, part.finished_at_ms), (1_767_247_203_000, Some(1_767_247_204_200)));
    assert_eq!(
        (part.outcome.as_deref(), part.reason.as_deref()),
        (Some("rejected_confirmed"), Some("defect"))
    );
    assert_eq!((part.verdict.as_deref(), part.model.as_str()), (Some("reject"), "casting@1a2b3c4d5e6f"));
    let history = part.history.unwrap();
    assert_eq!(history.triggered.at, "2026-01-01T06:00:03.000Z");
    assert_eq!((history.views.len(), history.last_view, history.looks), (5, None, 5));
    assert_eq!((history.views[1].age_ms, history.views[1].captured.ms), (11.5, 233.0));
    assert_eq!(history.window.unwrap().until.ms, 950.0);
    assert_eq!(history.confirmed.unwrap().at, "2026-01-01T06:00:04.100Z");
    assert_eq!(history.name.as_deref(), Some("cast_\"1\".jpeg"));
    let open = reader.part(4).unwrap().unwrap();
    assert_eq!((open.outcome, open.history, open.finished_at_ms), (None, None, None));
    assert_eq!(reader.part(5).unwrap(), None);
    assert_eq!(reader.range().unwrap(), Some((1, 4)));
    assert_eq!(reader.last_reject().unwrap().unwrap().number, 3);
    let newest: Vec<u64> = reader.latest(2).unwrap().iter().map(|part| part.number).collect();
    assert_eq!(newest, [4, 3]);
    let between = reader.parts_between(1_767_247_202_000, 1_767_247_203_200).unwrap();
    assert_eq!(between.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(reader.notes_between(0, 1_767_247_200_500).unwrap()[0].detail, "bin_full");
    assert_eq!(reader.standing_at(1_767_247_203_000).unwrap()[0].kind, "line_stop");
}

#[test]
fn a_line_stop_stands_until_its_reset_or_the_next_start() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    store.noted(NoteKind::LineStop, "escape", at(101.0));
    store.noted(NoteKind::PositionLost, "slip", at(102.0));
    store.noted(NoteKind::LineStopReset, "", at(103.0));
    assert!(store.flush());
    let wall = |seconds: f64| SimClock::new(at(seconds)).wall_ms();
    let standing = |seconds| {
        let notes = bench.reader().standing_at(wall(seconds)).unwrap();
        notes.into_iter().map(|note| note.detail).collect::<Vec<_>>()
    };
    assert_eq!(standing(101.0), [""; 0]);
    assert_eq!(standing(102.5), ["escape", "slip"]);
    assert_eq!(standing(104.0), ["slip"]);
    drop(store);
    bench.clock.advance_to(at(110.0));
    drop(bench.open());
    assert_eq!(standing(111.0), [""; 0]);
}

#[test]
fn thousands_of_parts_are_written_in_groups_and_none_is_missing() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    for block in 0..3 {
        fill(&store, block * 1000 + 1..=block * 1000 + 1000);
        assert!(store.flush());
    }
    let health = store.health();
    assert_eq!((health.written, health.waiting, health.dropped), (6000, 0, 0));
    assert!(!health.failing && health.last_error.is_none());
    let reader = bench.reader();
    assert_eq!(reader.range().unwrap(), Some((1, 3000)));
    assert_eq!(reader.parts_between(0, i64::MAX).unwrap().len(), 3000);
}

#[test]
fn a_full_queue_loses_entries_and_counts_them() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=QUEUE as u64 / 2 + 10);
    let health = store.health();
    assert_eq!((health.waiting, health.dropped, health.histories_lost), (QUEUE as u64, 20, 10));
    assert!(worker.fulfil(Wish::Flush));
    let health = store.health();
    assert_eq!((health.written, health.waiting, health.dropped), (QUEUE as u64, 0, 20));
    // An opening that was lost costs nothing when the history comes, and numbers are reserved all the same.
    store.finished(Arc::new(record(9000, 1.0)));
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(bench.reader().part(9000).unwrap().unwrap().opened_at_ms, 1_767_247_201_000);
}

#[test]
fn parts_on_the_line_of_a_process_that_died_are_found() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=1);
    store.opened(PartNumber(2), at(2.0));
    store.opened(PartNumber(3), at(3.0));
    assert!(store.flush());
    drop(store);
    bench.clock.advance_to(at(500.0));
    let Opened { store, first, left, .. } = bench.open();
    assert_eq!(first, PartNumber(1001), "the next run begins behind the reserved block");
    assert_eq!(left.iter().map(|part| part.number.0).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((left[0].opened_at_ms, left[0].by.clone()), (1_767_247_202_000, Bench::by()));
    let part = bench.reader().part(2).unwrap().unwrap();
    assert_eq!(part.outcome.as_deref(), Some("unresolved_at_stop"));
    assert_eq!(part.finished_at_ms, Some(bench.clock.wall_ms()));
    assert!(part.remark.unwrap().starts_with("The process ended while the part was on the line"));
    drop(store);
    assert_eq!(bench.open().left, [], "they are found once");
}

#[test]
fn numbers_go_on_without_a_gap_after_an_end_in_order_and_with_one_after_any_other() {
    let bench = Bench::new();
    let run = |parts: u64, end: Option<bool>| {
        let Opened { store, first, left, .. } = bench.open();
        assert_eq!(left, []);
        if parts > 0 {
            fill(&store, first.0..=first.0 + parts - 1);
        }
        assert!(end.map_or_else(|| store.flush(), |all_heard| store.end(all_heard)));
        first.0
    };
    assert_eq!(run(5, Some(true)), 1);
    assert_eq!(run(0, Some(true)), 6);
    assert_eq!(run(5, Some(false)), 6, "an event was lost: a higher number may have been given");
    assert_eq!(run(1700, None), 1006);
    // 2705 is the last one; its block ended before it, so another was reserved on the way.
    let first = run(0, None);
    assert!(first > 2705 && first <= 2705 + 1501, "{first}");
    assert_eq!(run(0, None), first + 1000);
}

#[test]
fn the_next_block_is_on_the_disk_well_before_the_present_one_ends() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    store.opened(PartNumber(500), at(1.0));
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(reserved(&bench), 1001);
    store.opened(PartNumber(501), at(1.0));
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(reserved(&bench), 2001);
}

pub(super) fn reserved(bench: &Bench) -> i64 {
    let file = rusqlite::Connection::open(bench.path()).unwrap();
    file.query_row("SELECT value FROM meta WHERE key = 'reserved'", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_part_whose_history_was_lost_says_so_after_an_end_in_order() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    store.opened(PartNumber(1), at(1.0));
    assert!(store.end(true));
    drop(store);
    assert_eq!(bench.open().left, []);
    let part = bench.reader().part(1).unwrap().unwrap();
    assert_eq!((part.outcome, part.verdict), (None, None));
    assert!(part.remark.unwrap().starts_with("Its history was lost"));
}

#[test]
fn a_reader_sees_whole_groups_while_the_store_writes() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=1);
    assert!(store.flush());
    let reader = bench.reader();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for block in 0..20 {
                fill(&store, block * 50 + 2..=block * 50 + 51);
                assert!(store.flush());
            }
        });
        let mut last = 1;
        while last < 1001 {
            let (_, newest) = reader.range().unwrap().unwrap();
            assert!(newest >= last);
            last = newest;
            assert!(reader.part(newest).unwrap().unwrap().number == newest);
        }
    });
    drop(store);
    assert_eq!(reader.range().unwrap(), Some((1, 1001)), "a reader outlives the writer");
}

#[test]
fn a_line_stop_that_nobody_reset_is_told_to_the_next_run() {
    let bench = Bench::new();
    let Opened { store, stop, .. } = bench.open();
    assert_eq!(stop, None);
    store.noted(NoteKind::LineStop, "air_low", at(1.0));
    store.noted(NoteKind::LineStopReset, "", at(2.0));
    store.noted(NoteKind::LineStop, "reject_missed", at(3.0));
    store.end(true);
    drop(store);
    let Opened { store, stop, .. } = bench.open();
    assert_eq!(stop, Some(StopReason::RejectMissed));
    store.noted(NoteKind::LineStopReset, "", at(4.0));
    store.end(true);
    drop(store);
    assert_eq!(bench.open().stop, None);
}

#[test]
fn an_end_that_gets_no_answer_is_not_waited_for_and_says_what_is_lost() {
    let bench = Bench::new();
    // Its thread is never started, as one that hangs in the disk.
    let Ready { mut store, worker, .. } = bench.ready();
    store.within = std::time::Duration::from_millis(20);
    fill(&store, 1..=3);
    assert!(!store.end(true));
    assert_eq!(store.health().waiting, 6);
    drop((store, worker));
    assert_eq!(bench.open().first, PartNumber(1001));
}

#[test]
fn a_look_at_the_files_after_the_end_changes_nothing() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=3);
    assert!(worker.fulfil(Wish::End(true)));
    assert_eq!(worker.writer.watch(), None);
    drop((store, worker));
    assert_eq!(bench.open().first, PartNumber(4));
}
