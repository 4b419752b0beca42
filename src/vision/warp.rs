//! One affine change of framing, for training's augmentation and for the pictures of a stress test alike.
//!
//! Owns where a pixel comes from and how it is interpolated. Must not know why the framing changes.

use crate::kernels::MapSize;

/// Where a pixel of the changed picture comes from: place = `turn` * (place in the changed picture) + `shift`, all in pixels
/// from the picture's middle, x to the right and y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    /// For x and for y of the source: factors of x and of y.
    pub turn: [[f32; 2]; 2],
    /// Added to x and to y of the source.
    pub shift: [f32; 2],
}

impl Warp {
    /// Everything stays where it is.
    pub const NONE: Warp = Warp { turn: [[1.0, 0.0], [0.0, 1.0]], shift: [0.0, 0.0] };

    /// Fills `output` with the changed picture: `pixels` of `size` with `CHANNELS` interleaved bytes a pixel, each first looked up
    /// in `table`, then bilinear between its four neighbours. What lies outside the picture is its edge repeated.
    ///
    /// # Panics
    /// When `pixels` is shorter than the size asks for.
    pub fn apply<const CHANNELS: usize>(
        &self,
        size: MapSize,
        pixels: &[u8],
        table: &[f32; 256],
        output: &mut [f32],
    ) {
        let (height, width) = (size.height as f32, size.width as f32);
        let middle = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        let [[xx, xy], [yx, yy]] = self.turn;
        for (row, line) in output.chunks_exact_mut(size.width * CHANNELS).enumerate() {
            let dy = row as f32 - middle.1;
            for (column, values) in line.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate() {
                let dx = column as f32 - middle.0;
                let x = (xx * dx + xy * dy + middle.0 + self.shift[0]).clamp(0.0, width - 1.0);
                let y = (yx * dx + yy * dy + middle.1 + self.shift[1]).clamp(0.0, height - 1.0);
                *values = between(size, pixels, table, x, y);
            }
        }
    }
}

/// Bilinear between the four pixels around a point inside the picture.
fn between<const CHANNELS: usize>(
    size: MapSize,
    pixels: &[u8],
    table: &[f32; 256],
    x: f32,
    y: f32,
) -> [f32; CHANNELS] {
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(size.width - 1), (top + 1).min(size.height - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    std::array::from_fn(|channel| {
        let at = |row: usize, column: usize| {
            table[usize::from(pixels[(row * size.width + column) * CHANNELS + channel])]
        };
        let upper = at(top, left) + (at(top, right) - at(top, left)) * fx;
        let lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * fx;
        upper + (lower - upper) * fy
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: MapSize = MapSize { height: 2, width: 3 };

    fn identity() -> [f32; 256] {
        std::array::from_fn(|level| level as f32)
    }

    #[test]
    fn without_a_change_every_channel_stays() {
        let pixels: Vec<u8> = (0..18).collect();
        let mut output = vec![0.0; 18];
        Warp::NONE.apply::<3>(SIZE, &pixels, &identity(), &mut output);
        assert!(output.iter().zip(&pixels).all(|(value, &pixel)| *value == f32::from(pixel)));
    }

    #[test]
    fn a_shift_shows_what_lies_farther_and_repeats_the_edge() {
        let mut output = vec![0.0; 6];
        let shift = Warp { shift: [1.5, 0.0], ..Warp::NONE };
        shift.apply::<1>(SIZE, &[0, 10, 20, 30, 40, 50], &identity(), &mut output);
        assert_eq!(output, [15.0, 20.0, 20.0, 45.0, 50.0, 50.0]);
    }
}
