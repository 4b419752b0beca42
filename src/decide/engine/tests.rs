//! The engine on the demonstration line's measures.

use super::*;
use crate::clock::Time;
use crate::decide::Outcome;
use crate::frame::FrameId;
use crate::verdict::Score;

const fn t(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// 500 mm/s, parts of 120 mm, view 90..410 mm, gate at 600 mm, confirm at 700 mm: a part whose edge is at the sensor at 0 is
/// wholly seen from 420 ms to 820 ms, its gate window is 1170 ms to 1430 ms, its deadline 1160 ms.
fn engine(change: impl FnOnce(&mut Config)) -> Engine {
    let mut config = Config::default();
    change(&mut config);
    Engine::new(Rules::of(&config, Policy { threshold: 0.5, unsure: 0.0 }, true))
}

fn seen(at: u64, middles: &[f64], score: f32) -> Inspection {
    let answer = Some(Score::new(score).ok_or(Reason::ModelFault));
    Inspection {
        frame: FrameId(at),
        captured_at: t(at),
        sightings: middles.iter().map(|&centre_mm| Sighting { centre_mm, whole: true, answer }).collect(),
        ..Inspection::default()
    }
}

/// Where the middle of a part that arrived at `zero` ms is at `at` ms.
fn middle(zero: u64, at: u64) -> f64 {
    500.0 * (at as f64 - zero as f64) / 1000.0 - 60.0
}

/// Frames each 50 ms from 400 to 900 ms that show the part that arrived at 0.
fn show(engine: &mut Engine, score: f32, lag: u64) -> Vec<Action> {
    let mut out = Vec::new();
    for at in (450..900).step_by(50) {
        let middles: Vec<f64> = Some(middle(0, at)).filter(|m| *m <= 350.0).into_iter().collect();
        engine.on_inspection(&seen(at, &middles, score), t(at + lag), &mut out);
    }
    out
}

fn record(out: &[Action]) -> PartRecord {
    let records: Vec<_> = out
        .iter()
        .filter_map(|a| match a {
            Action::Finished(record) => Some((**record).clone()),
            _ => None,
        })
        .collect();
    assert_eq!(records.len(), 1, "{out:?}");
    records[0].clone()
}

fn passes(out: &[Action]) -> Vec<bool> {
    out.iter().filter_map(|a| if let Action::Settle { pass, .. } = a { Some(*pass) } else { None }).collect()
}

#[test]
fn a_part_is_armed_at_its_trigger_and_cleared_by_a_timely_ok() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    assert_eq!(out, [Action::Arm { part: PartNumber(1), from: t(1170), until: t(1430) }]);
    let mut out = show(&mut engine, 0.1, 5);
    assert_eq!(passes(&out), [true]);
    engine.on_deadline(t(1700), &mut out);
    let record = record(&out);
    assert_eq!((record.verdict, record.outcome, record.looks), (Verdict::Ok, Outcome::Passed, 8));
    assert_eq!(record.decided_at, t(805), "settled with the last frame that shows it whole");
}

#[test]
fn a_defect_keeps_its_window_and_is_confirmed() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    let mut out = show(&mut engine, 0.9, 5);
    assert_eq!(passes(&out), [false]);
    engine.on_confirmed(t(1410));
    engine.on_deadline(t(1700), &mut out);
    assert_eq!(record(&out).outcome, Outcome::RejectedConfirmed);
}

#[test]
fn an_unseen_part_is_rejected_at_its_deadline_with_the_reason() {
    for (trouble, reason) in [(None, Reason::NoFrame), (Some(Reason::BadImage), Reason::BadImage)] {
        let mut engine = engine(|c| c.camera.lost_after = crate::units::Span::s(5.0));
        let mut out = Vec::new();
        engine.on_part_arrived(t(0), t(1), &mut out);
        let mut frame = seen(500, &[], 0.0);
        frame.unusable = trouble;
        engine.on_inspection(&frame, t(505), &mut out);
        assert_eq!(engine.next_deadline(), Some(t(1160)));
        engine.on_deadline(t(1160), &mut out);
        engine.on_deadline(t(1700), &mut out);
        assert_eq!(record(&out).verdict, Verdict::Reject(reason));
    }
}

#[test]
fn a_silent_camera_is_the_reason() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_inspection(&seen(5, &[], 0.0), t(6), &mut out);
    engine.on_part_arrived(t(10), t(10), &mut out);
    engine.on_deadline(t(1200), &mut out);
    engine.on_deadline(t(1800), &mut out);
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::CameraLost));
}

#[test]
fn an_answer_after_the_deadline_clears_nothing_and_is_counted() {
    let mut engine = engine(|c| c.decide.stale_after = crate::units::Span::s(5.0));
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    let mut out = show(&mut engine, 0.0, 750);
    assert!(passes(&out).iter().all(|pass| !pass), "{out:?}");
    engine.on_deadline(t(1700), &mut out);
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::Late));
    assert!(engine.late_answers() > 0);
}

#[test]
fn a_stale_frame_clears_nothing() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    let mut out = show(&mut engine, 0.0, 501);
    engine.on_deadline(t(1700), &mut out);
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::StaleFrame));
}

#[test]
fn one_faulty_answer_is_not_outvoted() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    engine.on_inspection(&seen(450, &[middle(0, 450)], f32::NAN), t(452), &mut out);
    let mut out = show(&mut engine, 0.0, 5);
    engine.on_deadline(t(1700), &mut out);
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::ModelFault));
}

#[test]
fn several_parts_in_view_keep_their_own_scores() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    engine.on_part_arrived(t(320), t(321), &mut out);
    for at in (450..1200).step_by(50) {
        let mut frame = seen(at, &[], 0.0);
        for (zero, score) in [(0, 0.9), (320, 0.1)] {
            let centre_mm = middle(zero, at);
            if (150.0..=350.0).contains(&centre_mm) {
                frame.sightings.push(Sighting {
                    centre_mm,
                    whole: true,
                    answer: Some(Ok(Score::new(score).unwrap())),
                });
            }
        }
        engine.on_inspection(&frame, t(at + 4), &mut out);
    }
    engine.on_deadline(t(3000), &mut out);
    assert_eq!(passes(&out), [false, true]);
}

#[test]
fn a_part_that_no_trigger_announced_is_removed() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_inspection(&seen(450, &[250.0], 0.0), t(452), &mut out);
    assert!(matches!(out[0], Action::Arm { .. }));
    engine.on_deadline(t(5000), &mut out);
    engine.on_deadline(t(5001), &mut out);
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::NoTrigger));
}

#[test]
fn vision_opens_a_part_once_and_every_frame_each_time() {
    let mut vision = engine(|c| c.decide.trigger = Trigger::Vision);
    let out = show(&mut vision, 0.2, 5);
    assert_eq!(out.iter().filter(|a| matches!(a, Action::Arm { .. })).count(), 1);
    assert_eq!(passes(&out), [true]);
    let mut frames = engine(|c| c.decide.trigger = Trigger::EveryFrame);
    let mut out = Vec::new();
    for at in [10, 20, 30] {
        frames.on_inspection(&seen(at, &[0.0], 0.2), t(at + 3), &mut out);
    }
    assert_eq!(passes(&out), [true; 3]);
    frames.on_inspection(&seen(40, &[], 0.2), t(43), &mut out);
    assert_eq!(passes(&out).last(), Some(&false), "a frame without a part clears nothing");
}

#[test]
fn a_full_ledger_rejects_and_stop_leaves_nobody_unreported() {
    let mut engine = engine(|c| c.decide.max_parts = 2);
    let mut out = Vec::new();
    for n in 0..3 {
        engine.on_part_arrived(t(n * 400), t(n * 400), &mut out);
    }
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::QueueFull));
    out.clear();
    engine.on_stop(&mut out);
    assert_eq!(out.len(), 2);
    assert!(out.iter().all(|a| matches!(a, Action::Finished(r) if r.outcome == Outcome::UnresolvedAtStop)));
    assert_eq!(engine.in_flight(), 0);
}

#[test]
fn a_clearance_that_the_gate_could_not_follow_is_a_late_reject() {
    let mut engine = engine(|_| {});
    let mut out = Vec::new();
    engine.on_part_arrived(t(0), t(1), &mut out);
    let mut out = show(&mut engine, 0.0, 5);
    engine.on_too_late(PartNumber(1));
    engine.on_deadline(t(1700), &mut out);
    assert_eq!(record(&out).verdict, Verdict::Reject(Reason::Late));
}

proptest::proptest! {
    /// Whatever comes in whatever order, every opened part is armed first and finished exactly once, and no part passes without
    /// a healthy score below the threshold before its deadline.
    #[test]
    fn every_part_is_armed_and_finished_once(events in proptest::collection::vec((0u8..5, 0u64..200, 0.0f32..1.2), 0..120)) {
        let mut engine = engine(|c| c.decide.max_parts = 4);
        let (mut out, mut now) = (Vec::new(), 0);
        for (kind, step, value) in events {
            now += step;
            match kind {
                0 => engine.on_part_arrived(t(now.saturating_sub(step)), t(now), &mut out),
                1 => engine.on_inspection(&seen(now, &[f64::from(value) * 400.0], value), t(now + step), &mut out),
                2 => engine.on_confirmed(t(now)),
                3 => engine.on_dropped(t(now)),
                _ => engine.on_deadline(t(now), &mut out),
            }
        }
        engine.on_stop(&mut out);
        let mut armed = std::collections::BTreeSet::new();
        let mut finished = std::collections::BTreeSet::new();
        for action in &out {
            match action {
                Action::Arm { part, from, until } => proptest::prop_assert!(from < until && armed.insert(*part)),
                Action::Settle { part, pass, captured_at } => {
                    proptest::prop_assert!(armed.contains(part) && (!pass || captured_at.is_some()));
                }
                Action::Finished(record) => {
                    proptest::prop_assert!(finished.insert(record.number));
                    let ok = record.verdict == Verdict::Ok;
                    proptest::prop_assert!(!ok || record.score.is_some_and(|s| s.get() < 0.5));
                    proptest::prop_assert!(!ok || record.decided_at < record.window.0);
                }
            }
        }
        proptest::prop_assert_eq!(armed, finished);
    }
}
