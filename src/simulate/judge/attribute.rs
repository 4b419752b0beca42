//! Which physical parts a record of the ledger tells of, by place alone.

use super::{Fault, Judge, Plant};
use crate::clock::Time;
use crate::config::Trigger;
use crate::decide::{Announced, PartRecord};
use crate::verdict::{Reason, Verdict};

/// A record tells of no part that is so many places from its own.
const NEIGHBOURS: usize = 16;
/// Parts that overlap by less than this along the belt do not touch, in millimetres.
const TOUCHING_MM: f64 = 10.0;

impl Judge {
    /// When the leading edge of a part was at position 0 that was opened at a moment: the same, but for a camera that opens parts where
    /// it first sees them whole.
    pub(super) fn arrived(&self, opened: Time) -> Time {
        let (config, motion) = (&self.plant.config, &self.plant.motion);
        if config.decide.trigger != Trigger::Vision {
            return opened;
        }
        let edge = motion.travel(opened.as_s()) - self.plant.looks_at().0 - config.line.part_length.as_mm();
        Plant::moment(motion.time(edge.max(0.0)))
    }

    /// The parts that a record tells of: the one that it is about; those that touch it, which are one long thing to the sensor; and
    /// those that the window of a thing of odd size is for.
    pub(super) fn told_of(&self, record: &PartRecord, index: usize, cleared: bool) -> Vec<usize> {
        let (plant, parts) = (&self.plant, &self.plant.parts);
        let end = parts[index].edge + record.length_mm.filter(|_| !cleared).unwrap_or(0.0) - TOUCHING_MM;
        let odd = record.verdict == Verdict::Reject(Reason::OddSize);
        let (from, until) = (record.window.0.as_s(), record.window.1.as_s());
        let told = |at: &usize| {
            let touches = *at > index && parts[*at].edge < end;
            let moment = plant.at_gate(&parts[*at]) - plant.config.gate.delay.as_s();
            *at == index || touches || (odd && (from..=until).contains(&moment))
        };
        (index.saturating_sub(NEIGHBOURS)..(index + NEIGHBOURS).min(parts.len())).filter(told).collect()
    }

    /// The part that a record is about.
    pub(super) fn part_of(&self, record: &PartRecord) -> Option<usize> {
        let travel = |at: Time| self.plant.motion.travel(at.as_s());
        let half = self.plant.config.line.part_length.as_mm() / 2.0;
        let edge = match (record.announced, record.views.first()) {
            // Nobody heard of its edge: the line reckons back from where a frame showed it, past whatever the encoder did before.
            (Announced::Vision | Announced::Nothing, Some(look)) => {
                travel(look.captured_at) - look.centre_mm - half
            }
            _ => travel(record.triggered_at),
        };
        let parts = &self.plant.parts;
        let next = parts.partition_point(|part| part.edge < edge);
        let off = |index: &usize| (parts[*index].edge - edge).abs();
        let near = [next.checked_sub(1), (next < parts.len()).then_some(next)];
        let nearest = near.into_iter().flatten().min_by(|a, b| off(a).total_cmp(&off(b)))?;
        let reach = match record.announced {
            // A ghost edge so close before a part's is taken for the part's; and farther from it where the encoder does not count, or
            // where the sensor misses the part's own.
            Announced::Sensor => {
                let at = record.triggered_at.as_s();
                let config = &self.plant.config;
                let uncounted = [Fault::EncoderSilent, Fault::EncoderSlip];
                let arrives = self.plant.arrives(&parts[nearest]);
                let missed = self.plant.faults.at(Fault::SensorMissed, arrives).is_some();
                let off = if missed || self.plant.faults.within(&uncounted, at, at) {
                    config.position.tolerance.as_mm()
                } else {
                    0.0
                };
                config.sensor.bounce.as_mm() + off + 1.0
            }
            _ => half,
        };
        (off(&nearest) <= reach).then_some(nearest)
    }
}
