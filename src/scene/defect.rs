//! Defects of a drawn part: which ones it has, where, and how they look.
//!
//! Owns their kinds, places and drawing. Must not know the belt or cameras. Every defect spans at least 4 % of the
//! part's diameter so that it can still be seen in a picture of 128 pixels.

use std::fmt;

use super::canvas::Canvas;
use super::impeller::{Shape, turn};
use super::random::{Dice, fraction, length, noise, step};

/// Kind of a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DefectKind {
    /// Gas pores: dark pits.
    Blowhole,
    /// A bite out of the outer edge.
    ChippedRim,
    /// A thin dark line.
    Crack,
    /// Ragged flash that sticks out of the outer edge.
    Burr,
    /// Strokes across the machined face.
    Scratch,
}

impl DefectKind {
    /// Every kind.
    pub const ALL: [DefectKind; 5] = [
        DefectKind::Blowhole,
        DefectKind::ChippedRim,
        DefectKind::Crack,
        DefectKind::Burr,
        DefectKind::Scratch,
    ];

    /// The stable name, as in `labels.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            DefectKind::Blowhole => "blowhole",
            DefectKind::ChippedRim => "chipped_rim",
            DefectKind::Crack => "crack",
            DefectKind::Burr => "burr",
            DefectKind::Scratch => "scratch",
        }
    }
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One defect and the circle that holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defect {
    /// What it is.
    pub kind: DefectKind,
    /// Middle of the circle from the part's centre, in halves of `line.part_length`, x downstream (right in the
    /// picture).
    pub x: f32,
    /// See `x`; y down in the picture.
    pub y: f32,
    /// Radius of the circle in the same unit.
    pub radius: f32,
    /// Stream of its details.
    seed: u64,
}

/// Rolls the defects of a defective part: mostly one, sometimes two of different kinds.
pub(super) fn roll(dice: &mut Dice, shape: &Shape) -> Vec<Defect> {
    let first = dice.below(DefectKind::ALL.len());
    let mut defects = vec![place(DefectKind::ALL[first], dice, shape)];
    if dice.chance(0.25) {
        let second = (first + 1 + dice.below(DefectKind::ALL.len() - 1)) % DefectKind::ALL.len();
        defects.push(place(DefectKind::ALL[second], dice, shape));
    }
    defects
}

fn place(kind: DefectKind, dice: &mut Dice, shape: &Shape) -> Defect {
    let angle = dice.angle();
    let edge = shape.edge(angle);
    let (at, radius) = match kind {
        DefectKind::Blowhole if dice.chance(0.3) => (0.64, dice.range32(0.055, 0.08)),
        DefectKind::Blowhole => (dice.range32(0.72, 0.9), dice.range32(0.05, 0.085)),
        DefectKind::ChippedRim => (0.97, dice.range32(0.1, 0.18)),
        DefectKind::Crack => (dice.range32(0.8, 0.84), dice.range32(0.2, 0.32)),
        DefectKind::Burr => (1.02, dice.range32(0.2, 0.5)),
        DefectKind::Scratch => (dice.range32(0.78, 0.86), dice.range32(0.22, 0.4)),
    };
    let (sin, cos) = angle.sin_cos();
    Defect { kind, x: at * edge * cos, y: at * edge * sin, radius, seed: dice.seed() }
}

impl Defect {
    /// Draws the defect onto a part that is on the canvas already.
    pub(super) fn draw(&self, canvas: &mut Canvas, shape: &Shape) {
        let mut dice = Dice::new(self.seed, super::random::Purpose::Defects, 0);
        match self.kind {
            DefectKind::Blowhole => self.draw_blowhole(canvas, &mut dice),
            DefectKind::ChippedRim => self.draw_chip(canvas, shape, &mut dice),
            DefectKind::Crack => self.draw_crack(canvas, shape, &mut dice),
            DefectKind::Burr => self.draw_burr(canvas, shape, &mut dice),
            DefectKind::Scratch => self.draw_scratch(canvas, shape, &mut dice),
        }
    }

    /// A pit with ragged outline, its far wall lit, a bright rim, and sometimes small ones beside it.
    fn draw_blowhole(&self, canvas: &mut Canvas, dice: &mut Dice) {
        let big = self.radius * 0.85;
        pit(canvas, self.x, self.y, big, dice);
        for _ in 0..dice.below(3) {
            let (sin, cos) = dice.angle().sin_cos();
            let away = self.radius * dice.range32(0.9, 1.0);
            pit(canvas, self.x + away * cos, self.y + away * sin, self.radius * 0.28, dice);
        }
    }

    /// A bite whose walls are rough broken metal; past it the belt shows.
    fn draw_chip(&self, canvas: &mut Canvas, shape: &Shape, dice: &mut Dice) {
        let seed = dice.seed() as u32;
        let depth = dice.range32(0.07, 0.13);
        let (x, y, half) = (self.x, self.y, self.radius * 0.95);
        canvas.paint(x, y, self.radius * 1.2, |u, v, level, cover| {
            let from_edge = 1.0 - shape.radius(u, v);
            let along = (u * y - v * x) / length(x, y) / half;
            let ragged =
                0.75 + 0.35 * noise(seed, along * 4.0, 0.5, 0) + 0.15 * noise(seed, along * 13.0, 3.5, 0);
            let bite = depth * (1.0 - along * along).max(0.0).sqrt() * ragged;
            if from_edge > bite + 0.015 || bite <= 0.004 {
                return;
            }
            if from_edge > bite {
                *level = (*level * 1.1 + 25.0).min(250.0);
            } else if from_edge > bite * 0.45 {
                let rough = noise(seed ^ 1, u * 45.0, v * 45.0, 0);
                *level = 42.0 + 25.0 * rough + 150.0 * step(0.5, 0.7, rough);
            } else {
                *cover = 0.0;
            }
        });
    }

    /// A line that wanders from the middle of the face to both sides, thickest in its middle.
    fn draw_crack(&self, canvas: &mut Canvas, shape: &Shape, dice: &mut Dice) {
        let seed = dice.seed() as u32;
        let half = dice.range32(0.016, 0.024);
        let radial = self.y.atan2(self.x);
        // Across the turning marks or nearly so: along them it would look like one.
        let (sin, cos) = (radial + dice.range32(-0.7, 0.7)).sin_cos();
        canvas.paint(self.x, self.y, self.radius * 1.05, |u, v, level, _| {
            let (du, dv) = (u - self.x, v - self.y);
            let along = (du * cos + dv * sin) / self.radius;
            if along.abs() > 1.0 || shape.radius(u, v) < 0.67 {
                return;
            }
            let wander = 0.055 * noise(seed, along * 2.6, 0.5, 0) + 0.03 * noise(seed, along * 8.0, 5.5, 0);
            let away = (dv * cos - du * sin) - wander;
            let width = half * (1.0 - along.powi(4)) * (0.85 + 0.3 * noise(seed, along * 9.0, 9.5, 0));
            let dark = step(width, width * 0.4, away.abs());
            let lit = step(width * 2.2, width * 1.2, away) * step(0.0, width, away) * (1.0 - dark);
            *level += (22.0 - *level) * dark + 22.0 * lit;
        });
    }

    /// Thin ragged flakes outside the edge, mostly dark, with bright folds.
    fn draw_burr(&self, canvas: &mut Canvas, shape: &Shape, dice: &mut Dice) {
        let seed = dice.seed() as u32;
        let height = dice.range32(0.06, 0.1);
        let middle = turn(self.x, self.y);
        let half = self.radius / std::f32::consts::TAU;
        let tall = |u: f32, v: f32| {
            let along = (fraction(turn(u, v) - middle + 0.5) - 0.5) / half;
            let flake = 0.55
                + 0.6 * noise(seed, along * half * 60.0, 0.5, 0)
                + 0.3 * noise(seed, along * half * 170.0, 3.5, 0);
            height * flake.clamp(0.0, 1.0) * step(1.0, 0.7, along.abs())
        };
        canvas.paint(self.x, self.y, self.radius + height, |u, v, level, cover| {
            let out = shape.radius(u, v) - 1.0;
            if !(-0.03..=height).contains(&out) {
                return;
            }
            let tall = tall(u, v);
            if tall < 0.004 || out > tall {
                return;
            }
            let rough = noise(seed ^ 1, u * 34.0, v * 34.0, 0) + 0.5 * noise(seed ^ 2, u * 80.0, v * 80.0, 0);
            let flake = 38.0 + 22.0 * rough + 165.0 * step(0.45, 0.75, rough);
            let old = if out < -0.012 { (-0.012 - out) / 0.018 } else { 0.0 };
            *level = *level * old + flake * (1.0 - old);
            *cover = 1.0;
        });
    }

    /// Two to four strokes that run together, each a bright furrow with a dark wall.
    fn draw_scratch(&self, canvas: &mut Canvas, shape: &Shape, dice: &mut Dice) {
        let radial = self.y.atan2(self.x);
        let across = dice.range32(0.35, 1.2);
        let direction = if dice.chance(0.5) { radial + across } else { radial - across };
        for stroke in 0..2 + dice.below(3) {
            let (sin, cos) = (direction + dice.range32(-0.13, 0.13)).sin_cos();
            let offset = if stroke == 0 { 0.0 } else { dice.range32(-0.35, 0.35) * self.radius };
            // The first one is the longest and goes through the middle.
            let short = if stroke == 0 { 0.0 } else { dice.range32(0.1, 0.5) };
            let (from, to) = (dice.range32(-0.95, -0.75) + short, dice.range32(0.75, 0.95) - short);
            let (bend, half) = (dice.range32(-0.05, 0.05), dice.range32(0.011, 0.016));
            canvas.paint(self.x, self.y, self.radius, |u, v, level, _| {
                let (du, dv) = (u - self.x, v - self.y);
                let along = (du * cos + dv * sin) / self.radius;
                if !(from..=to).contains(&along) || shape.radius(u, v) < 0.68 {
                    return;
                }
                let away = (dv * cos - du * sin) - offset - bend * along * along;
                let ends = step(from, from + 0.15, along) * step(to, to - 0.15, along);
                let bright = step(half, half * 0.4, away.abs()) * ends;
                let dark = step(half, half * 0.4, (away - 1.8 * half).abs()) * ends;
                *level += (250.0 - *level) * bright;
                *level += (52.0 - *level) * dark;
            });
        }
    }
}

fn pit(canvas: &mut Canvas, x: f32, y: f32, radius: f32, dice: &mut Dice) {
    let seed = dice.seed() as u32;
    let (lit_y, lit_x) = dice.angle().sin_cos();
    canvas.paint(x, y, radius * 1.5, |u, v, level, cover| {
        let (du, dv) = ((u - x) / radius, (v - y) / radius);
        let ragged = 1.0
            + 0.25 * noise(seed, turn(du, dv) * 5.0, 0.5, 5)
            + 0.1 * noise(seed, turn(du, dv) * 14.0, 3.5, 14);
        let away = length(du, dv) / ragged;
        if *cover == 0.0 || away > 1.35 {
            return;
        }
        let rough = noise(seed ^ 1, u * 50.0, v * 50.0, 0);
        let inside = 24.0 + 10.0 * rough + 30.0 * (du * lit_x + dv * lit_y).max(0.0) * away;
        let hole = step(1.02, 0.88, away);
        let brim = step(1.35, 1.15, away) * (1.0 - hole);
        *level += (inside - *level) * hole + 30.0 * brim;
    });
}

#[cfg(test)]
mod tests {
    use super::super::random::Purpose;
    use super::*;

    #[test]
    fn every_defect_changes_its_circle_and_nothing_else() {
        let shape = Shape::default();
        for seed in 0..40 {
            let mut dice = Dice::new(seed, Purpose::Defects, 0);
            let kind = DefectKind::ALL[seed as usize % 5];
            let defect = place(kind, &mut dice, &shape);
            let mut canvas = Canvas::default();
            canvas.reset(130, 50.0);
            canvas.paint(0.0, 0.0, 1.0, |x, y, level, cover| {
                if x.hypot(y) <= 1.0 {
                    (*level, *cover) = (190.0, 1.0);
                }
            });
            let (level, cover) = (canvas.level.clone(), canvas.cover.clone());
            defect.draw(&mut canvas, &shape);
            let (mut changed, mut outside) = (0, 0);
            for row in 0..canvas.side {
                for column in 0..canvas.side {
                    let i = row * canvas.side + column;
                    let (x, y) = (canvas.coordinate(column), canvas.coordinate(row));
                    if (canvas.level[i] - level[i]).abs() > 20.0 || canvas.cover[i] != cover[i] {
                        changed += 1;
                        outside += usize::from((x - defect.x).hypot(y - defect.y) > defect.radius * 1.3);
                    }
                }
            }
            let share = changed as f32 * canvas.step * canvas.step / std::f32::consts::PI;
            assert!(share > 0.001, "seed {seed}, {kind}: {share}");
            assert!(outside * 20 <= changed, "seed {seed}, {kind}: {outside} of {changed} outside");
        }
    }
}
