//! The odometer's travel, and when it no longer knows it.

use super::*;

fn t(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

fn odometer(source: PositionSource) -> Odometer {
    let rules = Measuring { source, per_mm: 2.0, speed: 500.0, tolerance: 25.0, speed_tolerance: 0.5 };
    Odometer::new(rules, t(0))
}

/// Readings each 20 ms up to `until`, at 500 mm/s.
fn run(odometer: &mut Odometer, from: u64, until: u64) {
    for at in (from..=until).step_by(20) {
        odometer.on_count(t(at), at as i64, 0).unwrap();
    }
}

#[test]
fn travel_and_moment_are_inverse() {
    let mut encoder = odometer(PositionSource::Encoder);
    run(&mut encoder, 0, 1000);
    for ms in [5, 333, 999, 1000, 1040] {
        let mm = encoder.mm_at(t(ms));
        assert!((mm - 0.5 * ms as f64).abs() < 1e-6, "{ms}: {mm}");
        assert!((encoder.time_at(mm).unwrap().seconds_since(t(ms))).abs() < 1e-6);
    }
    let speed = odometer(PositionSource::Speed);
    assert_eq!(speed.mm_at(t(2000)), 1000.0);
    assert_eq!(speed.time_at(1000.0), Some(t(2000)));
}

#[test]
fn pulses_that_end_at_speed_are_a_loss_and_those_that_slow_down_are_a_stop() {
    let mut dead = odometer(PositionSource::Encoder);
    run(&mut dead, 0, 1000);
    assert!(dead.knows(t(1050)) && !dead.knows(t(1051)), "beyond that, nobody has heard of it");
    assert!(!dead.is_silent(t(1200)) && dead.is_silent(t(1251)), "not heard at all");
    dead.on_count(t(1040), 1000, 0).unwrap();
    assert!(!dead.is_silent(t(1060)));
    dead.on_count(t(1060), 1000, 0).unwrap();
    assert!(dead.is_silent(t(1061)) && !dead.knows(t(1040)), "heard, and it counted nothing");
    let mut gentle = odometer(PositionSource::Encoder);
    run(&mut gentle, 0, 1000);
    for (at, count) in [(1020, 1018), (1040, 1032), (1060, 1042), (1080, 1046), (1100, 1048), (1120, 1048)] {
        gentle.on_count(t(at), count, 0).unwrap();
    }
    assert!(gentle.braked() && gentle.knows(t(9000)));
    assert_eq!(gentle.time_at(600.0), None);
    assert_eq!(gentle.mm_at(t(9000)), 524.0);
}

#[test]
fn jumps_reversals_and_lost_events_are_told() {
    let mut encoder = odometer(PositionSource::Encoder);
    run(&mut encoder, 0, 100);
    assert_eq!(encoder.on_count(t(120), 90, 0), Ok(()), "5 mm back are within the tolerance");
    assert_eq!(encoder.on_count(t(140), 40, 0), Err(Loss::Reversed));
    assert_eq!(encoder.on_count(t(160), 900, 0), Err(Loss::Jump));
    assert_eq!(encoder.on_count(t(180), 910, 60), Err(Loss::Jump));
    assert_eq!(encoder.on_count(t(200), 930, 2), Ok(()));
    assert!((encoder.mm_at(t(200)) - 60.0).abs() < 1.0, "{}", encoder.mm_at(t(200)));
}

#[test]
fn a_belt_that_stood_has_not_run_on_since_its_last_pulse() {
    let mut encoder = odometer(PositionSource::Encoder);
    run(&mut encoder, 0, 1000);
    for (at, count) in [(1020, 1018), (1040, 1032), (1060, 1042), (1080, 1046), (1100, 1048)] {
        encoder.on_count(t(at), count, 0).unwrap();
    }
    for at in (1120..5000).step_by(20) {
        encoder.on_count(t(at), 1048, 0).unwrap();
    }
    assert_eq!(encoder.on_count(t(5000), 1248, 0), Err(Loss::Jump), "100 mm in 20 ms");
}

#[test]
fn without_an_encoder_a_stop_loses_the_position_and_the_belt_stands_meanwhile() {
    let mut speed = odometer(PositionSource::Speed);
    assert_eq!(speed.on_running(t(100), true), Ok(()));
    assert_eq!(speed.on_running(t(1000), false), Err(Loss::Stopped));
    assert_eq!((speed.mm_at(t(5000)), speed.time_at(600.0)), (500.0, None));
    assert_eq!(speed.on_running(t(6000), true), Err(Loss::Stopped));
    assert_eq!(speed.mm_at(t(7000)), 1000.0);
}

#[test]
fn two_sensors_measure_the_speed() {
    let mut two = odometer(PositionSource::TwoSensors);
    assert_eq!(two.on_speed(t(1000), 550.0), Ok(()));
    assert!((two.mm_at(t(2000)) - 1050.0).abs() < 1e-6);
    assert_eq!(two.on_speed(t(2000), 900.0), Err(Loss::Jump));
    assert_eq!(two.on_speed(t(2000), f64::NAN), Err(Loss::Jump));
}
