//! Copies of a region of a frame: luma, colour, a square around a point. Free functions over slices.

use crate::config::Region;
use crate::frame::{self, Frame, PixelFormat};

fn rows(frame: &Frame, area: Region) -> impl Iterator<Item = &[u8]> {
    let bytes = frame.format.bytes();
    let from = area.x as usize * bytes;
    let stride = frame.width * bytes;
    frame
        .pixels
        .chunks_exact(stride)
        .skip(area.y as usize)
        .take(area.height as usize)
        .map(move |row| &row[from..from + area.width as usize * bytes])
}

/// Luma of the region, one byte a pixel.
pub(super) fn luma(frame: &Frame, area: Region, out: &mut Vec<u8>) {
    out.clear();
    match frame.format {
        PixelFormat::Grey8 => rows(frame, area).for_each(|row| out.extend_from_slice(row)),
        PixelFormat::Rgb8 => {
            for row in rows(frame, area) {
                out.extend(row.as_chunks::<3>().0.iter().map(|&rgb| frame::luma(rgb)));
            }
        }
    }
}

/// Red, green and blue of the region; a grey frame gives three equal values.
pub(super) fn rgb(frame: &Frame, area: Region, out: &mut Vec<u8>) {
    out.clear();
    match frame.format {
        PixelFormat::Rgb8 => rows(frame, area).for_each(|row| out.extend_from_slice(row)),
        PixelFormat::Grey8 => {
            for row in rows(frame, area) {
                out.extend(row.iter().flat_map(|&grey| [grey; 3]));
            }
        }
    }
}

/// A square of `side` pixels whose upper left corner lies at `corner`; outside the picture its edge is repeated.
pub(super) fn square(
    pixels: &[u8],
    (width, height): (usize, usize),
    channels: usize,
    corner: (isize, isize),
    side: usize,
    out: &mut Vec<u8>,
) {
    out.clear();
    let clamp = |at: isize, end: usize| at.clamp(0, end as isize - 1) as usize;
    let left = clamp(corner.0, width);
    let right = clamp(corner.0 + side as isize - 1, width);
    for dy in 0..side {
        let y = clamp(corner.1 + dy as isize, height);
        let row = &pixels[y * width * channels..(y + 1) * width * channels];
        let pad_left = (-corner.0).clamp(0, side as isize - 1) as usize;
        let pixel = |x: usize| &row[x * channels..(x + 1) * channels];
        (0..pad_left).for_each(|_| out.extend_from_slice(pixel(left)));
        let inner = (right + 1 - left).min(side - pad_left);
        out.extend_from_slice(&row[left * channels..(left + inner) * channels]);
        (pad_left + inner..side).for_each(|_| out.extend_from_slice(pixel(right)));
    }
}

/// Mean second difference of the values of a row, in grey levels: what blur takes away first. `step` values apart, so that colours
/// are compared with their like.
pub(super) fn sharpness(values: &[u8], row: usize, step: usize) -> f32 {
    let (mut sum, mut count) = (0u64, 0u64);
    for row in values.chunks_exact(row.max(1)).filter(|row| row.len() > 2 * step) {
        let second = |i: usize| {
            (2 * i32::from(row[i]) - i32::from(row[i - step]) - i32::from(row[i + step])).unsigned_abs()
        };
        let inner = step..row.len() - step;
        count += inner.len() as u64;
        sum += inner.map(|i| u64::from(second(i))).sum::<u64>();
    }
    sum as f32 / count.max(1) as f32
}
