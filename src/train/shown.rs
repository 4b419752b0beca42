//! The pictures that a model was shown, for what it takes for familiar.
//!
//! Pure: the same pictures and settings give the same.

use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::augment::{Augment, Change, Kind};
use super::pictures::Pictures;
use crate::vision::ground::Grounded;

/// Ways in which a picture without views is changed.
const CHANGES: usize = 4;

/// Picture `at` in the ways in which a model is shown it: as it is and in its views, or without any, as `augment` changes it.
pub fn shown(pictures: &Pictures, at: usize, augment: &Augment) -> Vec<Vec<u8>> {
    let size = pictures.size();
    let views = (0..pictures.views()).map(|view| pictures.view(at, view).to_vec());
    let mut shown: Vec<Vec<u8>> = views.collect();
    // Views go further than changes do.
    if pictures.views() > 1 {
        return shown;
    }
    let grounded = augment.amount(Kind::Ground) > 0.0;
    let ground = grounded.then(|| Grounded::of(pictures.grey(at), (size.width, size.height))).flatten();
    let mut random = Pcg64::seed_from_u64(at as u64);
    let mut changed = vec![0.0; size.height * size.width];
    for _ in 0..CHANGES {
        let change = Change::draw(augment, &mut random);
        change.apply(size, pictures.grey(at), ground.as_ref(), (0.0, 1.0), &mut changed);
        shown.push(changed.iter().map(|value| (value * 255.0).round() as u8).collect());
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::MapSize;
    use crate::verdict::Truth;

    #[test]
    fn a_picture_is_shown_as_it_is_and_as_training_changes_it() {
        let mut pictures = Pictures::new(MapSize { height: 8, width: 8 });
        pictures.push(&[100; 64], Truth::Ok, None);
        let levels = |text: &str| -> Vec<u8> {
            shown(&pictures, 0, &text.parse().unwrap()).iter().map(|grey| grey[0]).collect()
        };
        assert_eq!(levels("none"), [100; 1 + CHANGES]);
        let lit = levels("none,exposure=0.5");
        assert_eq!((lit[0], lit.len()), (100, 1 + CHANGES));
        assert!(
            lit[1..].iter().any(|level| *level != 100) && lit.iter().all(|level| (50..=150).contains(level))
        );
        assert_eq!(lit, levels("none,exposure=0.5"));
    }
}
