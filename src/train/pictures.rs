//! Labelled pictures in memory, and their split into those to train on and those to choose by.
//!
//! Owns pixels, labels and the split. Must not know files.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64;

use crate::kernels::MapSize;
use crate::verdict::Truth;

/// Grey pictures of one size with what their parts truly are.
#[derive(Debug, Clone)]
pub struct Pictures {
    size: MapSize,
    grey: Vec<u8>,
    truths: Vec<Truth>,
}

impl Pictures {
    /// None yet; each will have this size.
    pub fn new(size: MapSize) -> Self {
        Self { size, grey: Vec::new(), truths: Vec::new() }
    }

    /// Adds a picture, one byte a pixel, rows from the top.
    ///
    /// # Panics
    /// When `grey` has not the number of pixels that the size asks for.
    pub fn push(&mut self, grey: &[u8], truth: Truth) {
        assert_eq!(
            grey.len(),
            self.size.height * self.size.width,
            "a picture has the size of its collection"
        );
        self.grey.extend_from_slice(grey);
        self.truths.push(truth);
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.truths.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.truths.is_empty()
    }

    /// Size of each.
    pub fn size(&self) -> MapSize {
        self.size
    }

    /// Pixels of picture `at`.
    pub fn grey(&self, at: usize) -> &[u8] {
        let len = self.size.height * self.size.width;
        &self.grey[at * len..][..len]
    }

    /// What the part of picture `at` truly is.
    pub fn truth(&self, at: usize) -> Truth {
        self.truths[at]
    }

    /// How many of the pictures `of` are what `truth` says.
    pub fn count(&self, of: &[usize], truth: Truth) -> usize {
        of.iter().filter(|&&at| self.truths[at] == truth).count()
    }

    /// Mean and standard deviation of the pixels of the pictures `of`, with white as 1.
    pub fn grey_level(&self, of: &[usize]) -> (f64, f64) {
        let mut histogram = [0u64; 256];
        for &at in of {
            self.grey(at).iter().for_each(|&pixel| histogram[usize::from(pixel)] += 1);
        }
        let count = histogram.iter().sum::<u64>().max(1) as f64;
        let levels = || histogram.iter().enumerate().map(|(level, &n)| (level as f64 / 255.0, n as f64));
        let mean = levels().map(|(level, n)| level * n).sum::<f64>() / count;
        let variance = levels().map(|(level, n)| (level - mean).powi(2) * n).sum::<f64>() / count;
        (mean, variance.sqrt())
    }

    /// A print of all pixels and labels (FNV-1a), by which the same data is known again.
    pub fn print(&self) -> u64 {
        let labels = self.truths.iter().map(|&truth| u8::from(truth == Truth::Defect));
        fnv1a(self.grey.iter().copied().chain(labels))
    }
}

/// FNV-1a, 64 bits.
pub(super) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |print, byte| {
        (print ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

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

impl Split {
    /// Keeps about `share` (0 to 1) of each class for validation, at random by `seed`. Pictures that are the same pixel for pixel stay together,
    /// else the validation would ask for what was learnt by heart.
    pub fn new(pictures: &Pictures, share: f64, seed: u64) -> Self {
        let mut group_of: HashMap<&[u8], usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in 0..pictures.len() {
            let group = *group_of.entry(pictures.grey(at)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(at);
        }
        let differs = |group: &[usize], at: usize| pictures.truth(at) != pictures.truth(group[0]);
        let conflicts = groups.iter().flat_map(|g| g.iter().filter(|&&at| differs(g, at))).count();
        let repeats = pictures.len() - groups.len();
        let mut random = Pcg64::seed_from_u64(seed);
        let (mut train, mut validation) = (Vec::new(), Vec::new());
        for class in [Truth::Ok, Truth::Defect] {
            let mut of_class: Vec<&Vec<usize>> =
                groups.iter().filter(|group| pictures.truth(group[0]) == class).collect();
            of_class.shuffle(&mut random);
            let total: usize = of_class.iter().map(|group| group.len()).sum();
            let wanted = (total as f64 * share).round() as usize;
            let mut kept = 0;
            for group in of_class {
                let into = if kept < wanted { &mut validation } else { &mut train };
                kept += group.len();
                into.extend_from_slice(group);
            }
        }
        train.sort_unstable();
        validation.sort_unstable();
        Self { train, validation, repeats, conflicts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection() -> Pictures {
        let mut pictures = Pictures::new(MapSize { height: 1, width: 2 });
        for i in 0..100u8 {
            pictures.push(&[i / 2, 0], if i % 4 < 2 { Truth::Ok } else { Truth::Defect });
        }
        pictures.push(&[0, 0], Truth::Defect);
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
    }

    #[test]
    fn grey_levels_are_those_of_the_pixels() {
        let mut pictures = Pictures::new(MapSize { height: 1, width: 2 });
        pictures.push(&[0, 255], Truth::Ok);
        assert_eq!(pictures.grey_level(&[0]), (0.5, 0.5));
        assert_eq!(pictures.grey_level(&[]), (0.0, 0.0));
    }
}
