//! Which pairs of pictures are worth a closer look: for each picture those whose rings fit best.

use super::rings::{Circle, Fit, Rings};

/// Least correlation of rings for a closer look; copies reach 0.9 even when a corner is cut off.
const LEAST: f32 = 0.8;
/// Pictures whose rings stay in the cache while others pass by.
const BLOCK: usize = 128;

/// A pair that may be copies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The one with the lower index.
    pub first: usize,
    /// The other.
    pub second: usize,
    /// How its rings fit those of the first.
    pub fit: Fit,
}

/// The best candidates of every picture.
pub struct Shortlist {
    count: usize,
    of: Vec<Vec<Candidate>>,
}

impl Shortlist {
    /// An empty one for `len` pictures, each with at most `count` candidates.
    pub fn new(len: usize, count: usize) -> Self {
        Self { count, of: vec![Vec::new(); len] }
    }

    /// Compares the pictures `part`, `part + parts`, ... with all that come after them: workers with a `part` each do all pairs. Pictures
    /// without rings and pairs within one of `groups` are left out.
    pub fn fill(
        &mut self,
        rings: &[Option<&Rings>],
        groups: &[usize],
        (part, parts): (usize, usize),
        circle: &Circle,
    ) {
        for block in (0..rings.len()).step_by(BLOCK) {
            let end = (block + BLOCK).min(rings.len());
            for first in (part..end).step_by(parts.max(1)) {
                let Some(own) = rings[first] else { continue };
                for second in block.max(first + 1)..end {
                    let Some(other) = rings[second].filter(|_| groups[first] != groups[second]) else {
                        continue;
                    };
                    let least = self.worst(first).min(self.worst(second));
                    if let Some(fit) = own.fit(other, circle, least) {
                        let candidate = Candidate { first, second, fit };
                        self.add(first, candidate);
                        self.add(second, candidate);
                    }
                }
            }
        }
    }

    /// What a candidate must reach to be kept.
    fn worst(&self, at: usize) -> f32 {
        let list = &self.of[at];
        if list.len() < self.count { LEAST } else { list.last().map_or(LEAST, |worst| worst.fit.score) }
    }

    fn add(&mut self, at: usize, candidate: Candidate) {
        let list = &mut self.of[at];
        let place = list.partition_point(|kept| kept.fit.score >= candidate.fit.score);
        if place < self.count {
            list.insert(place, candidate);
            list.truncate(self.count);
        }
    }

    /// Takes over what another worker found.
    pub fn merge(&mut self, other: Shortlist) {
        for (at, list) in other.of.into_iter().enumerate() {
            list.into_iter().for_each(|candidate| self.add(at, candidate));
        }
    }

    /// Every pair once, the best first.
    pub fn pairs(self) -> Vec<Candidate> {
        let mut pairs: Vec<Candidate> = self.of.into_iter().flatten().collect();
        pairs.sort_by_key(|pair| (pair.first, pair.second));
        pairs.dedup_by_key(|pair| (pair.first, pair.second));
        pairs.sort_by(|a, b| b.fit.score.total_cmp(&a.fit.score));
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::picture::{Edges, SIDE, Square};

    /// Pictures with a bright spot whose place decides what they look like, in three kinds.
    fn all() -> Vec<Rings> {
        let picture = |index: usize| {
            let grey = |i: usize| {
                let (x, y) = ((i % SIDE) as f32 - 48.0, (i / SIDE) as f32 - 48.0);
                let disc = if x.hypot(y) < 35.0 { 180.0 } else { 60.0 };
                let (kind, shade) = ((index % 3) as f32, (index / 3) as f32);
                let spot = (x - 10.0 - 8.0 * kind).hypot(y) < 3.0 + 3.0 * kind;
                if spot { disc - 80.0 - shade } else { disc }
            };
            let square = Square { side: SIDE, grey: (0..SIDE * SIDE).map(grey).collect() }.smooth();
            Rings::of(&square, &Edges::of(&square).unwrap(), &Circle::default()).unwrap()
        };
        (0..9).map(picture).collect()
    }

    fn pairs(rings: &[Rings], groups: &[usize], parts: usize) -> Vec<Candidate> {
        let rings: Vec<Option<&Rings>> = rings.iter().map(Some).collect();
        let mut whole = Shortlist::new(rings.len(), 2);
        for part in 0..parts {
            let mut list = Shortlist::new(rings.len(), 2);
            list.fill(&rings, groups, (part, parts), &Circle::default());
            whole.merge(list);
        }
        whole.pairs()
    }

    #[test]
    fn the_best_come_first_whoever_looks_for_them_and_never_from_one_group() {
        let rings = all();
        let alone: Vec<usize> = (0..9).collect();
        let found = pairs(&rings, &alone, 1);
        assert!(found.iter().take(9).all(|pair| pair.first % 3 == pair.second % 3), "{found:?}");
        assert_eq!(found, pairs(&rings, &alone, 4));
        let kinds: Vec<usize> = (0..9).map(|index| index % 3).collect();
        assert!(pairs(&rings, &kinds, 2).iter().all(|pair| pair.first % 3 != pair.second % 3));
    }
}
