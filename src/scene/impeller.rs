//! A drawn impeller without defects, seen from above: machined disc, groove, lip, cavity with vanes, hub and bore.
//!
//! Owns the part's shape and look. Must not know the belt, defects or cameras. Lengths are fractions of the part's
//! nominal radius, coordinates from its centre with x right and y down, angles in radians from +x towards +y; grey
//! levels are those under even light.

use std::f32::consts::TAU;

use super::canvas::Canvas;
use super::random::{Curve, Dice, fraction, length, noise, step};

/// Outline of a part: a disc seen slightly aslant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// Shorter axis over longer axis.
    pub(super) aspect: f32,
    /// Direction of the longer axis.
    tilt: (f32, f32),
}

impl Default for Shape {
    fn default() -> Self {
        Self { aspect: 1.0, tilt: (1.0, 0.0) }
    }
}

impl Shape {
    /// The first draws of a part's look.
    pub(super) fn roll(dice: &mut Dice) -> Self {
        let (sin, cos) = dice.angle().sin_cos();
        Self { aspect: dice.range32(0.95, 1.0), tilt: (cos, sin) }
    }

    /// Coordinates in which the outline is the unit circle.
    fn flatten(&self, x: f32, y: f32) -> (f32, f32) {
        let (cos, sin) = self.tilt;
        (x * cos + y * sin, (y * cos - x * sin) / self.aspect)
    }

    /// Distance of a point from the centre, 1 on the outline.
    pub(super) fn radius(&self, x: f32, y: f32) -> f32 {
        let (a, b) = self.flatten(x, y);
        length(a, b)
    }

    /// Distance from the centre to the outline in a direction.
    pub(super) fn edge(&self, angle: f32) -> f32 {
        let (sin, cos) = angle.sin_cos();
        1.0 / self.radius(cos, sin)
    }
}

/// Angle of a point in turns, 0 to 1, exact to 0.0003 (Rajan et al. 2006): a table look-up follows, so more would be
/// wasted.
pub(super) fn turn(x: f32, y: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let ratio = ax.min(ay) / ax.max(ay).max(f32::MIN_POSITIVE);
    let eighth = ratio * (0.125 + (1.0 - ratio) * (0.038_945 + 0.010_552 * ratio));
    let quarter = if ay > ax { 0.25 - eighth } else { eighth };
    let half = if x < 0.0 { 0.5 - quarter } else { quarter };
    if y < 0.0 { 1.0 - half } else { half }
}

/// Entries of the tables by angle and by radius.
const ENTRIES: usize = 2048;

/// The look of one part, rolled from its stream.
#[derive(Debug, Default)]
pub(super) struct Impeller {
    /// Outline.
    pub(super) shape: Shape,
    disc: f32,
    contrast: f32,
    ring: f32,
    /// Disc's inner edge, lip's outer and inner edge, hub's outer and inner edge.
    radii: [f32; 5],
    /// Where lip, hub and the floor of the bore appear: they lie at other heights than the disc.
    shifts: [(f32, f32); 3],
    bore: (f32, f32, f32),
    vanes: f32,
    swirl: f32,
    spin: f32,
    seed: u32,
    /// Sheen of the brushed metal by direction of the light, -1 to 1.
    sheen: Curve,
    /// Turning marks by radius and chatter marks by angle, -1 to 1.
    grain: Curve,
    chatter: Curve,
    /// Blotches, -1 to 1, by angle; two of them twisted against one another make a surface.
    cloud: Curve,
    /// How dark the outer edge is by angle, up to 1; bright below 0.
    rim: Curve,
    /// Length and direction of the patch of chatter marks.
    patch: (f32, f32),
}

impl Impeller {
    /// Becomes the part that `dice` (its look stream, at the start) describes, under light from `light`.
    pub(super) fn roll(&mut self, dice: &mut Dice, light: f32) {
        self.shape = Shape::roll(dice);
        self.seed = dice.seed() as u32;
        self.disc = dice.range32(165.0, 202.0);
        self.contrast = dice.range32(20.0, 50.0);
        self.ring = dice.range32(178.0, 212.0);
        let size = dice.range32(0.97, 1.03);
        self.radii = [0.665, 0.642, 0.572, 0.305, 0.222].map(|radius| radius * size);
        let (sin, cos) = dice.angle().sin_cos();
        let lean = dice.range32(0.008, 0.02);
        self.shifts = [lean, lean * 0.7, -lean * 2.5].map(|by| (cos * by, sin * by));
        self.bore = (dice.range32(105.0, 150.0), dice.range32(20.0, 60.0), dice.angle());
        self.vanes = [6.0, 7.0, 8.0][dice.below(3)];
        self.swirl = dice.range32(0.9, 1.25);
        self.spin = dice.range32(0.0, 1.0);
        self.patch = (dice.range32(0.0, 0.12), dice.range32(0.0, 1.0));
        self.roll_sheen(dice, light);
        let seed = self.seed;
        self.grain
            .fill(ENTRIES, |r| 0.6 * noise(seed, r * 260.0, 0.5, 0) + 0.5 * noise(seed, r * 90.0, 7.5, 0));
        self.cloud.fill(ENTRIES, |a| noise(seed ^ 1, a * 16.0, 5.5, 16));
        self.chatter.fill(ENTRIES, |a| (noise(seed, a * 512.0, 3.5, 512) * 1.4).clamp(-1.0, 1.0));
        let dark = dice.range32(0.2, 0.55);
        self.rim.fill(ENTRIES, |a| {
            let ragged = 0.35 * noise(seed, a * 40.0, 9.5, 40) + 0.2 * noise(seed, a * 160.0, 11.5, 160);
            (dark + ragged).clamp(-0.15, 0.85)
        });
    }

    /// Brushed rings throw the light back in sectors, each with a twin on the opposite side.
    fn roll_sheen(&mut self, dice: &mut Dice, light: f32) {
        let lobes: [(f32, f32, f32, f32); 4] = std::array::from_fn(|i| {
            let angle = if i == 0 { light } else { dice.angle() };
            let strength = if i % 2 == 0 { 1.0 } else { -0.9 };
            (
                angle / TAU,
                dice.range32(0.045, 0.11),
                strength * dice.range32(0.6, 1.0),
                dice.range32(0.5, 1.0),
            )
        });
        let seed = self.seed;
        self.sheen.fill(ENTRIES, |at| {
            let lobe = |(angle, width, strength, twin): (f32, f32, f32, f32)| {
                let near = |to: f32| {
                    let away = (fraction(at - to) - 0.5).abs() - 0.5;
                    (-(away / width).powi(4)).exp()
                };
                strength * (near(angle) + twin * near(angle + 0.5))
            };
            let sum: f32 = lobes.iter().copied().map(lobe).sum();
            (sum + 0.15 * noise(seed, at * 32.0, 1.5, 32)).clamp(-1.3, 1.3)
        });
    }

    /// Draws the part onto an empty canvas.
    pub(super) fn draw(&self, canvas: &mut Canvas) {
        canvas.paint(0.0, 0.0, 1.01, |x, y, level, cover| {
            let (a, b) = self.shape.flatten(x, y);
            if a * a + b * b <= 1.0 {
                *level = self.level(a, b, turn(x, y)).clamp(2.0, 253.0);
                *cover = 1.0;
            }
        });
    }

    /// Grey level at a point inside the outline; `at` is the direction in turns.
    fn level(&self, a: f32, b: f32, at: f32) -> f32 {
        let [disc_in, lip_out, lip_in, hub_out, hub_in] = self.radii;
        let r = length(a, b);
        if r > disc_in {
            return self.disc_level(r, at);
        }
        let away = |i: usize| (a - self.shifts[i].0, b - self.shifts[i].1);
        let (lip_a, lip_b) = away(0);
        let lip = length(lip_a, lip_b);
        if lip > lip_out {
            let glint = step(0.75, 0.95, noise(self.seed ^ 2, at * 16.0, 4.5, 16));
            return 20.0 + 90.0 * glint;
        }
        let sheen = self.sheen.at(at);
        if lip > lip_in {
            let bevel = 1.0 - 0.25 * step(0.012, 0.0, lip - lip_in) - 0.2 * step(0.012, 0.0, lip_out - lip);
            return (self.ring + 0.25 * self.contrast * sheen + 3.0 * self.grain.at(lip)) * bevel;
        }
        let (hub_a, hub_b) = away(1);
        let hub = length(hub_a, hub_b);
        if hub > hub_out {
            return self.cavity_level(lip, turn(lip_a, lip_b));
        }
        if hub > hub_in {
            let bevel = 1.0 - 0.3 * step(0.01, 0.0, hub - hub_in) - 0.2 * step(0.012, 0.0, hub_out - hub);
            return (self.ring + 0.2 * self.contrast * sheen + 4.0 * self.grain.at(hub)) * bevel;
        }
        self.bore_level(away(2), hub_a, hub_b)
    }

    fn disc_level(&self, r: f32, at: f32) -> f32 {
        let sheen = self.sheen.at(at);
        let (length, from) = self.patch;
        let in_patch = step(length, length * 0.6, (fraction(at - from) - 0.5).abs());
        let brushed = (3.0 + 2.5 * sheen.abs()) * self.grain.at(r);
        let chatter = (1.2 + 6.0 * in_patch) * self.chatter.at(at + 0.05 * r);
        let cloud = 3.0 * (self.cloud.at(at + 0.4 * r) + self.cloud.at(at - 0.9 * r));
        let flat = self.disc + self.contrast * sheen + brushed + chatter + cloud - 8.0 * step(0.9, 1.0, r);
        let [disc_in, ..] = self.radii;
        let inner = 1.0 - 0.25 * step(0.02, 0.0, r - disc_in);
        let outline = 1.0 - 0.3 * step(0.984, 0.994, r);
        flat * inner * outline * (1.0 - self.rim.at(at) * step(0.978, 0.992, r))
    }

    fn cavity_level(&self, r: f32, at: f32) -> f32 {
        let [_, _, lip_in, hub_out, _] = self.radii;
        let depth = (r - hub_out) / (lip_in - hub_out);
        let along = (at + self.spin) * self.vanes + self.swirl * self.vanes * depth * 0.35;
        // Each vane rises slowly to a lit crest and falls off steeply behind it.
        let phase = fraction(along);
        let vane = step(0.1, 0.82, phase)
            * step(0.98, 0.84, phase)
            * step(0.1, 0.6, depth)
            * step(1.03, 0.86, depth);
        let lit = (0.55 + 0.6 * noise(self.seed ^ 4, at * 6.0, 2.5, 6)).clamp(0.1, 1.0);
        let rough = noise(self.seed ^ 3, at * 40.0, r * 26.0, 40);
        12.0 + 6.0 * depth + 40.0 * vane * vane * lit + 5.0 * rough
    }

    fn bore_level(&self, floor: (f32, f32), a: f32, b: f32) -> f32 {
        let (mean, slope, towards) = self.bore;
        let hub_in = self.radii[4];
        let (sin, cos) = towards.sin_cos();
        let shade = mean + slope * (a * cos + b * sin) / hub_in;
        let on_floor = step(0.97, 0.88, length(floor.0, floor.1) / hub_in);
        let wall = 45.0 + 0.3 * shade;
        wall + (shade - wall) * on_floor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_angle_is_close_to_the_true_one() {
        for i in 0..720 {
            let angle = i as f32 / 720.0 * TAU;
            let error = (turn(angle.cos() * 0.7, angle.sin() * 0.7) - i as f32 / 720.0).abs();
            assert!(error.min(1.0 - error) < 3e-4, "{i}: {error}");
        }
    }

    #[test]
    fn the_outline_is_where_the_edge_says() {
        let shape = Shape { aspect: 0.9, tilt: (0.6, 0.8) };
        for i in 0..32 {
            let angle = i as f32 * 0.2;
            let edge = shape.edge(angle);
            assert!((0.899..=1.001).contains(&edge));
            assert!((shape.radius(edge * angle.cos(), edge * angle.sin()) - 1.0).abs() < 1e-5);
        }
    }
}
