//! Real parts on the belt: the disc is found in its picture, its own ground is levelled out, and both go into a
//! sprite.
//!
//! Owns how they are laid. Must not know files. Pictures show one part from above, bright or dark on an
//! even ground, about as large as the picture.

use super::random::step;
use super::sprite::{ONE, Sprite, fixed, side_for};
use crate::vision::disc::{Disc, Plane};
use crate::vision::ground::Ground;

/// A grey picture of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `width * height` grey levels, rows from the top.
    pub grey: Vec<u8>,
}

impl Picture {
    fn plane(&self) -> Plane<'_> {
        Plane { width: self.width, height: self.height, grey: &self.grey }
    }
}

/// Lays the part of `picture` into `sprite`: `radius` is the part's in pixels of the frame, `level` the belt's
/// grey. The part keeps its brightness relative to its ground, and its shadow falls onto the belt.
pub(super) fn lay(picture: &Picture, radius: f32, level: f32, sprite: &mut Sprite) {
    sprite.clear(side_for(radius));
    if picture.width < 16 || picture.height < 16 || picture.grey.len() != picture.width * picture.height {
        return;
    }
    let plane = picture.plane();
    let disc = Disc::find(&plane);
    let ground = Ground::fit(&plane, &disc);
    let scale = disc.half / radius;
    let samples = (scale.round() as usize).clamp(1, 16);
    let side = sprite.side;
    for row in 0..side {
        for column in 0..side {
            let place = |index: usize| (index as f32 + 0.5 - side as f32 / 2.0) * scale;
            let (x, y) = (disc.x + place(column), disc.y + place(row));
            let from_border =
                x.min(y).min(picture.width as f32 - x).min(picture.height as f32 - y) / plane.side();
            if from_border <= 0.0 {
                continue;
            }
            let away = disc.radius(x, y);
            let near = step(1.28, 1.1, away) * step(0.0, 0.05, from_border);
            let weight = near.max(step(1.04, 1.0, away));
            let grey = plane.mean(x, y, scale, samples);
            let ratio = 1.0 + weight * (grey / ground.at((picture.width, picture.height), x, y) - 1.0);
            let solid = step(1.03, 0.99, away);
            sprite.keep[row * side + column] = fixed(ratio * (1.0 - solid));
            sprite.add[row * side + column] = fixed((ratio * solid * level).min(u16::MAX as f32 / ONE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An aslant disc with a hole on a ground that grows lighter to the right.
    fn picture(side: usize, disc: &Disc) -> Picture {
        let grey = |i: usize| {
            let (x, y) = ((i % side) as f32 + 0.5, (i / side) as f32 + 0.5);
            let r = disc.radius(x, y);
            match r {
                _ if r > 1.0 => 150.0 + 40.0 * x / side as f32 - 60.0 * (-(r - 1.0) / 0.05).exp(),
                _ if r < 0.5 => 20.0,
                _ => 200.0,
            }
        };
        Picture { width: side, height: side, grey: (0..side * side).map(|i| grey(i) as u8).collect() }
    }

    fn aslant() -> Disc {
        // Half axes 126 and 116, the longer one along x.
        Disc { x: 156.0, y: 146.0, half: 126.0, form: [1.0 / (126.0 * 126.0), 0.0, 1.0 / (116.0 * 116.0)] }
    }

    #[test]
    fn the_disc_is_found_where_it_is() {
        let found = Disc::find(&picture(300, &aslant()).plane());
        assert!((found.x - 156.0).abs() < 1.5 && (found.y - 146.0).abs() < 1.5, "{found:?}");
        assert!((found.half - 126.0).abs() < 2.0, "{found:?}");
    }

    #[test]
    fn the_belt_goes_on_outside_and_the_part_keeps_its_brightness_relative_to_the_ground() {
        let mut sprite = Sprite::default();
        lay(&picture(300, &aslant()), 60.0, 140.0, &mut sprite);
        let shown = |x: usize, y: usize| {
            let i = y * sprite.side + x;
            (f32::from(sprite.keep[i]) * 140.0 + f32::from(sprite.add[i])) / ONE
        };
        let last = sprite.side - 1;
        for i in 0..=last {
            for (x, y) in [(i, 0), (0, i), (i, last), (last, i)] {
                assert!((shown(x, y) - 140.0).abs() < 3.0, "{x} {y}: {}", shown(x, y));
            }
        }
        // 200 on a ground of about 185 on the right side of the disc.
        let right = shown(sprite.side / 2 + 45, sprite.side / 2);
        assert!((right - 140.0 * 200.0 / 183.0).abs() < 6.0, "{right}");
        assert!(shown(sprite.side / 2, sprite.side / 2) < 20.0);
    }

    #[test]
    fn no_picture_makes_it_fail() {
        let mut sprite = Sprite::default();
        for grey in
            [vec![], vec![7; 3], vec![0; 400], vec![255; 400], (0..400).map(|i| (i * 37) as u8).collect()]
        {
            lay(&Picture { width: 20, height: 20, grey }, 30.0, 150.0, &mut sprite);
            assert_eq!(sprite.keep.len(), sprite.side * sprite.side);
        }
    }
}
