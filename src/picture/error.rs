//! Why bytes are no picture that can be used, in words for whoever has to mend it.

use super::{MAX_DECODED_BYTES, MAX_FILE_BYTES, MAX_PIXELS, MAX_SIDE};

/// A picture cannot be used. The message does not name the file; whoever asked for it knows.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// It cannot be opened or read.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// It is no file but a folder, a pipe or a device.
    #[error("is no file")]
    NoFile,
    /// It is empty, or has no pixels.
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
    /// One side of it is longer than [`MAX_SIDE`].
    #[error("is {width} x {height} pixels; a side has at most {MAX_SIDE} pixels")]
    TooLongSide {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Its pixels take more memory than [`MAX_DECODED_BYTES`] while it is decoded.
    #[error(
        "takes {bytes} bytes to decode {width} x {height} pixels; at most {MAX_DECODED_BYTES} are spent: \
         save it smaller or with 8 bits"
    )]
    TooDeep {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Memory that decoding would take, in bytes.
        bytes: u64,
    },
    /// It would take more work to decode than a picture of its size is worth.
    #[error("takes too much work to decode: {0}")]
    TooMuchWork(String),
    /// Its first bytes are those of no kind of picture that is read.
    #[error("is no JPEG, PNG, BMP, WebP or TIFF picture")]
    Unknown,
    /// Part of it is missing or is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
    /// It is whole, but of a variety that is not read, or that cannot be read for sure. The words say what to do.
    #[error("{0}")]
    Unsupported(String),
    /// It cannot be written.
    #[error("cannot be encoded: {0}")]
    Encode(#[source] image::ImageError),
}

impl PictureError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// What a decoder of `image` said of a picture whose frame was found good.
    pub(super) fn of_decoder(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Unsupported(what) => {
                Self::Unsupported(format!("is of a variety that is not read ({what}): save it as PNG"))
            }
            image::ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::damaged("its data ends early")
            }
            other => Self::Damaged(other.to_string()),
        }
    }
}
