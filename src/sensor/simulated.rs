//! The sensors of the simulated line: part-present edges, confirm edges and encoder.
//!
//! Owns the order of the events. What happened to a part comes from the world.

use std::sync::Arc;

use super::{SensorError, SensorEvent, SensorSource};
use crate::clock::Time;
use crate::config::{CameraKind, Config, ConfirmKind, EncoderKind, PositionSource, SensorKind};
use crate::scene::World;

/// Least and greatest time between two readings of the encoder in seconds: the belt moves half of `position.tolerance` in it.
const READING_S: (f64, f64) = (0.002, 0.02);

/// Which of the simulated line's sensors are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The part-present sensor.
    pub parts: bool,
    /// The encoder.
    pub encoder: bool,
    /// The confirm sensor.
    pub confirm: bool,
}

impl Seen {
    /// What `config` asks for. With another camera than the simulated one nothing of the simulated belt is true.
    pub fn of(config: &Config) -> Self {
        let there = config.camera.kind == CameraKind::Simulated;
        let counted = config.position_source() == PositionSource::Encoder;
        Self {
            parts: there && config.sensor.kind == SensorKind::Simulated,
            encoder: there && counted && config.position.encoder == EncoderKind::Simulated,
            confirm: there && config.confirm.kind == ConfirmKind::Simulated,
        }
    }

    /// Whether any is.
    pub fn anything(self) -> bool {
        self.parts || self.encoder || self.confirm
    }
}

/// Sensor at position 0, confirm sensor behind the gate, encoder on the belt's shaft: those of them that are asked for.
#[derive(Debug)]
pub struct SimulatedSensor {
    world: Arc<World>,
    seen: Seen,
    pulses_per_mm: f64,
    /// Number of the next part whose leading edge arrives, whose trailing edge leaves, and which is confirmed if removed.
    arriving: u64,
    leaving: u64,
    confirming: u64,
    /// Seconds between two readings of the encoder, and the number of the next one.
    read_every: f64,
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
        let pulses_per_mm = config.position.pulses_per_mm;
        let seen = Seen::of(config);
        let tolerated = config.position.tolerance.as_mm() / config.line.speed.as_mm_per_s().max(1.0);
        let read_every = (tolerated / 2.0).clamp(READING_S.0, READING_S.1);
        Self { world, seen, pulses_per_mm, arriving: 0, leaving: 0, confirming: 0, read_every, reading: 0 }
    }

    fn next(&self) -> Option<(Time, Next)> {
        let (belt, seen) = (self.world.belt(), self.seen);
        let moments = [
            (seen.encoder, self.reading as f64 * self.read_every, Next::Reading),
            (seen.parts, belt.arrives_s(&belt.part(self.arriving), 0.0), Next::Arrival),
            (seen.parts, belt.leaves_s(&belt.part(self.leaving), 0.0), Next::Departure),
            (seen.confirm, self.world.confirms_s(&belt.part(self.confirming)), Next::Confirmation),
        ];
        let there = moments.into_iter().filter(|(there, ..)| *there);
        there.map(|(_, seconds, what)| (self.world.time(seconds), what)).min()
    }

    fn take(&mut self, at: Time, what: Next, events: &mut Vec<SensorEvent>) {
        match what {
            Next::Reading => {
                let travel = self.world.belt().travel_mm(self.world.seconds(at));
                self.reading += 1;
                events.push(SensorEvent::Encoder {
                    at,
                    count: (travel * self.pulses_per_mm).max(0.0) as i64,
                    lost: 0,
                });
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
        Some(self.next().map_or(Time::MAX, |(at, _)| at))
    }

    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        while let Some((at, what)) = self.next().filter(|(at, _)| *at <= now) {
            self.take(at, what, events);
        }
        Ok(())
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
        assert!(often.is_sorted_by_key(SensorEvent::at));
        let count = |wanted: fn(&SensorEvent) -> bool| often.iter().filter(|e| wanted(e)).count();
        // 5000 mm of belt at 190 mm a part; the encoder is read 50 times a second.
        assert!((23..=27).contains(&count(|e| matches!(e, SensorEvent::PartArrived { .. }))));
        assert!((18..=23).contains(&count(|e| matches!(e, SensorEvent::Confirmed { .. }))));
        assert_eq!(count(|e| matches!(e, SensorEvent::Encoder { .. })), 501);
        let last = often.iter().rev().find_map(|e| match e {
            SensorEvent::Encoder { count, .. } => Some(*count),
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
            assert_eq!(world.truth_of(arrival.at()).unwrap().index, index as u64);
        }
    }

    #[test]
    fn only_the_sensors_that_are_asked_for_tell_anything() {
        let told = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            let world = Arc::new(World::new(&config, Vec::new(), START));
            world.command(GateState::Reject, START);
            let mut sensor = SimulatedSensor::new(&config, world);
            let mut events = Vec::new();
            sensor.poll(START.plus_s(8.0), &mut events).unwrap();
            let any = |wanted: fn(&SensorEvent) -> bool| events.iter().any(wanted);
            [
                any(|e| matches!(e, SensorEvent::PartArrived { .. } | SensorEvent::PartLeft { .. })),
                any(|e| matches!(e, SensorEvent::Encoder { .. })),
                any(|e| matches!(e, SensorEvent::Confirmed { .. })),
            ]
        };
        assert_eq!(told(|_| {}), [true, true, true]);
        assert_eq!(told(|c| c.sensor.kind = SensorKind::None), [false, true, true]);
        assert_eq!(told(|c| c.position.source = PositionSource::Speed), [true, false, true]);
        assert_eq!(told(|c| c.position.encoder = EncoderKind::Sysfs), [true, false, true]);
        assert_eq!(told(|c| c.confirm.kind = ConfirmKind::None), [true, true, false]);
        assert_eq!(told(|c| c.camera.kind = CameraKind::Folder), [false, false, false]);
    }
}
