//! The belt: how far it has moved and which part lies where. A pure function of configuration, seed and time.
//!
//! Owns places, truth and defects of parts. Must not know pictures, the gate or the clock: time is seconds since
//! the start.

use crate::config::Config;
use crate::verdict::Truth;

use super::defect::{self, Defect};
use super::impeller::Shape;
use super::random::{Dice, Purpose, shuffled};

/// A picture of a real part that may be laid on the belt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Name of the file.
    pub name: String,
    /// What its folder says.
    pub truth: Truth,
}

/// One part on the belt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its number from the start of the belt.
    pub index: u64,
    /// Its centre reaches the sensor when the belt has moved so many millimetres.
    pub at_mm: f64,
    /// Distance of its centre from the middle of the belt in millimetres, down in the picture.
    pub across_mm: f64,
    /// Picture that shows it, as an index into the labels; `None` for a drawn part.
    pub picture: Option<usize>,
    /// What it is.
    pub truth: Truth,
}

/// The belt and everything on it.
#[derive(Debug, Clone)]
pub struct Belt {
    seed: u64,
    speed: f64,
    length: f64,
    pitch: f64,
    jitter: f64,
    defects: f64,
    /// What drawn parts are, over and over.
    sequence: Vec<Truth>,
    labels: Vec<Label>,
}

impl Belt {
    /// The belt of a configuration, with the pictures of `labels` on it or, without any, with drawn parts.
    pub fn new(config: &Config, labels: Vec<Label>) -> Self {
        let simulation = &config.simulation;
        let length = config.line.part_length.as_mm().max(1.0);
        // Things cannot lie in one another, whatever the configuration says.
        let pitch = simulation.pitch.as_mm().max(length);
        Self {
            seed: simulation.seed,
            speed: config.line.speed.as_mm_per_s().max(1e-3),
            length,
            pitch,
            jitter: simulation.jitter.as_mm().clamp(0.0, (pitch - length) / 2.0),
            defects: simulation.defects.as_fraction(),
            sequence: simulation.sequence.iter().flat_map(|text| text.chars()).map(truth_of).collect(),
            labels,
        }
    }

    /// Length of a part in millimetres.
    pub fn part_length(&self) -> f64 {
        self.length
    }

    /// How far the belt has moved after so many seconds, in millimetres.
    pub fn travel_mm(&self, seconds: f64) -> f64 {
        seconds * self.speed
    }

    /// When the belt has moved so far: the inverse of [`Belt::travel_mm`].
    pub fn seconds_at(&self, travel_mm: f64) -> f64 {
        travel_mm / self.speed
    }

    /// When the leading edge of a part reaches a position, in seconds.
    pub fn arrives_s(&self, part: &Part, position_mm: f64) -> f64 {
        self.seconds_at(part.at_mm + position_mm - self.length / 2.0)
    }

    /// When the centre of a part passes a position, in seconds.
    pub fn passes_s(&self, part: &Part, position_mm: f64) -> f64 {
        self.seconds_at(part.at_mm + position_mm)
    }

    /// When the trailing edge of a part leaves a position, in seconds.
    pub fn leaves_s(&self, part: &Part, position_mm: f64) -> f64 {
        self.seconds_at(part.at_mm + position_mm + self.length / 2.0)
    }

    /// Where part `index` would lie without jitter. The first one starts upstream of the sensor.
    fn slot_mm(&self, index: u64) -> f64 {
        self.pitch + self.length / 2.0 + index as f64 * self.pitch
    }

    /// The part of a number.
    pub fn part(&self, index: u64) -> Part {
        let mut dice = Dice::new(self.seed, Purpose::Place, index);
        let at_mm = self.slot_mm(index) + dice.range(-self.jitter, self.jitter);
        let across_mm = dice.range(-0.01, 0.01) * self.length;
        let (picture, truth) = match self.labels.len() as u64 {
            0 => (None, self.drawn_truth(index)),
            count => {
                let picture = shuffled(self.seed, index / count, index % count, count) as usize;
                (Some(picture), self.labels[picture].truth)
            }
        };
        Part { index, at_mm, across_mm, picture, truth }
    }

    fn drawn_truth(&self, index: u64) -> Truth {
        if !self.sequence.is_empty() {
            return self.sequence[(index % self.sequence.len() as u64) as usize];
        }
        let defective = Dice::new(self.seed, Purpose::Truth, index).chance(self.defects);
        if defective { Truth::Defect } else { Truth::Ok }
    }

    /// The defects of a part; empty for a good one and for a picture, of which only the truth is known.
    pub fn defects(&self, part: &Part) -> Vec<Defect> {
        if part.picture.is_some() || part.truth == Truth::Ok {
            return Vec::new();
        }
        let shape = Shape::roll(&mut Dice::new(self.seed, Purpose::Look, part.index));
        defect::roll(&mut Dice::new(self.seed, Purpose::Defects, part.index), &shape)
    }

    /// The label of a part's picture.
    pub fn label(&self, part: &Part) -> Option<&Label> {
        self.labels.get(part.picture?)
    }

    /// Seed of the looks of drawn parts.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The parts whose centres lie from `from_mm` to `to_mm` downstream of the sensor when the belt has moved
    /// `travel_mm`; the one farthest downstream first.
    pub fn parts_between(&self, travel_mm: f64, from_mm: f64, to_mm: f64) -> impl Iterator<Item = Part> + '_ {
        let (first, last) = (travel_mm - to_mm, travel_mm - from_mm);
        let number = |mm: f64| ((mm - self.slot_mm(0)) / self.pitch).max(0.0) as u64;
        let range = if last < self.slot_mm(0) - self.jitter {
            0..0
        } else {
            number(first - self.jitter)..number(last + self.jitter) + 1
        };
        range.map(|index| self.part(index)).filter(move |part| (first..=last).contains(&part.at_mm))
    }

    /// The part whose leading edge was at the sensor closest to this time; `None` when that was more than a
    /// quarter of its length away.
    pub fn part_at_sensor(&self, seconds: f64) -> Option<Part> {
        let at = self.travel_mm(seconds) + self.length / 2.0;
        let reach = self.length / 4.0;
        let nearest = |a: &Part, b: &Part| (a.at_mm - at).abs().total_cmp(&(b.at_mm - at).abs());
        self.parts_between(at, -reach, reach).min_by(nearest)
    }
}

/// What a letter of `simulation.sequence` means; when in doubt, a defect.
const fn truth_of(letter: char) -> Truth {
    if letter == 'o' { Truth::Ok } else { Truth::Defect }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Length, Share};

    fn belt() -> Belt {
        Belt::new(&Config::default(), Vec::new())
    }

    #[test]
    fn parts_keep_their_order_and_the_least_pitch() {
        let belt = belt();
        let mut last = f64::NEG_INFINITY;
        for index in 0..500 {
            let part = belt.part(index);
            assert!(part.at_mm - last >= 150.0, "part {index}");
            last = part.at_mm;
        }
        assert!(belt.arrives_s(&belt.part(0), 0.0) > 0.2, "the run starts with an empty stretch");
    }

    #[test]
    fn parts_never_overlap_whatever_the_configuration_says() {
        let mut config = Config::default();
        config.simulation.pitch = Length::mm(10.0);
        config.simulation.jitter = Length::mm(500.0);
        let belt = Belt::new(&config, Vec::new());
        for index in 0..50 {
            assert!(belt.part(index + 1).at_mm - belt.part(index).at_mm >= 119.99);
        }
    }

    #[test]
    fn the_share_of_defects_is_as_configured() {
        let mut config = Config::default();
        for share in [0.0, 0.25, 1.0] {
            config.simulation.defects = Share::fraction(share);
            let belt = Belt::new(&config, Vec::new());
            let defective = (0..4000).filter(|&k| belt.part(k).truth == Truth::Defect).count();
            assert!((defective as f64 / 4000.0 - share).abs() < 0.03, "{share}: {defective}");
        }
    }

    #[test]
    fn a_defective_part_has_defects_and_a_good_one_none() {
        let belt = belt();
        for part in (0..200).map(|k| belt.part(k)) {
            let defects = belt.defects(&part);
            assert_eq!(defects.is_empty(), part.truth == Truth::Ok);
            assert!(defects.iter().all(|d| d.radius >= 0.04 && d.x.hypot(d.y) < 1.1));
        }
    }

    #[test]
    fn every_picture_is_used_once_a_round_and_rounds_differ() {
        let labels: Vec<_> = (0..37).map(|i| Label { name: format!("{i}.png"), truth: Truth::Ok }).collect();
        let belt = Belt::new(&Config::default(), labels);
        let round = |n: u64| (0..37).map(|i| belt.part(n * 37 + i).picture.unwrap()).collect::<Vec<_>>();
        let (first, second) = (round(0), round(1));
        assert_ne!(first, second);
        for mut order in [first, second] {
            order.sort_unstable();
            assert_eq!(order, (0..37).collect::<Vec<_>>());
        }
    }

    proptest::proptest! {
        #[test]
        fn the_part_at_the_sensor_is_the_one_that_arrived(index in 0u64..1_000_000, off_ms in -50.0f64..50.0) {
            let belt = belt();
            let part = belt.part(index);
            let seconds = belt.arrives_s(&part, 0.0);
            proptest::prop_assert_eq!(belt.part_at_sensor(seconds + off_ms / 1000.0).map(|p| p.index), Some(index));
            proptest::prop_assert_eq!(belt.part_at_sensor(seconds + 0.13), None);
        }

        #[test]
        fn the_parts_of_a_stretch_are_all_of_them(travel in 0.0f64..1e5, from in -500.0f64..500.0, long in 0.0f64..900.0) {
            let belt = belt();
            let found: Vec<u64> = belt.parts_between(travel, from, from + long).map(|p| p.index).collect();
            let all: Vec<u64> = (0..600)
                .map(|k| belt.part(k))
                .filter(|p| (from..=from + long).contains(&(travel - p.at_mm)))
                .map(|p| p.index)
                .collect();
            proptest::prop_assert_eq!(found, all);
        }
    }
}
