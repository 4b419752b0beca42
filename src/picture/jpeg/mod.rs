//! JPEG pictures, of files and of cameras: looked through first, so that nothing is drawn that did not come, then decoded.
//!
//! The decoder itself fills what is missing with grey, and takes what is left after lost bytes for the rest of the picture.

mod bits;
mod huffman;
mod layout;
mod progressive;
mod scan;
mod segments;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use self::segments::{Colour, Facts};
use super::{MAX_SIDE, PictureError};
use crate::frame::{Frame, PixelFormat, luma};

/// Fills `frame` from a file's bytes, in colour where the picture has any; gives its orientation, 1 to 8.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Result<u8, PictureError> {
    let facts = segments::check(bytes)?;
    fill(bytes, &facts, facts.colour != Colour::Grey, frame)?;
    Ok(facts.orientation)
}

/// Fills `frame` (pixels, size, format) from a camera's JPEG of `size`, width and height in pixels; in colour only where that
/// is wanted. An orientation is not looked for: a camera is mounted once and does not know how, and a picture that was
/// turned would no longer fit the line's geometry.
///
/// # Errors
/// When it is not a whole picture of this size.
pub fn decode_camera_jpeg(
    bytes: &[u8],
    size: (usize, usize),
    colour: bool,
    frame: &mut Frame,
) -> Result<(), PictureError> {
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return Err(PictureError::unsupported("it is no JPEG"));
    }
    let facts = segments::check(bytes)?;
    let (width, height) = (facts.width, facts.height);
    if (width, height) != size {
        return Err(PictureError::Unsupported(format!(
            "it is {width} x {height} pixels, not {} x {}",
            size.0, size.1
        )));
    }
    fill(bytes, &facts, colour, frame)
}

fn fill(bytes: &[u8], facts: &Facts, colour: bool, frame: &mut Frame) -> Result<(), PictureError> {
    let bytes = &bytes[..facts.end];
    let bytes = if facts.standard_tables {
        let (start, rest) = bytes.split_at(2);
        Cow::Owned([start, &huffman::standard_segment(), rest].concat())
    } else {
        Cow::Borrowed(bytes)
    };
    // Brightness of red, green and blue is not among the decoder's own conversions.
    let space = if colour || facts.colour == Colour::Rgb { ColorSpace::RGB } else { ColorSpace::Luma };
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(space)
        .set_strict_mode(true)
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*bytes), options);
    let failed = |error: zune_jpeg::errors::DecodeErrors| PictureError::Damaged(error.to_string());
    decoder.decode_headers().map_err(failed)?;
    let channels = if space == ColorSpace::RGB { 3 } else { 1 };
    frame.format = if channels == 3 { PixelFormat::Rgb8 } else { PixelFormat::Grey8 };
    (frame.width, frame.height) = (facts.width, facts.height);
    frame.pixels.resize(facts.width * facts.height * channels, 0);
    if decoder.output_buffer_size() != Some(frame.pixels.len()) {
        return Err(PictureError::damaged("its size is unclear"));
    }
    decoder.decode_into(&mut frame.pixels).map_err(failed)?;
    if !colour && channels == 3 {
        let pixels = frame.pixels.len() / 3;
        for at in 0..pixels {
            let [r, g, b] = [0, 1, 2].map(|c| frame.pixels[3 * at + c]);
            frame.pixels[at] = luma([r, g, b]);
        }
        frame.pixels.truncate(pixels);
        frame.format = PixelFormat::Grey8;
    }
    Ok(())
}
