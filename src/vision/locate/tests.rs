//! Rails, seams, and parts that reach over a side of the belt.

use super::*;

const SIZE: (usize, usize) = (320, 160);
const SCALE: Scale = Scale { part_px: 80.0, tolerance: 0.25, contrast: 24 };

/// A grey belt between two dark rails, with a bright disc at `centre`.
fn belt(centre: (f64, f64)) -> Vec<u8> {
    let grey = |x: usize, y: usize| {
        let away = (x as f64 - centre.0).hypot(y as f64 - centre.1);
        match y {
            3..=5 | 154..=156 => 70,
            _ if away < 40.0 => 220,
            _ => 150 + (x * 7 + y * 3) as u8 % 5,
        }
    };
    (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y))).map(|(x, y)| grey(x, y)).collect()
}

fn find(pixels: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    Locator::default().find(pixels, SIZE, &SCALE, &mut found);
    found
}

#[test]
fn a_seam_from_a_rail_to_a_part_makes_no_one_thing_of_them() {
    let mut pixels = belt((160.0, 80.0));
    for y in 3..80 {
        for x in 158..161 {
            pixels[y * SIZE.0 + x] = 100;
        }
    }
    let found = find(&pixels);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].whole && (found[0].centre.0 - 160.0).abs() < 2.0, "{found:?}");
}

#[test]
fn a_part_that_reaches_over_a_side_of_the_belt_is_neither_whole_nor_cut() {
    for y in [20.0, 140.0] {
        let found = find(&belt((160.0, y)));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(!found[0].whole && !found[0].cut, "no later frame shows more of it: {found:?}");
    }
}

#[test]
fn a_part_that_enters_the_view_is_cut_and_one_within_it_whole() {
    let kind = |x: f64| find(&belt((x, 80.0))).iter().map(|f| (f.whole, f.cut)).collect::<Vec<_>>();
    assert_eq!(kind(20.0), [(false, true)]);
    assert_eq!(kind(160.0), [(true, false)]);
    assert_eq!(kind(300.0), [(false, true)]);
}
