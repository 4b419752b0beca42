//! What the camera sees: belt, parts, rails, light, motion blur and noise, as a frame for a moment.
//!
//! Owns composition and the few sprites in view. Must not know files or the gate: pictures come through
//! [`PartPictures`], and the caller says which parts are gone.

use crate::config::Config;
use crate::frame::{Frame, PixelFormat};
use crate::verdict::Truth;

use super::belt::{Belt, Part};
use super::picture::{self, Picture};
use super::random::{Dice, Purpose, mix};
use super::sprite::{ONE, Painter, Sprite, side_for};
use super::surface::{Fabric, Grid, Light, Rails};

/// Gives the pictures of real parts when they are needed.
pub trait PartPictures {
    /// Reads picture `index` of the labels; `false` when it cannot be read, and then a good part is drawn in its
    /// place.
    fn load(&mut self, index: usize, picture: &mut Picture) -> bool;
}

/// Where the camera looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct View {
    /// Size of the picture in pixels.
    pub width: usize,
    /// See `width`.
    pub height: usize,
    /// Millimetres of belt along one side of a pixel.
    pub pixel_mm: f64,
    /// Position of the picture's left border, downstream of the sensor.
    pub left_mm: f64,
    /// How far the picture's middle row lies below the middle of the belt.
    pub below_mm: f64,
    /// Whether the belt's guide rails are in the picture.
    pub rails: bool,
    /// Length of belt after which its surface repeats.
    pub loop_mm: f64,
}

impl View {
    /// The view of the configured camera.
    pub fn new(config: &Config) -> Self {
        let camera = &config.camera;
        let view = camera.view.as_mm().max(1e-3);
        Self {
            width: camera.width.clamp(16, 4096) as usize,
            height: camera.height.clamp(16, 4096) as usize,
            pixel_mm: view / f64::from(camera.width.clamp(16, 4096)),
            left_mm: camera.position.as_mm() - view / 2.0,
            below_mm: 0.0,
            rails: true,
            loop_mm: 2000.0,
        }
    }

    /// Position of the picture's right border.
    pub fn right_mm(&self) -> f64 {
        self.left_mm + self.width as f64 * self.pixel_mm
    }
}

/// A sprite in the cache.
#[derive(Debug, Default)]
struct Slot {
    part: Option<u64>,
    used: u64,
    sprite: Sprite,
}

/// A part in the present frame: its slot, and the picture's pixel where its sprite begins.
#[derive(Debug, Clone, Copy)]
struct Placed {
    slot: usize,
    left: f64,
    top: i64,
}

/// Renders frames; keeps all its memory.
#[derive(Debug)]
pub struct Renderer {
    view: View,
    seed: u64,
    level: f32,
    exposure_s: f64,
    noise: f32,
    radius: f32,
    fabric: Fabric,
    rails: Rails,
    light: Light,
    painter: Painter,
    picture: Picture,
    slots: Vec<Slot>,
    placed: Vec<Placed>,
    frames: u64,
    line: Vec<f32>,
    sums: Vec<f32>,
    /// Numbers from the normal distribution.
    grain: Vec<f32>,
}

/// Numbers in the noise table beyond one row.
const GRAIN: usize = 1 << 14;

impl Renderer {
    /// A renderer of `belt` as configured, seen through `view`.
    pub fn new(config: &Config, belt: &Belt, view: View) -> Self {
        let simulation = &config.simulation;
        let seed = simulation.seed;
        let grid = Grid { width: view.width, height: view.height, pixel_mm: view.pixel_mm as f32 };
        let level = f32::from(simulation.belt_grey);
        let radius = (belt.part_length() / 2.0 / view.pixel_mm).max(2.0) as f32;
        let mut dice = Dice::new(seed, Purpose::Noise, 0);
        let in_view =
            belt.parts_between(1e6, view.left_mm, view.right_mm() + belt.part_length() * 1.5).count();
        let slots =
            std::iter::repeat_with(|| Slot { sprite: Sprite::with_capacity(radius), ..Slot::default() });
        Self {
            view,
            seed,
            level,
            exposure_s: simulation.exposure.as_s().max(0.0),
            noise: simulation.noise as f32,
            radius,
            fabric: Fabric::weave(seed, &grid, view.loop_mm as f32, level),
            rails: if view.rails { Rails::roll(seed, &grid, level) } else { Rails::default() },
            light: Light::roll(seed, &grid, simulation.light_drift.as_fraction() as f32),
            painter: Painter::default(),
            picture: Picture::default(),
            slots: slots.take(in_view + 2).collect(),
            placed: Vec::with_capacity(in_view + 2),
            frames: 0,
            line: Vec::new(),
            sums: Vec::new(),
            grain: std::iter::repeat_with(|| dice.normal()).take(GRAIN + view.width).collect(),
        }
    }

    /// Middle of a part in the picture, in pixels, when the belt has moved so far.
    pub fn place(&self, part: &Part, travel_mm: f64) -> (f64, f64) {
        let x = (travel_mm - part.at_mm - self.view.left_mm) / self.view.pixel_mm;
        let y = self.view.height as f64 / 2.0 + (part.across_mm - self.view.below_mm) / self.view.pixel_mm;
        (x, y)
    }

    /// Half of `line.part_length` in pixels.
    pub fn radius(&self) -> f32 {
        self.radius
    }

    /// Fills size, format and pixels of `frame` with the view `seconds` after the start of the belt. Parts for
    /// which `gone` says yes are not there. Allocates nothing once warm, unless `pictures` does.
    pub fn render(
        &mut self,
        belt: &Belt,
        seconds: f64,
        frame: &mut Frame,
        pictures: &mut dyn PartPictures,
        gone: &dyn Fn(&Part) -> bool,
    ) {
        let View { width, height, .. } = self.view;
        (frame.width, frame.height, frame.format) = (width, height, PixelFormat::Grey8);
        frame.pixels.resize(width * height, 0);
        let travel = belt.travel_mm(seconds);
        self.frames += 1;
        self.place_parts(belt, travel, pictures, gone);
        let blurred_mm = belt.travel_mm(seconds + self.exposure_s) - travel;
        let blur = Blur::new((blurred_mm / self.view.pixel_mm) as f32, width);
        let level = self.light.level(seconds);
        let first = (self.view.left_mm - travel) / self.view.pixel_mm - blur.margin as f64;
        let mut grain = mix(self.seed ^ mix(seconds.to_bits()));
        self.line.resize(width + 2 * blur.margin, 0.0);
        self.sums.resize(width + 2 * blur.margin + 1, 0.0);
        for (row, out) in frame.pixels.chunks_exact_mut(width).enumerate() {
            if let Some(rail) = self.rails.row(row, height) {
                self.line.iter_mut().zip(rail).for_each(|(line, &grey)| *line = f32::from(grey));
            } else {
                self.fabric.row(row, first, &mut self.line);
                for placed in &self.placed {
                    lay(&self.slots[placed.slot].sprite, placed, row, blur.margin, &mut self.line);
                }
                blur.apply(&mut self.line, &mut self.sums);
            }
            grain = mix(grain);
            let grain = &self.grain[grain as usize % GRAIN..][..width];
            let (across, down) = self.light.row(row);
            for (((out, &line), &across), &grain) in out.iter_mut().zip(&self.line).zip(across).zip(grain) {
                let lit = line * level * (across + down);
                // Part of a camera's noise grows with the light, part does not.
                let noise = self.noise * (0.4 + 0.004 * lit) * grain;
                *out = (lit + noise + 0.5) as u8;
            }
        }
    }

    fn place_parts(
        &mut self,
        belt: &Belt,
        travel: f64,
        pictures: &mut dyn PartPictures,
        gone: &dyn Fn(&Part) -> bool,
    ) {
        let half_mm = side_for(self.radius) as f64 / 2.0 * self.view.pixel_mm;
        let (from, to) = (self.view.left_mm - half_mm, self.view.right_mm() + half_mm);
        self.placed.clear();
        for part in belt.parts_between(travel, from, to).filter(|part| !gone(part)) {
            let slot = self.slot(belt, &part, pictures);
            let (x, y) = self.place(&part, travel);
            let half = self.slots[slot].sprite.side as f64 / 2.0;
            self.placed.push(Placed { slot, left: x - half, top: (y - half).round() as i64 });
        }
    }

    /// The slot that holds a part's sprite; the one not used for longest is taken if none does.
    fn slot(&mut self, belt: &Belt, part: &Part, pictures: &mut dyn PartPictures) -> usize {
        if let Some(found) = self.slots.iter().position(|slot| slot.part == Some(part.index)) {
            self.slots[found].used = self.frames;
            return found;
        }
        let oldest = (0..self.slots.len()).min_by_key(|&i| self.slots[i].used).unwrap_or(0);
        let slot = &mut self.slots[oldest];
        (slot.part, slot.used) = (Some(part.index), self.frames);
        match part.picture {
            Some(index) if pictures.load(index, &mut self.picture) => {
                picture::lay(&self.picture, self.radius, self.level, &mut slot.sprite);
            }
            Some(_) => {
                let good = Part { picture: None, truth: Truth::Ok, ..*part };
                draw(&mut self.painter, belt, &good, self.radius, self.light.from, &mut slot.sprite);
            }
            None => draw(&mut self.painter, belt, part, self.radius, self.light.from, &mut slot.sprite),
        }
        oldest
    }
}

fn draw(painter: &mut Painter, belt: &Belt, part: &Part, radius: f32, light: f32, sprite: &mut Sprite) {
    painter.draw(belt.seed(), part.index, &belt.defects(part), radius, light, sprite);
}

/// Lays one row of a sprite over a row of belt that begins `margin` pixels left of the picture.
fn lay(sprite: &Sprite, placed: &Placed, row: usize, margin: usize, line: &mut [f32]) {
    let Ok(sprite_row) = usize::try_from(row as i64 - placed.top) else { return };
    if sprite_row >= sprite.side {
        return;
    }
    let rows = sprite_row * sprite.side..(sprite_row + 1) * sprite.side;
    let (keep, add) = (&sprite.keep[rows.clone()], &sprite.add[rows]);
    let left = placed.left + margin as f64;
    let whole = left.floor();
    let right_share = (left - whole) as f32 / ONE;
    let left_share = 1.0 / ONE - right_share;
    // Sprite pixel `s` with its left neighbour makes picture pixel `whole + s`; the borders of a sprite are
    // invisible.
    let start = whole as i64 + 1;
    let skip = usize::try_from(-start).unwrap_or(0);
    let Some(room) = line.len().checked_sub(start.max(0) as usize) else { return };
    let count = (sprite.side - 1).saturating_sub(skip).min(room);
    if count == 0 {
        return;
    }
    let line = &mut line[start.max(0) as usize..][..count];
    let (keep, add) = (&keep[skip..=skip + count], &add[skip..=skip + count]);
    for (i, out) in line.iter_mut().enumerate() {
        let keep = f32::from(keep[i]) * right_share + f32::from(keep[i + 1]) * left_share;
        let add = f32::from(add[i]) * right_share + f32::from(add[i + 1]) * left_share;
        *out = *out * keep + add;
    }
}

/// A running mean along a row: the belt moves while the shutter is open.
struct Blur {
    width: f32,
    /// Pixels needed left and right of the picture.
    margin: usize,
}

impl Blur {
    /// `moved` is how many pixels the belt moves during the exposure; the pixel itself adds its own width.
    fn new(moved: f32, limit: usize) -> Self {
        let width = moved.hypot(1.0).min(limit as f32);
        Self { width, margin: (width / 2.0).ceil() as usize + 1 }
    }

    /// Blurs a row with its margins; the result begins at the row's start. `sums` is one longer than the row.
    fn apply(&self, line: &mut [f32], sums: &mut [f32]) {
        let mut sum = 0.0;
        sums[0] = 0.0;
        for (sum_here, &value) in sums[1..].iter_mut().zip(line.iter()) {
            sum += value;
            *sum_here = sum;
        }
        let (low, high) = (0.5 - self.width / 2.0, 0.5 + self.width / 2.0);
        let offset = |at: f32| ((self.margin as f32 + at.floor()) as usize, at - at.floor());
        let ((low, low_share), (high, high_share)) = (offset(low), offset(high));
        let count = line.len() - 2 * self.margin;
        let mean = 1.0 / self.width;
        let at = |start: usize, share: f32, i: usize, sums: &[f32]| {
            sums[start + i] * (1.0 - share) + sums[start + i + 1] * share
        };
        for (i, out) in line.iter_mut().enumerate().take(count) {
            *out = (at(high, high_share, i, sums) - at(low, low_share, i, sums)) * mean;
        }
    }
}
