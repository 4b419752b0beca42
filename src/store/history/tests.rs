//! The stored JSON: it reads back as it was written, whatever a part went through.

use proptest::prelude::*;

use crate::clock::{Time, WallClock};
use crate::decide::{Look, PartRecord, State};
use crate::frame::FrameId;
use crate::store::History;
use crate::store::tests::{at, record};
use crate::verdict::{Score, Verdict};

const WALL: WallClock = WallClock { mono: Time::ZERO, wall_ms: 1_767_247_200_000 };

fn time() -> impl Strategy<Value = Time> {
    prop_oneof![Just(Time::ZERO), Just(Time::MAX), any::<u64>().prop_map(Time::from_nanos)]
}

fn look() -> impl Strategy<Value = Look> {
    (any::<u64>(), time(), time(), any::<f64>(), any::<f64>(), any::<f32>(), any::<f32>()).prop_map(
        |(frame, captured_at, judged_at, centre_mm, off_mm, sharpness, score)| Look {
            frame: FrameId(frame),
            captured_at,
            judged_at,
            centre_mm,
            off_mm,
            sharpness,
            score: Score::new(score),
        },
    )
}

fn record_of(views: Vec<Look>, times: [Time; 6], wider_mm: f64, name: Option<String>) -> PartRecord {
    PartRecord {
        last_look: views.last().copied(),
        views,
        triggered_at: times[0],
        decided_at: times[1],
        deadline: times[2],
        window: (times[3], times[4]),
        confirmed_at: Some(times[5]),
        states: times.map(|at| (at, State::Seen)).to_vec(),
        wider_mm,
        length_mm: Some(wider_mm),
        name,
        ..record(1, 0.0)
    }
}

proptest! {
    #[test]
    fn a_history_reads_back_as_it_was_written(
        views in prop::collection::vec(look(), 0..8),
        times in prop::array::uniform6(time()),
        wider in any::<f64>(),
        name in prop::option::of(prop::collection::vec(any::<char>(), 0..20)),
    ) {
        let name = name.map(|letters| letters.into_iter().collect());
        let history = History::new(&record_of(views, times, wider, name), "casting@1a2b", WALL);
        let text = serde_json::to_string(&history).unwrap();
        let back: History = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
}

#[test]
fn a_real_history_reads_back_to_the_last_digit() {
    let history = History::new(&record(3, 86_400.123_456_7), "casting@1a2b", WALL);
    let back: History = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap();
    assert_eq!(back, history);
    assert_eq!((back.triggered.ms, back.decided.ms), (0.0, 400.0));
}

#[test]
fn a_part_that_was_never_placed_has_no_window_and_no_deadline() {
    for window in [(Time::ZERO, Time::ZERO), (Time::MAX, Time::MAX)] {
        let record = PartRecord { window, deadline: Time::MAX, verdict: Verdict::Ok, ..record(1, 5.0) };
        let history = History::new(&record, "m", WALL);
        assert_eq!((history.window, history.deadline, history.reason), (None, None, None));
    }
}

#[test]
fn a_last_frame_beyond_the_kept_ones_is_kept_too() {
    let mut record = record(1, 5.0);
    record.last_look = Some(Look { frame: FrameId(99), judged_at: at(6.5), ..record.views[0] });
    assert_eq!(History::new(&record, "m", WALL).last_view.unwrap().frame, 99);
}
