//! Whether a frame can be judged at all: it shows something, it is sharp, and it is not one that was shown before.
//!
//! Every limit of it is here, for `run`, `inspect`, `eval`, `audit` and `train` alike. Whether a picture came again matters only where
//! a camera took it, whose noise never comes again: in a folder a file may lie twice, and both are pictures. Whose frame it is, the frame
//! itself tells (`Frame::origin`). Pure.

use std::fmt;

use crate::frame::{Frame, Prints, print};
use crate::verdict::{Reason, Score};

/// Mean grey of a picture in which anything can be seen.
const LIT: std::ops::RangeInclusive<f64> = 4.0..=251.0;
/// A picture of a part is divided into so many squares to a side, of [`SQUARE`] pixels at least.
const SQUARES: usize = 32;
/// Pixels to a side of a square.
const SQUARE: usize = 4;
/// By so many grey levels at least, a twentieth of the squares at either end left out, the squares of a part's picture differ. The
/// flattest of 9,069 real pictures (castings, magnetic tiles, commutators) has 21; a covered lens has up to 5.
const CONTRAST: f32 = 12.0;
/// The squares' means spread so many times wider than noise from pixel to pixel would spread them. Real pictures: 6 and more; noise, also
/// through JPEG: 1 to 3.
const OVER_NOISE: f32 = 3.0;
/// Neighbours differ by more than this share of what pixels that know nothing of each other would: all of it in noise, a quarter in
/// stripes of four pixels.
const UNLIKE_NEIGHBOURS: f64 = 0.5;
/// A picture that came again so often was no duplicate: the camera hung.
const FROZEN: u32 = 2;

/// Why a frame cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unhealthy {
    /// Its size and its pixels do not agree, or the region lies outside it.
    Size,
    /// Its mean grey.
    Black(f64),
    /// Its mean grey.
    White(f64),
    /// Every pixel has this grey: a sensor always has noise, so it was not taken of anything.
    OneGrey(u8),
    /// So many grey levels of contrast.
    Even(f32),
    /// What differs in it is noise.
    Noise,
    /// No part can be made out in it.
    NoPart,
    /// The camera showed it before.
    Repeated,
    /// The first one after a spell of bad ones: it may be an old one that was not seen well before.
    AfterSpell,
}

impl Unhealthy {
    /// The reason of a part's reject.
    pub const fn reason(self) -> Reason {
        match self {
            Unhealthy::Repeated | Unhealthy::AfterSpell => Reason::StaleFrame,
            _ => Reason::BadImage,
        }
    }
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unhealthy::Size => {
                f.write_str("its size is not that of its pixels, or less than `preprocess.region`")
            }
            Unhealthy::Black(mean) => write!(f, "it is nearly black (mean grey {mean:.1} of 255)"),
            Unhealthy::White(mean) => write!(f, "it is nearly white (mean grey {mean:.1} of 255)"),
            Unhealthy::OneGrey(grey) => write!(f, "every pixel has the same grey ({grey} of 255)"),
            Unhealthy::Even(contrast) => {
                write!(f, "it shows nothing (contrast {contrast:.1} grey levels, {CONTRAST:.0} are needed)")
            }
            Unhealthy::Noise => f.write_str("it shows nothing but noise"),
            Unhealthy::NoPart => f.write_str("it shows no part that can be made out"),
            Unhealthy::Repeated => f.write_str("the camera showed the very same picture before"),
            Unhealthy::AfterSpell => f.write_str("it may be an old picture: it is the first after bad ones"),
        }
    }
}

/// What a healthy picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// A belt, which may be empty: one grey and noise. All frames show the same belt, and it moves: a frame that comes again shows nothing,
    /// whoever gave it.
    Belt,
    /// Parts that are looked for, each frame others.
    Parts,
    /// One part that fills it, taken by a camera or read from a file.
    Part,
    /// One part that fills it, one picture after the other in no order.
    Picture,
}

/// Judges frame after frame.
#[derive(Debug)]
pub(super) struct Health {
    shows: Shows,
    min_sharpness: f32,
    /// The camera's last pictures, as far as the region shows them.
    prints: Prints,
    /// The last file's picture: the same few may be shown in turn on purpose, but a belt does not stand still between two.
    last_file: Option<u64>,
    /// How often the last picture came again, and whether it showed nothing at all.
    repeats: u32,
    was_bad: bool,
    means: Vec<f32>,
}

impl Health {
    pub(super) fn new(shows: Shows, min_sharpness: f64) -> Self {
        let means = Vec::with_capacity(SQUARES * SQUARES);
        let min_sharpness = min_sharpness as f32;
        Self {
            shows,
            min_sharpness,
            prints: Prints::default(),
            last_file: None,
            repeats: 0,
            was_bad: false,
            means,
        }
    }

    /// Why `frame` cannot be judged, if so; `luma` is its region in grey, not empty.
    pub(super) fn of_frame(
        &mut self,
        frame: &Frame,
        luma: &[u8],
        extent: (usize, usize),
    ) -> Option<Unhealthy> {
        let bad = self.of_picture(luma, extent);
        let follows = match self.shows {
            Shows::Belt => true,
            Shows::Parts | Shows::Part => frame.origin.is_none(),
            Shows::Picture => false,
        };
        if !follows {
            return bad;
        }
        // On a belt a bad picture may hide that an old one came again. A single part is exposed by itself, and its neighbour's bad
        // picture says nothing of it.
        let after_spell = self.repeats >= FROZEN || (self.was_bad && self.shows == Shows::Belt);
        self.was_bad = bad.is_some();
        let print = print(luma);
        let again = match frame.origin {
            Some(_) => self.last_file.replace(print) == Some(print),
            None => self.prints.repeats(print) || frame.repeated,
        };
        if again {
            self.repeats += 1;
            return Some(Unhealthy::Repeated);
        }
        self.repeats = 0;
        bad.or(after_spell.then_some(Unhealthy::AfterSpell))
    }

    /// Why nothing can be seen in a picture, if so.
    pub(super) fn of_picture(&mut self, luma: &[u8], extent: (usize, usize)) -> Option<Unhealthy> {
        let first = *luma.first()?;
        let sum: u64 = luma.iter().map(|&grey| u64::from(grey)).sum();
        let mean = sum as f64 / luma.len() as f64;
        let dark = mean < f64::midpoint(*LIT.start(), *LIT.end());
        let unlit = if dark { Unhealthy::Black(mean) } else { Unhealthy::White(mean) };
        if !LIT.contains(&mean) {
            return Some(unlit);
        }
        if luma.iter().all(|&grey| grey == first) {
            return Some(Unhealthy::OneGrey(first));
        }
        if matches!(self.shows, Shows::Belt | Shows::Parts) {
            return None;
        }
        let Squares { contrast, spread, noise } = self.squares(luma, extent);
        if contrast < CONTRAST {
            // What is darker or brighter than this as a whole has lost its contrast there.
            let lost = !(f64::from(CONTRAST)..=255.0 - f64::from(CONTRAST)).contains(&mean);
            return Some(if lost { unlit } else { Unhealthy::Even(contrast) });
        }
        // A fine pattern spreads its squares no wider, but its pixels are like their neighbours.
        let noisy =
            spread < OVER_NOISE * noise && unlike_neighbours(luma, extent.0, mean) > UNLIKE_NEIGHBOURS;
        noisy.then_some(Unhealthy::Noise)
    }

    /// Why the model needs not be asked about a part that was cut out as it wants it, if so: it cannot be made out, is blurred, or unlike
    /// anything that was trained on.
    pub(super) fn of_part(
        &self,
        made_out: bool,
        sharpness: f32,
        unlike: Option<f32>,
    ) -> Option<Result<Score, Reason>> {
        if !made_out {
            return Some(Err(Reason::BadImage));
        }
        if sharpness < self.min_sharpness {
            return Some(Err(Reason::Blurred));
        }
        unlike.filter(|unlike| *unlike > 1.0).map(|_| Err(Reason::Unfamiliar))
    }

    fn squares(&mut self, luma: &[u8], (width, height): (usize, usize)) -> Squares {
        let count = |side: usize| (side / SQUARE).clamp(1, SQUARES);
        let (across, down) = (count(width), count(height));
        let (wide, high) = ((width / across).max(1), (height / down).max(1));
        let pixels = (wide * high) as f64;
        self.means.clear();
        let mut within = 0.0;
        for row in 0..down {
            for column in 0..across {
                let (mut sum, mut square) = (0u64, 0u64);
                for line in luma.chunks_exact(width).skip(row * high).take(high) {
                    for &grey in &line[column * wide..(column + 1) * wide] {
                        let grey = u64::from(grey);
                        sum += grey;
                        square += grey * grey;
                    }
                }
                let mean = sum as f64 / pixels;
                within += (square as f64 / pixels - mean * mean).max(0.0);
                self.means.push(mean as f32);
            }
        }
        self.means.sort_unstable_by(f32::total_cmp);
        let squares = self.means.len() as f32;
        let mean = self.means.iter().sum::<f32>() / squares;
        let variance = self.means.iter().map(|square| (square - mean).powi(2)).sum::<f32>() / squares;
        let twentieth = self.means.len() / 20;
        Squares {
            contrast: self.means[self.means.len() - 1 - twentieth] - self.means[twentieth],
            spread: variance.sqrt(),
            noise: (within / f64::from(squares) / pixels).sqrt() as f32,
        }
    }
}

/// How much neighbours differ, along the rows or across, whichever is less: the mean square difference as a share of twice the variance.
fn unlike_neighbours(luma: &[u8], width: usize, mean: f64) -> f64 {
    let square = |a: u8, b: u8| u64::from(a.abs_diff(b)).pow(2);
    let along: u64 =
        luma.chunks_exact(width).flat_map(|row| row.windows(2)).map(|two| square(two[0], two[1])).sum();
    let across: u64 = luma.iter().zip(luma.iter().skip(width)).map(|(&a, &b)| square(a, b)).sum();
    let spread: f64 = luma.iter().map(|&grey| (f64::from(grey) - mean).powi(2)).sum();
    along.min(across) as f64 / (2.0 * spread).max(1.0)
}

/// What the squares of a picture say, in grey levels.
#[derive(Debug, Clone, Copy)]
struct Squares {
    /// From the darkest to the brightest mean, a twentieth left out at either end.
    contrast: f32,
    /// Standard deviation of the means.
    spread: f32,
    /// That which the means would have if pixels differed by noise alone.
    noise: f32,
}

#[cfg(test)]
mod tests;
