//! Turns a picture as its orientation tag says (Exif 2.3, tag 0x0112; TIFF 6.0, tag 274), so that everything sees it upright.

use crate::frame::Frame;

/// Tag number of the orientation, in Exif and in TIFF.
pub(super) const TAG: u16 = 0x0112;

/// The orientation that a block of Exif data tells, 1 to 8; 1 where it tells none. It may begin with `Exif\0\0`.
pub(super) fn of_exif(exif: &[u8]) -> u8 {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    image::metadata::Orientation::from_exif_chunk(exif).map_or(1, image::metadata::Orientation::to_exif)
}

/// Turns and mirrors a consistent frame so that orientation 1 to 8 is undone; every other number leaves it as it is.
pub(super) fn turn(frame: &mut Frame, orientation: u8) {
    if !(2..=8).contains(&orientation) {
        return;
    }
    let (width, height, bytes) = (frame.width, frame.height, frame.format.bytes());
    let lying = orientation >= 5;
    let (wide, high) = if lying { (height, width) } else { (width, height) };
    let mut turned = Vec::with_capacity(frame.pixels.len());
    for y in 0..high {
        for x in 0..wide {
            // Where the pixel that belongs at (x, y) is stored.
            let (column, row) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                _ => (width - 1 - y, x),
            };
            let at = (row * width + column) * bytes;
            turned.extend_from_slice(&frame.pixels[at..at + bytes]);
        }
    }
    (frame.width, frame.height, frame.pixels) = (wide, high, turned);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;

    #[test]
    fn all_eight_orientations_are_undone() {
        // Upright: 1 2 3 / 4 5 6. How each orientation stores it, by the definition of the tag: where row 0 and column 0
        // of what is stored lie in the upright picture.
        let stored: [(u8, usize, &[u8]); 8] = [
            (1, 3, &[1, 2, 3, 4, 5, 6]),
            (2, 3, &[3, 2, 1, 6, 5, 4]),
            (3, 3, &[6, 5, 4, 3, 2, 1]),
            (4, 3, &[4, 5, 6, 1, 2, 3]),
            (5, 2, &[1, 4, 2, 5, 3, 6]),
            (6, 2, &[3, 6, 2, 5, 1, 4]),
            (7, 2, &[6, 3, 5, 2, 4, 1]),
            (8, 2, &[4, 1, 5, 2, 6, 3]),
        ];
        for (orientation, width, pixels) in stored {
            for format in [PixelFormat::Grey8, PixelFormat::Rgb8] {
                let spread = |pixels: &[u8]| -> Vec<u8> {
                    pixels.iter().flat_map(|&p| (0..format.bytes()).map(move |c| p + 10 * c as u8)).collect()
                };
                let mut frame =
                    Frame { width, height: 6 / width, format, pixels: spread(pixels), ..Frame::default() };
                turn(&mut frame, orientation);
                assert_eq!((frame.width, frame.height), (3, 2), "{orientation}");
                assert_eq!(frame.pixels, spread(&[1, 2, 3, 4, 5, 6]), "{orientation}");
            }
        }
    }
}
