//! The file of numbers under cuts, junk and deletion.

use proptest::prelude::*;

use super::*;

fn kept(next: u64, stop: Option<StopReason>) -> Kept {
    Kept { next, ended: false, stop }
}

#[test]
fn what_was_written_is_read_back_and_the_file_keeps_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("parts.db");
    let (mut reserve, found) = Reserve::open(&database);
    assert_eq!(found, Found::Nothing);
    for n in 1..=5 {
        let stop = (n % 2 == 0).then_some(StopReason::Escape);
        reserve.write(kept(n * 1000, stop)).unwrap();
        assert_eq!(look(&database), Found::Kept(kept(n * 1000, stop)));
        assert_eq!(fs::metadata(beside(&database, ".next")).unwrap().len(), 2 * SLOT as u64);
    }
    let (mut again, _) = Reserve::open(&database);
    again.write(Kept { next: 4711, ended: true, stop: None }).unwrap();
    assert_eq!(look(&database), Found::Kept(Kept { next: 4711, ended: true, stop: None }));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_was_deleted_or_replaced_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("parts.db");
    let path = beside(&database, ".next");
    let (mut reserve, _) = Reserve::open(&database);
    reserve.write(kept(1001, None)).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(!reserve.holds(kept(1001, None)));
    reserve.write(kept(1001, None)).unwrap();
    assert_eq!(look(&database), Found::Kept(kept(1001, None)));
    fs::rename(&path, folder.path().join("away")).unwrap();
    fs::write(&path, "junk").unwrap();
    reserve.write(kept(2001, None)).unwrap();
    assert_eq!(look(&database), Found::Kept(kept(2001, None)));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(reserve.write(kept(3001, None)).unwrap_err().contains("parts.db.next"));
    assert_eq!(look(&database), Found::Damaged("it is a folder; name the file in it".to_owned()));
}

#[test]
fn a_stop_that_this_build_does_not_know_is_a_stop() {
    let text = "castgate 1 write 3 next 77 ended 1 stop not_invented_yet";
    let slot = format!("{text} sum {}   \n", sum(text));
    let read = Kept { next: 77, ended: true, stop: Some(StopReason::Unknown) };
    assert_eq!(understood(slot.as_bytes()), Some((3, read)));
}

proptest! {
    #[test]
    fn a_write_that_is_cut_off_anywhere_leaves_the_one_before(
        writes in 1u64..6, cut in 0usize..SLOT, junk in prop::collection::vec(any::<u8>(), 0..64)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("parts.db");
        let (mut reserve, _) = Reserve::open(&database);
        for n in 1..=writes {
            reserve.write(kept(n * 1000, Some(StopReason::BinFull))).unwrap();
        }
        // The next write reaches the disk in part, with anything behind it.
        let path = beside(&database, ".next");
        let mut bytes = fs::read(&path).unwrap();
        let next = slot(writes + 1, kept(9_999_999, None));
        let at = ((writes + 1) % 2) as usize * SLOT;
        bytes[at..at + cut].copy_from_slice(&next[..cut]);
        let end = (at + cut + junk.len()).min(at + SLOT);
        bytes[at + cut..end].copy_from_slice(&junk[..end - at - cut]);
        fs::write(&path, &bytes).unwrap();
        let before = Found::Kept(kept(writes * 1000, Some(StopReason::BinFull)));
        let after = Found::Kept(kept(9_999_999, None));
        let found = look(&database);
        prop_assert!(found == before || found == after, "{found:?}");
    }

    #[test]
    fn junk_is_never_taken_for_a_number(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("parts.db");
        fs::write(beside(&database, ".next"), bytes).unwrap();
        prop_assert!(matches!(look(&database), Found::Damaged(_)));
        let (mut reserve, _) = Reserve::open(&database);
        reserve.write(kept(5, None)).unwrap();
        prop_assert_eq!(look(&database), Found::Kept(kept(5, None)));
    }
}
