//! Pictures: from the bytes of a file or of a camera to a frame, or the reason why not.
//!
//! The one room in which pictures are decoded, for the line, for training and for every command alike, so that all see the
//! same. What is damaged, what would be shown other than it was meant and what would take too much work is refused in
//! words. Must not know files, folders or devices.

mod bmp;
mod error;
mod jpeg;
mod names;
mod orient;
mod pixels;
mod png;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

pub use error::PictureError;
pub use jpeg::decode_camera_jpeg;
pub use names::{EXTENSIONS, Kind};
pub use pixels::drop_false_colour;

use crate::frame::Frame;

/// Largest picture file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// Largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 64_000_000;
/// Longest side of a picture that is decoded, in pixels.
pub const MAX_SIDE: u32 = 32_768;
/// Most memory that the pixels of a picture may take in the form in which its decoder gives them, in bytes.
pub const MAX_DECODED_BYTES: u64 = 256 << 20;

/// Fills `frame` (pixels, size and format) from the bytes of a picture file, reusing its memory. A picture stored in grey
/// becomes [`crate::frame::PixelFormat::Grey8`], a coloured one [`crate::frame::PixelFormat::Rgb8`]; it is turned as its
/// orientation tag says, and what is transparent in it lies on black. After an error the frame's contents mean nothing.
///
/// # Errors
/// When they are no whole picture within the limits, or one that cannot be read for what it shows.
pub fn decode_picture(bytes: &[u8], frame: &mut Frame) -> Result<(), PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    let orientation = match Kind::of(bytes).ok_or(PictureError::Unknown)? {
        Kind::Jpeg => jpeg::decode(bytes, frame)?,
        Kind::Png => png::decode(bytes, frame)?,
        Kind::Bmp => bmp::decode(bytes, frame)?,
        Kind::WebP => webp::decode(bytes, frame)?,
        Kind::Tiff => tiff::decode(bytes, frame)?,
    };
    orient::turn(frame, orientation);
    Ok(())
}

/// Refuses what has no pixels or more than are decoded, before any work is spent on it.
fn check_size(width: u32, height: u32, bytes_per_pixel: u64) -> Result<(), PictureError> {
    if width == 0 || height == 0 {
        return Err(PictureError::Empty);
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(PictureError::TooLarge { width, height });
    }
    if width.max(height) > MAX_SIDE {
        return Err(PictureError::TooLongSide { width, height });
    }
    if pixels * bytes_per_pixel > MAX_DECODED_BYTES {
        return Err(PictureError::TooDeep { width, height, bytes: pixels * bytes_per_pixel });
    }
    Ok(())
}
