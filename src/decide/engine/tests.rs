//! The engine on the demonstration line's measures, with a gate that does as it is told.

use super::*;
use crate::config::{Config, PositionSource};
use crate::decide::record::PartRecord;
use crate::decide::{Loss, Outcome, Policy, Schedule};
use crate::frame::FrameId;
use crate::units::Span;
use crate::verdict::Score;
use crate::vision::{Inspection, Sighting};

pub(super) const fn t(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

/// 500 mm/s, parts of 120 mm, view 90..410 mm, gate at 600 mm, confirm at 700 mm: a part whose edge is at the sensor at 0 is
/// wholly seen from 420 ms to 820 ms, its gate window is 1170 ms to 1430 ms, its deadline 1160 ms, confirmed at 1400 ms.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) schedule: Schedule,
    pub(super) state: Option<GateState>,
    pub(super) now: u64,
    pub(super) out: Vec<Action>,
    frame: u64,
    /// When the part before the sensor leaves it.
    leaves: Option<u64>,
}

impl Bench {
    pub(super) fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.position.source = PositionSource::Speed;
        config.line_stop.reject_rate = crate::units::Share::fraction(1.0);
        change(&mut config);
        let rules = Rules::of(&config, Policy { threshold: 0.5, unsure: 0.0 });
        let schedule = Schedule::new(rules.gate_timing.recovery);
        let engine = Engine::new(rules, PartNumber(1), t(0));
        Self { engine, schedule, state: None, now: 0, out: Vec::new(), frame: 0, leaves: None }
    }

    /// Carries out what was asked for.
    fn obey(&mut self, from: usize) {
        let now = t(self.now);
        for at in from..self.out.len() {
            match &self.out[at] {
                Action::Gate(Command::Arm { gate: GateId::Main, owner, from, until }) => {
                    self.schedule.arm(*owner, *from, *until, now);
                }
                Action::Gate(Command::Settle { part, pass: true, .. })
                    if self.schedule.clear(*part, now).is_err() =>
                {
                    self.engine.on_too_late(*part, now);
                }
                Action::Gate(Command::Know { from, until }) => self.schedule.know(*from, *until),
                _ => {}
            }
        }
        let state = self.schedule.state_at(now);
        if self.state.replace(state) != Some(state) {
            self.engine.on_moved(GateId::Main, state, now, Duration::ZERO);
        }
    }

    pub(super) fn act(&mut self, what: impl FnOnce(&mut Engine, Time, &mut Vec<Action>)) {
        let from = self.out.len();
        what(&mut self.engine, t(self.now), &mut self.out);
        self.obey(from);
    }

    /// Lets time pass, a millisecond at a time.
    pub(super) fn until(&mut self, ms: u64) {
        while self.now < ms {
            self.now += 1;
            self.act(|engine, now, out| engine.on_deadline(now, out));
            if self.leaves.take_if(|at| *at <= self.now).is_some() {
                self.act(|engine, now, out| engine.on_part_left(now, now, out));
            }
        }
    }

    pub(super) fn arrive(&mut self) {
        let at = t(self.now);
        self.act(|engine, now, out| engine.on_part_arrived(at, now, out));
        self.leaves = Some(self.now + 240);
    }

    /// The part at the sensor is so long that it takes this many milliseconds.
    fn stays(&mut self, ms: u64) {
        self.leaves = Some(self.now + ms);
    }

    /// A frame of this moment with parts whose edges were at the sensor then; judged `lag` ms later.
    fn frame(&mut self, zeros: &[(u64, f32)], lag: u64) {
        let seen = self.inspection(zeros);
        self.until(self.now + lag);
        self.act(|engine, now, out| engine.on_inspection(&seen, now, out));
    }

    fn inspection(&mut self, zeros: &[(u64, f32)]) -> Inspection {
        self.frame += 1;
        let middle = |zero: u64| 0.5 * (self.now as f64 - zero as f64) - 60.0;
        let parts = zeros.iter().map(|(zero, score)| (middle(*zero), score));
        let sightings =
            parts.filter(|(middle, _)| (30.0..=470.0).contains(middle)).map(|(centre_mm, score)| {
                let whole = (150.0..=350.0).contains(&centre_mm);
                let answer = Some(Score::new(*score).ok_or(Reason::ModelFault)).filter(|_| whole);
                Sighting {
                    centre_mm,
                    whole,
                    cut: !whole,
                    length_mm: 120.0,
                    sharpness: 5.0,
                    unlike: None,
                    answer,
                }
            });
        Inspection {
            frame: FrameId(self.frame),
            captured_at: t(self.now),
            received_at: t(self.now),
            sightings: sightings.collect(),
            ..Inspection::default()
        }
    }

    /// Frames each 50 ms until `ms`, judged at once.
    pub(super) fn watch(&mut self, zeros: &[(u64, f32)], ms: u64) {
        while self.now < ms {
            self.frame(zeros, 0);
            self.until(self.now + 50);
        }
    }

    pub(super) fn records(&self) -> Vec<PartRecord> {
        let finished =
            |a: &Action| if let Action::Finished(record) = a { Some((**record).clone()) } else { None };
        self.out.iter().filter_map(finished).collect()
    }

    pub(super) fn record(&self) -> PartRecord {
        let records = self.records();
        assert_eq!(records.len(), 1, "{records:?}");
        records[0].clone()
    }

    pub(super) fn stops(&self) -> Vec<Option<StopReason>> {
        self.out
            .iter()
            .filter_map(|a| if let Action::LineStop(reason) = a { Some(*reason) } else { None })
            .collect()
    }
}

/// A belt that has run empty past the gate, a part at the sensor at 3000 ms.
pub(super) fn part_at_3000(change: impl FnOnce(&mut Config)) -> Bench {
    let mut bench = Bench::new(change);
    bench.watch(&[], 3000);
    bench.arrive();
    bench
}

#[test]
fn a_part_is_armed_at_its_trigger_and_cleared_by_a_timely_ok() {
    let mut bench = part_at_3000(|_| {});
    assert!(bench.out.iter().any(
        |a| matches!(a, Action::Gate(Command::Arm { owner: Owner::Part(PartNumber(1)), from, until, .. })
        if (from.seconds_since(t(4170))).abs() < 1e-6 && (until.seconds_since(t(4430))).abs() < 1e-6)
    ));
    bench.watch(&[(3000, 0.1)], 4800);
    let record = bench.record();
    assert_eq!((record.verdict, record.outcome, record.looks), (Verdict::Ok, Outcome::Passed, 8));
    assert_eq!(record.decided_at, t(3800), "settled with the last frame that shows it whole");
    let states: Vec<&str> = record.states.iter().map(|(_, state)| state.name()).collect();
    assert_eq!(states, ["open", "seen", "cleared", "passed"]);
}

#[test]
fn an_unseen_part_is_rejected_at_its_deadline_with_the_reason() {
    for (trouble, reason) in [(Some(Reason::BadImage), Reason::BadImage), (None, Reason::NoPart)] {
        let mut bench = part_at_3000(|_| {});
        while bench.now < 4100 {
            let mut seen = bench.inspection(&[]);
            seen.unusable = trouble;
            bench.act(|engine, now, out| engine.on_inspection(&seen, now, out));
            bench.until(bench.now + 50);
        }
        bench.watch(&[], 4800);
        assert_eq!(bench.record().verdict, Verdict::Reject(reason));
    }
}

#[test]
fn an_answer_after_the_deadline_clears_nothing_and_is_counted() {
    let mut bench = part_at_3000(|c| c.decide.stale_after = Span::s(5.0));
    bench.watch(&[(3000, 0.0)], 3400);
    let late: Vec<Inspection> = (0..9)
        .map(|_| {
            let seen = bench.inspection(&[(3000, 0.0)]);
            bench.until(bench.now + 50);
            seen
        })
        .collect();
    bench.until(4200);
    for mut seen in late {
        seen.received_at = seen.captured_at;
        bench.act(|engine, now, out| engine.on_inspection(&seen, now, out));
    }
    bench.watch(&[], 4800);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::Late));
    assert!(bench.engine.troubles().late_answers > 0);
}

#[test]
fn a_stale_frame_clears_nothing() {
    let mut bench = part_at_3000(|_| {});
    for _ in 0..16 {
        let seen = bench.inspection(&[(3000, 0.0)]);
        bench.until(bench.now + 50);
        let mut old = seen.clone();
        old.received_at = seen.captured_at.plus_s(0.3);
        bench.act(|engine, now, out| engine.on_inspection(&old, now, out));
    }
    bench.until(4800);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::StaleFrame));
}

#[test]
fn one_faulty_answer_is_not_outvoted() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.0)], 3500);
    bench.watch(&[(3000, f32::NAN)], 3550);
    bench.watch(&[(3000, 0.0)], 4800);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::ModelFault));
}

#[test]
fn several_parts_in_view_keep_their_own_scores() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.9)], 3350);
    bench.arrive();
    bench.watch(&[(3000, 0.9), (3350, 0.1)], 5500);
    let verdicts: Vec<Verdict> = bench.records().iter().map(|r| r.verdict).collect();
    assert_eq!(verdicts, [Verdict::Reject(Reason::Defect), Verdict::Ok]);
}

#[test]
fn a_part_that_no_trigger_announced_is_removed() {
    let mut bench = Bench::new(|_| {});
    bench.watch(&[], 3000);
    bench.watch(&[(3000, 0.0)], 4800);
    let record = bench.record();
    assert_eq!((record.announced, record.verdict), (Announced::Nothing, Verdict::Reject(Reason::NoTrigger)));
    assert_eq!(bench.engine.troubles().missed_triggers, 1);
}

#[test]
fn a_part_that_lay_on_the_belt_at_the_start_is_rejected_however_good() {
    let mut bench = Bench::new(|_| {});
    bench.until(10);
    // Its edge was at the sensor 300 ms before the start.
    let middle = |ms: u64| 0.5 * (ms as f64 + 300.0) - 60.0;
    while bench.now < 1500 {
        let mut seen = bench.inspection(&[]);
        let centre_mm = middle(bench.now);
        if (150.0..350.0).contains(&centre_mm) {
            let answer = Some(Ok(Score::new(0.0).unwrap()));
            seen.sightings.push(Sighting {
                centre_mm,
                whole: true,
                length_mm: 120.0,
                answer,
                ..Sighting::default()
            });
        }
        bench.act(|engine, now, out| engine.on_inspection(&seen, now, out));
        assert!(bench.now > 1200 || bench.state == Some(GateState::Reject), "{}", bench.now);
        bench.until(bench.now + 50);
    }
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::UnknownBelt));
}

#[test]
fn vision_opens_a_part_once() {
    let mut bench = Bench::new(|c| c.decide.trigger = Trigger::Vision);
    bench.watch(&[], 3000);
    bench.watch(&[(3000, 0.2)], 4800);
    assert_eq!((bench.record().verdict, bench.record().announced), (Verdict::Ok, Announced::Vision));
}

#[test]
fn a_command_opens_a_part_where_it_is_the_trigger() {
    let mut bench = Bench::new(|c| c.decide.trigger = Trigger::Software);
    bench.watch(&[], 3000);
    bench.act(|engine, now, out| engine.on_trigger(now, now, out));
    bench.watch(&[(3000, 0.2)], 4800);
    assert_eq!((bench.record().verdict, bench.record().announced), (Verdict::Ok, Announced::Software));
}

#[test]
fn bounce_is_one_edge_and_two_parts_too_close_are_both_rejected() {
    let mut bench = part_at_3000(|_| {});
    bench.until(3006);
    bench.arrive();
    assert_eq!((bench.engine.in_flight(), bench.engine.troubles().bounces), (1, 1));
    bench.watch(&[(3000, 0.0)], 3256);
    bench.arrive();
    bench.watch(&[(3000, 0.0), (3256, 0.0)], 5500);
    let verdicts: Vec<Verdict> = bench.records().iter().map(|r| r.verdict).collect();
    assert_eq!(verdicts, [Verdict::Reject(Reason::TooClose); 2]);
}

#[test]
fn a_part_that_covers_the_sensor_for_too_long_is_rejected_and_a_stuck_sensor_stops_the_line() {
    let mut bench = part_at_3000(|_| {});
    bench.stays(350);
    bench.watch(&[(3000, 0.0)], 5000);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::OddSize));
    assert_eq!(bench.record().length_mm.map(f64::round), Some(175.0));
    bench.act(|engine, now, out| engine.on_reset(now, out).unwrap());
    bench.arrive();
    bench.stays(9000);
    bench.watch(&[(5000, 0.0)], 6100);
    assert_eq!(bench.stops().last(), Some(&Some(StopReason::SensorStuck)));
}

#[test]
fn edges_from_before_the_start_open_nothing_and_make_no_sensor_seem_stuck() {
    let rules = Rules::of(&Config::default(), Policy { threshold: 0.5, unsure: 0.0 });
    let (mut engine, mut out) = (Engine::new(rules, PartNumber(1), t(2000)), Vec::new());
    engine.on_part_arrived(t(400), t(2000), &mut out);
    for (ms, count) in [(2000, 0), (2020, 200), (2040, 400)] {
        engine.on_encoder(t(ms), count, 0, t(ms), &mut out);
    }
    engine.on_part_left(t(640), t(2040), &mut out);
    assert_eq!((engine.line_stop(), engine.in_flight()), (None, 0), "{out:?}");
}

#[test]
fn a_lost_position_rejects_what_is_on_the_belt_and_what_comes_after_is_judged() {
    let mut bench = part_at_3000(|c| c.line_stop.escape = false);
    bench.watch(&[(3000, 0.0)], 3600);
    for on in [false, true] {
        bench.act(|engine, now, out| engine.on_input(Input::Running, on, now, now, out));
    }
    bench.watch(&[(3000, 0.0)], 3800);
    bench.arrive();
    bench.watch(&[(3000, 0.0), (3800, 0.0)], 5800);
    let verdicts: Vec<Verdict> = bench.records().iter().map(|r| r.verdict).collect();
    assert_eq!(verdicts, [Verdict::Reject(Reason::Position), Verdict::Ok]);
    assert!(
        bench.out.contains(&Action::Position(Some(Loss::Stopped)))
            && bench.out.contains(&Action::Position(None))
    );
}

#[test]
fn other_rules_judge_the_parts_that_come_after_them() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.3)], 3300);
    let strict = Rules { policy: Policy { threshold: 0.2, unsure: 0.0 }, ..(*bench.engine.rules).clone() };
    bench.engine.set_rules(strict.with_fingerprint("new"));
    bench.watch(&[(3000, 0.3)], 3400);
    bench.arrive();
    bench.watch(&[(3000, 0.3), (3400, 0.3)], 5500);
    let records = bench.records();
    assert_eq!([records[0].verdict, records[1].verdict], [Verdict::Ok, Verdict::Reject(Reason::Defect)]);
    assert_eq!([&*records[0].config, &*records[1].config], ["", "new"]);
}

#[test]
fn a_board_that_moves_the_gate_late_decides_earlier() {
    let mut bench = part_at_3000(|_| {});
    bench.act(|engine, now, _| {
        engine.on_moved(GateId::Main, GateState::Reject, now, Duration::from_millis(60));
    });
    bench.until(3400);
    bench.arrive();
    bench.until(6000);
    let ahead = bench.records().iter().map(|r| (r.window.0 - r.deadline).as_millis()).collect::<Vec<_>>();
    assert_eq!(ahead, [10, 60]);
}
