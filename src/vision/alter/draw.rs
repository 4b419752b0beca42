//! Alterations drawn at random: what a picture may look like at another line, on another day.

use std::ops::Range;

use rand::{Rng, RngExt};

use super::Alteration::{self, Blur, Exposure, Gain, Gamma, Ground, Noise, Shift, Stretch, Turn, Zoom};

/// Alterations of place, light, sharpness and ground, to be made one after another. Ranges are a little wider than those of the stress
/// test, and their ends, which are hardest, are drawn more often than their middles; each group but place is left as it is in a share of
/// cases.
pub fn draw(random: &mut impl Rng) -> Vec<Alteration> {
    let mut drawn = vec![Turn(random.random_range(0.0..360.0))];
    if random.random_bool(0.75) {
        let zoom = to_the_ends(random, 0.84..1.17);
        let stretch = random.random_range(0.91..1.09);
        let (x, y) = (random.random_range(-0.1..0.1), random.random_range(-0.1..0.1));
        drawn.extend([Zoom(zoom), Stretch(stretch, 1.0), Shift(x, y)]);
    }
    if random.random_bool(0.4) {
        drawn.push(Ground(random.random_range(0..=255)));
    }
    match random.random_range(0..10) {
        0..4 => drawn.push(Blur(random.random_range(0.0..0.011))),
        4..7 => drawn.push(Noise(random.random_range(0.0..22.0))),
        _ => {}
    }
    match random.random_range(0..10) {
        0..3 => drawn.push(Exposure(to_the_ends(random, -0.45..0.5))),
        3..6 => drawn.push(Gain(to_the_ends(random, -3.5..6.5))),
        // Evenly by the logarithm: as often darker as brighter.
        6..8 => drawn.push(Gamma(1.75f64.powf(to_the_ends(random, -1.0..1.0)))),
        _ => {}
    }
    drawn
}

/// A number within a range, drawn in proportion to its distance from the middle.
fn to_the_ends(random: &mut impl Rng, range: Range<f64>) -> f64 {
    let (middle, reach) = (f64::midpoint(range.start, range.end), (range.end - range.start) / 2.0);
    let away: f64 = random.random_range(-1.0..1.0);
    middle + reach * away.abs().sqrt().copysign(away)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn every_kind_is_drawn_and_the_same_seed_draws_the_same() {
        let kinds: std::collections::BTreeSet<&str> =
            (0..60).flat_map(|seed| draw(&mut Pcg64::seed_from_u64(seed))).map(Alteration::kind).collect();
        assert_eq!(kinds.len(), 10, "{kinds:?}");
        assert_eq!(draw(&mut Pcg64::seed_from_u64(4)), draw(&mut Pcg64::seed_from_u64(4)));
    }

    #[test]
    fn ends_are_drawn_more_often_than_the_middle() {
        let mut random = Pcg64::seed_from_u64(4);
        let drawn: Vec<f64> = (0..4000).map(|_| to_the_ends(&mut random, 2.0..6.0)).collect();
        assert!(drawn.iter().all(|value| (2.0..6.0).contains(value)));
        // Half of the width lies around the middle; a quarter of the cases falls there.
        let inner = drawn.iter().filter(|&&value| (value - 4.0).abs() < 1.0).count();
        assert!((900..1100).contains(&inner), "{inner}");
    }
}
