//! Pictures a CPU-second of whole training steps (augmentation, forward, backward, Adam) on one thread.
//!
//! `cargo bench --bench train_step`; beside Keras on the same core: `python benches/train_step.py` (needs tensorflow-cpu).

use castgate::kernels::MapSize;
use castgate::network::TAPERED;
use castgate::network::{Network, initial};
use castgate::train::augment::{Augment, Change};
use castgate::train::step::Trainer;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use rustix::time::{ClockId, clock_gettime};

const BATCH: usize = 32;
/// Steps of one measurement; the best of several counts, since other programs only ever slow it down.
const STEPS: usize = 8;
const ROUNDS: usize = 5;

fn cpu_seconds() -> f64 {
    let at = clock_gettime(ClockId::ProcessCPUTime);
    at.tv_sec as f64 + at.tv_nsec as f64 / 1e9
}

fn main() {
    for side in [128, 300] {
        let size = MapSize { height: side, width: side };
        let network = Network::parse(TAPERED, size).expect("the paper's network fits");
        let mut random = Pcg64::seed_from_u64(1);
        let picture: Vec<u8> = (0..side * side).map(|_| random.random_range(0..=255)).collect();
        let parameters = initial(&network, &mut random);
        let mut trainer = Trainer::<f32>::new(network, parameters, BATCH, 1);
        let targets: Vec<f32> = (0..BATCH).map(|i| (i % 2) as f32).collect();
        let load = |i: usize, input: &mut [f32]| {
            let change = Change::draw(&Augment::full(), &mut Pcg64::seed_from_u64(i as u64));
            change.apply(size, &picture, None, (0.5, 0.25), input);
        };
        trainer.step(1e-3, 0.0, &targets, &load);
        let measure = |_| {
            let start = cpu_seconds();
            for _ in 0..STEPS {
                trainer.step(1e-3, 0.0, &targets, &load);
            }
            (STEPS * BATCH) as f64 / (cpu_seconds() - start)
        };
        let best = (0..ROUNDS).map(measure).fold(0.0, f64::max);
        println!("castgate  {side}x{side} grey, batch {BATCH}: {best:.0} pictures a CPU-second");
    }
}
