//! Pictures that show nothing, pictures that come again, and real ones.

use std::sync::Arc;

use super::*;
use crate::frame::Origin;
use proptest::prelude::*;

const SIZE: (usize, usize) = (300, 200);

/// Noise of about this standard deviation around a grey: the sum of four even numbers.
fn noise(grey: f64, deviation: f64, seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed) << 1 | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    // Four even numbers spread by the root of a third.
    let mut one = || (grey + deviation * 1.732 * (next() + next() + next() + next() - 2.0)).round() as u8;
    (0..SIZE.0 * SIZE.1).map(|_| one()).collect()
}

/// A disc on a ground, with noise; `depth` is the difference of their greys.
fn part(depth: f64, deviation: f64, seed: u32) -> Vec<u8> {
    let mut picture = noise(60.0, deviation, seed);
    for (at, grey) in picture.iter_mut().enumerate() {
        let (x, y) = ((at % SIZE.0) as f64 - 150.0, (at / SIZE.0) as f64 - 100.0);
        if x.hypot(y) < 90.0 {
            *grey = grey.saturating_add(depth as u8);
        }
    }
    picture
}

fn health(shows: Shows) -> Health {
    Health::new(shows, 1.0)
}

fn seen(picture: &[u8]) -> Option<Unhealthy> {
    health(Shows::Picture).of_picture(picture, SIZE)
}

fn reason(health: &mut Health, frame: &Frame) -> Option<Reason> {
    health.of_frame(frame, &frame.pixels, SIZE).map(Unhealthy::reason)
}

fn frame(pixels: Vec<u8>) -> Frame {
    Frame { width: SIZE.0, height: SIZE.1, pixels, ..Frame::default() }
}

fn file(pixels: Vec<u8>) -> Frame {
    let origin = Some(Arc::new(Origin { name: "a.png".to_owned(), truth: None }));
    Frame { origin, ..frame(pixels) }
}

proptest! {
    /// Whatever the grey and the noise of a lens cap are.
    #[test]
    fn a_picture_of_nothing_is_bad_in_any_light(grey in 0.0..255.0f64, deviation in 0.0..40.0f64, seed: u32) {
        prop_assert!(seen(&noise(grey, deviation, seed)).is_some());
    }

    #[test]
    fn a_part_is_seen_in_poor_light_and_noise(depth in 20.0..180.0f64, deviation in 0.0..15.0f64, seed: u32) {
        prop_assert_eq!(seen(&part(depth, deviation, seed)), None);
    }

    #[test]
    fn any_picture_of_any_size_is_judged(width in 1usize..90, height in 1usize..90, pixels: Vec<u8>) {
        let luma: Vec<u8> = pixels.into_iter().chain([7]).cycle().take(width * height).collect();
        for shows in [Shows::Belt, Shows::Parts, Shows::Part, Shows::Picture] {
            let _ = health(shows).of_picture(&luma, (width, height));
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let told = |picture: &[u8]| seen(picture).map(|why| why.to_string()).unwrap_or_default();
    assert_eq!(told(&[3; 60_000]), "it is nearly black (mean grey 3.0 of 255)");
    assert_eq!(told(&[255; 60_000]), "it is nearly white (mean grey 255.0 of 255)");
    assert_eq!(told(&[128; 60_000]), "every pixel has the same grey (128 of 255)");
    assert!(told(&noise(128.0, 4.0, 1)).starts_with("it shows nothing (contrast "));
    assert!(told(&noise(9.0, 2.0, 1)).starts_with("it is nearly black (mean grey 9."));
    assert!(told(&noise(128.0, 60.0, 1)).starts_with("it shows nothing but noise"));
}

#[test]
fn a_fine_pattern_is_no_noise() {
    for stripe in 3..12 {
        let pattern =
            |at: usize| if (at % SIZE.0 / stripe + at / SIZE.0 / 9).is_multiple_of(2) { 30 } else { 220 };
        let told = seen(&(0..60_000).map(pattern).collect::<Vec<u8>>());
        assert_ne!(told, Some(Unhealthy::Noise), "{stripe}");
    }
}

#[test]
fn an_empty_belt_is_healthy() {
    for shows in [Shows::Belt, Shows::Parts] {
        assert_eq!(health(shows).of_picture(&noise(120.0, 2.0, 1), SIZE), None);
        assert_eq!(health(shows).of_picture(&[120; 60_000], SIZE), Some(Unhealthy::OneGrey(120)));
        assert!(health(shows).of_picture(&noise(2.0, 1.0, 1), SIZE).is_some());
    }
}

#[test]
fn a_camera_that_shows_its_last_pictures_again_is_stale_and_so_is_the_first_new_one() {
    for shows in [Shows::Belt, Shows::Parts, Shows::Part] {
        let shot = |n: u32| frame(part(100.0, 3.0, n));
        let mut health = health(shows);
        assert_eq!(reason(&mut health, &shot(1)), None);
        let twice = reason(&mut health, &shot(1));
        assert_eq!((twice, reason(&mut health, &shot(2))), (Some(Reason::StaleFrame), None), "a duplicate");
        // The driver's buffers in turn.
        let turn = [3, 4, 5, 3, 4, 5, 3].map(|n| reason(&mut health, &shot(n)));
        assert_eq!(turn, [[None; 3].as_slice(), &[Some(Reason::StaleFrame); 4]].concat()[..]);
        assert_eq!([6, 7].map(|n| reason(&mut health, &shot(n))), [Some(Reason::StaleFrame), None]);
        let dropped = Frame { repeated: true, ..shot(8) };
        assert_eq!(reason(&mut health, &dropped), Some(Reason::StaleFrame), "like one that the line dropped");
    }
}

#[test]
fn a_file_that_comes_again_is_another_picture_unless_it_shows_a_belt_that_moves() {
    let shot = || file(part(100.0, 3.0, 1));
    for shows in [Shows::Parts, Shows::Part, Shows::Picture] {
        let mut health = health(shows);
        assert!((0..5).all(|_| reason(&mut health, &shot()).is_none()));
        assert_eq!(reason(&mut health, &file(vec![0; 60_000])), Some(Reason::BadImage));
        assert_eq!(reason(&mut health, &shot()), None, "it does not answer for its neighbour");
    }
    let mut health = health(Shows::Belt);
    let again = [reason(&mut health, &shot()), reason(&mut health, &shot())];
    assert_eq!(again, [None, Some(Reason::StaleFrame)]);
}

#[test]
fn a_bad_picture_of_a_single_part_says_nothing_of_the_next_one() {
    let black = || frame(noise(1.0, 1.0, 9));
    for (shows, after) in [(Shows::Part, None), (Shows::Belt, Some(Reason::StaleFrame))] {
        let mut health = health(shows);
        assert_eq!(reason(&mut health, &black()), Some(Reason::BadImage));
        assert_eq!(reason(&mut health, &frame(part(100.0, 3.0, 1))), after);
    }
}

#[test]
fn a_part_is_made_out_sharp_and_familiar_in_this_order() {
    let of = |made_out, sharpness, unlike| health(Shows::Part).of_part(made_out, sharpness, unlike);
    assert_eq!(of(false, 0.0, Some(2.0)), Some(Err(Reason::BadImage)));
    assert_eq!(of(true, 0.9, Some(2.0)), Some(Err(Reason::Blurred)));
    assert_eq!(of(true, 1.0, Some(1.1)), Some(Err(Reason::Unfamiliar)));
    assert_eq!([of(true, 1.0, Some(1.0)), of(true, 9.0, None)], [None; 2]);
}
