//! BMP pictures: all rows are there, packed or not, before they are decoded.

use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::{ColorType, ImageDecoder};

use super::pixels::{Plan, from_bytes};
use super::{PictureError, check_size};
use crate::frame::Frame;

/// What the head of the file says.
#[derive(Debug)]
struct Facts {
    width: u32,
    height: u32,
    /// Bits of a pixel as it is stored.
    bits: u32,
    /// How the rows are packed: 0 and 3 not at all, 1 and 2 by runs of 8 or 4 bits.
    packing: u32,
    /// Where the rows begin.
    rows_at: usize,
}

/// Fills `frame`; gives the orientation, which is always 1: the format has none.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Result<u8, PictureError> {
    let facts = check(bytes)?;
    let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(PictureError::of_decoder)?;
    let (width, height) = decoder.dimensions();
    if (width, height) != (facts.width, facts.height) {
        return Err(PictureError::damaged("its size is unclear"));
    }
    let channels = usize::from(decoder.color_type().channel_count());
    let has_opacity = decoder.color_type() == ColorType::Rgba8;
    let mut samples = vec![0; width as usize * height as usize * channels];
    decoder.read_image(&mut samples).map_err(PictureError::of_decoder)?;
    // Programs that know no transparency leave its byte 0 in every pixel.
    if has_opacity && samples.iter().skip(3).step_by(4).all(|&opacity| opacity == 0) {
        samples.iter_mut().skip(3).step_by(4).for_each(|opacity| *opacity = u8::MAX);
    }
    from_bytes(Plan { width, height, channels }, samples, frame);
    Ok(1)
}

fn check(bytes: &[u8]) -> Result<Facts, PictureError> {
    let short = || PictureError::damaged("its head ends early");
    let word = |at: usize| bytes.get(at..at + 2).map(|two| u32::from(u16::from_le_bytes([two[0], two[1]])));
    let number = |at: usize| Some(word(at)? | word(at + 2)? << 16);
    let rows_at = number(10).ok_or_else(short)? as usize;
    let head = number(14).ok_or_else(short)?;
    // The oldest head has sizes of 16 bits and no packing.
    let (width, height, bits, packing) = if head == 12 {
        (word(18), word(20), word(24), Some(0))
    } else {
        (number(18), number(22), word(28), number(30))
    };
    let (Some(width), Some(height), Some(bits), Some(packing)) = (width, height, bits, packing) else {
        return Err(short());
    };
    // Rows from the top are told by a negative height.
    let height = if head == 12 { height } else { (height as i32).unsigned_abs() };
    let facts = Facts { width, height, bits, packing, rows_at };
    check_size(width, height, 4)?;
    match packing {
        1 | 2 => check_runs(bytes, &facts)?,
        4 | 5 => return Err(PictureError::unsupported("is a BMP that wraps a JPEG or PNG: save it as that")),
        _ => {
            let row = (u64::from(width) * u64::from(facts.bits)).div_ceil(32) * 4;
            let there = (bytes.len() as u64).saturating_sub(rows_at as u64);
            // The last row may do without the bytes that fill it up.
            let last = (u64::from(width) * u64::from(facts.bits)).div_ceil(8);
            if there < row * u64::from(height - 1) + last {
                let rows = there.checked_div(row).unwrap_or(0);
                return Err(PictureError::Damaged(format!("its data ends after {rows} of {height} rows")));
            }
        }
    }
    Ok(facts)
}

/// Walks over packed rows: no run leaves the picture, and the mark of the end is there.
fn check_runs(bytes: &[u8], facts: &Facts) -> Result<(), PictureError> {
    let (width, height) = (u64::from(facts.width), u64::from(facts.height));
    let (mut x, mut y) = (0u64, 0u64);
    let mut at = facts.rows_at;
    let damaged =
        |y: u64, what: &str| Err(PictureError::Damaged(format!("{what} after {y} of {height} rows")));
    loop {
        let Some(&[count, code]) = bytes.get(at..at + 2) else { return damaged(y, "its data ends") };
        at += 2;
        match (count, code) {
            (0, 0) => (x, y) = (0, y + 1),
            (0, 1) => return Ok(()),
            (0, 2) => {
                let Some(&[right, up]) = bytes.get(at..at + 2) else { return damaged(y, "its data ends") };
                at += 2;
                (x, y) = (x + u64::from(right), y + u64::from(up));
            }
            (0, literal) => {
                x += u64::from(literal);
                let length =
                    if facts.packing == 2 { usize::from(literal).div_ceil(2) } else { literal.into() };
                at += length + length % 2;
            }
            (run, _) => x += u64::from(run),
        }
        // Some programs end the last row, or let a row's last run of four bits reach one pixel too far.
        if x > width + 1 || y > height || (y == height && x > 0) {
            return damaged(y.min(height), "its data leaves the picture");
        }
    }
}
