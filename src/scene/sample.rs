//! Samples: single drawn parts, each in a picture of its own, framed like the crops that the line cuts around a part.
//!
//! Owns how samples vary. They come from the very renderer of the belt, so a model trained on them knows what the
//! line shows.

use crate::config::Config;
use crate::frame::Frame;
use crate::units::{Length, Share, Span};
use crate::verdict::Truth;

use super::belt::{Belt, Part};
use super::defect::DefectKind;
use super::picture::Picture;
use super::random::{Dice, Purpose, mix};
use super::render::{PartPictures, Renderer, View};

/// A defect and the circle that holds it, in pixels from the picture's upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// What it is.
    pub kind: DefectKind,
    /// Middle of the circle.
    pub x: f64,
    /// See `x`.
    pub y: f64,
    /// Radius of the circle.
    pub radius: f64,
}

/// For drawn parts only: there is no picture to load.
pub(super) struct NoPictures;

impl PartPictures for NoPictures {
    fn load(&mut self, _: usize, _: &mut Picture) -> bool {
        false
    }
}

/// Draws sample `index` of a seed into `frame`, `size` pixels a side, and tells its defects. The part's diameter
/// is about 0.83 of the side, as in a crop with a margin of 10 % on each side.
pub fn draw_sample(seed: u64, index: u64, truth: Truth, size: usize, frame: &mut Frame) -> Vec<Place> {
    let mut dice = Dice::new(seed, Purpose::Sample, index);
    let mut config = Config::default();
    let simulation = &mut config.simulation;
    simulation.seed = mix(seed).wrapping_add(mix(index));
    simulation.defects = Share::fraction(if truth == Truth::Defect { 1.0 } else { 0.0 });
    simulation.jitter = Length::mm(0.0);
    simulation.belt_grey = dice.range(125.0, 180.0) as u8;
    simulation.noise = dice.range(1.5, 4.5);
    simulation.exposure = Span::ms(dice.range(0.5, 1.5));
    simulation.light_drift = Share::fraction(0.08);
    let share = 0.83 + 0.045 * (dice.range(-1.0, 1.0) + dice.range(-1.0, 1.0));
    let belt = Belt::new(&config, Vec::new());
    let part = belt.part(0);
    let view_mm = belt.part_length() / share;
    let seconds = belt.passes_s(&part, 0.0) + dice.range(0.0, 60.0);
    let travel = belt.travel_mm(seconds);
    let shift = |dice: &mut Dice| view_mm * 0.02 * (dice.range(-1.0, 1.0) + dice.range(-1.0, 1.0));
    let view = View {
        width: size,
        height: size,
        pixel_mm: view_mm / size as f64,
        left_mm: travel - part.at_mm - view_mm / 2.0 + shift(&mut dice),
        below_mm: part.across_mm + shift(&mut dice),
        // The crop of a part that lies off the middle of the belt reaches the rail.
        rails: share < 0.85 && dice.chance(0.2),
        loop_mm: view_mm * 1.2,
    };
    let mut renderer = Renderer::new(&config, &belt, view);
    renderer.render(&belt, seconds, frame, &mut NoPictures, &|other| other.index != part.index);
    places(&renderer, &belt, &part, travel)
}

fn places(renderer: &Renderer, belt: &Belt, part: &Part, travel_mm: f64) -> Vec<Place> {
    let (x, y) = renderer.place(part, travel_mm);
    let unit = f64::from(renderer.radius());
    let place = |defect: &super::Defect| Place {
        kind: defect.kind,
        x: x + unit * f64::from(defect.x),
        y: y + unit * f64::from(defect.y),
        radius: unit * f64::from(defect.radius),
    };
    belt.defects(part).iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_each_time_and_its_defects_are_in_the_picture() {
        let (mut first, mut again) = (Frame::default(), Frame::default());
        for index in 0..6 {
            let places = draw_sample(9, index, Truth::Defect, 128, &mut first);
            assert_eq!(places, draw_sample(9, index, Truth::Defect, 128, &mut again));
            assert_eq!(first.pixels, again.pixels);
            assert!(!places.is_empty());
            assert!(places.iter().all(|p| (0.0..128.0).contains(&p.x) && (0.0..128.0).contains(&p.y)));
            assert!(draw_sample(9, index, Truth::Ok, 128, &mut again).is_empty());
        }
    }

    #[test]
    fn a_good_and_a_defective_sample_differ_where_the_defect_is() {
        let (mut good, mut bad) = (Frame::default(), Frame::default());
        for index in 0..10 {
            draw_sample(2, index, Truth::Ok, 200, &mut good);
            let places = draw_sample(2, index, Truth::Defect, 200, &mut bad);
            let mut outside = 0;
            for (i, (a, b)) in good.pixels.iter().zip(&bad.pixels).enumerate() {
                let (x, y) = ((i % 200) as f64, (i / 200) as f64);
                let inside = places.iter().any(|p| (x - p.x).hypot(y - p.y) < p.radius * 1.3 + 4.0);
                outside += usize::from(!inside && a.abs_diff(*b) > 40);
            }
            assert!(outside < 20, "sample {index}: {outside}");
            assert_ne!(good.pixels, bad.pixels);
        }
    }
}
