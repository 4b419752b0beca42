//! Sprites: a part as it is laid over the belt, at the size of the camera's pixels.
//!
//! Owns the sprite's form, the drawing of impellers into it and their shadow. Must not know where a part lies.

use super::canvas::{Canvas, OVERSAMPLE};
use super::defect::Defect;
use super::impeller::Impeller;
use super::random::{Dice, Purpose, length, step};

/// Values of a sprite are fixed-point numbers with this as one.
pub(super) const ONE: f32 = 256.0;
/// Half side of a sprite in radii of the part: room for burrs and shadow.
const REACH: f32 = 1.3;

/// A square picture of a part: a belt of grey level `b` shows as `b * keep + add`, each a fixed-point number.
#[derive(Debug, Default)]
pub(super) struct Sprite {
    /// Pixels a side, even: the part's centre is the corner between the four middle ones.
    pub(super) side: usize,
    /// Share of the belt that shows.
    pub(super) keep: Vec<u16>,
    /// Grey levels that the part adds.
    pub(super) add: Vec<u16>,
}

/// Pixels a side of the sprite of a part with this radius in pixels.
pub(super) fn side_for(radius: f32) -> usize {
    2 * (radius * REACH).ceil().max(1.0) as usize
}

pub(super) fn fixed(value: f32) -> u16 {
    // The cast saturates.
    (value * ONE + 0.5) as u16
}

impl Sprite {
    /// Becomes an invisible sprite of this size.
    pub(super) fn clear(&mut self, side: usize) {
        self.side = side;
        self.keep.clear();
        self.keep.resize(side * side, ONE as u16);
        self.add.clear();
        self.add.resize(side * side, 0);
    }

    /// Bytes that the largest sprite of a part of this radius takes.
    pub(super) fn with_capacity(radius: f32) -> Self {
        let pixels = side_for(radius).pow(2);
        Self { side: 0, keep: Vec::with_capacity(pixels), add: Vec::with_capacity(pixels) }
    }
}

/// Draws impellers; keeps its memory from part to part.
#[derive(Debug, Default)]
pub(super) struct Painter {
    canvas: Canvas,
    impeller: Impeller,
    /// Rows of the canvas shrunk along x: part times cover, and cover.
    shrunk: [Vec<f32>; 2],
}

impl Painter {
    /// Draws the part of a look stream with its defects into `sprite`; `radius` in pixels, `light` is the
    /// direction that the light comes from.
    pub(super) fn draw(
        &mut self,
        seed: u64,
        part: u64,
        defects: &[Defect],
        radius: f32,
        light: f32,
        sprite: &mut Sprite,
    ) {
        let mut dice = Dice::new(seed, Purpose::Look, part);
        self.impeller.roll(&mut dice, light);
        let side = side_for(radius);
        self.canvas.reset(side, radius);
        self.impeller.draw(&mut self.canvas);
        for defect in defects {
            defect.draw(&mut self.canvas, &self.impeller.shape);
        }
        self.shrink_rows();
        sprite.clear(side);
        let shadow = Shadow::roll(&mut dice, light);
        self.shrink_columns(&shadow, sprite);
    }

    /// Shrinks along x with the weights 1 3 3 1, which also give the softness of a lens.
    fn shrink_rows(&mut self) {
        let (side, wide) = (self.canvas.side / OVERSAMPLE, self.canvas.side);
        let [part, cover] = &mut self.shrunk;
        for plane in [&mut *part, &mut *cover] {
            plane.clear();
            plane.resize(side * wide, 0.0);
        }
        let rows = self.canvas.level.chunks_exact(wide).zip(self.canvas.cover.chunks_exact(wide));
        for ((levels, covers), (part, cover)) in
            rows.zip(part.chunks_exact_mut(side).zip(cover.chunks_exact_mut(side)))
        {
            for column in 1..side - 1 {
                let first = column * OVERSAMPLE - 1;
                let covers: &[f32; 4] = covers[first..].first_chunk().expect("the last column is left out");
                let levels: &[f32; 4] = levels[first..].first_chunk().expect("the last column is left out");
                let mixed = |at: [f32; 4]| 0.125 * (at[0] + at[3]) + 0.375 * (at[1] + at[2]);
                cover[column] = mixed(*covers);
                part[column] = mixed(std::array::from_fn(|k| covers[k] * levels[k]));
            }
        }
    }

    fn shrink_columns(&self, shadow: &Shadow, sprite: &mut Sprite) {
        let side = sprite.side;
        for row in 1..side - 1 {
            let four = |plane: usize| {
                let lines = &self.shrunk[plane][(row * OVERSAMPLE - 1) * side..][..4 * side];
                let (upper, lower) = lines.split_at(2 * side);
                let ((a, b), (c, d)) = (upper.split_at(side), lower.split_at(side));
                move |i: usize| 0.125 * (a[i] + d[i]) + 0.375 * (b[i] + c[i])
            };
            let (part, cover) = (four(0), four(1));
            let y = self.canvas.coordinate(row * OVERSAMPLE);
            let keeps = &mut sprite.keep[row * side..][..side];
            let adds = &mut sprite.add[row * side..][..side];
            for (column, (keep, add)) in keeps.iter_mut().zip(adds).enumerate() {
                let open = (1.0 - cover(column)).max(0.0);
                *add = fixed(part(column));
                *keep = if open > 0.0 {
                    let x = self.canvas.coordinate(column * OVERSAMPLE);
                    fixed(open * (1.0 - shadow.at(x, y, self.impeller.shape.radius(x, y))))
                } else {
                    0
                };
            }
        }
    }
}

/// The soft shadow around a part, longer on the side away from the light.
struct Shadow {
    towards: (f32, f32),
    strength: f32,
    length: f32,
}

impl Shadow {
    fn roll(dice: &mut Dice, light: f32) -> Self {
        let (sin, cos) = (light + std::f32::consts::PI + dice.range32(-0.3, 0.3)).sin_cos();
        Self { towards: (cos, sin), strength: dice.range32(0.6, 0.82), length: dice.range32(0.055, 0.085) }
    }

    /// Share of the light that is missing; `radius` is 1 on the outline.
    fn at(&self, x: f32, y: f32, radius: f32) -> f32 {
        let facing = (x * self.towards.0 + y * self.towards.1) / length(x, y).max(1e-6);
        let side = 0.5 + 0.5 * facing;
        let away = (radius - 1.0).max(0.0) / (0.02 + self.length * side);
        let fade = step(REACH, REACH - 0.1, radius);
        self.strength * (0.3 + 0.7 * side) * (-away * (0.35 + 0.65 * away)).exp() * fade
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64, part: u64) -> Sprite {
        let mut sprite = Sprite::default();
        Painter::default().draw(seed, part, &[], 60.0, 1.0, &mut sprite);
        sprite
    }

    #[test]
    fn the_same_seed_draws_the_same_part_and_another_seed_another() {
        assert_eq!(drawn(3, 8).add, drawn(3, 8).add);
        assert_ne!(drawn(3, 8).add, drawn(3, 9).add);
        assert_ne!(drawn(3, 8).add, drawn(4, 8).add);
    }

    #[test]
    fn the_belt_is_hidden_by_the_part_shaded_beside_it_and_untouched_at_the_border() {
        let sprite = drawn(1, 1);
        let at = |x: usize, y: usize| sprite.keep[y * sprite.side + x];
        let middle = sprite.side / 2;
        assert_eq!(at(middle, middle), 0);
        assert!((0..sprite.side).any(|x| (60..200).contains(&at(x, middle))));
        for i in 0..sprite.side {
            assert!(at(i, 0) >= 250 && at(0, i) >= 250 && at(i, sprite.side - 1) >= 250);
        }
    }
}
