//! How parts leave, on the bench of the engine's tests.

use super::super::tests::{Bench, part_at_3000, t};
use super::*;
use crate::config::{ConfirmKind, Sees, Unsure};
use crate::decide::engine::{Command, Owner};
use crate::decide::{Policy, Rules};
use crate::units::Length;
use crate::verdict::{PartNumber, Verdict};

#[test]
fn a_defect_keeps_its_window_and_is_confirmed() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.9)], 4400);
    bench.act(|engine, now, out| engine.on_confirm(now, now, out));
    bench.watch(&[], 4800);
    let record = bench.record();
    assert_eq!(
        (record.outcome, record.verdict),
        (Outcome::RejectedConfirmed, Verdict::Reject(Reason::Defect))
    );
    assert_eq!(bench.stops(), []);
}

#[test]
fn a_reject_that_nobody_confirms_stops_the_line_and_nothing_is_cleared_until_the_reset() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.9)], 4600);
    assert_eq!(bench.record().outcome, Outcome::RejectedUnconfirmed);
    assert_eq!(bench.stops(), [Some(StopReason::RejectMissed)]);
    bench.arrive();
    bench.watch(&[(4600, 0.0)], 6400);
    assert_eq!(bench.records()[1].verdict, Verdict::Reject(Reason::LineStop));
    bench.act(|engine, now, out| engine.on_reset(now, out).unwrap());
    assert_eq!(bench.stops(), [Some(StopReason::RejectMissed), None]);
}

#[test]
fn an_unsure_part_goes_to_the_second_gate() {
    let mut bench = part_at_3000(|c| {
        c.decide.unsure = Unsure::SecondGate;
        c.second_gate.enabled = true;
        c.second_gate.position = Length::mm(900.0);
        c.confirm.kind = ConfirmKind::None;
        c.model.unsure = Some(0.2);
    });
    let rules = Rules { policy: Policy { threshold: 0.5, unsure: 0.2 }, ..(*bench.engine.rules).clone() };
    bench.engine.set_rules(rules);
    bench.watch(&[(3000, 0.0)], 3400);
    bench.arrive();
    bench.watch(&[(3000, 0.0), (3400, 0.5)], 7000);
    let settled = bench.out.iter().rev().find_map(|a| match a {
        Action::Gate(Command::Settle { pass, divert, .. }) => Some((*pass, *divert)),
        _ => None,
    });
    let (pass, divert) = settled.unwrap();
    assert!(pass && divert.is_some(), "the first gate lets it pass, the second takes it");
    let record = &bench.records()[1];
    assert_eq!((record.gate, record.verdict), (GateId::Second, Verdict::Reject(Reason::Unsure)));
}

#[test]
fn a_clearance_that_the_gate_could_not_follow_is_a_late_reject() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.0)], 3900);
    bench.act(|engine, now, _| engine.on_too_late(PartNumber(1), now));
    bench.schedule.arm(Owner::Part(PartNumber(1)), t(4170), t(4430), t(3900));
    bench.watch(&[], 4800);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::Late));
}

#[test]
fn a_full_ledger_rejects_and_stop_leaves_nobody_unreported() {
    let mut bench = part_at_3000(|c| c.decide.max_parts = 2);
    for _ in 0..2 {
        bench.watch(&[], bench.now + 400);
        bench.arrive();
    }
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::QueueFull));
    bench.act(|engine, now, out| engine.on_stop(now, out));
    let left = bench.records();
    assert_eq!(left.len(), 3);
    assert!(left[1..].iter().all(|r| r.outcome == Outcome::UnresolvedAtStop));
    assert_eq!(bench.engine.in_flight(), 0);
}

#[test]
fn a_confirm_sensor_that_missed_a_part_proves_no_reject_until_it_sees_one() {
    let mut bench = part_at_3000(|c| c.confirm.sees = Sees::Passed);
    let part = |bench: &mut Bench, score: f32, seen: bool| {
        let arrived = bench.now;
        bench.watch(&[(arrived, score)], arrived + 1400);
        if seen {
            bench.act(|engine, now, out| engine.on_confirm(now, now, out));
        }
        bench.watch(&[], arrived + 2000);
        bench.act(|engine, now, out| engine.on_reset(now, out).unwrap());
        let outcome = bench.records().last().unwrap().outcome;
        bench.arrive();
        outcome
    };
    let outcomes = [(0.0, false), (0.9, false), (0.0, true), (0.9, false)]
        .map(|(score, seen)| part(&mut bench, score, seen));
    assert_eq!(
        outcomes,
        [Outcome::Passed, Outcome::RejectedUnconfirmed, Outcome::Passed, Outcome::RejectedConfirmed]
    );
    assert!(bench.stops().contains(&Some(StopReason::PassMissed)));
}
