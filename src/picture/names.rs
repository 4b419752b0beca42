//! What is a picture by its name, and what by its first bytes.

/// How the names of picture files end, in small letters, without the dot.
pub const EXTENSIONS: &[&str] =
    &["jpg", "jpeg", "jpe", "jfif", "jif", "png", "bmp", "dib", "webp", "tif", "tiff"];

/// A kind of picture that is read, told by its contents: names lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// JPEG (ITU-T T.81), also as `.jfif`.
    Jpeg,
    /// Portable network graphics.
    Png,
    /// Windows bitmap.
    Bmp,
    /// WebP, lossy or lossless.
    WebP,
    /// TIFF, of either byte order.
    Tiff,
}

impl Kind {
    /// The kind that a file's first bytes tell; the first 12 are enough.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xFF, 0xD8]) {
            return Some(Self::Jpeg);
        }
        if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
            return Some(Self::Png);
        }
        if bytes.starts_with(b"BM") {
            return Some(Self::Bmp);
        }
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return Some(Self::WebP);
        }
        // 42 is TIFF, 43 its variety for files beyond 4 GB.
        let tiff = [b"II\x2A\0", b"MM\0\x2A", b"II\x2B\0", b"MM\0\x2B"];
        tiff.iter().any(|magic| bytes.starts_with(*magic)).then_some(Self::Tiff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_pictures() {
        assert_eq!(Kind::of(b"RIFF\0\0\0\0WEBPVP8 "), Some(Kind::WebP));
        assert_eq!(Kind::of(b"RIFF\0\0\0\0WAVEfmt "), None);
        assert_eq!(Kind::of(b"MM\0\x2A\0\0\0\x08"), Some(Kind::Tiff));
        assert_eq!(Kind::of(b""), None);
    }
}
