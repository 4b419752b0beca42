//! Pictures as files: reading one into a frame, and encoding one.
//!
//! What the bytes of a file show is the business of [`crate::picture`].

use std::io::{Cursor, ErrorKind};
use std::path::Path;

use image::ImageEncoder;

use crate::frame::{Frame, PixelFormat};
use crate::regular;

pub use crate::picture::{MAX_FILE_BYTES, PictureError, decode_picture, drop_false_colour};

/// Reads and decodes `path` into `frame` (pixels, size and format), reusing its memory. A picture stored in grey becomes
/// [`PixelFormat::Grey8`], a coloured one [`PixelFormat::Rgb8`].
///
/// # Errors
/// When the file is no picture within the limits.
pub fn read_picture(path: &Path, frame: &mut Frame) -> Result<(), PictureError> {
    decode_picture(&read_file(path)?, frame)
}

/// The bytes of a picture file.
///
/// # Errors
/// When it is no file within the limits.
pub fn read_file(path: &Path) -> Result<Vec<u8>, PictureError> {
    let bytes = match regular::read(path, MAX_FILE_BYTES) {
        Err(error) if error.kind() == ErrorKind::FileTooLarge => {
            return Err(PictureError::TooLong(std::fs::metadata(path)?.len()));
        }
        bytes => bytes?,
    };
    if bytes.is_empty() { Err(PictureError::Empty) } else { Ok(bytes) }
}

/// A consistent frame as a PNG file.
///
/// # Errors
/// When the frame cannot be encoded.
pub fn png(frame: &Frame) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = (frame.width as u32, frame.height as u32);
    let (colour, format) = (colour(frame.format), image::ImageFormat::Png);
    image::write_buffer_with_format(&mut bytes, &frame.pixels, width, height, colour, format)
        .map_err(PictureError::Encode)?;
    Ok(bytes.into_inner())
}

/// Fills `into` with what is left of a consistent frame when it is saved as JPEG with this quality, 1 to 100, and read again.
///
/// # Errors
/// When the frame is too large for a JPEG, whose sides have at most 65,535 pixels.
pub fn through_jpeg(frame: &Frame, quality: u8, into: &mut Frame) -> Result<(), PictureError> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    let (width, height) = (frame.width as u32, frame.height as u32);
    encoder.write_image(&frame.pixels, width, height, colour(frame.format)).map_err(PictureError::Encode)?;
    decode_picture(&bytes, into)
}

/// A consistent frame as PNG, made smaller until no side is longer than `side` pixels.
///
/// # Errors
/// When the frame cannot be encoded.
pub fn thumbnail(frame: &Frame, side: u32) -> Result<Vec<u8>, PictureError> {
    let (width, height) = (frame.width as u32, frame.height as u32);
    let factor = (f64::from(side) / f64::from(width.max(height))).min(1.0);
    let shrunk = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    let pixels = frame.pixels.clone();
    let picture = match frame.format {
        PixelFormat::Grey8 => {
            image::GrayImage::from_raw(width, height, pixels).map(image::DynamicImage::from)
        }
        PixelFormat::Rgb8 => image::RgbImage::from_raw(width, height, pixels).map(image::DynamicImage::from),
    };
    let picture = picture.ok_or(PictureError::Empty)?;
    let mut bytes = Cursor::new(Vec::new());
    let small = picture.thumbnail_exact(shrunk(width), shrunk(height));
    small.write_to(&mut bytes, image::ImageFormat::Png).map_err(PictureError::Encode)?;
    Ok(bytes.into_inner())
}

fn colour(format: PixelFormat) -> image::ExtendedColorType {
    match format {
        PixelFormat::Grey8 => image::ExtendedColorType::L8,
        PixelFormat::Rgb8 => image::ExtendedColorType::Rgb8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_empty_is_said_so() {
        let mut frame = Frame::default();
        assert!(matches!(read_picture(Path::new("/nonexistent"), &mut frame), Err(PictureError::Io(_))));
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(read_picture(file.path(), &mut frame), Err(PictureError::Empty)));
    }

    #[test]
    fn a_folder_with_the_name_of_a_picture_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = read_picture(dir.path(), &mut Frame::default()).unwrap_err();
        assert_eq!(folder.to_string(), "cannot be read: it is a folder; name the file in it");
    }

    #[test]
    fn a_jpeg_of_low_quality_loses_detail_and_keeps_size_and_colour() {
        for format in [PixelFormat::Grey8, PixelFormat::Rgb8] {
            let pixels = (0..32 * 16 * format.bytes()).map(|i| (i * 89 % 251) as u8).collect();
            let frame = Frame { width: 32, height: 16, format, pixels, ..Frame::default() };
            let lost = |quality| {
                let mut into = Frame::default();
                through_jpeg(&frame, quality, &mut into).unwrap();
                assert!(into.is_consistent() && into.format == format && into.width == 32);
                let pairs = into.pixels.iter().zip(&frame.pixels);
                pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
            };
            assert!(lost(100) < lost(10));
        }
    }
}
