//! Alterations of a picture as a line may bring them: light, sharpness, noise, framing, ground. What a stress test is made of.
//!
//! Owns what each alteration does to pixels, and its name. Pure: noise comes from a seed. Must not know files, models or which
//! alterations are tried.

mod draw;
mod pixels;

pub use draw::draw;
pub(crate) use pixels::blur_values;

use std::fmt;

use super::ground::Grounded;
use super::warp::Warp;
use crate::frame::{Frame, PixelFormat};
use crate::kernels::MapSize;

/// Standard deviation of the noise that a camera amplifies together with the picture, in grey levels.
const SENSOR_NOISE: f64 = 2.0;

/// One alteration with its amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Alteration {
    /// None.
    Unchanged,
    /// More or less light on a linear sensor, as a share: 0.4 for 40 % more. White clips.
    Exposure(f64),
    /// Amplification of the camera in decibel (20 dB are a factor of 10), which amplifies a sensor noise of 2 grey levels too.
    Gain(f64),
    /// Exponent of the grey levels, with white as 1: above 1 is darker.
    Gamma(f64),
    /// Gaussian blur; standard deviation as a share of the picture's shorter side.
    Blur(f64),
    /// Noise of each value on its own; standard deviation in grey levels.
    Noise(f64),
    /// The part lies farther right and lower, as shares of width and height.
    Shift(f64, f64),
    /// The part is larger (above 1) or smaller.
    Zoom(f64),
    /// The part is wider and higher by these factors.
    Stretch(f64, f64),
    /// The part is turned clockwise, in degrees.
    Turn(f64),
    /// The ground around the part has this grey level, 0 to 255; see `vision/ground.rs`.
    Ground(u8),
}

impl Alteration {
    /// The kind's stable name in JSON.
    pub const fn kind(self) -> &'static str {
        match self {
            Alteration::Unchanged => "unchanged",
            Alteration::Exposure(_) => "exposure",
            Alteration::Gain(_) => "gain",
            Alteration::Gamma(_) => "gamma",
            Alteration::Blur(_) => "blur",
            Alteration::Noise(_) => "noise",
            Alteration::Shift(..) => "shift",
            Alteration::Zoom(_) => "zoom",
            Alteration::Stretch(..) => "stretch",
            Alteration::Turn(_) => "turn",
            Alteration::Ground(_) => "ground",
        }
    }

    /// Fills `into` with the altered picture `from`, which must be consistent; time stamps and names are not copied. The same `seed`
    /// gives the same noise. A picture smaller than the alteration needs stays as it is.
    ///
    /// # Panics
    /// When `from` is not consistent, see [`Frame::is_consistent`].
    pub fn apply(self, seed: u64, from: &Frame, into: &mut Frame) {
        (into.width, into.height, into.format) = (from.width, from.height, from.format);
        into.pixels.clone_from(&from.pixels);
        let side = from.width.min(from.height) as f64;
        match self {
            Alteration::Unchanged => {}
            Alteration::Exposure(share) => pixels::map(&mut into.pixels, |light| light * (1.0 + share)),
            Alteration::Gain(decibel) => {
                let factor = 10f64.powf(decibel / 20.0);
                pixels::map(&mut into.pixels, |light| light * factor);
                let added = (factor * factor - 1.0).max(0.0).sqrt() * SENSOR_NOISE;
                pixels::noise(&mut into.pixels, added, seed);
            }
            Alteration::Gamma(exponent) => pixels::map(&mut into.pixels, |light| light.powf(exponent)),
            Alteration::Blur(share) => pixels::blur(from, share * side, &mut into.pixels),
            Alteration::Noise(deviation) => pixels::noise(&mut into.pixels, deviation, seed),
            Alteration::Shift(..) | Alteration::Zoom(_) | Alteration::Stretch(..) | Alteration::Turn(_) => {
                warp(self.warp(from), from, &mut into.pixels);
            }
            Alteration::Ground(level) => ground(level, from, &mut into.pixels),
        }
    }

    /// How the framing changes: from a place in the altered picture to its source.
    fn warp(self, frame: &Frame) -> Warp {
        let scaled = |x: f64, y: f64| [[(1.0 / x) as f32, 0.0], [0.0, (1.0 / y) as f32]];
        match self {
            Alteration::Shift(x, y) => Warp {
                shift: [-(x * frame.width as f64) as f32, -(y * frame.height as f64) as f32],
                ..Warp::NONE
            },
            Alteration::Zoom(factor) => Warp { turn: scaled(factor, factor), ..Warp::NONE },
            Alteration::Stretch(x, y) => Warp { turn: scaled(x, y), ..Warp::NONE },
            Alteration::Turn(degrees) => {
                let (sin, cos) = degrees.to_radians().sin_cos();
                let (sin, cos) = (sin as f32, cos as f32);
                Warp { turn: [[cos, sin], [-sin, cos]], ..Warp::NONE }
            }
            _ => Warp::NONE,
        }
    }
}

impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:+.0} %", share * 100.0);
        let kind = self.kind();
        match *self {
            Alteration::Unchanged => f.write_str(kind),
            Alteration::Exposure(share) => write!(f, "{kind} {}", percent(share)),
            Alteration::Gain(decibel) => write!(f, "{kind} {decibel:+} dB"),
            Alteration::Gamma(exponent) => write!(f, "{kind} {exponent}"),
            Alteration::Blur(share) => write!(f, "{kind} {} % of the side", share * 100.0),
            Alteration::Noise(deviation) => write!(f, "{kind} {deviation} grey levels"),
            Alteration::Shift(x, 0.0) => write!(f, "{kind} {} right", percent(x)),
            Alteration::Shift(0.0, y) => write!(f, "{kind} {} down", percent(y)),
            Alteration::Shift(x, y) => write!(f, "{kind} {} right, {} down", percent(x), percent(y)),
            Alteration::Zoom(factor) => write!(f, "{kind} {}", percent(factor - 1.0)),
            Alteration::Stretch(x, 1.0) => write!(f, "{kind} {} wide", percent(x - 1.0)),
            Alteration::Stretch(1.0, y) => write!(f, "{kind} {} high", percent(y - 1.0)),
            Alteration::Stretch(x, y) => {
                write!(f, "{kind} {} wide, {} high", percent(x - 1.0), percent(y - 1.0))
            }
            Alteration::Turn(degrees) => write!(f, "{kind} {degrees} degrees"),
            Alteration::Ground(level) => write!(f, "{kind} at grey {level}"),
        }
    }
}

fn warp(warp: Warp, from: &Frame, into: &mut [u8]) {
    let identity: [f32; 256] = std::array::from_fn(|level| level as f32);
    let size = MapSize { height: from.height, width: from.width };
    let mut values = vec![0.0; into.len()];
    match from.format {
        PixelFormat::Grey8 => warp.apply::<1>(size, &from.pixels, &identity, &mut values),
        PixelFormat::Rgb8 => warp.apply::<3>(size, &from.pixels, &identity, &mut values),
    }
    into.iter_mut().zip(values).for_each(|(byte, value)| *byte = value.round() as u8);
}

/// Each channel for itself: a grey ground has the same level in all of them.
fn ground(level: u8, from: &Frame, into: &mut [u8]) {
    let channels = from.format.bytes();
    for channel in 0..channels {
        let mut grey: Vec<u8> = from.pixels.iter().skip(channel).step_by(channels).copied().collect();
        if let Some(grounded) = Grounded::of(&grey, (from.width, from.height)) {
            grounded.change(&mut grey, level);
        }
        into.iter_mut().skip(channel).step_by(channels).zip(grey).for_each(|(to, grey)| *to = grey);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: usize, height: usize, format: PixelFormat, grey: impl Fn(usize, usize) -> u8) -> Frame {
        let pixel = |i: usize| [grey(i % width, i / width); 3].into_iter().take(format.bytes());
        let pixels = (0..width * height).flat_map(pixel).collect();
        Frame { width, height, format, pixels, ..Frame::default() }
    }

    fn altered(alteration: Alteration, from: &Frame) -> Vec<u8> {
        let mut into = Frame::default();
        alteration.apply(3, from, &mut into);
        assert!(into.is_consistent());
        into.pixels
    }

    /// Weighted middle of the dark pixels.
    fn middle(width: usize, pixels: &[u8]) -> (f64, f64) {
        let (mut x, mut y, mut weight) = (0.0, 0.0, 0.0);
        for (i, &pixel) in pixels.iter().enumerate() {
            let dark = f64::from(255 - pixel);
            (x, y, weight) = (x + dark * (i % width) as f64, y + dark * (i / width) as f64, weight + dark);
        }
        (x / weight, y / weight)
    }

    #[test]
    fn framing_moves_the_part_as_it_says() {
        // A dark spot right of the middle of a white picture.
        let spot =
            frame(
                41,
                41,
                PixelFormat::Grey8,
                |x, y| {
                    if x.abs_diff(30) < 3 && y.abs_diff(20) < 3 { 0 } else { 255 }
                },
            );
        for (alteration, (x, y)) in [
            (Alteration::Unchanged, (30.0, 20.0)),
            (Alteration::Shift(0.1, -0.1), (34.1, 15.9)),
            (Alteration::Zoom(1.5), (35.0, 20.0)),
            (Alteration::Stretch(0.8, 1.0), (28.0, 20.0)),
            (Alteration::Stretch(1.0, 0.8), (30.0, 20.0)),
            (Alteration::Turn(90.0), (20.0, 30.0)),
            (Alteration::Turn(-30.0), (20.0 + 10.0 * 0.866, 15.0)),
        ] {
            let found = middle(41, &altered(alteration, &spot));
            assert!((found.0 - x).abs() < 0.15 && (found.1 - y).abs() < 0.15, "{alteration}: {found:?}");
        }
    }

    #[test]
    fn light_is_scaled_and_clips() {
        let ramp = frame(4, 1, PixelFormat::Grey8, |x, _| [0, 51, 102, 255][x]);
        assert_eq!(altered(Alteration::Exposure(0.4), &ramp), [0, 71, 143, 255]);
        assert_eq!(altered(Alteration::Exposure(-0.4), &ramp), [0, 31, 61, 153]);
        assert_eq!(altered(Alteration::Gamma(2.0), &ramp), [0, 10, 41, 255]);
        assert_eq!(altered(Alteration::Gain(-6.0), &ramp), [0, 26, 51, 128]);
    }

    #[test]
    fn noise_and_blur_do_what_their_numbers_say() {
        let flat = frame(100, 100, PixelFormat::Grey8, |_, _| 128);
        let deviation = |pixels: &[u8]| {
            let mean = pixels.iter().map(|&p| f64::from(p)).sum::<f64>() / pixels.len() as f64;
            (pixels.iter().map(|&p| (f64::from(p) - mean).powi(2)).sum::<f64>() / pixels.len() as f64).sqrt()
        };
        let noisy = altered(Alteration::Noise(10.0), &flat);
        assert!((deviation(&noisy) - 10.0).abs() < 0.3);
        assert!(deviation(&altered(Alteration::Noise(0.0), &flat)) == 0.0);
        assert_eq!(noisy, altered(Alteration::Noise(10.0), &flat));
        let mut other = Frame::default();
        Alteration::Noise(10.0).apply(4, &flat, &mut other);
        assert_ne!(noisy, other.pixels);
        assert_eq!(altered(Alteration::Blur(0.02), &flat), flat.pixels);
        let line = frame(100, 100, PixelFormat::Rgb8, |x, _| if x == 50 { 255 } else { 0 });
        let row = &altered(Alteration::Blur(0.02), &line)[300 * 50..][..300];
        // The peak of a Gaussian of 2 pixels is 1 / (2 sqrt(2 pi)), and half of it is left 2.35 pixels away.
        let peak = 255.0 / (2.0 * (2.0 * std::f64::consts::PI).sqrt());
        assert!((f64::from(row[150]) - peak).abs() < 2.0, "{}", row[150]);
        assert_eq!((row[150], row[144]), (row[152], row[156]));
    }

    #[test]
    fn the_ground_changes_and_the_part_does_not() {
        let part = frame(120, 120, PixelFormat::Rgb8, |x, y| {
            let away = (x as f64 - 59.5).hypot(y as f64 - 59.5);
            if away < 50.0 { 200 } else { 120 }
        });
        let white = altered(Alteration::Ground(255), &part);
        assert_eq!((white[0], white[3 * (60 * 120 + 60)]), (255, 200));
        assert_eq!(altered(Alteration::Ground(0), &part)[..3], [0, 0, 0]);
    }

    proptest::proptest! {
        #[test]
        fn no_size_and_no_amount_panics(width in 1usize..40, height in 1usize..40, amount in -3.0..3.0f64, colour: bool) {
            let format = if colour { PixelFormat::Rgb8 } else { PixelFormat::Grey8 };
            let from = frame(width, height, format, |x, y| (x * 31 + y * 17) as u8);
            for alteration in [
                Alteration::Exposure(amount), Alteration::Gain(amount), Alteration::Gamma(amount), Alteration::Blur(amount),
                Alteration::Noise(amount), Alteration::Shift(amount, amount), Alteration::Zoom(amount),
                Alteration::Stretch(amount, 1.0), Alteration::Turn(amount * 90.0), Alteration::Ground(7),
            ] {
                altered(alteration, &from);
            }
        }
    }
}
