//! The pipeline on devices that do as they are told: order, overflow, stop, failure, panic.

use std::sync::Arc;
use std::time::Duration;

use castgate::camera::{CameraError, Captured};
use castgate::clock::{SimClock, SystemClock, Time};
use castgate::config::GateState;
use castgate::frame::Frame;
use castgate::model::{ModelFault, Scripted};
use castgate::pipeline::{Cause, Failure, Stopper, run_lockstep, run_threads};
use castgate::verdict::{Reason, Score, Verdict};

use crate::support::line::{FakeCamera, Recorder, line, pictures, small_input};

/// Good parts are dark, every fifth is bright.
fn shade(n: u64) -> u8 {
    if n.is_multiple_of(5) { 220 } else { 30 }
}

#[test]
fn threads_judge_every_picture_once_and_in_order() {
    let gate = Recorder::default();
    let (line, heard) = line(pictures(100, shade), gate.clone(), Arc::new(SystemClock));
    let outcome = run_threads(line, &Stopper::default()).unwrap();
    assert_eq!(outcome.cause, Cause::EndOfPictures);
    let summary = &outcome.summary;
    assert_eq!((summary.parts, summary.ok + summary.rejected), (100, 100));
    assert_eq!((summary.frames.captured, summary.frames.inspected, summary.frames.dropped), (100, 100, 0));
    assert_eq!((summary.escapes, summary.lost_events, summary.unresolved), (None, 0, 0));
    let records = heard.0.lock().unwrap().clone();
    let numbers: Vec<u64> = records.iter().map(|r| r.number.0).collect();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    // On a busy machine answers come late; on none is a bright part OK.
    let late = [Reason::Late, Reason::StaleFrame].map(Verdict::Reject);
    for record in &records {
        let expected =
            if shade(record.number.0) > 100 { Verdict::Reject(Reason::Defect) } else { Verdict::Ok };
        assert!(record.verdict == expected || late.contains(&record.verdict), "{record:?}");
    }
    assert_eq!(gate.last(), Some(GateState::Reject), "safe at the end");
}

#[test]
fn lockstep_gives_the_same_run_bit_for_bit() {
    let run = || {
        let gate = Recorder::default();
        let clock = Arc::new(SimClock::default());
        let (line, heard) = line(pictures(50, shade), gate.clone(), clock.clone());
        let outcome = run_lockstep(line, clock, Time::from_nanos(u64::MAX)).unwrap();
        let (moves, records) = (gate.moves.lock().unwrap().clone(), heard.0.lock().unwrap().clone());
        (outcome.summary, moves, records)
    };
    let (first, second) = (run(), run());
    assert_eq!(first, second);
    assert_eq!(first.0.rejected, 10);
}

#[test]
fn a_stop_ends_a_camera_that_never_ends_and_leaves_the_gate_safe() {
    let (gate, stopper) = (Recorder::default(), Stopper::default());
    let stop = stopper.clone();
    let mut count = 0;
    let camera = FakeCamera {
        every: Some(Duration::from_micros(200)),
        next: Time::ZERO,
        waits: false,
        fill: move |_, frame: &mut Frame| {
            count += 1;
            if count == 50 {
                stop.stop();
            }
            (frame.width, frame.height) = (16, 16);
            frame.pixels.resize(256, 9);
            Ok(Captured::Frame)
        },
    };
    let (line, _) = line(Box::new(camera), gate.clone(), Arc::new(SystemClock));
    let outcome = run_threads(line, &stopper).unwrap();
    assert_eq!(outcome.cause, Cause::Stopped);
    let frames = outcome.summary.frames;
    assert_eq!(frames.captured, frames.inspected + frames.dropped);
    assert_eq!(gate.last(), Some(GateState::Reject));
}

#[test]
fn as_many_parts_as_asked_for_and_the_rest_unresolved() {
    let (mut line, heard) = line(pictures(1000, shade), Recorder::default(), Arc::new(SystemClock));
    line.parts = Some(7);
    let outcome = run_threads(line, &Stopper::default()).unwrap();
    assert_eq!((outcome.cause, outcome.summary.parts), (Cause::PartsReached, 7));
    assert_eq!(heard.0.lock().unwrap().len() as u64, 7 + outcome.summary.unresolved);
}

#[test]
fn a_panic_in_a_stage_is_the_cause_and_the_gate_is_safe() {
    let gate = Recorder::default();
    let camera = FakeCamera {
        every: None,
        next: Time::ZERO,
        waits: true,
        fill: |_, _: &mut Frame| -> Result<Captured, CameraError> { panic!("the lens fell off") },
    };
    let (line, _) = line(Box::new(camera), gate.clone(), Arc::new(SystemClock));
    match run_threads(line, &Stopper::default()) {
        Err(Failure::Panic { stage: "capture", what }) => assert_eq!(what, "the lens fell off"),
        other => panic!("{other:?}"),
    }
    assert_eq!(gate.last(), Some(GateState::Reject));
}

#[test]
fn a_gate_that_refuses_ends_the_run_with_its_own_error() {
    for moves in [0, 1, 2] {
        let gate = Recorder { refuse_after: Some(moves), ..Recorder::default() };
        let (line, _) = line(pictures(400, shade), gate, Arc::new(SystemClock));
        match run_threads(line, &Stopper::default()) {
            Err(Failure::Gate(error)) => assert!(error.to_string().contains("the test says no")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_model_at_fault_rejects_and_the_line_goes_on() {
    let clock = Arc::new(SimClock::default());
    let (mut line, heard) = line(pictures(6, |_| 9), Recorder::default(), clock.clone());
    let ok = || Ok(Score::new(0.1).unwrap());
    let fault = || Err(ModelFault::Engine("test".to_owned()));
    line.model = Box::new(Scripted::answers(small_input(), [ok(), fault(), fault(), ok()]));
    let outcome = run_lockstep(line, clock, Time::from_nanos(u64::MAX)).unwrap();
    let verdicts: Vec<Verdict> = heard.0.lock().unwrap().iter().map(|r| r.verdict).collect();
    let bad = Verdict::Reject(Reason::ModelFault);
    assert_eq!(verdicts, [Verdict::Ok, bad, bad, Verdict::Ok, Verdict::Ok, Verdict::Ok]);
    assert_eq!(outcome.summary.rejected_by_reason["model_fault"], 2);
}

#[test]
fn broken_pictures_are_counted_and_the_run_goes_on() {
    let mut given = 0;
    let camera = FakeCamera {
        every: None,
        next: Time::ZERO,
        waits: true,
        fill: move |_, frame: &mut Frame| {
            given += 1;
            frame.pixels.resize(256, 9);
            (frame.width, frame.height) = (16, 16);
            Ok(match given {
                3 => Captured::Unusable { name: "x.png".to_owned(), why: "torn".to_owned() },
                9 => Captured::End,
                _ => Captured::Frame,
            })
        },
    };
    let (line, _) = line(Box::new(camera), Recorder::default(), Arc::new(SystemClock));
    let summary = run_threads(line, &Stopper::default()).unwrap().summary;
    assert_eq!((summary.parts, summary.frames.captured, summary.frames.unusable), (7, 7, 1));
}
