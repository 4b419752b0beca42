//! Reading one picture file into a frame, with limits: whatever the file holds, the answer is a picture or a clear error.

use std::io::{BufReader, Cursor, ErrorKind};
use std::path::Path;

use image::{ColorType, ImageDecoder, ImageEncoder, ImageReader, Limits};

use crate::frame::{Frame, PixelFormat};
use crate::regular;

/// Largest picture file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 64_000_000;

/// A picture file cannot be used. The message does not name the file; whoever asked for it knows.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error("has {0} bytes; at most {MAX_FILE_BYTES} are read")]
    TooLong(u64),
    /// Its picture is larger than [`MAX_PIXELS`].
    #[error("is {width} x {height} pixels; at most {MAX_PIXELS} pixels are decoded")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// It is a JPEG whose end is missing; the decoder would fill the rest with grey.
    #[error("is not a whole JPEG, PNG or BMP picture: its end is missing")]
    CutOff,
    /// It is no JPEG, PNG or BMP, or a broken one.
    #[error("is not a whole JPEG, PNG or BMP picture: {0}")]
    Broken(#[from] image::ImageError),
}

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

/// As [`read_picture`], of a file's bytes.
///
/// # Errors
/// When they are no picture within the limits.
pub fn decode_picture(bytes: &[u8], frame: &mut Frame) -> Result<(), PictureError> {
    if is_cut_off_jpeg(bytes) {
        return Err(PictureError::CutOff);
    }
    let mut reader = ImageReader::new(BufReader::new(Cursor::new(bytes))).with_guessed_format()?;
    reader.limits(Limits::no_limits());
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooLarge { width, height });
    }
    if width == 0 || height == 0 {
        return Err(PictureError::Empty);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_PIXELS * 8);
    decoder.set_limits(limits)?;
    (frame.width, frame.height) = (width as usize, height as usize);
    fill(decoder, frame)
}

/// Whether this is a JPEG without an end-of-image marker after its first scan began (ITU-T T.81, annex B): inside a
/// scan, a byte 0xFF of the data is followed by 0x00, so that marker cannot come from it; before it, a preview may hold one.
pub(super) fn is_cut_off_jpeg(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xFF, 0xD8]) else { return false };
    while let [0xFF, marker, high, low, ..] = *rest {
        if marker == 0xFF {
            rest = &rest[1..];
            continue;
        }
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some(after) = rest.get(length..) else { return true };
        if marker == 0xDA {
            return !after.windows(2).any(|pair| pair == [0xFF, 0xD9]);
        }
        rest = after;
    }
    // Too short for a scan, or no markers at all: the decoder says what it is.
    false
}

fn fill(decoder: impl ImageDecoder, frame: &mut Frame) -> Result<(), PictureError> {
    let pixels = frame.width * frame.height;
    match decoder.color_type() {
        color @ (ColorType::L8 | ColorType::Rgb8) => {
            frame.format = if color == ColorType::L8 { PixelFormat::Grey8 } else { PixelFormat::Rgb8 };
            frame.pixels.resize(pixels * frame.format.bytes(), 0);
            decoder.read_image(&mut frame.pixels)?;
        }
        color => {
            let picture = image::DynamicImage::from_decoder(decoder)?;
            frame.pixels.clear();
            if color.has_color() {
                frame.format = PixelFormat::Rgb8;
                frame.pixels.extend_from_slice(&picture.into_rgb8());
            } else {
                frame.format = PixelFormat::Grey8;
                frame.pixels.extend_from_slice(&picture.into_luma8());
            }
        }
    }
    Ok(())
}

/// Turns a coloured picture whose pixels are all grey into a grey one, as many cameras save grey pictures.
pub fn drop_false_colour(frame: &mut Frame) {
    if frame.format == PixelFormat::Rgb8 && frame.pixels.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2])
    {
        let pixels = frame.pixels.len() / 3;
        (0..pixels).for_each(|i| frame.pixels[i] = frame.pixels[3 * i]);
        frame.pixels.truncate(pixels);
        frame.format = PixelFormat::Grey8;
    }
}

/// A consistent frame as a PNG file.
///
/// # Errors
/// When the frame cannot be encoded.
pub fn png(frame: &Frame) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = (frame.width as u32, frame.height as u32);
    let (colour, format) = (colour(frame.format), image::ImageFormat::Png);
    image::write_buffer_with_format(&mut bytes, &frame.pixels, width, height, colour, format)?;
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
    encoder.write_image(&frame.pixels, width, height, colour(frame.format))?;
    (into.width, into.height) = (frame.width, frame.height);
    fill(image::codecs::jpeg::JpegDecoder::new(Cursor::new(bytes))?, into)
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
    picture.thumbnail_exact(shrunk(width), shrunk(height)).write_to(&mut bytes, image::ImageFormat::Png)?;
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

    fn read(bytes: &[u8]) -> Result<Frame, PictureError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut frame = Frame::default();
        read_picture(file.path(), &mut frame).map(|()| frame)
    }

    fn encoded(format: image::ImageFormat, colour: bool) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = image::DynamicImage::new_luma8(9, 5);
        let picture = if colour { image::DynamicImage::ImageRgb8(picture.to_rgb8()) } else { picture };
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn jpeg_png_and_bmp_are_read_by_content() {
        for format in [image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::Bmp] {
            for colour in [false, true] {
                let frame = read(&encoded(format, colour)).unwrap();
                assert_eq!((frame.width, frame.height), (9, 5));
                assert!(frame.is_consistent());
            }
        }
    }

    #[test]
    fn what_is_no_whole_picture_is_said_so() {
        let png = encoded(image::ImageFormat::Png, false);
        let mut huge = png.clone();
        huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let crc = crc(&huge[12..29]);
        huge[29..33].copy_from_slice(&crc.to_be_bytes());
        for (bytes, says) in [
            (&b""[..], "is empty"),
            (b"hello", "is not a whole"),
            (&png[..png.len() / 2], "is not a whole"),
            (&huge, "is 65536 x 65536 pixels"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
        assert!(matches!(
            read_picture(Path::new("/nonexistent"), &mut Frame::default()),
            Err(PictureError::Io(_))
        ));
    }

    #[test]
    fn a_jpeg_without_its_end_is_told_from_a_whole_one() {
        let jpeg = encoded(image::ImageFormat::Jpeg, true);
        assert!(!is_cut_off_jpeg(&jpeg));
        let mut trailing = jpeg.clone();
        trailing.extend_from_slice(b"what some cameras append");
        assert!(read(&trailing).is_ok());
        for cut in 1..jpeg.len() {
            assert!(read(&jpeg[..jpeg.len() - cut]).is_err(), "{cut} bytes short");
        }
    }

    #[test]
    fn a_folder_with_the_name_of_a_picture_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = read_picture(dir.path(), &mut Frame::default()).unwrap_err();
        assert_eq!(folder.to_string(), "cannot be read: it is a folder; name the file in it");
    }

    #[test]
    fn only_a_picture_without_any_colour_becomes_grey() {
        let rgb = |pixels: &[u8]| Frame {
            width: 2,
            height: 1,
            format: PixelFormat::Rgb8,
            pixels: pixels.to_vec(),
            ..Frame::default()
        };
        let (mut grey, mut red) = (rgb(&[7, 7, 7, 9, 9, 9]), rgb(&[7, 7, 7, 9, 9, 8]));
        drop_false_colour(&mut grey);
        drop_false_colour(&mut red);
        assert_eq!((grey.format, &grey.pixels[..]), (PixelFormat::Grey8, &[7, 9][..]));
        assert_eq!(red.format, PixelFormat::Rgb8);
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

    /// CRC-32 as PNG uses it (ISO 3309), bit by bit.
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, &byte| {
            (0..8)
                .fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
        })
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(at in 0usize..60, value: u8, cut in 0usize..80) {
            for format in [image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::Bmp] {
                let mut bytes = encoded(format, true);
                let at = at % bytes.len();
                bytes[at] = value;
                bytes.truncate(bytes.len().saturating_sub(cut).max(1));
                let _ = read(&bytes);
            }
        }
    }
}
