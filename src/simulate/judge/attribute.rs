//! Which physical parts a record of the ledger tells of, by place alone.

use super::Judge;
use crate::decide::{Announced, PartRecord};
use crate::verdict::{Reason, Verdict};

/// A record tells of no part that is so many places from its own.
const NEIGHBOURS: usize = 16;
/// Parts that overlap by less than this along the belt do not touch, in millimetres.
const TOUCHING_MM: f64 = 10.0;

impl Judge {
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
        let edge = self.plant.motion.travel(record.triggered_at.as_s());
        let parts = &self.plant.parts;
        let next = parts.partition_point(|part| part.edge < edge);
        let off = |index: &usize| (parts[*index].edge - edge).abs();
        let near = [next.checked_sub(1), (next < parts.len()).then_some(next)];
        let nearest = near.into_iter().flatten().min_by(|a, b| off(a).total_cmp(&off(b)))?;
        let reach = match record.announced {
            // A ghost edge so close before a part's is taken for the part's.
            Announced::Sensor => self.plant.config.sensor.bounce.as_mm() + 1.0,
            _ => self.plant.config.line.part_length.as_mm() / 2.0,
        };
        (off(&nearest) <= reach).then_some(nearest)
    }
}
