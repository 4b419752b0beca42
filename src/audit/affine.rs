//! Affine maps of the plane.

/// A symmetric 2 x 2 matrix: `[xx, xy, yy]`.
pub type Symmetric = [f64; 3];
/// A matrix by rows.
pub type Matrix = [[f64; 2]; 2];

/// `x -> matrix x + offset`, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Rows of the matrix.
    pub matrix: Matrix,
    /// Offset.
    pub offset: [f64; 2],
}

impl Affine {
    /// Changes nothing.
    pub const IDENTITY: Affine = Affine { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0] };

    /// Where a point goes.
    pub fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [[a, b], [c, d]] = self.matrix;
        [a * x + b * y + self.offset[0], c * x + d * y + self.offset[1]]
    }

    /// First `first`, then this one.
    pub fn after(&self, first: &Affine) -> Affine {
        Affine { matrix: product(self.matrix, first.matrix), offset: self.at(first.offset) }
    }

    /// The way back; `None` when this one folds the plane.
    pub fn inverse(&self) -> Option<Affine> {
        let [[a, b], [c, d]] = self.matrix;
        let determinant = a * d - b * c;
        if determinant.abs() < 1e-9 {
            return None;
        }
        let matrix = [[d / determinant, -b / determinant], [-c / determinant, a / determinant]];
        let back = Affine { matrix, offset: [0.0, 0.0] };
        let [x, y] = back.at(self.offset);
        Some(Affine { matrix, offset: [-x, -y] })
    }

    /// By what it multiplies lengths, on the mean of all directions.
    pub fn scale(&self) -> f64 {
        let [[a, b], [c, d]] = self.matrix;
        (a * d - b * c).abs().sqrt()
    }
}

/// Product of two matrices.
pub fn product(m: Matrix, n: Matrix) -> Matrix {
    let entry = |row: usize, column: usize| m[row][0] * n[0][column] + m[row][1] * n[1][column];
    [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]]
}

/// Square root of a positive definite matrix, and its inverse; `None` for any other (closed form for 2 x 2, Levinger 1980).
pub fn roots([xx, xy, yy]: Symmetric) -> Option<(Matrix, Matrix)> {
    let determinant = xx * yy - xy * xy;
    if !(determinant > 1e-9 && xx > 0.0) {
        return None;
    }
    let s = determinant.sqrt();
    let t = (xx + yy + 2.0 * s).sqrt();
    let root = [[(xx + s) / t, xy / t], [xy / t, (yy + s) / t]];
    let inverse = [[root[1][1] / s, -root[0][1] / s], [-root[1][0] / s, root[0][0] / s]];
    Some((root, inverse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_undone_by_their_inverse() {
        let map = Affine { matrix: [[1.2, 0.3], [-0.4, 0.9]], offset: [5.0, -7.0] };
        let [x, y] = map.inverse().unwrap().after(&map).at([3.0, 4.0]);
        assert!((x - 3.0).abs() < 1e-9 && (y - 4.0).abs() < 1e-9);
        assert_eq!(Affine { matrix: [[1.0, 2.0], [2.0, 4.0]], offset: [0.0; 2] }.inverse(), None);
    }

    #[test]
    fn a_root_times_itself_is_the_matrix() {
        let (root, inverse) = roots([4.0, 1.0, 3.0]).unwrap();
        let close = |m: Matrix, n: Matrix| {
            m.iter().flatten().zip(n.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-9)
        };
        assert!(close(product(root, root), [[4.0, 1.0], [1.0, 3.0]]));
        assert!(close(product(root, inverse), [[1.0, 0.0], [0.0, 1.0]]));
        assert_eq!(roots([1.0, 2.0, 1.0]), None);
        assert_eq!(roots([f64::NAN, 0.0, 1.0]), None);
    }
}
