//! Finding parts on a belt: what differs from the belt's grey, in pieces as large as a part.
//!
//! The belt is the commonest grey of the picture, so it may darken, brighten or be changed. A part's own greys may touch the
//! belt's here and there: pieces whose boxes touch are one thing. Must not know millimetres or the camera.

use std::ops::Range;

use super::MAX_SIGHTINGS;

/// Cells that a part's length is divided into for finding: coarse enough to be quick, fine enough to centre a crop to 1 %.
const CELLS_PER_PART: f64 = 72.0;
/// Guide rails lie in the upper or the lower one of so many parts of the picture.
const OUTER: usize = 8;
/// What reaches over a side of the belt with less than this share of a part's length is a seam of the belt, or a shadow.
const SEAM: f64 = 0.15;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Length of a part in pixels.
    pub part_px: f64,
    /// By what share of `part_px` a part's length may differ.
    pub tolerance: f64,
    /// Least difference from the belt in grey levels.
    pub contrast: u8,
}

/// One thing on the belt, in pixels of the region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Middle: across, down.
    pub centre: (f64, f64),
    /// Length along the belt.
    pub length: f64,
    /// Whether it touches the left or the right border: more of it comes into view, or has left it.
    pub cut: bool,
    /// Whether it lies wholly in the picture and has a part's length.
    pub whole: bool,
}

/// A rectangle of cells; both ends belong to it.
#[derive(Debug, Clone, Copy)]
struct Cells {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Cells {
    fn touches(&self, other: &Cells) -> bool {
        self.left <= other.right + 2
            && other.left <= self.right + 2
            && self.top <= other.bottom + 2
            && other.top <= self.bottom + 2
    }

    fn join(&mut self, other: &Cells) {
        self.left = self.left.min(other.left);
        self.right = self.right.max(other.right);
        self.top = self.top.min(other.top);
        self.bottom = self.bottom.max(other.bottom);
    }

    fn width(&self) -> usize {
        self.right + 1 - self.left
    }

    fn height(&self) -> usize {
        self.bottom + 1 - self.top
    }
}

/// Finds parts; keeps its memory from frame to frame.
#[derive(Debug, Default)]
pub(super) struct Locator {
    /// Mean grey of each cell.
    grey: Vec<u8>,
    /// Whether a cell differs from the belt and has not been visited yet.
    open: Vec<bool>,
    stack: Vec<usize>,
    pieces: Vec<Cells>,
    sums: Vec<u32>,
}

impl Locator {
    /// Fills `found` with the things in `pixels`, from left to right; at most [`MAX_SIGHTINGS`]. Gives the grey that was taken for the belt.
    pub(super) fn find(
        &mut self,
        pixels: &[u8],
        (width, height): (usize, usize),
        scale: &Scale,
        found: &mut Vec<Found>,
    ) -> u8 {
        found.clear();
        let cell = ((scale.part_px / CELLS_PER_PART).round() as usize).clamp(1, width.min(height).max(1));
        let grid = (width / cell, height / cell);
        self.shrink(pixels, width, cell, grid);
        let commonest = commonest(&self.grey);
        let belt = i32::from(commonest);
        self.open.clear();
        let differs = |grey: u8| (i32::from(grey) - belt).abs() >= i32::from(scale.contrast);
        self.open.extend(self.grey.iter().map(|&grey| differs(grey)));
        let part_cells = scale.part_px / cell as f64;
        let belt_rows = self.close_rails(grid);
        self.collect(grid, part_cells);
        self.merge();
        self.pieces.sort_unstable_by_key(|piece| piece.left);
        for piece in &self.pieces {
            let length = piece.width() as f64;
            if length.max(piece.height() as f64) < part_cells * 0.3 || found.len() == MAX_SIGHTINGS {
                continue;
            }
            let cut = piece.left == 0 || piece.right + 1 == grid.0;
            // What reaches over a side of the belt shows only a piece of itself, and no later frame will show more.
            let reaches = |row: usize| {
                let cells = &self.grey[row * grid.0..][piece.left..=piece.right];
                let open = cells.iter().filter(|&&grey| differs(grey)).count();
                open as f64 >= part_cells * SEAM
            };
            let aside = (piece.top <= belt_rows.start && reaches(piece.top))
                || (piece.bottom + 1 >= belt_rows.end && reaches(piece.bottom));
            let middle = |from: usize, to: usize| (from + to + 1) as f64 * cell as f64 / 2.0;
            found.push(Found {
                centre: (middle(piece.left, piece.right), middle(piece.top, piece.bottom)),
                length: length * cell as f64,
                cut,
                whole: !cut && !aside && (length / part_cells - 1.0).abs() <= scale.tolerance,
            });
        }
        commonest
    }

    /// Mean of each `cell` by `cell` square; a remainder at the right and lower border is left out.
    fn shrink(&mut self, pixels: &[u8], width: usize, cell: usize, grid: (usize, usize)) {
        self.grey.clear();
        let area = (cell * cell) as u32;
        for rows in pixels.chunks_exact(width * cell).take(grid.1) {
            self.sums.clear();
            self.sums.resize(grid.0, 0);
            for row in rows.chunks_exact(width) {
                for (sum, square) in self.sums.iter_mut().zip(row.chunks_exact(cell)) {
                    *sum += square.iter().map(|&p| u32::from(p)).sum::<u32>();
                }
            }
            self.grey.extend(self.sums.iter().map(|&sum| (sum / area) as u8));
        }
    }

    /// Takes the guide rails at the upper and the lower side out of what is looked at, so that a seam of the belt between a rail and a part does
    /// not make one thing of both. A rail is a row across the picture that is not belt, with belt on its inner side; the row beside it may hold a
    /// piece of it. Gives the rows between.
    fn close_rails(&mut self, (columns, rows): (usize, usize)) -> Range<usize> {
        let outer = rows / OUTER;
        let across = |open: &[bool], row: usize| {
            let count = open[row * columns..][..columns].iter().filter(|open| **open).count();
            count * 10 >= columns * 9
        };
        let (mut top, mut bottom) = (0, rows);
        if let Some(last) = (0..outer).rev().find(|row| across(&self.open, *row))
            && !across(&self.open, last + 1)
        {
            top = last + 2;
        }
        if let Some(first) = (rows - outer..rows).find(|row| across(&self.open, *row))
            && !across(&self.open, first - 1)
        {
            bottom = first - 1;
        }
        self.open[..top * columns].fill(false);
        self.open[bottom * columns..].fill(false);
        top..bottom
    }

    /// Boxes of connected open cells. Specks are left out, and so are low bands across the whole picture: rails of the belt.
    fn collect(&mut self, (columns, rows): (usize, usize), part_cells: f64) {
        self.pieces.clear();
        for start in 0..self.open.len() {
            if !self.open[start] {
                continue;
            }
            let (piece, count) = self.flood(start, columns, rows);
            let rail = piece.width() * 10 >= columns * 9 && (piece.height() as f64) < part_cells * 0.4;
            if count as f64 >= part_cells * 0.5 && !rail && self.pieces.len() < 4 * MAX_SIGHTINGS {
                self.pieces.push(piece);
            }
        }
    }

    fn flood(&mut self, start: usize, columns: usize, rows: usize) -> (Cells, usize) {
        let (x, y) = (start % columns, start / columns);
        let mut piece = Cells { left: x, right: x, top: y, bottom: y };
        let mut count = 0;
        self.open[start] = false;
        self.stack.push(start);
        while let Some(at) = self.stack.pop() {
            let (x, y) = (at % columns, at / columns);
            piece.join(&Cells { left: x, right: x, top: y, bottom: y });
            count += 1;
            for ny in y.saturating_sub(1)..=(y + 1).min(rows - 1) {
                for nx in x.saturating_sub(1)..=(x + 1).min(columns - 1) {
                    let next = ny * columns + nx;
                    if self.open[next] {
                        self.open[next] = false;
                        self.stack.push(next);
                    }
                }
            }
        }
        (piece, count)
    }

    /// Joins pieces whose boxes touch, until none do.
    fn merge(&mut self) {
        let mut first = 0;
        while first < self.pieces.len() {
            let one = self.pieces[first];
            match (first + 1..self.pieces.len()).find(|&other| one.touches(&self.pieces[other])) {
                Some(other) => {
                    let other = self.pieces.swap_remove(other);
                    self.pieces[first].join(&other);
                    first = 0;
                }
                None => first += 1,
            }
        }
    }
}

/// The commonest grey: middle of the window of nine levels that holds most cells.
fn commonest(grey: &[u8]) -> u8 {
    let mut histogram = [0u32; 256];
    grey.iter().for_each(|&g| histogram[usize::from(g)] += 1);
    let window = |at: usize| histogram[at.saturating_sub(4)..=(at + 4).min(255)].iter().sum::<u32>();
    (0..256).max_by_key(|&at| (window(at), std::cmp::Reverse(at))).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests;
