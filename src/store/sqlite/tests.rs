//! Files that cannot be used, and disks that give out.

use std::fs;

use crate::store::handle::Ready;
use crate::store::tests::{Bench, at, fill, reserved};
use crate::store::worker::Wish;
use crate::store::{Fault, NoteKind, Opened, Reader, StoreError};
use crate::verdict::PartNumber;

/// A file as another program has it.
pub(in crate::store) type File = rusqlite::Connection;

pub(in crate::store) fn file(path: &std::path::Path) -> File {
    rusqlite::Connection::open(path).unwrap()
}

fn told(bench: &Bench) -> String {
    let told = bench.refusal().to_string();
    told.replace(&bench.folder.path().display().to_string(), "F")
}

#[test]
fn what_cannot_be_used_is_refused_with_words() {
    let mut bench = Bench::new();
    fs::write(bench.path(), vec![b'x'; 5000]).unwrap();
    assert_eq!(told(&bench), "store F/parts.db: it is no database; move it away, or change store.path");
    assert_eq!(bench.refusal(), Reader::open(&bench.path()).unwrap_err());
    fs::remove_file(bench.path()).unwrap();
    assert!(Reader::open(&bench.path()).unwrap_err().to_string().contains("there is no such file"));

    bench.section.path = bench.folder.path().join("none/parts.db");
    assert_eq!(
        told(&bench),
        "store F/none/parts.db: its folder F/none cannot be used: No such file or directory (os error 2); \
         create it for the user that runs castgate, or change store.path"
    );
    fs::write(bench.folder.path().join("none"), "").unwrap();
    assert!(told(&bench).contains("its folder F/none is no folder"), "{}", told(&bench));
    bench.section.path = bench.folder.path().to_owned();
    assert!(told(&bench).contains("it is a folder; name the file in it"), "{}", told(&bench));
}

#[test]
fn a_read_only_file_is_refused() {
    let bench = Bench::new();
    drop(bench.open());
    let mut permissions = fs::metadata(bench.path()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(bench.path(), permissions).unwrap();
    assert_eq!(
        told(&bench),
        "store F/parts.db: cannot write to it: the file is read-only; \
         let the user that runs castgate write to the file and its folder"
    );
    assert_eq!(crate::store::check(&bench.section).unwrap_err(), bench.refusal());
    assert_eq!(bench.reader().range().unwrap(), None, "it can still be read");
}

#[test]
fn a_database_of_another_program_or_of_a_newer_castgate_is_left_alone() {
    let bench = Bench::new();
    let other = rusqlite::Connection::open(bench.path()).unwrap();
    other.execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    assert!(told(&bench).contains("it is a database of another program"), "{}", told(&bench));
    drop(other);
    fs::remove_file(bench.path()).unwrap();
    drop(bench.open());
    let newer = rusqlite::Connection::open(bench.path()).unwrap();
    newer.execute_batch("UPDATE meta SET value = 2 WHERE key = 'schema'").unwrap();
    let expected = StoreError::Newer { file: bench.path(), found: 2, known: 1 };
    assert_eq!(bench.refusal(), expected);
    assert_eq!(Reader::open(&bench.path()).unwrap_err(), expected);
    newer.execute_batch("DELETE FROM meta WHERE key = 'schema'").unwrap();
    assert!(told(&bench).contains("without its schema's number"), "{}", told(&bench));
}

#[test]
fn a_damaged_file_is_refused_or_told_and_never_panics() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=300);
    assert!(store.end(true));
    drop(store);
    let whole = fs::read(bench.path()).unwrap();
    let put = |bytes: &[u8]| {
        for journal in ["parts.db-wal", "parts.db-shm"] {
            let _ = fs::remove_file(bench.folder.path().join(journal));
        }
        fs::write(bench.path(), bytes).unwrap();
    };
    for page in [100..4096, 4096..8192, 8192..whole.len()] {
        let mut damaged = whole.clone();
        damaged[page].fill(0x55);
        put(&damaged);
        if let Ok(reader) = Reader::open(&bench.path()) {
            let _ =
                (reader.part(7), reader.latest(400), reader.last_reject(), reader.notes_between(0, i64::MAX));
        }
        if let Ok(Opened { store, .. }) = crate::store::open(&bench.section, Bench::by(), bench.clock.clone())
        {
            fill(&store, 2000..=2100);
            store.flush();
        }
    }
    put(&whole[..whole.len() / 2 + 1000]);
    let checked = crate::store::check(&bench.section).unwrap_err();
    assert!(matches!(checked, StoreError::Failed { fault: Fault::Damaged, .. }) && checked.may_pass());
    assert!(bench.open().first.0 > 300, "it is set aside, and numbers go on");
}

#[test]
fn a_history_that_is_none_is_an_error_of_that_part_alone() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=2);
    assert!(store.flush());
    let file = rusqlite::Connection::open(bench.path()).unwrap();
    file.execute_batch("UPDATE parts SET history = '{\"number\":1}' WHERE number = 1").unwrap();
    let error = bench.reader().part(1).unwrap_err().to_string();
    assert!(error.contains("cannot read a history: part 1: missing field"), "{error}");
    assert!(bench.reader().part(2).unwrap().unwrap().history.is_some());
}

#[test]
fn two_processes_do_not_share_a_store() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    assert_eq!(bench.refusal(), StoreError::InUse { file: bench.path() });
    fill(&store, 1..=2);
    assert!(store.flush());
    let found = crate::store::check(&bench.section).unwrap();
    assert!(found.starts_with("holds parts 1 to 2 in "), "a check may look all the same: {found}");
    drop(store);
    drop(bench.open());
}

#[test]
fn a_check_leaves_nothing_behind() {
    let bench = Bench::new();
    assert_eq!(crate::store::check(&bench.section).unwrap(), "will be created");
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 0);
}

#[test]
fn on_a_full_disk_histories_wait_and_are_written_when_there_is_room() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    worker.writer.database.as_ref().unwrap().limit(4);
    fill(&store, 1..=50);
    assert!(!worker.fulfil(Wish::Flush));
    let health = store.health();
    assert!(
        health.failing && health.last_error.as_ref().unwrap().contains("disk is full; make room"),
        "{health:?}"
    );
    assert_eq!((health.waiting, health.written, health.dropped), (100, 0, 0));
    assert_eq!(bench.reader().range().unwrap(), None, "a group is written as a whole or not at all");
    let waits: Vec<f64> = (0..8).map(|_| worker.writer.write().unwrap_err().as_secs_f64()).collect();
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
    bench.clock.advance_to(at(163.0));
    worker.writer.database.as_ref().unwrap().limit(1000);
    assert!(worker.fulfil(Wish::Flush));
    let health = store.health();
    assert_eq!((health.failing, health.waiting, health.written), (false, 0, 100));
    assert!(health.last_error.is_some(), "the last error stays readable");
}

#[test]
fn while_another_program_holds_the_file_nothing_is_lost() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    worker.writer.database.as_ref().unwrap().limit(1000);
    let other = rusqlite::Connection::open(bench.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    fill(&store, 1..=3);
    assert!(!worker.fulfil(Wish::Flush));
    assert!(store.health().last_error.unwrap().ends_with("end the other program that holds it"));
    other.execute_batch("COMMIT").unwrap();
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(bench.reader().range().unwrap(), Some((1, 3)));
}

#[test]
fn a_file_that_was_deleted_is_made_anew_and_numbers_go_on() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=700);
    assert!(worker.fulfil(Wish::Flush));
    fs::remove_file(bench.path()).unwrap();
    fill(&store, 701..=702);
    assert!(!worker.fulfil(Wish::Flush));
    assert!(store.health().last_error.unwrap().contains("it was deleted or replaced"));
    assert!(worker.fulfil(Wish::Flush), "the next attempt makes it anew");
    assert_eq!(bench.reader().range().unwrap(), Some((701, 702)));
    assert!(reserved(&bench) > 702);
}

#[test]
fn a_journal_that_was_deleted_costs_nothing() {
    for endings in [&["-wal", "-shm"][..], &["-wal"], &["-shm"]] {
        let bench = Bench::new();
        let Ready { store, mut worker, .. } = bench.ready();
        fill(&store, 1..=600);
        assert!(worker.fulfil(Wish::Flush));
        for ending in endings {
            fs::remove_file(bench.folder.path().join(format!("parts.db{ending}"))).unwrap();
        }
        assert_eq!(worker.writer.watch(), None, "nothing to wait for");
        fill(&store, 601..=602);
        assert!(worker.fulfil(Wish::Flush));
        assert_eq!(bench.reader().range().unwrap(), Some((1, 602)));
        // What a crash leaves.
        let copy = Bench::new();
        for ending in ["", "-wal", ".next"] {
            let from = bench.folder.path().join(format!("parts.db{ending}"));
            fs::copy(from, copy.folder.path().join(format!("parts.db{ending}"))).unwrap();
        }
        assert_eq!(copy.open().first, PartNumber(2001));
        assert_eq!(copy.reader().range().unwrap(), Some((1, 602)));
    }
}

#[test]
fn a_file_that_is_cut_under_the_line_is_set_aside_and_numbers_go_on() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    store.noted(NoteKind::LineStop, "escape", at(0.5));
    fill(&store, 1..=700);
    assert!(worker.fulfil(Wish::Flush));
    assert!(worker.writer.database.as_mut().unwrap().settle().unwrap());
    fs::OpenOptions::new().write(true).open(bench.path()).unwrap().set_len(4096).unwrap();
    assert!(worker.writer.watch().is_some());
    assert!(store.health().last_error.unwrap().contains("it was cut to 4096 bytes"));
    fill(&store, 701..=702);
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(bench.reader().range().unwrap(), Some((701, 702)));
    drop((store, worker));
    let opened = bench.open();
    assert_eq!((opened.first, opened.stop), (PartNumber(2001), Some(crate::decide::StopReason::Escape)));
}

#[test]
fn a_text_that_replaces_the_file_under_the_line_is_set_aside() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=3);
    assert!(worker.fulfil(Wish::Flush));
    assert!(worker.writer.database.as_mut().unwrap().settle().unwrap(), "nothing is left in the journal");
    fs::remove_file(bench.path()).unwrap();
    fs::write(bench.path(), "notes ".repeat(2000)).unwrap();
    assert!(worker.writer.watch().is_some(), "it was replaced");
    fill(&store, 4..=5);
    assert!(!worker.fulfil(Wish::Flush), "it is no database any more");
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(bench.reader().range().unwrap(), Some((4, 5)));
}

#[test]
fn damage_in_the_middle_is_found_in_passing() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fill(&store, 1..=300);
    assert!(worker.fulfil(Wish::Flush));
    assert!(worker.writer.database.as_mut().unwrap().settle().unwrap());
    drop((store, worker));
    let mut bytes = fs::read(bench.path()).unwrap();
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 8 * 4096].fill(0);
    fs::write(bench.path(), bytes).unwrap();
    let Ready { store, mut worker, first, .. } = bench.ready();
    assert!(!worker.writer.trim() && store.health().failing);
    fill(&store, first.0..=first.0);
    assert!(worker.fulfil(Wish::Flush));
    assert_eq!(bench.reader().range().unwrap(), Some((first.0, first.0)));
}

#[test]
fn the_mark_of_use_is_made_anew_when_it_was_deleted() {
    let bench = Bench::new();
    let Ready { store, mut worker, .. } = bench.ready();
    fs::remove_file(bench.folder.path().join("parts.db.lock")).unwrap();
    assert_eq!(worker.writer.watch(), None);
    assert_eq!(bench.refusal(), StoreError::InUse { file: bench.path() });
    drop(store);
}

#[test]
fn what_is_left_at_the_end_is_counted_as_lost() {
    let bench = Bench::new();
    let Ready { mut store, mut worker, .. } = bench.ready();
    fill(&store, 1..=600);
    let folder = bench.folder.path().join("gone");
    fs::create_dir(&folder).unwrap();
    fs::rename(bench.path(), folder.join("parts.db")).unwrap();
    fs::create_dir(bench.path()).unwrap();
    assert!(!worker.fulfil(Wish::End(true)));
    let shared = store.health();
    assert_eq!((shared.waiting, shared.dropped), (1200, 0));
    store.let_go();
    worker.run();
    let health = store.health();
    assert_eq!((health.waiting, health.written, health.dropped, health.histories_lost), (0, 0, 1200, 600));
}

#[test]
fn a_crash_in_the_middle_of_a_group_leaves_the_groups_before_it() {
    let bench = Bench::new();
    let Opened { store, .. } = bench.open();
    fill(&store, 1..=5);
    store.noted(NoteKind::LineStop, "escape", at(6.0));
    assert!(store.flush());
    // What a crash leaves: the file and its journal as they are now.
    let copy = Bench::new();
    fs::copy(bench.path(), copy.path()).unwrap();
    let journal = fs::read(bench.folder.path().join("parts.db-wal")).unwrap();
    fs::write(copy.folder.path().join("parts.db-wal"), &journal[..journal.len() - 100]).unwrap();
    let Opened { first, .. } = copy.open();
    assert_eq!(first, PartNumber(1001), "the reservation was on the disk before");
}
