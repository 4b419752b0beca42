//! What the network is shown of a training picture.
//!
//! Pure: everything random follows from the generator that is given.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64;

use super::photographs;
use crate::train::augment::{Augment, Change, Kind};
use crate::train::pictures::Pictures;
use crate::verdict::Truth;
use crate::vision::ground::Grounded;

/// Least weight of a picture beneath that of a good part. What is left of a defect is a fainter one, and must be known too.
const LEAST_WEIGHT: f32 = 0.3;

/// Ways in which a picture without views is changed to say what is familiar.
const CHANGES: usize = 4;

/// Where training pictures come from, and what is done to them.
pub(super) struct Source<'a> {
    pub(super) pictures: &'a Pictures,
    augment: Augment,
    /// Of each picture, where grounds are changed; empty otherwise.
    grounds: Vec<Option<Grounded>>,
    /// The photographs of good parts, and of each the training pictures.
    good: Vec<Vec<usize>>,
    /// `(pixel / 255 - mean) / std`.
    pub(super) normal: (f32, f32),
}

impl<'a> Source<'a> {
    /// `trained` are the pictures that training shows.
    pub(super) fn new(
        pictures: &'a Pictures,
        trained: &[usize],
        augment: Augment,
        normal: (f32, f32),
    ) -> Self {
        let size = (pictures.size().width, pictures.size().height);
        let wanted = if augment.amount(Kind::Ground) > 0.0 { pictures.len() } else { 0 };
        let grounds = (0..wanted).map(|at| Grounded::of(pictures.grey(at), size)).collect();
        Self { pictures, augment, grounds, good: photographs(pictures, trained, Truth::Ok), normal }
    }

    fn ground(&self, at: usize) -> Option<&Grounded> {
        self.grounds.get(at).and_then(Option::as_ref)
    }

    /// Puts picture `at`, changed at random, into `input`.
    pub(super) fn load(&self, at: usize, mut random: impl Rng, input: &mut [f32]) {
        let change = Change::draw(&self.augment, &mut random);
        // Half of the time the picture as it is: that is what it mostly looks like.
        let others = self.pictures.views() - 1;
        let other = if others > 0 && random.random_bool(0.5) { random.random_range(1..=others) } else { 0 };
        let ground = self.ground(at).filter(|_| other == 0);
        change.apply(self.pictures.size(), self.pictures.view(at, other), ground, self.normal, input);
        if random.random_bool(self.augment.amount(Kind::Blend)) {
            self.blend(&mut random, input);
        }
    }

    /// Lays a good part over the picture, as a mean of both: of a good part that gives one that no photograph shows, and of a defective one the
    /// same defect on another part. Of mixup (Zhang and others 2018) it is the half that needs no label between the two.
    fn blend(&self, random: &mut impl Rng, input: &mut [f32]) {
        let Some(&good) = self.good.choose(random).and_then(|pictures| pictures.choose(random)) else {
            return;
        };
        let change = Change::draw(&self.augment, random);
        let mut over = vec![0.0; input.len()];
        change.apply(self.pictures.size(), self.pictures.view(good, 0), None, self.normal, &mut over);
        let weight = random.random_range(LEAST_WEIGHT..1.0);
        for (value, over) in input.iter_mut().zip(over) {
            *value = *value * weight + over * (1.0 - weight);
        }
    }

    /// See [`super::Fit::shown`].
    pub(super) fn shown(&self, at: usize) -> Vec<Vec<u8>> {
        let (pictures, size) = (self.pictures, self.pictures.size());
        let mut shown: Vec<Vec<u8>> =
            (0..pictures.views()).map(|view| pictures.view(at, view).to_vec()).collect();
        // Views go further than changes do.
        if pictures.views() > 1 {
            return shown;
        }
        let mut random = Pcg64::seed_from_u64(at as u64);
        let mut changed = vec![0.0; size.height * size.width];
        for _ in 0..CHANGES {
            let change = Change::draw(&self.augment, &mut random);
            change.apply(size, pictures.grey(at), self.ground(at), (0.0, 1.0), &mut changed);
            shown.push(changed.iter().map(|value| (value * 255.0).round() as u8).collect());
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::MapSize;

    fn loaded(augment: Augment) -> Vec<(f32, f32)> {
        let mut pictures = Pictures::new(MapSize { height: 8, width: 8 });
        pictures.push(&[200; 64], Truth::Ok, None);
        pictures.push(&[100; 64], Truth::Defect, None);
        let source = Source::new(&pictures, &[0, 1], augment, (0.0, 1.0 / 255.0));
        let load = |at, seed| {
            let mut input = vec![0.0; 64];
            source.load(at, Pcg64::seed_from_u64(seed), &mut input);
            assert!(input.iter().all(|value| (value - input[0]).abs() < 0.01), "{input:?}");
            input[0]
        };
        (0..400).map(|seed| (load(0, seed), load(1, seed))).collect()
    }

    #[test]
    fn a_good_part_is_laid_over_a_picture_and_never_hides_it() {
        let near = |value: f32, wanted: f32| (value - wanted).abs() < 0.01;
        let plain = loaded(Augment::NONE);
        assert!(plain.iter().all(|&(good, defective)| near(good, 200.0) && near(defective, 100.0)));
        let blended = loaded("none,blend=0.5".parse().unwrap());
        assert!(blended.iter().all(|&(good, _)| near(good, 200.0)), "good on good is good");
        let untouched = blended.iter().filter(|&&(_, defective)| near(defective, 100.0)).count();
        assert!((150..250).contains(&untouched), "{untouched}");
        let most = blended.iter().map(|&(_, defective)| defective).fold(0.0, f32::max);
        // A weight of 0.3 leaves 100 * 0.3 + 200 * 0.7.
        assert!(most > 160.0 && most <= 170.01, "{most}");
    }

    #[test]
    fn a_picture_is_shown_as_it_is_and_as_training_changes_it() {
        let mut pictures = Pictures::new(MapSize { height: 8, width: 8 });
        pictures.push(&[100; 64], Truth::Ok, None);
        let levels = |text: &str| -> Vec<u8> {
            let source = Source::new(&pictures, &[0], text.parse().unwrap(), (0.5, 0.25));
            source.shown(0).iter().map(|grey| grey[0]).collect()
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
