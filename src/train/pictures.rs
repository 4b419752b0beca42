//! Labelled pictures in memory.
//!
//! Owns pixels, labels and photographs. Must not know files.

use std::sync::OnceLock;

use crate::kernels::MapSize;
use crate::verdict::Truth;

/// Grey pictures of one size with what their parts truly are. Of each there may be several views: the first is the picture as it is, the
/// others show the same part in other circumstances.
#[derive(Debug, Clone)]
pub struct Pictures {
    size: MapSize,
    views: usize,
    grey: Vec<u8>,
    truths: Vec<Truth>,
    groups: Vec<Option<u64>>,
    /// Once it was asked for: it takes a while, and a search asks often.
    print: OnceLock<u64>,
}

impl Pictures {
    /// None yet; each will have this size and one view.
    pub fn new(size: MapSize) -> Self {
        Self::with_views(size, 1)
    }

    /// None yet; each will have this size and so many views, at least one.
    pub fn with_views(size: MapSize, views: usize) -> Self {
        let (grey, truths, groups) = (Vec::new(), Vec::new(), Vec::new());
        Self { size, views: views.max(1), grey, truths, groups, print: OnceLock::new() }
    }

    /// Adds a picture, one byte a pixel, rows from the top, one view after the other; `group` is the number of its photograph, where that
    /// is known.
    ///
    /// # Panics
    /// When `grey` has not the number of pixels that size and views ask for.
    pub fn push(&mut self, grey: &[u8], truth: Truth, group: Option<u64>) {
        let wanted = self.views * self.size.height * self.size.width;
        assert_eq!(grey.len(), wanted, "a picture has the size of its collection");
        self.print = OnceLock::new();
        self.grey.extend_from_slice(grey);
        self.truths.push(truth);
        self.groups.push(group);
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

    /// Views of each.
    pub fn views(&self) -> usize {
        self.views
    }

    /// Pixels of picture `at` as it is.
    pub fn grey(&self, at: usize) -> &[u8] {
        self.view(at, 0)
    }

    /// Pixels of view `view` of picture `at`.
    pub fn view(&self, at: usize, view: usize) -> &[u8] {
        let len = self.size.height * self.size.width;
        &self.grey[(at * self.views + view) * len..][..len]
    }

    /// What the part of picture `at` truly is.
    pub fn truth(&self, at: usize) -> Truth {
        self.truths[at]
    }

    /// The photograph that picture `at` shows, where that is known.
    pub fn group(&self, at: usize) -> Option<u64> {
        self.groups[at]
    }

    /// The label of most of the pictures `of`; of as many the first one's.
    pub fn class(&self, of: &[usize]) -> Truth {
        let defective = self.count(of, Truth::Defect);
        match defective.cmp(&(of.len() - defective)) {
            std::cmp::Ordering::Less => Truth::Ok,
            std::cmp::Ordering::Greater => Truth::Defect,
            std::cmp::Ordering::Equal => of.first().map_or(Truth::Ok, |&at| self.truth(at)),
        }
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
        *self.print.get_or_init(|| fnv1a(self.grey.iter().copied().chain(labels)))
    }
}

/// FNV-1a, 64 bits.
pub fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |print, byte| {
        (print ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_levels_are_those_of_the_pixels() {
        let mut pictures = Pictures::new(MapSize { height: 1, width: 2 });
        pictures.push(&[0, 255], Truth::Ok, None);
        assert_eq!(pictures.grey_level(&[0]), (0.5, 0.5));
        assert_eq!(pictures.grey_level(&[]), (0.0, 0.0));
    }
}
