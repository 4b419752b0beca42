//! What lies under and beside the parts: the belt's fabric, the guide rails, and the light on all of it.
//!
//! Owns these three looks. Must not know parts or time steps. Grey levels; lengths in millimetres or pixels as named.

use std::f32::consts::TAU;

use super::random::{Dice, Purpose, noise, step};

/// Size of a picture and of the belt in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    /// Pixels across and down.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Millimetres of belt along one side of a pixel.
    pub(super) pixel_mm: f32,
}

/// Fabric of one loop of belt; repeats along x.
#[derive(Debug, Default)]
pub(super) struct Fabric {
    /// Pixels in one loop.
    pub(super) length: usize,
    /// `length` pixels a row, rows from the top.
    grey: Vec<u8>,
}

impl Fabric {
    /// Weaves a loop of at least `loop_mm` (at most 4096 pixels, if the picture is not wider).
    pub(super) fn weave(seed: u64, grid: &Grid, loop_mm: f32, level: f32) -> Self {
        let mut dice = Dice::new(seed, Purpose::Surface, 0);
        let length = ((loop_mm / grid.pixel_mm) as usize).clamp(grid.width + 1, 4096.max(grid.width + 1));
        let mut fabric = Self { length, grey: Vec::with_capacity(length * grid.height) };
        let base = dice.seed() as u32;
        // Features a whole number of times round the loop, so that its ends meet.
        let loop_mm = length as f32 * grid.pixel_mm;
        let count = |size_mm: f32| (loop_mm / size_mm).round().max(1.0);
        let (wide, broad, small, long) = (count(70.0), count(16.0), count(2.5), count(240.0));
        let threads = count(1.7);
        // A weave finer than the pixels would only make moire.
        let weave = 5.0 * step(0.85, 0.4, grid.pixel_mm);
        let seam = (dice.range32(0.0, loop_mm), dice.range32(-0.3, 0.3));
        for row in 0..grid.height {
            let y = row as f32 * grid.pixel_mm;
            let thread = (TAU * y / 1.7).sin();
            for column in 0..length {
                let at = column as f32 / length as f32;
                let cloud = 4.0 * noise(base, at * wide, y / 70.0, wide as i32)
                    + 2.5 * noise(base ^ 1, at * broad, y / 16.0, broad as i32)
                    + 2.0 * noise(base ^ 2, at * small, y / 2.5, small as i32);
                let wear = 3.0 * noise(base ^ 3, at * long, y / 1.8, long as i32);
                let twill = weave * (TAU * (at * threads + 0.5 * thread)).sin() * (0.6 + 0.4 * thread);
                let x = at * loop_mm - seam.0 - seam.1 * y;
                let away = x - loop_mm * (x / loop_mm).round();
                let joint = -15.0 * step(1.1, 0.5, away.abs())
                    + 7.0 * step(1.0, 0.4, (away - 1.6).abs())
                    + 3.0 * step(14.0, 13.0, away) * step(1.0, 1.2, away);
                fabric.grey.push((level + cloud + wear + twill + joint).clamp(1.0, 254.0) as u8);
            }
        }
        fabric.soil(&mut dice, grid);
        fabric
    }

    /// Strews specks of dirt over the belt.
    fn soil(&mut self, dice: &mut Dice, grid: &Grid) {
        let area_m2 = self.grey.len() as f32 * grid.pixel_mm * grid.pixel_mm / 1e6;
        for _ in 0..(area_m2 * 220.0) as usize {
            let (x, y) = (dice.range32(0.0, self.length as f32), dice.range32(0.0, grid.height as f32));
            let radius = dice.range32(0.2, 0.5).powi(2) * 4.0 / grid.pixel_mm;
            let dark = dice.range32(10.0, 50.0);
            let reach = radius.ceil() as i32 + 1;
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    let (column, row) = (x as i32 + dx, y as i32 + dy);
                    if row < 0 || row >= grid.height as i32 {
                        continue;
                    }
                    let away = (column as f32 + 0.5 - x).hypot(row as f32 + 0.5 - y);
                    let spot = dark * step(radius + 0.7, (radius - 0.7).max(0.0), away);
                    let index = row as usize * self.length + column.rem_euclid(self.length as i32) as usize;
                    self.grey[index] = self.grey[index].saturating_sub(spot as u8);
                }
            }
        }
    }

    /// Fills `out` with row `row` of the loop from `first` pixels on, which need not be whole.
    pub(super) fn row(&self, row: usize, first: f64, out: &mut [f32]) {
        let whole = first.floor();
        let part = (first - whole) as f32;
        let grey = &self.grey[row * self.length..][..self.length];
        let start = whole.rem_euclid(self.length as f64) as usize % self.length;
        let mut done = 0;
        let mut from = start;
        while done < out.len() {
            let run = (self.length - from).min(out.len() - done);
            let out = &mut out[done..done + run];
            let line = &grey[from..from + run];
            for ((out, &left), &right) in out.iter_mut().zip(line).zip(&line[1..]) {
                *out = f32::from(left) * (1.0 - part) + f32::from(right) * part;
            }
            let after = grey[(from + run) % self.length];
            out[run - 1] = f32::from(line[run - 1]) * (1.0 - part) + f32::from(after) * part;
            done += run;
            from = 0;
        }
    }
}

/// The steel guide rails that hold the belt at the upper and the lower border of the picture. They stand still.
#[derive(Debug, Default)]
pub(super) struct Rails {
    /// Rows of one rail.
    pub(super) rows: usize,
    width: usize,
    grey: Vec<u8>,
}

impl Rails {
    /// Rails for a picture, about 3 % of its height each.
    pub(super) fn roll(seed: u64, grid: &Grid, level: f32) -> Self {
        let mut dice = Dice::new(seed, Purpose::Surface, 1);
        let rows = (grid.height as f32 * 0.03).round().max(2.0) as usize;
        let (base, steel) = (dice.seed() as u32, level * dice.range32(0.98, 1.08));
        let mut grey = Vec::with_capacity(2 * rows * grid.width);
        for side in 0..2u32 {
            for row in 0..rows {
                // From the border of the picture (0) to the belt (1), whichever side it is.
                let from_border = if side == 0 { row } else { rows - 1 - row };
                let depth = (from_border as f32 + 0.5) / rows as f32;
                let gap = step(0.42, 0.58, depth);
                let bevel = 14.0 * step(0.16, 0.3, depth) * step(0.5, 0.36, depth);
                for column in 0..grid.width {
                    let x = column as f32;
                    let brushed = 4.0 * noise(base ^ side, x / 90.0, row as f32 * 1.3, 0)
                        + 3.0 * noise(base ^ 4 ^ side, x / 25.0, row as f32 * 2.1, 0);
                    let metal = steel + brushed + bevel;
                    grey.push((metal + (0.45 * level - metal) * gap).clamp(1.0, 254.0) as u8);
                }
            }
        }
        Self { rows, width: grid.width, grey }
    }

    /// The rail that covers a row of a picture of `height` rows.
    pub(super) fn row(&self, row: usize, height: usize) -> Option<&[u8]> {
        let index = if row < self.rows {
            row
        } else if row + self.rows >= height {
            2 * self.rows - (height - row)
        } else {
            return None;
        };
        self.grey.get(index * self.width..(index + 1) * self.width)
    }
}

/// The light: its direction, its fall over the picture, and its slow drift.
#[derive(Debug)]
pub(super) struct Light {
    /// Direction that it comes from.
    pub(super) from: f32,
    across: Vec<f32>,
    down: Vec<f32>,
    drift: f32,
    phase: f32,
}

impl Light {
    /// Light for a picture; `drift` is how far it swings up and down over a minute.
    pub(super) fn roll(seed: u64, grid: &Grid, drift: f32) -> Self {
        let mut dice = Dice::new(seed, Purpose::Light, 0);
        let from = dice.angle();
        let (sin, cos) = from.sin_cos();
        let slope = dice.range32(0.02, 0.07);
        let dim = dice.range32(0.03, 0.07);
        let ratio = grid.height as f32 / grid.width as f32;
        let fall = |count: usize, scale: f32, slope: f32| -> Vec<f32> {
            let at = |i: usize| ((i as f32 + 0.5) / count as f32 * 2.0 - 1.0) * scale;
            (0..count).map(|i| slope * at(i) - dim * at(i) * at(i)).collect()
        };
        Self {
            from,
            across: fall(grid.width, 1.0, slope * cos).iter().map(|fall| 1.0 + fall).collect(),
            down: fall(grid.height, ratio, slope * sin),
            drift,
            phase: dice.angle(),
        }
    }

    /// Factor of the whole picture at a time.
    pub(super) fn level(&self, seconds: f64) -> f32 {
        let minutes = (seconds / 60.0).fract() as f32;
        let slow = (TAU * minutes + self.phase).sin();
        1.0 + self.drift * (0.85 * slow + 0.15 * (7.0 * TAU * minutes).sin())
    }

    /// Factors along a row, to which the second value is added.
    pub(super) fn row(&self, row: usize) -> (&[f32], f32) {
        (&self.across, self.down[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid { width: 64, height: 40, pixel_mm: 0.5 };

    #[test]
    fn the_loop_has_no_end() {
        let fabric = Fabric::weave(1, &GRID, 100.0, 150.0);
        let (mut first, mut again) = (vec![0.0; 500], vec![0.0; 500]);
        fabric.row(7, -3.25, &mut first);
        fabric.row(7, -3.25 + 5.0 * fabric.length as f64, &mut again);
        assert_eq!(first, again);
        assert_eq!(first[..500 - fabric.length], first[fabric.length..]);
        assert!(first.iter().all(|&grey| (60.0..200.0).contains(&grey)));
    }

    #[test]
    fn rails_cover_the_borders_only() {
        let rails = Rails::roll(1, &GRID, 150.0);
        let covered: Vec<usize> = (0..40).filter(|&row| rails.row(row, 40).is_some()).collect();
        assert_eq!(covered, [0, 1, 38, 39]);
        assert!(Rails::default().row(0, 40).is_none());
    }

    #[test]
    fn the_light_drifts_within_its_bounds_and_comes_back_each_minute() {
        let light = Light::roll(1, &GRID, 0.05);
        let levels: Vec<f32> = (0..600).map(|i| light.level(f64::from(i) / 10.0)).collect();
        assert!(levels.iter().all(|level| (level - 1.0).abs() <= 0.0501));
        assert!(levels.iter().any(|level| *level > 1.03) && levels.iter().any(|level| *level < 0.97));
        assert!((light.level(12.0) - light.level(72.0)).abs() < 1e-5);
    }
}
