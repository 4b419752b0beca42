//! Which pictures are trained on, which the best epoch is chosen by, and which are kept back to test on.
//!
//! Owns the rule that pictures of one photograph are never on two sides: else a test would ask for what was learnt by heart.

use std::collections::{HashMap, HashSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use super::pictures::Pictures;
use crate::audit::groups::Groups;
use crate::verdict::Truth;

/// Which pictures are trained on and by which the best epoch is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To train on, in the order of the collection.
    pub train: Vec<usize>,
    /// To choose by.
    pub validation: Vec<usize>,
    /// Pictures that repeat another pixel for pixel.
    pub repeats: usize,
    /// Pictures that repeat another of the other class: one of the two labels is wrong.
    pub conflicts: usize,
}

/// What a split keeps on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Together {
    /// Pictures of one photograph, as far as photographs are known, and those that are the same pixel for pixel.
    Photographs,
    /// Only those that are the same pixel for pixel: every photograph is trained on, and validation measures memory.
    Pixels,
}

impl Split {
    /// Keeps about `share` (0 to 1) of each class for validation, at random by `seed`. Photographs stay together.
    pub fn new(pictures: &Pictures, share: f64, seed: u64) -> Self {
        Self::among(pictures, &(0..pictures.len()).collect::<Vec<_>>(), share, seed, Together::Photographs)
    }

    /// The same for a part of the collection, given in its order.
    pub fn among(pictures: &Pictures, among: &[usize], share: f64, seed: u64, together: Together) -> Self {
        let mut first_of: HashMap<&[u8], usize> = HashMap::new();
        let (mut repeats, mut conflicts) = (0, 0);
        for &at in among {
            let first = *first_of.entry(pictures.grey(at)).or_insert(at);
            repeats += usize::from(first != at);
            conflicts += usize::from(pictures.truth(at) != pictures.truth(first));
        }
        let units = units(pictures, among, together);
        let mut random = Pcg64::seed_from_u64(seed);
        let (mut train, mut validation) = (Vec::new(), Vec::new());
        for class in [Truth::Ok, Truth::Defect] {
            let mut of_class: Vec<&Vec<usize>> =
                units.iter().filter(|unit| pictures.class(unit) == class).collect();
            of_class.shuffle(&mut random);
            let total: usize = of_class.iter().map(|unit| unit.len()).sum();
            let wanted = (total as f64 * share).round() as usize;
            // A photograph goes where it brings the number nearer to the wanted one; at least one is kept where there are two.
            let mut kept = 0;
            let fits = |kept: usize, unit: &Vec<usize>| 2 * kept + unit.len() <= 2 * wanted;
            let smallest = of_class.iter().copied().min_by_key(|unit| unit.len());
            let none_fits = of_class.len() > 1 && !of_class.iter().any(|unit| fits(0, unit));
            for unit in of_class {
                let keep = if none_fits { kept == 0 && smallest == Some(unit) } else { fits(kept, unit) };
                kept += if keep { unit.len() } else { 0 };
                if keep { &mut validation } else { &mut train }.extend_from_slice(unit);
            }
        }
        train.sort_unstable();
        validation.sort_unstable();
        Self { train, validation, repeats, conflicts }
    }

    /// Validation pictures whose photograph is trained on too; `None` where photographs are not known.
    pub fn leaks(&self, pictures: &Pictures) -> Option<usize> {
        leaks(pictures, &self.train, &self.validation)
    }
}

/// How many of the pictures `tested` show a photograph of one of `trained`; `None` where photographs are not known.
pub fn leaks(pictures: &Pictures, trained: &[usize], tested: &[usize]) -> Option<usize> {
    let groups = |of: &[usize]| of.iter().map(|&at| pictures.group(at)).collect::<Option<Vec<u64>>>();
    let trained: HashSet<u64> = groups(trained)?.into_iter().collect();
    Some(groups(tested)?.into_iter().filter(|group| trained.contains(group)).count())
}

/// The pictures in `count` parts, at random by `seed`; no photograph is in two of them. Each part has as many photographs of each class as
/// the others, give or take one, large and small ones alike, and is in the order of the collection.
pub fn folds(pictures: &Pictures, count: usize, seed: u64) -> Vec<Vec<usize>> {
    let units = units(pictures, &(0..pictures.len()).collect::<Vec<_>>(), Together::Photographs);
    let mut random = Pcg64::seed_from_u64(seed);
    let mut folds = vec![Vec::new(); count.max(1)];
    for class in [Truth::Ok, Truth::Defect] {
        let mut of_class: Vec<&Vec<usize>> =
            units.iter().filter(|unit| pictures.class(unit) == class).collect();
        of_class.sort_by_key(|unit| std::cmp::Reverse(unit.len()));
        // Dealt round by round, the large ones first. Evening out the pictures alone would heap small photographs into one part; those that
        // have few copies may be of another kind, which the other parts would then not know.
        let mut pictures_in = vec![0; folds.len()];
        for round in of_class.chunks_mut(folds.len()) {
            round.shuffle(&mut random);
            let mut parts: Vec<usize> = (0..folds.len()).collect();
            if round.len() < folds.len() {
                parts.sort_by_key(|&part| pictures_in[part]);
            }
            for (&part, unit) in parts.iter().zip(round.iter()) {
                pictures_in[part] += unit.len();
                folds[part].extend_from_slice(unit);
            }
        }
    }
    folds.iter_mut().for_each(|fold| fold.sort_unstable());
    folds
}

/// Pictures that must stay together.
fn units(pictures: &Pictures, among: &[usize], kept: Together) -> Vec<Vec<usize>> {
    let mut together = Groups::new(among.len());
    let (mut pixels, mut photographs) = (HashMap::new(), HashMap::new());
    for (place, &at) in among.iter().enumerate() {
        together.join(*pixels.entry(pictures.grey(at)).or_insert(place), place);
        if let Some(group) = pictures.group(at).filter(|_| kept == Together::Photographs) {
            together.join(*photographs.entry(group).or_insert(place), place);
        }
    }
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut unit_of = HashMap::new();
    for (place, first) in together.firsts().into_iter().enumerate() {
        let unit = *unit_of.entry(first).or_insert(units.len());
        if unit == units.len() {
            units.push(Vec::new());
        }
        units[unit].push(among[place]);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::MapSize;

    fn collection() -> Pictures {
        let mut pictures = Pictures::new(MapSize { height: 1, width: 2 });
        for i in 0..100u8 {
            pictures.push(&[i / 2, 0], if i % 4 < 2 { Truth::Ok } else { Truth::Defect }, None);
        }
        pictures.push(&[0, 0], Truth::Defect, None);
        pictures
    }

    #[test]
    fn a_split_keeps_classes_in_proportion_and_repeats_together() {
        let pictures = collection();
        let split = Split::new(&pictures, 0.2, 1);
        assert_eq!((split.repeats, split.conflicts), (51, 1));
        assert_eq!(split.train.len() + split.validation.len(), 101);
        assert!((10..=12).contains(&pictures.count(&split.validation, Truth::Ok)));
        assert!((10..=12).contains(&pictures.count(&split.validation, Truth::Defect)));
        for &at in &split.validation {
            assert!(split.train.iter().all(|&other| pictures.grey(other) != pictures.grey(at)));
        }
        assert_eq!(split, Split::new(&pictures, 0.2, 1));
        assert_ne!(split, Split::new(&pictures, 0.2, 2));
        assert_eq!(split.leaks(&pictures), None);
    }

    /// `sizes` photographs with so many pictures each, the even ones of good parts.
    fn photographs(sizes: &[usize]) -> Pictures {
        let mut pictures = Pictures::new(MapSize { height: 1, width: 2 });
        for (group, &size) in sizes.iter().enumerate() {
            let truth = if group % 2 == 0 { Truth::Ok } else { Truth::Defect };
            for copy in 0..size {
                pictures.push(&[group as u8, copy as u8], truth, Some(group as u64));
            }
        }
        pictures
    }

    #[test]
    fn a_photograph_is_never_on_both_sides() {
        let pictures = photographs(&[30, 30, 7, 5, 9, 20, 3, 1, 12, 2, 8, 8, 40, 6]);
        for seed in 0..20 {
            let split = Split::new(&pictures, 0.2, seed);
            assert_eq!(split.leaks(&pictures), Some(0));
            assert!(pictures.count(&split.validation, Truth::Ok) > 0);
            assert!(pictures.count(&split.validation, Truth::Defect) > 0);
        }
        let two_each = photographs(&[50, 50, 60, 60]);
        let split = Split::new(&two_each, 0.2, 1);
        assert_eq!((split.validation.len(), split.leaks(&two_each)), (100, Some(0)));
        assert_eq!(leaks(&two_each, &[0, 1], &[2, 3, 60]), Some(2));
    }

    #[test]
    fn every_photograph_is_trained_on_where_that_is_asked_for() {
        let pictures = photographs(&[30, 30, 20, 20]);
        let split = Split::among(&pictures, &(0..100).collect::<Vec<_>>(), 0.2, 1, Together::Pixels);
        assert_eq!((split.train.len(), split.validation.len()), (80, 20));
        assert_eq!(split.leaks(&pictures), Some(20));
    }

    #[test]
    fn folds_share_no_photograph_and_hold_every_picture_once() {
        let pictures = photographs(&[300, 30, 7, 5, 290, 20, 3, 1, 120, 2, 8, 8, 40, 6, 5, 5]);
        for seed in 0..20 {
            let folds = folds(&pictures, 3, seed);
            let mut all: Vec<usize> = folds.concat();
            all.sort_unstable();
            assert_eq!(all, (0..pictures.len()).collect::<Vec<_>>());
            for (at, fold) in folds.iter().enumerate() {
                let others: Vec<usize> = (0..3).filter(|&i| i != at).flat_map(|i| folds[i].clone()).collect();
                assert_eq!(leaks(&pictures, &others, fold), Some(0));
            }
            for truth in [Truth::Ok, Truth::Defect] {
                let sizes = |fold: &Vec<usize>| {
                    let mut sizes: HashMap<_, usize> = HashMap::new();
                    for &at in fold.iter().filter(|&&at| pictures.truth(at) == truth) {
                        *sizes.entry(pictures.group(at)).or_default() += 1;
                    }
                    sizes.into_values().collect::<Vec<_>>()
                };
                let (fewer, more): (Vec<_>, Vec<_>) = folds.iter().map(sizes).partition(|of| of.len() == 2);
                assert!(fewer.len() == 1 && more.iter().all(|of| of.len() == 3), "seed {seed}");
                // What is left after the full rounds went to the parts that had fewest pictures.
                let before = |of: &Vec<usize>| of.iter().sum::<usize>() - of.iter().min().unwrap();
                assert!(more.iter().all(|of| before(of) <= fewer[0].iter().sum()), "seed {seed}");
            }
        }
        assert_ne!(folds(&pictures, 3, 1), folds(&pictures, 3, 2));
    }
}
