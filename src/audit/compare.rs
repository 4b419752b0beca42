//! Whether two pictures are copies of one photograph.

use super::picture::{Edges, SIDE, Square};
use super::register::{Template, first_guess, scaled};
use super::rings::{Circle, Fit, Rings};

/// Correlation from which two pictures are taken for one photograph. On real castings copies reach 0.9987 and more, two photographs of
/// one part in nearly the same light up to 0.998, and different parts up to 0.997.
pub const COPY: f64 = 0.998;
/// A copy reaches nearly as much at half the size; what does not is not worth the closer look.
const AT_HALF: f64 = 0.985;
/// Most steps of refinement at half the size and at full size.
const STEPS: (usize, usize) = (20, 12);
/// Most steps after the pictures were made equally sharp.
const STEPS_WHEN_EVEN: usize = 4;
/// Variance of the blur in prepared pictures (0.5 by smoothing and about 0.2 by resizing, in pixels squared) over that which
/// [`Square::smooth`] adds (0.5).
const ZOOM_SOFTENS: f64 = 1.4;

/// A picture prepared for comparing.
pub struct Prepared {
    /// Smoothed, one byte a pixel: thousands are held in memory.
    grey: Vec<u8>,
    /// Where its edges lie.
    pub edges: Edges,
    /// Its rings.
    pub rings: Rings,
}

impl Prepared {
    /// Prepares a picture of [`SIDE`] by [`SIDE`] grey pixels; `None` when it is so flat that it could be anything, or has another size.
    pub fn new(grey: &[u8], circle: &Circle) -> Option<Self> {
        if grey.len() != SIDE * SIDE {
            return None;
        }
        let smooth = Square { side: SIDE, grey: grey.iter().map(|&v| f32::from(v)).collect() }.smooth();
        let edges = Edges::of(&smooth)?;
        let rings = Rings::of(&smooth, &edges, circle)?;
        Some(Self { grey: smooth.grey.iter().map(|value| value.round() as u8).collect(), edges, rings })
    }

    fn square(&self) -> Square {
        Square { side: SIDE, grey: self.grey.iter().map(|&value| f32::from(value)).collect() }
    }

    /// Correlation with `other` laid upon this picture as well as it goes, beginning at the fit of their rings; 0 when it clearly is no
    /// copy.
    pub fn correlation(&self, other: &Prepared, fit: Fit) -> f64 {
        let (own, others) = (self.square(), other.square());
        let guess = scaled(&first_guess(&self.edges, &other.edges, fit), 0.5);
        let coarse =
            Template::new(own.half()).and_then(|template| template.refine(&others.half(), guess, STEPS.0));
        let Some(coarse) = coarse.filter(|found| found.correlation >= AT_HALF) else { return 0.0 };
        let fine = Template::new(own.clone())
            .and_then(|template| template.refine(&others, scaled(&coarse.map, 2.0), STEPS.1));
        let Some(fine) = fine else { return 0.0 };
        let zoom = fine.map.scale();
        let softer = (ZOOM_SOFTENS * (zoom.max(1.0 / zoom).powi(2) - 1.0)).min(2.0) as f32;
        if softer < 0.1 {
            return fine.correlation;
        }
        // The larger one of a zoomed pair is less sharp: the other is made so too.
        let (own, others) =
            if zoom < 1.0 { (own.softened(softer), others) } else { (own, others.softened(softer)) };
        let even =
            Template::new(own).and_then(|template| template.refine(&others, fine.map, STEPS_WHEN_EVEN));
        even.map_or(0.0, |found| found.correlation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::affine::Affine;
    use crate::frame::Frame;
    use crate::scene::draw_sample;
    use crate::verdict::Truth;

    /// Side of the drawn pictures: three times that of the compared ones.
    const LARGE: usize = 3 * SIDE;

    fn drawn(index: u64) -> Square {
        let mut frame = Frame::default();
        draw_sample(11, index, Truth::Ok, LARGE, &mut frame);
        Square { side: LARGE, grey: frame.pixels.iter().map(|&value| f32::from(value)).collect() }
    }

    /// The picture under a map about its middle, brighter by `gain`, at the size for comparing.
    fn prepared(picture: &Square, matrix: [[f64; 2]; 2], shift: [f64; 2], gain: f32) -> Prepared {
        let middle = (LARGE as f64 - 1.0) / 2.0;
        let map = Affine { matrix, offset: [middle + shift[0], middle + shift[1]] };
        let changed = |i: usize| {
            let [x, y] = map.at([(i % LARGE) as f64 - middle, (i / LARGE) as f64 - middle]);
            picture.at(x as f32, y as f32) * gain
        };
        let large: Vec<f32> = (0..LARGE * LARGE).map(changed).collect();
        let mean = |i: usize| {
            let corner = i / SIDE * 3 * LARGE + i % SIDE * 3;
            let pixels = (0..9).map(|k| large[corner + k / 3 * LARGE + k % 3]);
            (pixels.sum::<f32>() / 9.0).round() as u8
        };
        let grey: Vec<u8> = (0..SIDE * SIDE).map(mean).collect();
        Prepared::new(&grey, &Circle::default()).unwrap()
    }

    fn correlation(one: &Prepared, other: &Prepared) -> f64 {
        one.correlation(other, one.rings.fit(&other.rings, &Circle::default(), -1.0).unwrap())
    }

    fn turn(degrees: f64, zoom: f64, flip: f64) -> [[f64; 2]; 2] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        [[cos * zoom * flip, -sin * zoom], [sin * zoom * flip, cos * zoom]]
    }

    #[test]
    fn copies_are_known_whatever_was_done_to_them_and_other_parts_are_not() {
        let changes = [
            (turn(0.0, 1.0, -1.0), [0.0, 0.0], 1.0),
            (turn(90.0, 1.0, 1.0), [0.0, 0.0], 0.9),
            (turn(180.0, 1.0, -1.0), [0.0, 0.0], 1.0),
            (turn(10.0, 1.0, 1.0), [0.0, 0.0], 1.1),
            (turn(-10.0, 1.0, -1.0), [9.0, -12.0], 1.0),
            (turn(263.0, 1.0, 1.0), [-15.0, 6.0], 1.0),
            (turn(4.0, 0.88, 1.0), [0.0, 0.0], 1.0),
            (turn(-94.0, 1.15, -1.0), [8.0, 8.0], 0.8),
            (turn(3.0, 1.2, 1.0), [-8.0, 8.0], 1.0),
            ([[1.0, 0.08], [0.0, 0.92]], [3.0, 0.0], 1.0),
        ];
        for index in 0..4 {
            let picture = drawn(index);
            let own = prepared(&picture, turn(0.0, 1.0, 1.0), [0.0, 0.0], 1.0);
            for (matrix, shift, gain) in changes {
                let found = correlation(&own, &prepared(&picture, matrix, shift, gain));
                assert!(found >= COPY, "part {index}, {matrix:?}, {shift:?}: {found}");
            }
            let other = prepared(&drawn(index + 10), turn(0.0, 1.0, 1.0), [0.0, 0.0], 1.0);
            let found = correlation(&own, &other);
            assert!(found < COPY - 0.003, "parts {index} and {}: {found}", index + 10);
        }
    }

    #[test]
    fn nothing_is_made_of_pictures_that_show_nothing() {
        let circle = Circle::default();
        assert!(Prepared::new(&[128; SIDE * SIDE], &circle).is_none());
        assert!(Prepared::new(&[1; 10], &circle).is_none());
        let stripes: Vec<u8> = (0..SIDE * SIDE).map(|i| if i % SIDE < 40 { 20 } else { 200 }).collect();
        let noise: Vec<u8> = (0..SIDE * SIDE).map(|i| (i * i % 251) as u8).collect();
        let found: Vec<Prepared> =
            [stripes, noise].iter().filter_map(|grey| Prepared::new(grey, &circle)).collect();
        for (one, other) in found.iter().zip(found.iter().rev()) {
            assert!(correlation(one, other).is_finite());
        }
    }
}
