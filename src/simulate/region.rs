//! What a shift looks at: the plain pictures take the place of the camera's, and a region of them that of a region of those.
//!
//! Pure. Must not know what the pictures show.

use rand::RngExt;
use rand_pcg::Pcg64;

use super::devices::{HEIGHT, WIDTH};
use crate::config::timing::{BeltView, Timing, looks_needed};
use crate::config::{Config, Region};

/// Frames that a narrowed region leaves a part beyond those that it needs.
const SPARE_LOOKS: f64 = 2.0;
/// The plain pictures have a sharpness of about 10.
const MIN_SHARPNESS: f64 = 4.0;

/// The same line with plain pictures, of which it looks at the same stretch of belt.
pub(super) fn plain(config: &Config) -> Config {
    let mut config = config.clone();
    let camera = &mut config.camera;
    config.preprocess.region = config.preprocess.region.map(|region| {
        let scaled = |at: u32, whole: u32, plain: usize| {
            (f64::from(at) * plain as f64 / f64::from(whole.max(1))).round().min(plain as f64) as u32
        };
        let (from, to) =
            (scaled(region.x, camera.width, WIDTH), scaled(region.x + region.width, camera.width, WIDTH));
        // Parts fill the plain pictures from top to bottom.
        Region { x: from, y: 0, width: to - from, height: HEIGHT as u32 }
    });
    (camera.width, camera.height) = (WIDTH as u32, HEIGHT as u32);
    config.preprocess.min_sharpness = MIN_SHARPNESS;
    config
}

/// Every other shift of a line that looks at the whole view looks at a part of it, where that leaves its parts looks enough: that frames show
/// less belt than the camera sees is as common as that they do not.
pub(super) fn vary(config: &mut Config, seed: u64) {
    let mut random = Pcg64::new(u128::from(seed), 0x4e61);
    if config.preprocess.region.is_some() || random.random::<f64>() < 0.5 {
        return;
    }
    let speed = config.line.speed.as_mm_per_s();
    let looks = (looks_needed(config) + SPARE_LOOKS) * speed / config.camera.rate.as_per_s();
    let pixel = BeltView::of(&config.camera).length_mm / WIDTH as f64;
    let least = ((config.line.part_length.as_mm() + looks) / pixel).ceil() as u32;
    if least >= WIDTH as u32 {
        return;
    }
    let width = random.random_range(least..WIDTH as u32);
    let x = random.random_range(0..=WIDTH as u32 - width);
    let before = config.preprocess.region.replace(Region { x, y: 0, width, height: HEIGHT as u32 });
    // Farther downstream it may leave the gate no time.
    if Timing::of(config).slack < 0.0 {
        config.preprocess.region = before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::timing::looked_at;

    #[test]
    fn a_region_keeps_its_stretch_of_belt_in_plain_pictures() {
        let mut config = Config::default();
        config.preprocess.region = Some(Region { x: 100, y: 20, width: 440, height: 280 });
        let (before, after) = (looked_at(&config), looked_at(&plain(&config)));
        assert!((before.0 - after.0).abs() < 2.6 && (before.1 - after.1).abs() < 2.6, "{before:?} {after:?}");
    }

    #[test]
    fn about_half_of_all_shifts_look_at_a_part_of_the_view_and_all_leave_looks_enough() {
        let mut narrowed = 0;
        for seed in 0..200 {
            let mut config = plain(&Config::default());
            vary(&mut config, seed);
            narrowed += u32::from(config.preprocess.region.is_some());
            let timing = Timing::of(&config);
            assert!(timing.slack >= 0.0 && timing.looks >= 4.0, "{:?}", config.preprocess.region);
        }
        assert!((80..120).contains(&narrowed), "{narrowed}");
    }
}
