//! Least squares for a handful of unknowns. Pure.

/// Sum of weighted squares for up to six unknowns, and its minimum.
#[derive(Default)]
pub(super) struct LeastSquares {
    pub(super) matrix: [[f64; 7]; 6],
}

impl LeastSquares {
    pub(super) fn add(&mut self, terms: &[f64], value: f64) {
        for (row, a) in terms.iter().enumerate() {
            for (column, b) in terms.iter().enumerate() {
                self.matrix[row][column] += a * b;
            }
            self.matrix[row][6] += a * value;
        }
    }

    /// Gauss with pivots over the first `count` unknowns; `None` when they are not determined.
    pub(super) fn solve(mut self, count: usize) -> Option<[f64; 6]> {
        for pivot in 0..count {
            let best = (pivot..count)
                .max_by(|&a, &b| self.matrix[a][pivot].abs().total_cmp(&self.matrix[b][pivot].abs()))?;
            self.matrix.swap(pivot, best);
            let row = self.matrix[pivot];
            if row[pivot].abs() < 1e-12 {
                return None;
            }
            for (other, line) in self.matrix.iter_mut().enumerate().take(count) {
                if other != pivot {
                    let factor = line[pivot] / row[pivot];
                    line.iter_mut().zip(&row).for_each(|(a, b)| *a -= factor * b);
                }
            }
        }
        Some(std::array::from_fn(|i| if i < count { self.matrix[i][6] / self.matrix[i][i] } else { 0.0 }))
    }
}
