//! Simple numbers of a picture that should say nothing about the part, and how well they tell the classes apart all the same.

use super::picture::{Edges, SIDE};
use crate::score::roc;
use crate::verdict::Truth;

/// Area under the ROC curve from which a simple number is a shortcut: a model could learn it instead of defects.
pub const SHORTCUT: f64 = 0.75;
/// Width of the border whose grey stands for the background, as a share of the side.
const BORDER: usize = SIDE / 24;

/// The simple numbers of one picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// Mean grey level, 0 to 255.
    pub grey: f32,
    /// Standard deviation of the grey levels.
    pub contrast: f32,
    /// Mean grey level of the border.
    pub border: f32,
    /// Standard deviation of the border's grey levels.
    pub border_contrast: f32,
    /// Diameter of the ring on which the edges would lie so widely, in percent of the side; 0 without edges.
    pub diameter: f32,
    /// Size of the file in bytes.
    pub bytes: f32,
    /// Width times height of the file's picture in pixels.
    pub pixels: f32,
}

/// What tells how much of the truth.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Telling {
    /// The number: its name in `docs/json.md`.
    pub name: &'static str,
    /// Area under the ROC curve when the number, or its opposite, is taken for the score: 0.5 for nothing, 1 for everything.
    pub auc: f64,
    /// Whether defective parts have the greater numbers.
    pub defect_is_greater: bool,
}

impl Measures {
    /// Of a picture at [`SIDE`] by [`SIDE`] grey pixels, whose file has `bytes` bytes and `pixels` pixels.
    pub fn new(grey: &[u8], edges: Option<&Edges>, bytes: u64, pixels: usize) -> Self {
        let (mean, contrast) = spread(grey.iter().copied());
        let last = SIDE - BORDER;
        let outside = |i: &usize| {
            let (x, y) = (i % SIDE, i / SIDE);
            x < BORDER || y < BORDER || x >= last || y >= last
        };
        let (border, border_contrast) =
            spread(grey.iter().enumerate().filter(|(i, _)| outside(i)).map(|(_, &value)| value));
        let diameter = edges.map_or(0.0, |edges| {
            let [[a, b], [c, d]] = edges.spread;
            // Points on a circle have the variance r * r / 2 each way.
            (a * d - b * c).abs().sqrt() * 8.0_f64.sqrt() / SIDE as f64 * 100.0
        });
        Self {
            grey: mean,
            contrast,
            border,
            border_contrast,
            diameter: diameter as f32,
            bytes: bytes as f32,
            pixels: pixels as f32,
        }
    }
}

/// Mean and standard deviation.
fn spread(values: impl Iterator<Item = u8>) -> (f32, f32) {
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values.map(f64::from) {
        count += 1.0;
        sum += value;
        squares += value * value;
    }
    let mean = sum / f64::max(count, 1.0);
    (mean as f32, (squares / f64::max(count, 1.0) - mean * mean).max(0.0).sqrt() as f32)
}

/// How well each number alone tells the classes apart, the best first; empty when a class is missing.
pub fn telling(pictures: &[(Measures, Truth)]) -> Vec<Telling> {
    type Number = (&'static str, fn(&Measures) -> f32);
    let numbers: [Number; 7] = [
        ("grey", |m| m.grey),
        ("contrast", |m| m.contrast),
        ("border", |m| m.border),
        ("border_contrast", |m| m.border_contrast),
        ("diameter", |m| m.diameter),
        ("bytes", |m| m.bytes),
        ("pixels", |m| m.pixels),
    ];
    let area = |(name, number): Number| {
        let scores: Vec<(f32, bool)> =
            pictures.iter().map(|(measures, truth)| (number(measures), *truth == Truth::Defect)).collect();
        let auc = roc::auc(&scores)?;
        Some(Telling { name, auc: auc.max(1.0 - auc), defect_is_greater: auc >= 0.5 })
    };
    let mut found: Vec<Telling> = numbers.into_iter().filter_map(area).collect();
    found.sort_by(|a, b| b.auc.total_cmp(&a.auc));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brighter_class_is_told_by_its_grey_and_nothing_else() {
        let picture = |level: u8, truth: Truth| {
            let grey: Vec<u8> = (0..SIDE * SIDE).map(|i| level + (i % 2) as u8).collect();
            (Measures::new(&grey, None, 100, 9), truth)
        };
        let all: Vec<_> =
            (0..10).flat_map(|i| [picture(50 + i, Truth::Ok), picture(70 + i, Truth::Defect)]).collect();
        let found = telling(&all);
        let of = |name: &str| found.iter().find(|telling| telling.name == name).unwrap();
        assert_eq!((of("grey").auc, of("grey").defect_is_greater), (1.0, true));
        assert_eq!((of("border").auc, of("bytes").auc, of("contrast").auc), (1.0, 0.5, 0.5));
        assert!(telling(&all[..1]).is_empty());
    }
}
