//! The canvas that a part is drawn on: brightness and coverage at twice the size of the picture, so that edges come
//! out smooth.
//!
//! Owns the memory and the loop over points. Must not know what is drawn.

/// Samples across one pixel of the finished picture.
pub(super) const OVERSAMPLE: usize = 2;

/// A square canvas; coordinates are fractions of the part's nominal radius from its centre, x right, y down.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    /// Samples along one side.
    pub(super) side: usize,
    /// Distance of two samples in radii.
    pub(super) step: f32,
    /// Grey level of the part, rows from the top.
    pub(super) level: Vec<f32>,
    /// Share of the sample that the part covers, 0 to 1.
    pub(super) cover: Vec<f32>,
}

impl Canvas {
    /// Empties the canvas for `pixels` finished pixels a side, `radius` of them to the part's radius.
    pub(super) fn reset(&mut self, pixels: usize, radius: f32) {
        self.side = pixels * OVERSAMPLE;
        self.step = 1.0 / (radius * OVERSAMPLE as f32);
        for plane in [&mut self.level, &mut self.cover] {
            plane.clear();
            plane.resize(self.side * self.side, 0.0);
        }
    }

    /// Coordinate of a sample's middle.
    pub(super) fn coordinate(&self, index: usize) -> f32 {
        (index as f32 + 0.5 - self.side as f32 / 2.0) * self.step
    }

    /// First and one past the last sample within `reach` of `centre`.
    fn span(&self, centre: f32, reach: f32) -> std::ops::Range<usize> {
        let index = |at: f32| (at / self.step + self.side as f32 / 2.0).clamp(0.0, self.side as f32);
        let (first, end) = (index(centre - reach).floor(), index(centre + reach).ceil());
        first as usize..end as usize
    }

    /// Calls `paint(x, y, level, cover)` for every sample in the square of half side `reach` around (`x`, `y`).
    pub(super) fn paint(
        &mut self,
        x: f32,
        y: f32,
        reach: f32,
        mut paint: impl FnMut(f32, f32, &mut f32, &mut f32),
    ) {
        let columns = self.span(x, reach);
        for row in self.span(y, reach) {
            let v = self.coordinate(row);
            let start = row * self.side;
            for column in columns.clone() {
                let u = self.coordinate(column);
                paint(u, v, &mut self.level[start + column], &mut self.cover[start + column]);
            }
        }
    }
}
