//! What frames tell of the belt.

use crate::config::GateState;
use crate::decide::engine::tests::{Bench, part_at_3000};
use crate::verdict::{Reason, Verdict};

#[test]
fn a_silent_camera_is_the_reason_and_the_gate_rejects_where_the_known_belt_ends() {
    let mut bench = part_at_3000(|_| {});
    bench.watch(&[(3000, 0.0)], 4800);
    assert_eq!((bench.record().verdict, bench.state), (Verdict::Ok, Some(GateState::Pass)));
    bench.arrive();
    bench.until(6600);
    assert_eq!(bench.records()[1].verdict, Verdict::Reject(Reason::CameraLost));
    assert_eq!(bench.state, Some(GateState::Reject), "dead man's switch");
    bench.watch(&[], 9800);
    assert_eq!(bench.state, Some(GateState::Pass), "the belt is known again");
    assert_eq!(bench.engine.troubles().gaps, 1);
}

#[test]
fn nothing_is_known_until_an_announced_part_was_seen_in_its_place() {
    let mut bench = Bench::new(|_| {});
    // Not even while nothing is seen, nor when parts come along that nothing announced: the camera's clock may be off.
    bench.watch(&[], 3000);
    bench.watch(&[(3000, 0.0)], 4800);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::NoTrigger));
    assert_eq!(bench.state, Some(GateState::Reject));
    bench.arrive();
    bench.watch(&[(4800, 0.0)], 6600);
    assert_eq!((bench.state, bench.engine.troubles().gaps), (Some(GateState::Pass), 0));
}

#[test]
fn a_part_off_its_place_makes_nothing_known() {
    let mut bench = part_at_3000(|_| {});
    // Seen 40 mm too far, as by a clock that is 80 ms off.
    bench.watch(&[(2920, 0.0)], 4800);
    assert_eq!(bench.record().verdict, Verdict::Reject(Reason::Position));
    bench.watch(&[], 6600);
    assert_eq!(bench.state, Some(GateState::Reject));
}
