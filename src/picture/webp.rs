//! WebP pictures (RFC 9649), lossy and lossless: all chunks are there, and the picture inside is as large as the canvas.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;

use super::pixels::{Plan, from_bytes};
use super::{PictureError, check_size, orient};
use crate::frame::Frame;

/// Fills `frame`; gives the orientation, 1 to 8.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Result<u8, PictureError> {
    let (bytes, orientation) = check(bytes)?;
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(PictureError::of_decoder)?;
    let (width, height) = decoder.dimensions();
    let channels = usize::from(decoder.color_type().channel_count());
    check_size(width, height, channels as u64)?;
    let mut samples = vec![0; width as usize * height as usize * channels];
    decoder.read_image(&mut samples).map_err(PictureError::of_decoder)?;
    from_bytes(Plan { width, height, channels }, samples, frame);
    Ok(orientation)
}

/// Looks through all chunks; gives the bytes that belong to the picture, and its orientation.
fn check(bytes: &[u8]) -> Result<(&[u8], u8), PictureError> {
    let number = |at: usize| {
        bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).map(|four| u32::from_le_bytes(*four) as usize)
    };
    let whole = number(4).unwrap_or(0).saturating_add(8);
    let Some(bytes) = bytes.get(..whole) else {
        return Err(PictureError::Damaged(format!(
            "its data ends early: {} of {whole} bytes are there",
            bytes.len()
        )));
    };
    let (mut at, mut orientation, mut canvas, mut picture) = (12, 1, None, None);
    while at + 8 <= bytes.len() {
        let length = number(at + 4).unwrap_or(0);
        let body = bytes.get(at + 8..).and_then(|rest| rest.get(..length));
        let body = body.ok_or_else(|| PictureError::damaged("one of its chunks ends early"))?;
        match (&bytes[at..at + 4], body) {
            (b"VP8X", &[flags, _, _, _, w0, w1, w2, h0, h1, h2, ..]) => {
                if flags & 2 != 0 {
                    return Err(PictureError::unsupported("is an animation: save one picture of it"));
                }
                let side = |low, middle, high| u32::from_le_bytes([low, middle, high, 0]) + 1;
                canvas = Some((side(w0, w1, w2), side(h0, h1, h2)));
            }
            (b"VP8 ", &[_, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..]) => {
                let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
                picture = Some((side(w0, w1), side(h0, h1)));
            }
            (b"VP8L", &[0x2F, b0, b1, b2, b3, ..]) => {
                let sides = u32::from_le_bytes([b0, b1, b2, b3]);
                picture = Some(((sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1));
            }
            (b"EXIF", exif) => orientation = orient::of_exif(exif),
            _ => {}
        }
        at += 8 + length + length % 2;
    }
    let (width, height) = picture.ok_or_else(|| PictureError::damaged("it holds no picture"))?;
    check_size(width, height, 4)?;
    if canvas.is_some_and(|canvas| canvas != (width, height)) {
        return Err(PictureError::damaged("its picture is not as large as it says"));
    }
    Ok((bytes, orientation))
}
