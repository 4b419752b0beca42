//! Edges on a belt that stands, by an encoder that is heard every 20 ms.

use super::super::tests::t;
use super::*;
use crate::config::Config;
use crate::decide::{Policy, Rules};
use crate::verdict::PartNumber;

/// 500 mm/s until 2 s, at rest from 2.3 s on, running again from 4 s on.
fn travel(ms: u64) -> f64 {
    let seconds = |from: u64| ms.saturating_sub(from) as f64 / 1000.0;
    let braking = seconds(2000).min(0.3);
    500.0 * (ms.min(2000) as f64 / 1000.0 + braking - braking * braking / 0.6 + seconds(4000))
}

/// What is done from the start until 4.5 s with these edges, `true` for leading ones.
fn run(edges: &[(u64, bool)]) -> (Engine, Vec<Action>) {
    let rules = Rules::of(&Config::default(), Policy { threshold: 0.5, unsure: 0.0 });
    let per_mm = rules.measuring.per_mm;
    let (mut engine, mut out) = (Engine::new(rules, PartNumber(1), t(0)), Vec::new());
    for ms in 0..4500 {
        for &(_, leads) in edges.iter().filter(|(at, _)| *at == ms) {
            if leads {
                engine.on_part_arrived(t(ms), t(ms), &mut out);
            } else {
                engine.on_part_left(t(ms), t(ms), &mut out);
            }
        }
        if ms % 20 == 0 {
            engine.on_encoder(t(ms), (travel(ms) * per_mm) as i64, 0, t(ms), &mut out);
        }
        if engine.next_deadline().is_some_and(|due| due <= t(ms)) {
            engine.on_deadline(t(ms), &mut out);
        }
    }
    (engine, out)
}

fn lost(out: &[Action]) -> bool {
    out.contains(&Action::Position(Some(Loss::Rocked)))
}

#[test]
fn a_sensor_that_flickers_on_a_standing_belt_moves_nothing() {
    let (engine, out) = run(&[(1900, true), (2700, false), (2702, true), (3500, false), (3510, true)]);
    assert!(!lost(&out), "{out:?}");
    assert_eq!((engine.in_flight(), engine.troubles().bounces), (1, 2));
}

#[test]
fn a_part_that_leaves_the_sensor_of_a_standing_belt_loses_the_position_until_the_belt_is_heard_of() {
    let (engine, out) = run(&[(1900, true), (2700, false)]);
    assert!(lost(&out), "{out:?}");
    assert_eq!(out.iter().filter(|action| **action == Action::Position(None)).count(), 2, "known again");
    assert_eq!(engine.line_stop(), None, "somebody may have taken the part away");
}

#[test]
fn a_part_that_comes_to_the_sensor_of_a_standing_belt_does_the_same() {
    // Where the one before was: to the encoder nothing has moved.
    let (engine, out) = run(&[(2290, true), (3200, true)]);
    assert!(lost(&out), "{out:?}");
    assert_eq!((engine.in_flight(), engine.line_stop()), (2, None));
}

#[test]
fn an_edge_after_the_position_was_lost_under_the_sensor_is_no_bounce() {
    let (mut engine, mut out) = run(&[]);
    let (now, later) = (t(4500), t(4510));
    engine.on_part_arrived(now, now, &mut out);
    engine.lose(Loss::Jump, now, &mut out);
    let per_mm = engine.rules.measuring.per_mm;
    engine.on_encoder(later, (travel(4510) * per_mm) as i64, 0, later, &mut out);
    engine.on_part_left(t(4700), t(4700), &mut out);
    engine.on_part_arrived(t(4705), t(4705), &mut out);
    assert_eq!(engine.in_flight(), 2, "a part that touches the one before is told of");
}
