//! The sensors of a simulated shift, with their faults: part-present sensor, encoder, confirm sensor and inputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::faults::Fault;
use super::plant::{Part, Plant};
use crate::clock::Time;
use crate::config::Sees;
use crate::sensor::{Input, SensorError, SensorEvent, SensorSource};

/// Least and greatest time between two readings of the encoder, in seconds.
const READING_S: (f64, f64) = (0.002, 0.02);

/// What is known beforehand: events by time and order of making.
#[derive(Default)]
struct Agenda {
    events: BTreeMap<(u64, u64), SensorEvent>,
    next: u64,
}

impl Agenda {
    fn add(&mut self, at: f64, event: impl FnOnce(Time) -> SensorEvent) {
        let at = Plant::moment(at);
        self.events.insert((at.as_nanos(), self.next), event(at));
        self.next += 1;
    }

    fn first(&self) -> Option<Time> {
        self.events.keys().next().map(|(at, _)| Time::from_nanos(*at))
    }
}

/// All sensors of a shift.
pub(super) struct Sensors {
    plant: Arc<Plant>,
    agenda: Agenda,
    /// The next part to arrive, and the next to be looked for behind the gate.
    arriving: usize,
    confirming: usize,
    /// Number of the next reading, and seconds between two.
    reading: u64,
    every: f64,
    /// Pulses that the encoder has not counted, and that it has counted too much.
    missing: f64,
    last_mm: f64,
}

impl Sensors {
    /// Sensors that are read from `since` on.
    pub(super) fn new(plant: Arc<Plant>, since: f64) -> Self {
        let travel = plant.motion.travel(since);
        // As often as a sensor of such a line must be read: twice while the belt moves by the tolerance.
        let tolerated = plant.config.position.tolerance.as_mm() / plant.config.line.speed.as_mm_per_s();
        let every = (tolerated / 2.0).clamp(READING_S.0, READING_S.1);
        let arriving = plant.parts.partition_point(|part| part.edge <= travel);
        let confirming = plant.parts.partition_point(|part| plant.confirms(part) <= since);
        let mut agenda = Agenda::default();
        for (fault, input) in [
            (Fault::BinFull, Input::BinFull),
            (Fault::AirLow, Input::AirLow),
            (Fault::Inhibit, Input::Inhibit),
        ] {
            for episode in plant.faults.of(fault).iter().filter(|episode| episode.until() > since) {
                agenda.add(episode.from.max(since), |at| SensorEvent::Input { input, on: true, at });
                agenda.add(episode.until(), |at| SensorEvent::Input { input, on: false, at });
            }
        }
        for ghost in plant.faults.of(Fault::SensorGhost).iter().filter(|ghost| ghost.from > since) {
            agenda.add(ghost.from, |at| SensorEvent::PartArrived { at });
            agenda.add(ghost.from + 0.1, |at| SensorEvent::PartLeft { at });
        }
        if plant.config.inputs.running.is_some() {
            for stop in plant.faults.of(Fault::BeltStop).iter().filter(|stop| stop.from > since) {
                let again = stop.until() + stop.amount;
                agenda.add(stop.from, |at| SensorEvent::Input { input: Input::Running, on: false, at });
                agenda.add(again, |at| SensorEvent::Input { input: Input::Running, on: true, at });
            }
        }
        let mut sensors = Self {
            agenda,
            arriving,
            confirming,
            reading: (since / every).ceil() as u64,
            every,
            missing: 0.0,
            last_mm: travel,
            plant,
        };
        sensors.plan_part();
        sensors
    }

    /// Puts the next part's edges on the agenda.
    fn plan_part(&mut self) {
        let Some(part) = self.plant.parts.get(self.arriving).copied() else { return };
        self.arriving += 1;
        let plant = self.plant.clone();
        let (at, left) = (plant.arrives(&part), plant.motion.time(part.edge + part.length));
        let faults = &plant.faults;
        if faults.at(Fault::SensorMissed, at).is_some() {
            return;
        }
        match faults.at(Fault::SensorStuck, at) {
            // It stays on from the first part that arrives until the fault ends.
            Some(stuck) if faults.at(Fault::SensorStuck, self.edge_before(at)).is_none() => {
                self.agenda.add(at, |at| SensorEvent::PartArrived { at });
                self.agenda.add(stuck.until().max(left), |at| SensorEvent::PartLeft { at });
                return;
            }
            Some(_) => return,
            None => {}
        }
        self.agenda.add(at, |at| SensorEvent::PartArrived { at });
        if let Some(bounce) = faults.at(Fault::SensorBounce, at) {
            self.agenda.add(at + bounce.amount / 2.0, |at| SensorEvent::PartLeft { at });
            self.agenda.add(at + bounce.amount, |at| SensorEvent::PartArrived { at });
        }
        self.agenda.add(left, |at| SensorEvent::PartLeft { at });
    }

    /// When the part before the one that arrives at `at` arrived.
    fn edge_before(&self, at: f64) -> f64 {
        let index = self.arriving.checked_sub(2);
        index.map_or(at - 1e3, |index| self.plant.arrives(&self.plant.parts[index]))
    }

    fn next_part(&self) -> Option<f64> {
        self.plant.parts.get(self.arriving).map(|part| self.plant.arrives(part))
    }

    fn next_confirm(&self) -> Option<(f64, Part)> {
        let part = self.plant.parts.get(self.confirming)?;
        Some((self.plant.confirms(part), *part))
    }

    /// Reads the encoder.
    fn read(&mut self, at: f64) -> SensorEvent {
        let faults = &self.plant.faults;
        let mm = self.plant.motion.travel(at);
        let moved = mm - self.last_mm;
        self.last_mm = mm;
        if faults.at(Fault::EncoderSilent, at).is_some() {
            self.missing += moved;
        } else if let Some(slip) = faults.at(Fault::EncoderSlip, at) {
            self.missing += moved * (1.0 - slip.amount);
        }
        let per_mm = self.plant.config.position.pulses_per_mm;
        // Once for each episode.
        let began = |fault| faults.at(fault, at).filter(|f| at - self.every < f.from).map(|f| f.amount);
        let lost = began(Fault::EventsLost).map_or(0, |pulses| pulses as u32);
        self.missing += f64::from(lost) / per_mm;
        self.missing -= began(Fault::EncoderJump).map_or(0.0, |pulses| pulses / per_mm);
        let count = ((mm - self.missing) * per_mm).floor() as i64;
        SensorEvent::Encoder { at: Plant::moment(at), count, lost }
    }

    /// What the confirm sensor says of a part.
    fn confirm(&mut self, at: f64, part: &Part) -> Option<SensorEvent> {
        self.confirming += 1;
        let blind = self.plant.faults.at(Fault::ConfirmBlind, at).is_some();
        let seen = self.plant.is_removed(part) == (self.plant.config.confirm.sees == Sees::Removed);
        (seen && !blind).then(|| SensorEvent::Confirmed { at: Plant::moment(at) })
    }
}

impl SensorSource for Sensors {
    fn due(&self) -> Option<Time> {
        let reading = Some(Plant::moment(self.reading as f64 * self.every));
        let confirm = self.next_confirm().map(|(at, _)| Plant::moment(at));
        let part = self.next_part().map(Plant::moment);
        [reading, confirm, part, self.agenda.first()].into_iter().flatten().min()
    }

    fn poll(&mut self, now: Time, events: &mut Vec<SensorEvent>) -> Result<(), SensorError> {
        while self.next_part().is_some_and(|at| Plant::moment(at) <= now) {
            self.plan_part();
        }
        loop {
            let reading = Plant::moment(self.reading as f64 * self.every);
            let confirm = self.next_confirm();
            let confirm_at = confirm.map_or(Time::MAX, |(at, _)| Plant::moment(at));
            let planned = self.agenda.first().unwrap_or(Time::MAX);
            let first = reading.min(confirm_at).min(planned);
            if first > now {
                return Ok(());
            }
            if first == planned {
                if let Some((_, event)) = self.agenda.events.pop_first() {
                    events.push(event);
                }
            } else if first == reading {
                let event = self.read(self.reading as f64 * self.every);
                self.reading += 1;
                events.push(event);
            } else if let Some((at, part)) = confirm {
                events.extend(self.confirm(at, &part));
            }
        }
    }
}
