//! Finding, cropping and preparing on drawn discs.

use super::*;
use crate::units::{Length, Share};

fn input(width: usize, height: usize, colour: Colour) -> Input {
    Input { width, height, colour, mean: 0.5.into(), std: 0.5.into(), ..Input::default() }
}

/// 2 px a millimetre, parts of 60 mm, belt at 150 with a bright part of its own greys.
fn line() -> Config {
    let mut config = Config::default();
    config.camera.position = Length::mm(200.0);
    config.camera.view = Length::mm(300.0);
    config.line.part_length = Length::mm(60.0);
    config.preprocess.margin = Share::fraction(0.1);
    config
}

fn belt_with(parts: &[(f64, f64)]) -> Frame {
    let (width, height) = (600, 240);
    let mut pixels = vec![150u8; width * height];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        let (x, y) = ((i % width) as f64, (i / width) as f64);
        *pixel += ((i * 7919) % 11) as u8;
        for &(cx, cy) in parts {
            let r = ((x - cx).powi(2) + (y - cy).powi(2)).sqrt();
            if r < 25.0 {
                *pixel = 30;
            } else if r < 60.0 {
                *pixel = 215;
            }
        }
    }
    Frame { width, height, pixels, ..Frame::default() }
}

fn inspect(pre: &mut Preprocessor, frame: &Frame) -> Inspection {
    let mut out = Inspection::default();
    pre.apply(frame, &mut out);
    out
}

#[test]
fn parts_are_found_where_they_are_and_cut_ones_are_not_whole() {
    let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
    let out = inspect(&mut pre, &belt_with(&[(20.0, 120.0), (200.0, 110.0), (400.0, 130.0)]));
    let whole: Vec<bool> = out.sightings.iter().map(|s| s.whole).collect();
    assert_eq!(whole, [false, true, true]);
    assert!((out.sightings[1].centre_mm - 150.0).abs() < 1.5, "{:?}", out.sightings);
    assert!((out.sightings[2].centre_mm - 250.0).abs() < 1.5, "{:?}", out.sightings);
    assert_eq!(out.tensors.len(), 2 * 32 * 32);
}

#[test]
fn an_empty_belt_is_no_inspection_and_lighting_does_not_matter() {
    let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
    assert!(inspect(&mut pre, &belt_with(&[])).sightings.is_empty());
    // Frame after frame a little darker, and no two of them the same.
    for step in 1..=200_u8 {
        let mut dark = belt_with(&[(300.0, 120.0)]);
        dark.pixels.iter_mut().for_each(|p| *p = (f32::from(*p) * (1.0 - 0.002 * f32::from(step))) as u8);
        dark.pixels[0] = step;
        assert_eq!(inspect(&mut pre, &dark).sightings.len(), 1, "{step}");
    }
}

#[test]
fn a_view_full_of_something_else_shows_no_empty_belt_and_other_light_is_usual_after_a_while() {
    let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
    let of = |grey: u8, nth: usize| {
        let mut frame = belt_with(&[]);
        frame.pixels.iter_mut().enumerate().for_each(|(i, p)| *p = grey + (i * 3 % 7) as u8);
        // No two are the same.
        (frame.pixels[0], frame.pixels[1]) = (grey + (nth % 32) as u8, grey + (nth / 32) as u8);
        frame
    };
    assert_eq!(inspect(&mut pre, &belt_with(&[])).unusable, None);
    assert_eq!(inspect(&mut pre, &of(90, 3)).unusable, Some(Reason::BadImage));
    assert_eq!(inspect(&mut pre, &belt_with(&[(300.0, 120.0)])).sightings.len(), 1);
    let lasts = (0..400).take_while(|n| inspect(&mut pre, &of(90, 10 + n)).unusable.is_some()).count();
    assert!((20..200).contains(&lasts), "{lasts}");
}

#[test]
fn two_parts_that_touch_are_not_taken_for_one() {
    let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
    let out = inspect(&mut pre, &belt_with(&[(240.0, 120.0), (362.0, 120.0)]));
    assert!(out.sightings.iter().all(|s| !s.whole), "{:?}", out.sightings);
}

#[test]
fn black_blown_out_and_repeated_frames_are_unusable() {
    let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
    let mut frame = belt_with(&[]);
    assert_eq!(inspect(&mut pre, &frame).unusable, None);
    assert_eq!(inspect(&mut pre, &frame).unusable, Some(Reason::StaleFrame));
    frame.pixels.fill(1);
    assert_eq!(inspect(&mut pre, &frame).unusable, Some(Reason::BadImage));
    frame.pixels.fill(255);
    assert_eq!(inspect(&mut pre, &frame).unusable, Some(Reason::BadImage));
    frame.pixels.pop();
    assert_eq!(inspect(&mut pre, &frame).unusable, Some(Reason::BadImage));
}

#[test]
fn the_last_pictures_in_turn_are_no_new_ones_unless_they_are_files() {
    let of = |at: f64, file: bool| {
        let origin =
            file.then(|| std::sync::Arc::new(crate::frame::Origin { name: "a.png".to_owned(), truth: None }));
        Frame { origin, ..belt_with(&[(at, 120.0)]) }
    };
    let told = |file: bool| -> Vec<bool> {
        let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
        let shown = [300.0, 310.0, 320.0, 300.0, 310.0, 320.0];
        shown.iter().map(|&at| inspect(&mut pre, &of(at, file)).unusable.is_some()).collect()
    };
    assert_eq!(told(false), [false, false, false, true, true, true], "a camera that hangs");
    assert_eq!(told(true), [false; 6], "a folder that begins again");
}

#[test]
fn a_frame_says_which_belt_it_showed() {
    let mut config = line();
    let shown = |config: &Config| {
        inspect(&mut Preprocessor::for_line(config, &input(32, 32, Colour::Grey)), &belt_with(&[])).shown
    };
    assert_eq!(shown(&config), Some((50.0, 350.0)));
    config.preprocess.region = Some(Region { x: 100, y: 0, width: 300, height: 240 });
    assert_eq!(shown(&config), Some((100.0, 250.0)), "2 px a millimetre");
    config.preprocess.find = false;
    assert_eq!(shown(&config), Some((100.0, 250.0)), "whether or not parts are looked for");
    assert_eq!(
        inspect(&mut Preprocessor::for_pictures(&input(32, 32, Colour::Grey)), &belt_with(&[])).shown,
        None
    );
}

#[test]
fn a_region_outside_the_frame_is_unusable_not_a_panic() {
    let mut config = line();
    for region in [(0, 0, 601, 10), (600, 0, 1, 1), (u32::MAX, 0, 2, 2), (0, 0, 0, 5)] {
        let (x, y, width, height) = region;
        config.preprocess.region = Some(Region { x, y, width, height });
        let mut pre = Preprocessor::for_line(&config, &input(16, 16, Colour::Grey));
        assert_eq!(inspect(&mut pre, &belt_with(&[])).unusable, Some(Reason::BadImage), "{region:?}");
    }
}

#[test]
fn the_crop_shows_the_part_with_its_margin() {
    let mut pre = Preprocessor::for_line(&line(), &input(48, 48, Colour::Grey));
    let out = inspect(&mut pre, &belt_with(&[(300.0, 120.0)]));
    let grey = |x: usize, y: usize| (out.tensors[y * 48 + x] * 0.5 + 0.5) * 255.0;
    assert!(grey(24, 24) < 60.0, "dark middle");
    assert!(grey(24, 8) > 190.0 && grey(8, 24) > 190.0, "bright rim");
    assert!((140.0..170.0).contains(&grey(1, 1)), "belt in the corner");
}

#[test]
fn whole_pictures_of_any_format_fill_any_layout() {
    let frame = Frame {
        width: 16,
        height: 8,
        format: PixelFormat::Rgb8,
        pixels: (0..128).flat_map(|at| [if at % 16 < 14 { 255 } else { 55 }, 0, 0]).collect(),
        ..Frame::default()
    };
    let mut planes = Preprocessor::for_pictures(&input(8, 8, Colour::Rgb));
    let out = inspect(&mut planes, &frame);
    assert_eq!(out.tensors.len(), 192);
    assert!(out.tensors[..64].iter().filter(|v| (**v - 1.0).abs() < 1e-2).count() >= 48);
    assert!(out.tensors[64..].iter().all(|v| (v + 1.0).abs() < 1e-2));
    let mut grey = Preprocessor::for_pictures(&input(8, 8, Colour::Grey));
    let luma = inspect(&mut grey, &frame).tensors[0] * 0.5 + 0.5;
    assert!((luma - 76.0 / 255.0).abs() < 0.01, "{luma}");
}

#[test]
fn nothing_is_allocated_once_warm() {
    let mut pre = Preprocessor::for_line(&line(), &input(128, 128, Colour::Grey));
    let frames: Vec<Frame> =
        (0..6).map(|i| belt_with(&[(150.0 + 9.0 * f64::from(i), 120.0), (420.0, 118.0)])).collect();
    let mut out = Inspection::default();
    frames[..3].iter().for_each(|frame| pre.apply(frame, &mut out));
    let info =
        allocation_counter::measure(|| frames[3..].iter().for_each(|frame| pre.apply(frame, &mut out)));
    assert_eq!(out.sightings.len(), 2);
    assert_eq!(info.count_total, 0);
}

proptest::proptest! {
    #[test]
    fn no_picture_panics(width in 1usize..40, height in 1usize..40, seed in 0u32..1000, contrast in 1u8..255) {
        let mut config = line();
        config.preprocess.contrast = contrast;
        let pixels = (0..width * height).map(|i| ((i as u32).wrapping_mul(2_654_435_761).wrapping_mul(seed) >> 24) as u8).collect();
        let frame = Frame { width, height, pixels, ..Frame::default() };
        let mut pre = Preprocessor::for_line(&config, &input(16, 16, Colour::Grey));
        inspect(&mut pre, &frame);
    }
}

#[test]
fn the_first_picture_after_a_frozen_or_black_spell_may_be_an_old_one() {
    let mut pre = Preprocessor::for_line(&line(), &input(32, 32, Colour::Grey));
    let shot = |n: u8| {
        let mut frame = belt_with(&[(300.0, 120.0)]);
        frame.pixels[0] = n;
        frame
    };
    let black = Frame { pixels: vec![0; shot(0).pixels.len()], ..shot(0) };
    let mut told = |frame: &Frame| inspect(&mut pre, frame).unusable;
    assert_eq!(told(&shot(1)), None);
    assert_eq!([told(&shot(1)), told(&shot(2))], [Some(Reason::StaleFrame), None], "a duplicate");
    assert_eq!([told(&shot(2)), told(&shot(2))], [Some(Reason::StaleFrame); 2]);
    assert_eq!([told(&shot(3)), told(&shot(4))], [Some(Reason::StaleFrame), None]);
    assert_eq!(told(&black), Some(Reason::BadImage));
    assert_eq!([told(&shot(5)), told(&shot(6))], [Some(Reason::StaleFrame), None]);
}

#[test]
fn a_part_that_is_cut_out_gives_the_model_what_the_line_gives_it() {
    for colour in [Colour::Grey, Colour::Rgb] {
        let wanted = input(32, 32, colour);
        let mut line = Preprocessor::for_line(&line(), &wanted);
        let out = inspect(&mut line, &belt_with(&[(20.0, 120.0), (200.0, 110.0), (400.0, 130.0)]));
        assert!(line.part(0).is_none(), "it is not whole");
        let part = line.part(2).unwrap();
        assert_eq!((part.width, part.height), (144, 144));
        let of_part = inspect(&mut Preprocessor::for_pictures(&wanted), &part);
        assert_eq!(of_part.tensors, out.tensors[wanted.len()..]);
        assert!(line.part(3).is_none());
    }
    let mut pictures = Preprocessor::for_pictures(&input(8, 8, Colour::Grey));
    assert!(pictures.part(0).is_none(), "nothing was applied");
    let frame = belt_with(&[]);
    inspect(&mut pictures, &frame);
    assert_eq!(pictures.part(0).unwrap().pixels, frame.pixels);
}
