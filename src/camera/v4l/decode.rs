//! From a camera's bytes to a frame: grey where grey is enough, so that colour is neither unpacked nor computed.
//!
//! Must not know devices. The bytes are an unknown camera's: whatever they are, the answer is a frame or the reason why not.

use crate::config::CameraFormat;
use crate::frame::{Frame, PixelFormat, luma};
use crate::picture::decode_camera_jpeg;

/// Arrangement of a camera's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    Yuyv,
    Nv12,
    Mjpeg,
    Rgb,
}

impl Layout {
    /// Every one, in the order in which they are preferred where several would do.
    pub(super) const ALL: [Self; 5] = [Self::Grey, Self::Nv12, Self::Yuyv, Self::Rgb, Self::Mjpeg];

    /// The kernel's code for it (`V4L2_PIX_FMT_*`).
    pub(super) const fn code(self) -> [u8; 4] {
        *match self {
            Self::Grey => b"GREY",
            Self::Yuyv => b"YUYV",
            Self::Nv12 => b"NV12",
            Self::Mjpeg => b"MJPG",
            Self::Rgb => b"RGB3",
        }
    }

    /// The one with this code; JPEG has two.
    pub(super) fn of_code(code: [u8; 4]) -> Option<Self> {
        if &code == b"JPEG" {
            return Some(Self::Mjpeg);
        }
        Self::ALL.into_iter().find(|layout| layout.code() == code)
    }

    /// The one that the configuration asks for; `None` leaves the choice.
    pub(super) const fn wanted(format: CameraFormat) -> Option<Self> {
        match format {
            CameraFormat::Auto => None,
            CameraFormat::Grey => Some(Self::Grey),
            CameraFormat::Yuyv => Some(Self::Yuyv),
            CameraFormat::Nv12 => Some(Self::Nv12),
            CameraFormat::Mjpeg => Some(Self::Mjpeg),
            CameraFormat::Rgb => Some(Self::Rgb),
        }
    }

    /// Bytes of a row without padding; 0 where there are no rows.
    const fn row(self, width: usize) -> usize {
        match self {
            Self::Grey | Self::Nv12 => width,
            Self::Yuyv => 2 * width,
            Self::Rgb => 3 * width,
            Self::Mjpeg => 0,
        }
    }
}

/// What a camera has agreed to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub layout: Layout,
    pub width: usize,
    pub height: usize,
    /// Bytes from the begin of one row to that of the next.
    pub stride: usize,
    /// Whether black is 16 and white 235 (ITU-R BT.601) in `Yuyv` and `Nv12`.
    pub limited: bool,
}

/// Fills `frame` (pixels, size, format) from a camera's bytes; in colour only where that is wanted and there is any.
///
/// # Errors
/// Why the bytes are no picture of this shape.
pub(super) fn decode(bytes: &[u8], shape: &Shape, colour: bool, frame: &mut Frame) -> Result<(), String> {
    if shape.layout == Layout::Mjpeg {
        let size = (shape.width, shape.height);
        return decode_camera_jpeg(bytes, size, colour, frame).map_err(|error| error.to_string());
    }
    let Shape { layout, width, height, .. } = *shape;
    let stride = shape.stride.max(layout.row(width));
    let planes = if layout == Layout::Nv12 { height + height / 2 } else { height };
    // The padding behind the last row may be missing.
    let needed = stride * planes.saturating_sub(1) + layout.row(width);
    if bytes.len() < needed {
        return Err(format!("it has {} bytes, but {width} x {height} pixels need {needed}", bytes.len()));
    }
    let colour = colour && layout != Layout::Grey;
    frame.format = if colour { PixelFormat::Rgb8 } else { PixelFormat::Grey8 };
    (frame.width, frame.height) = (width, height);
    let pixels = &mut frame.pixels;
    pixels.clear();
    pixels.reserve(width * height * frame.format.bytes());
    let full = |y: u8| if shape.limited { stretch(y) } else { y };
    for y in 0..height {
        let row = &bytes[y * stride..][..layout.row(width)];
        match (layout, colour) {
            (Layout::Grey, _) => pixels.extend_from_slice(row),
            (Layout::Nv12, false) if !shape.limited => pixels.extend_from_slice(row),
            (Layout::Nv12, false) => pixels.extend(row.iter().map(|&y| full(y))),
            (Layout::Yuyv, false) => pixels.extend(row.iter().step_by(2).map(|&y| full(y))),
            (Layout::Rgb, false) => {
                pixels.extend(row.as_chunks::<3>().0.iter().map(|&rgb| luma(rgb)));
            }
            (Layout::Rgb, true) => pixels.extend_from_slice(row),
            (Layout::Yuyv, true) => {
                for two in row.chunks_exact(4) {
                    let chroma = (two[1], two[3]);
                    pixels.extend(rgb(two[0], chroma, shape.limited));
                    pixels.extend(rgb(two[2], chroma, shape.limited));
                }
            }
            (Layout::Nv12, true) => {
                let chroma = &bytes[(height + y / 2) * stride..];
                for (x, &y) in row.iter().enumerate() {
                    let pair = chroma.get(x / 2 * 2..).unwrap_or_default();
                    let chroma = (pair.first().copied().unwrap_or(128), pair.get(1).copied().unwrap_or(128));
                    pixels.extend(rgb(y, chroma, shape.limited));
                }
            }
            (Layout::Mjpeg, _) => {}
        }
    }
    // An odd width leaves the last pixel of a pair without its partner.
    pixels.resize(width * height * frame.format.bytes(), 0);
    Ok(())
}

/// Limited to full range: 16 to 235 becomes 0 to 255.
fn stretch(y: u8) -> u8 {
    let above = u32::from(y.saturating_sub(16));
    ((above * 255 + 109) / 219).min(255) as u8
}

/// ITU-R BT.601, factors in 65536ths.
fn rgb(y: u8, (cb, cr): (u8, u8), limited: bool) -> [u8; 3] {
    let y = i32::from(if limited { stretch(y) } else { y }) << 16;
    // Chroma of the limited range spans 224 steps, not 255.
    let scale = |c: u8| {
        let c = i32::from(c) - 128;
        if limited { c * 255 / 224 } else { c }
    };
    let (cb, cr) = (scale(cb), scale(cr));
    let level = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [level(y + 91_881 * cr), level(y - 22_554 * cb - 46_802 * cr), level(y + 116_130 * cb)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::ImageEncoder as _;
    use proptest::prelude::*;

    fn shape(layout: Layout, width: usize, height: usize) -> Shape {
        Shape { layout, width, height, stride: layout.row(width), limited: false }
    }

    fn decoded(bytes: &[u8], shape: &Shape, colour: bool) -> Result<(PixelFormat, Vec<u8>), String> {
        let mut frame = Frame::default();
        decode(bytes, shape, colour, &mut frame)?;
        assert!(frame.is_consistent());
        Ok((frame.format, frame.pixels))
    }

    #[test]
    fn brightness_is_taken_out_of_every_layout() {
        let grey = |layout, bytes: &[u8]| decoded(bytes, &shape(layout, 2, 2), false).unwrap();
        let wanted = (PixelFormat::Grey8, vec![10, 20, 30, 40]);
        assert_eq!(grey(Layout::Grey, &[10, 20, 30, 40]), wanted);
        assert_eq!(grey(Layout::Yuyv, &[10, 1, 20, 2, 30, 3, 40, 4]), wanted);
        assert_eq!(grey(Layout::Nv12, &[10, 20, 30, 40, 128, 128]), wanted);
        assert_eq!(grey(Layout::Rgb, &[10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40]), wanted);
    }

    #[test]
    fn colour_is_unpacked_where_it_is_wanted() {
        // Pure red in BT.601, full range: Y 76, Cb 85, Cr 255.
        let near_red =
            |pixels: &[u8]| pixels.chunks(3).all(|p| p[0] > 250 && p[1] < 5 && p[2] < 5) && pixels.len() == 6;
        let yuyv = decoded(&[76, 85, 76, 255], &shape(Layout::Yuyv, 2, 1), true).unwrap();
        assert!(yuyv.0 == PixelFormat::Rgb8 && near_red(&yuyv.1), "{yuyv:?}");
        let nv12 = decoded(&[76, 76, 76, 76, 85, 255], &shape(Layout::Nv12, 2, 2), true).unwrap();
        assert!(near_red(&nv12.1[..6]) && near_red(&nv12.1[6..]), "{nv12:?}");
        let grey = decoded(&[7], &shape(Layout::Grey, 1, 1), true).unwrap();
        assert_eq!(grey, (PixelFormat::Grey8, vec![7]), "a grey camera has no colour to give");
    }

    #[test]
    fn padding_is_left_out_and_the_limited_range_stretched() {
        let padded = Shape { stride: 4, ..shape(Layout::Grey, 2, 2) };
        assert_eq!(decoded(&[1, 2, 99, 99, 3, 4], &padded, false).unwrap().1, [1, 2, 3, 4]);
        let limited = Shape { limited: true, ..shape(Layout::Yuyv, 2, 1) };
        assert_eq!(decoded(&[16, 128, 235, 128], &limited, false).unwrap().1, [0, 255]);
        assert_eq!(decoded(&[0, 128, 255, 128], &limited, true).unwrap().1, [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn too_few_bytes_are_told() {
        let error = decoded(&[1, 2, 3], &shape(Layout::Grey, 2, 2), false).unwrap_err();
        assert_eq!(error, "it has 3 bytes, but 2 x 2 pixels need 4");
        assert!(decoded(&[0; 5], &shape(Layout::Nv12, 2, 2), false).is_err());
    }

    fn jpeg(width: u32, height: u32, level: u8) -> Vec<u8> {
        let mut bytes = Vec::new();
        let pixels = vec![level; (width * height * 3) as usize];
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
        encoder.write_image(&pixels, width, height, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    #[test]
    fn a_jpeg_is_decoded_if_it_is_whole_and_of_the_right_size() {
        let whole = jpeg(16, 8, 100);
        let grey = decoded(&whole, &shape(Layout::Mjpeg, 16, 8), false).unwrap();
        assert!(grey.0 == PixelFormat::Grey8 && grey.1.iter().all(|&p| p.abs_diff(100) < 2));
        assert_eq!(decoded(&whole, &shape(Layout::Mjpeg, 16, 8), true).unwrap().0, PixelFormat::Rgb8);
        let wrong = |bytes: &[u8], width| decoded(bytes, &shape(Layout::Mjpeg, width, 8), false).unwrap_err();
        assert_eq!(wrong(&whole, 32), "it is 16 x 8 pixels, not 32 x 8");
        assert_eq!(wrong(&whole[..whole.len() - 4], 16), "damaged: its data ends in row 1 of 8");
        assert_eq!(wrong(b"no picture", 16), "it is no JPEG");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 2usize..400, value: u8, cut in 0usize..400, width in 1usize..40, colour: bool) {
            let mut bytes = jpeg(16, 8, 70);
            let length = bytes.len();
            bytes[at % length] = value;
            bytes.truncate(length - cut.min(length));
            for layout in Layout::ALL {
                let _ = decoded(&bytes, &shape(layout, width, 8), colour);
            }
        }
    }
}
