//! The writing side of the log, on paper that may be full.

use std::sync::Mutex;

use super::*;

/// What was written; writes fail while it says so.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<(String, bool)>>);

impl Write for Paper {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut paper = self.0.lock().unwrap();
        if paper.1 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        paper.0.push_str(std::str::from_utf8(text).unwrap());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    fn is_full(&self, full: bool) {
        self.0.lock().unwrap().1 = full;
    }
}

fn writer(journal: bool) -> (Writer, Paper) {
    let paper = Paper::default();
    (Writer::new(paper.clone(), (journal, false), || true), paper)
}

fn line(level: Level, place: u32, words: &str) -> Line {
    let text = Text::Words(words.to_owned());
    Line { level, at_ms: 1_767_247_200_000, thread: "camera".to_owned(), place: ("a.rs", place), text }
}

fn at(s: f64) -> Time {
    Time::ZERO.plus_s(s)
}

#[test]
fn a_line_has_its_time_its_level_and_its_thread() {
    let (mut writer, paper) = writer(false);
    writer.put(&line(Level::Warn, 1, "no frame"), KeptBack(0));
    assert_eq!(paper.take(), "2026-01-01T06:00:00.000Z WARN  camera: no frame\n");
    writer.write(Item::Plain("castgate: error: no\n".to_owned()));
    assert_eq!(paper.take(), "castgate: error: no\n");
}

#[test]
fn the_journal_gets_the_priority_with_each_line() {
    let (mut writer, paper) = writer(true);
    writer.put(&line(Level::Warn, 1, "no frame\nfor 1 s"), KeptBack(2));
    assert_eq!(paper.take(), "<4>camera: no frame\n<4>for 1 s (and 2 more like it)\n");
    assert_eq!((journal_priority(Level::Error), journal_priority(Level::Trace)), ("<3>", "<7>"));
}

#[test]
fn a_flood_from_one_place_is_a_few_lines_and_every_one_is_counted() {
    let (mut writer, paper) = writer(false);
    for n in 0..660_000 {
        // For ten seconds, and one line of another place in the middle of it.
        writer.limited(line(Level::Info, 1, "reset"), at(f64::from(n) / 66_000.0));
        if n == 330_000 {
            writer.limited(line(Level::Error, 2, "line stop"), at(5.0));
        }
    }
    writer.rest(at(1000.0), false);
    let told = paper.take();
    assert!(told.lines().count() <= 103, "{told}");
    assert!(told.contains("line stop"));
    let counted: u64 = told
        .lines()
        .filter(|line| line.contains("reset"))
        .map(|line| match line.split_once(" (and ") {
            Some((_, more)) => 1 + more.split(' ').next().unwrap().parse::<u64>().unwrap(),
            None => 1,
        })
        .sum();
    assert_eq!(counted, 660_000);
    writer.rest(at(2000.0), true);
    assert_eq!(paper.take(), "", "told once");
}

#[test]
fn at_the_end_what_was_kept_back_is_told_whatever_the_limit() {
    let (mut writer, paper) = writer(false);
    (0..=BURST + 1).for_each(|_| writer.limited(line(Level::Info, 1, "reset"), at(1.0)));
    paper.take();
    writer.rest(at(1.0), false);
    assert_eq!(paper.take(), "");
    writer.rest(at(1.0), true);
    assert_eq!(paper.take(), "2026-01-01T06:00:00.000Z INFO  camera: reset (and 1 more like it)\n");
}

#[test]
fn lines_that_could_not_be_written_are_told_when_writing_works_again() {
    let (mut writer, paper) = writer(true);
    paper.is_full(true);
    (0..3).for_each(|_| writer.put(&line(Level::Info, 1, "a"), KeptBack(0)));
    writer.lost(4);
    paper.is_full(false);
    writer.put(&line(Level::Info, 1, "b"), KeptBack(0));
    writer.put(&line(Level::Info, 1, "c"), KeptBack(0));
    assert_eq!(
        paper.take(),
        "<6>camera: b\n<4>log: lines of the log that nobody took and that are lost: 7\n<6>camera: c\n"
    );
}

#[test]
fn a_line_has_an_end() {
    assert_eq!(cut("short".to_owned()), "short");
    let long = cut("\u{e9}".repeat(LONGEST));
    assert!(long.len() <= LONGEST + 4 && long.ends_with("\u{e9} ..."));
}
