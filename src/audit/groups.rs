//! Which pictures show one photograph: pairs joined to groups.

/// Groups of the pictures `0..len`, at first each alone (a union-find forest).
#[derive(Debug, Clone)]
pub struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    /// `len` pictures, each alone.
    pub fn new(len: usize) -> Self {
        Self { parent: (0..len).collect() }
    }

    /// The picture that stands for the group of picture `at`: the first of the group.
    pub fn first(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    /// Joins the groups of two pictures; `false` when they were one already.
    pub fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.first(one), self.first(other));
        self.parent[one.max(other)] = one.min(other);
        one != other
    }

    /// The first picture of the group of each picture.
    pub fn firsts(&mut self) -> Vec<usize> {
        (0..self.parent.len()).map(|at| self.first(at)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_grow_and_are_named_by_their_first_picture() {
        let mut groups = Groups::new(6);
        assert!(groups.join(4, 2) && groups.join(5, 4) && groups.join(3, 1));
        assert!(!groups.join(2, 5));
        assert_eq!(groups.firsts(), [0, 1, 2, 1, 2, 2]);
        assert!(groups.join(3, 5));
        assert_eq!(groups.firsts(), [0, 1, 1, 1, 1, 1]);
    }
}
