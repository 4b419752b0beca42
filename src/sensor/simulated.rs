//! The sensors of the simulated line: part-present edges, confirm edges and encoder.
//!
//! Owns the order of the events. What happened to a part comes from the world.

use std::sync::Arc;

use super::{SensorError, SensorEvent, SensorSource};
use crate::clock::Time;
use crate::config::Config;
use crate::scene::World;

/// Time between two readings of the encoder in seconds.
const READING_S: f64 = 0.02;

/// Sensor at position 0, confirm sensor behind the gate, encoder on the belt's shaft.
#[derive(Debug)]
pub struct SimulatedSensor {
    world: Arc<World>,
    pulses_per_mm: f64,
    /// Number of the next part whose leading edge arrives, whose trailing edge leaves, and which is confirmed if removed.
    arriving: u64,
    leaving: u64,
    confirming: u64,
    /// Number of the next reading.
    reading: u64,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Reading,
    Arrival,
    Departure,
    Confirmation,
}

impl SimulatedSensor {
    /// The sensors of `world`.
    pub fn new(config: &Config, world: Arc<World>) -> Self {
        let pulses_per_mm = config.simulation.pulses_per_mm;
        Self { world, pulses_per_mm, arriving: 0, leaving: 0, confirming: 0, reading: 0 }
    }

    fn next(&self) -> (Time, Next) {
        let belt = self.world.belt();
        let moments = [
            (self.reading as f64 * READING_S, Next::Reading),
            (belt.arrives_s(&belt.part(self.arriving), 0.0), Next::Arrival),
            (belt.leaves_s(&belt.part(self.leaving), 0.0), Next::Departure),
            (self.world.confirms_s(&belt.part(self.confirming)), Next::Confirmation),
        ];
        let timed = moments.map(|(seconds, what)| (self.world.time(seconds), what));
        timed.into_iter().min().expect("there are four")
    }

    fn take(&mut self, at: Time, what: Next, events: &mut Vec<SensorEvent>) {
        match what {
            Next::Reading => {
                let travel = self.world.belt().travel_mm(self.world.seconds(at));
                self.reading += 1;
                events
                    .push(SensorEvent::Encoder { at, pulses: (travel * self.pulses_per_mm).max(0.0) as u64 });
            }
            Next::Arrival => {
                self.arriving += 1;
                events.push(SensorEvent::PartArrived { at });
            }
            Next::Departure => {
                self.leaving += 1;
                events.push(SensorEvent::PartLeft { at });
            }
            Next::Confirmation => {
                let part = self.world.belt().part(self.confirming);
                self.confirming += 1;
                if self.world.is_removed(&part, at) {
                    events.push(SensorEvent::Confirmed { at });
                }
            }
        }
    }
}

impl SensorSource for SimulatedSensor {
    fn due(&self) -> Option<Time> {
        Some(self.next().0)
    }

    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        loop {
            let (at, what) = self.next();
            if at > now {
                return Ok(());
            }
            self.take(at, what, events);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GateState;

    const START: Time = Time::from_nanos(3_000_000_000_000);

    fn line() -> (Arc<World>, SimulatedSensor) {
        let config = Config::default();
        let world = Arc::new(World::new(&config, Vec::new(), START));
        (Arc::clone(&world), SimulatedSensor::new(&config, world))
    }

    fn at(event: &SensorEvent) -> Time {
        match *event {
            SensorEvent::PartArrived { at }
            | SensorEvent::PartLeft { at }
            | SensorEvent::Confirmed { at }
            | SensorEvent::Encoder { at, .. } => at,
        }
    }

    #[test]
    fn events_come_in_order_and_the_same_however_often_they_are_asked_for() {
        let polled = |step_s: f64| {
            let (world, mut sensor) = line();
            world.command(GateState::Reject, START);
            let mut events = Vec::new();
            for k in 1..=(10.0 / step_s) as u32 {
                sensor.poll(START.plus_s(f64::from(k) * step_s), &mut events).unwrap();
            }
            events
        };
        let (often, seldom) = (polled(0.004), polled(5.0));
        assert_eq!(often, seldom);
        assert!(often.is_sorted_by_key(at));
        let count = |wanted: fn(&SensorEvent) -> bool| often.iter().filter(|e| wanted(e)).count();
        // 5000 mm of belt at 190 mm a part; the encoder is read 50 times a second.
        assert!((23..=27).contains(&count(|e| matches!(e, SensorEvent::PartArrived { .. }))));
        assert!((18..=23).contains(&count(|e| matches!(e, SensorEvent::Confirmed { .. }))));
        assert_eq!(count(|e| matches!(e, SensorEvent::Encoder { .. })), 501);
        let last = often.iter().rev().find_map(|e| match e {
            SensorEvent::Encoder { pulses, .. } => Some(*pulses),
            _ => None,
        });
        assert!((9_999..=10_000).contains(&last.unwrap()));
    }

    #[test]
    fn an_arrival_tells_which_part_it_was_and_a_part_that_passed_is_not_confirmed() {
        let (world, mut sensor) = line();
        world.command(GateState::Pass, START);
        let mut events = Vec::new();
        sensor.poll(START.plus_s(8.0), &mut events).unwrap();
        assert!(!events.iter().any(|e| matches!(e, SensorEvent::Confirmed { .. })));
        let arrivals = events.iter().filter(|e| matches!(e, SensorEvent::PartArrived { .. }));
        for (index, arrival) in arrivals.enumerate() {
            assert_eq!(world.truth_of(at(arrival)).unwrap().index, index as u64);
        }
    }
}
