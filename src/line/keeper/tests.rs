//! Parts are told when they are on the disk, and again with the same text until a broker has them.

use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::*;
use crate::clock::{SimClock, Time};
use crate::report::Health;

fn identity() -> Identity {
    Identity {
        version: "0.1.0".to_owned(),
        line: "casting-3".to_owned(),
        model: "casting@1a2b".to_owned(),
        config: "9f8e".to_owned(),
    }
}

fn left(number: u64) -> LeftPart {
    let by = JudgedBy { model: "casting@1a2b".to_owned(), config: "9f8e".to_owned() };
    LeftPart { number: PartNumber(number), opened_at_ms: 1_767_247_202_000, by }
}

#[test]
fn the_line_about_parts_left_behind_is_of_bounded_length() {
    let line = |parts: u64| left_line(&(1..=parts).map(left).collect::<Vec<_>>());
    assert_eq!(line(0), None);
    assert!(line(2).unwrap().ends_with("how they left: 1, 2"));
    assert!(line(10).unwrap().ends_with(": 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"));
    assert!(line(4000).unwrap().ends_with("9, 10 and 3990 more up to 4000"));
}

#[test]
fn a_part_left_behind_is_reported_as_what_it_was_judged_by_then() {
    let identity = Identity { model: "another@0000".to_owned(), config: "another".to_owned(), ..identity() };
    assert_eq!(
        json(&left_message(&left(17), &identity)),
        r#"{"line":"casting-3","part":17,"triggered_at":"2026-01-01T06:00:02.000Z","verdict":"reject","reason":null,"score":null,"model":"casting@1a2b","config":"9f8e","latency_ms":null,"outcome":"unresolved_at_stop","frames":0,"name":null,"truth":null}"#
    );
}

/// Writes down what it is offered; the broker behind it acknowledges nothing by itself.
#[derive(Default)]
struct Recorder(Mutex<Vec<(u64, String)>>);

impl Publisher for Recorder {
    fn offer(&self, message: Message) {
        let Message::Kept(kept) = message else { panic!("{message:?}") };
        self.0.lock().unwrap().extend(kept.into_iter().map(|kept| (kept.part, kept.text)));
    }

    fn health(&self) -> Health {
        Health::default()
    }

    fn wait(&self, _: Duration, _: &dyn Fn(&Health) -> bool) -> bool {
        false
    }

    fn stop(self: Box<Self>) -> Health {
        Health::default()
    }
}

/// One run: what was told at its start, its first part, and its end.
struct Run {
    kept: Kept,
    publisher: Arc<Recorder>,
    settle: crossbeam_channel::Sender<u64>,
    settled: Receiver<u64>,
    clock: Arc<SimClock>,
}

impl Run {
    /// Begins `s` seconds later than the first; with other offsets of the clocks each time.
    fn start(section: &config::Store, s: f64, reports: bool) -> Self {
        let clock = Arc::new(SimClock::new(Time::ZERO.plus_s(s)));
        let publisher = Arc::<Recorder>::default();
        let (settle, settled) = bounded(100);
        let telling = Telling {
            publisher: publisher.clone(),
            sender: Sender::new(identity()),
            clock: clock.clone(),
            settled: settled.clone(),
        };
        let kept = open(section, &identity(), Some(&telling).filter(|_| reports), clock.clone()).unwrap();
        Self { kept, publisher, settle, settled, clock }
    }

    fn hear(&mut self, event: &Event) {
        self.kept.keeper.as_mut().unwrap().hear(event);
    }

    fn opened(&mut self, number: u64) {
        let event = Event::Opened { part: PartNumber(number), at: self.clock.now() };
        self.hear(&event);
    }

    fn left(&mut self, number: u64) {
        let record = PartRecord {
            outcome: Outcome::RejectedConfirmed,
            ..PartRecord::opened(PartNumber(number), self.clock.now())
        };
        self.hear(&Event::Part(Arc::new(record)));
    }

    fn store(&self) -> &Store {
        self.kept.store.as_ref().unwrap()
    }

    fn told(&self) -> Vec<(u64, String)> {
        self.publisher.0.lock().unwrap().clone()
    }

    /// The process dies; what the store had been given until then is on the disk.
    fn die(self) {
        self.store().flush();
    }
}

fn section(folder: &tempfile::TempDir) -> config::Store {
    config::Store { enabled: true, path: folder.path().join("parts.db"), ..config::Store::default() }
}

#[test]
fn a_part_is_told_when_its_history_is_on_the_disk_and_again_with_the_same_text_until_a_broker_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let section = section(&folder);
    let mut run = Run::start(&section, 1000.0, true);
    let first = run.kept.first.0;
    (first..first + 4).for_each(|number| run.opened(number));
    (first..first + 3).for_each(|number| run.left(number));
    assert!(run.store().flush());
    let told = run.told();
    assert_eq!(told.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [first, first + 1, first + 2]);
    // The broker has the second, and the store hears of it with the next event.
    run.settle.send(first + 1).unwrap();
    run.hear(&Event::Ready);
    run.die();

    let mut texts = Vec::new();
    for restart in 1..4_u32 {
        let run = Run::start(&section, 5000.25 * f64::from(restart), true);
        let again = run.told();
        assert_eq!(
            again.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            [first, first + 2, first + 3]
        );
        assert_eq!((&again[0], &again[1]), (&told[0], &told[2]), "restart {restart}");
        assert!(again[2].1.contains("unresolved_at_stop"), "{again:?}");
        texts.push(again);
        run.die();
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "the part left behind, too: {texts:?}");

    let run = Run::start(&section, 90_000.0, true);
    [first, first + 2, first + 3].into_iter().for_each(|number| run.settle.send(number).unwrap());
    let Run { kept, publisher, settled, .. } = run;
    finish(publisher, kept.store.as_deref(), Some(&settled));
    drop(kept);
    assert_eq!(Run::start(&section, 95_000.0, true).told(), []);
}

#[test]
fn a_line_that_reports_to_nobody_keeps_no_messages_for_later() {
    let folder = tempfile::tempdir().unwrap();
    let section = section(&folder);
    let mut run = Run::start(&section, 0.0, true);
    let first = run.kept.first.0;
    run.opened(first);
    run.left(first);
    run.opened(first + 1);
    run.die();
    let mut run = Run::start(&section, 100.0, false);
    run.opened(first + 5000);
    run.left(first + 5000);
    run.die();
    let run = Run::start(&section, 200.0, true);
    assert_eq!(run.told(), []);
}
