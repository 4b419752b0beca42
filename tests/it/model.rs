//! Models from outside.

use std::path::Path;

use castgate::clock::{Clock, SystemClock};
use castgate::model;

#[test]
fn tmp_measure() {
    let mut m = model::open(Path::new("demo")).unwrap();
    println!("{:?}", m.info());
    let picture = vec![0.3f32; m.input().len()];
    for _ in 0..5 {
        m.score(&picture).unwrap();
    }
    let start = SystemClock.now();
    let n = 100;
    for _ in 0..n {
        m.score(&picture).unwrap();
    }
    println!("{:?} each", (SystemClock.now() - start) / n);
    let info = allocation_counter::measure(|| {
        m.score(&picture).unwrap();
    });
    println!("{info:?}");
}
