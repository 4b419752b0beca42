//! From the samples of a picture, of 8 or 16 bits and with or without transparency, to a frame of 8 bits.

use super::PictureError;
use crate::frame::{Frame, PixelFormat};

/// A picture of 16 bits whose greatest value is below this one shows nothing brighter than a quarter of what it could: it most
/// likely holds 10, 12 or 14 bits, and would be read as nearly black.
const LEAST_BRIGHTEST: u16 = 1 << 14;

/// What a picture of 16 bits says about the range of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Nothing.
    Untold,
    /// So many bits of each value came from the camera, and were spread over all 16.
    Spread(u8),
    /// White is this value: one less than a power of two, at least 255.
    White(u16),
}

/// Size of a picture, and how many samples a pixel has: grey, grey and opacity, colour, colour and opacity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub width: u32,
    pub height: u32,
    pub channels: usize,
}

impl Plan {
    const fn colours(self) -> usize {
        if self.channels < 3 { 1 } else { 3 }
    }

    const fn has_opacity(self) -> bool {
        self.channels == 2 || self.channels == 4
    }
}

/// Fills `frame` from samples of 8 bits. What is transparent lies on black, as if nothing had been seen there.
pub(super) fn from_bytes(plan: Plan, mut samples: Vec<u8>, frame: &mut Frame) {
    if plan.has_opacity() {
        let (colours, channels) = (plan.colours(), plan.channels);
        let pixels = samples.len() / channels;
        for pixel in 0..pixels {
            let opacity = u32::from(samples[pixel * channels + colours]);
            for c in 0..colours {
                let value = u32::from(samples[pixel * channels + c]);
                samples[pixel * colours + c] = ((value * opacity + 127) / 255) as u8;
            }
        }
        samples.truncate(pixels * colours);
    }
    (frame.width, frame.height) = (plan.width as usize, plan.height as usize);
    frame.format = if plan.colours() == 1 { PixelFormat::Grey8 } else { PixelFormat::Rgb8 };
    frame.pixels = samples;
}

/// As [`from_bytes`], from samples of 16 bits, of which `value` makes a number out of two bytes.
///
/// # Errors
/// When it is not sure which value is white.
pub(super) fn from_words(
    plan: Plan,
    samples: &[u8],
    value: impl Fn([u8; 2]) -> u16,
    depth: Depth,
    frame: &mut Frame,
) -> Result<(), PictureError> {
    let (colours, channels) = (plan.colours(), plan.channels);
    let samples = samples.as_chunks::<2>().0;
    let seen = || samples.chunks_exact(channels).flat_map(|pixel| &pixel[..colours]).map(|two| value(*two));
    let white = u32::from(white(seen, depth)?);
    let eight = |two: [u8; 2], white: u32| ((u32::from(value(two)) * 255 + white / 2) / white) as u8;
    let mut bytes = Vec::with_capacity(samples.len());
    for pixel in samples.chunks_exact(channels) {
        bytes.extend(pixel[..colours].iter().map(|&two| eight(two, white)));
        bytes.extend(pixel[colours..].iter().map(|&two| eight(two, u32::from(u16::MAX))));
    }
    from_bytes(plan, bytes, frame);
    Ok(())
}

/// The value that is white.
fn white<I: Iterator<Item = u16>>(seen: impl Fn() -> I, depth: Depth) -> Result<u16, PictureError> {
    let brightest = seen().max().unwrap_or(0);
    if brightest == 0 {
        return Ok(u16::MAX);
    }
    let unclear = || {
        PictureError::Unsupported(format!(
            "is a 16-bit picture whose values end at {brightest}, so that it is unclear what is white: save it with its \
             full range or as 8 bits"
        ))
    };
    match depth {
        Depth::White(white) if brightest <= white => Ok(white),
        Depth::White(white) => Err(PictureError::Unsupported(format!(
            "is a 16-bit picture that says its values end at {white}, but they go to {brightest}: save it as 8 bits"
        ))),
        Depth::Spread(bits) if (8..16).contains(&bits) => {
            let step = 1u16 << (16 - bits);
            let most = (1u16 << bits) - 1;
            // Bits that were spread leave multiples of a step, with the first bits again below them or with rounding.
            let spread = seen().all(|value| value % step <= 1 || value % step == value >> bits);
            match (brightest > most, spread) {
                (true, true) => Ok(u16::MAX),
                (false, false) => Ok(most),
                _ if brightest >= LEAST_BRIGHTEST => Ok(u16::MAX),
                _ => Err(unclear()),
            }
        }
        _ if brightest >= LEAST_BRIGHTEST => Ok(u16::MAX),
        _ => Err(unclear()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(samples: &[u16], depth: Depth) -> Result<Vec<u8>, String> {
        let mut frame = Frame::default();
        let plan = Plan { width: samples.len() as u32, height: 1, channels: 1 };
        let bytes: Vec<u8> = samples.iter().flat_map(|value| value.to_be_bytes()).collect();
        from_words(plan, &bytes, u16::from_be_bytes, depth, &mut frame).map_err(|error| error.to_string())?;
        assert!(frame.is_consistent());
        Ok(frame.pixels)
    }

    #[test]
    fn sixteen_bits_are_read_by_their_full_range() {
        assert_eq!(words(&[0, 128 * 257, 65_535], Depth::Untold).unwrap(), [0, 128, 255]);
        assert_eq!(words(&[0, 0], Depth::Untold).unwrap(), [0, 0], "black is black at any depth");
        assert_eq!(words(&[0, 16_384], Depth::Untold).unwrap(), [0, 64]);
    }

    #[test]
    fn fewer_bits_in_sixteen_are_read_right_where_told_and_refused_elsewhere() {
        for brightest in [255, 1_023, 4_080, 4_095, 16_383] {
            let error = words(&[0, brightest], Depth::Untold).unwrap_err();
            assert!(error.contains(&format!("values end at {brightest},")), "{error}");
        }
        assert_eq!(words(&[0, 2_049, 4_095], Depth::White(4_095)).unwrap(), [0, 128, 255]);
        assert!(words(&[0, 4_096], Depth::White(4_095)).unwrap_err().contains("they go to 4096"));
        // Twelve bits as the camera gave them, spread by shifting, and spread by repeating the first bits.
        assert_eq!(words(&[0, 2_049, 4_095], Depth::Spread(12)).unwrap(), [0, 128, 255]);
        assert_eq!(words(&[0, 2_049 << 4, 4_095 << 4], Depth::Spread(12)).unwrap(), [0, 128, 255]);
        let repeated = [0u16, 513, 2_049, 4_095].map(|value| value << 4 | value >> 8);
        assert_eq!(words(&repeated, Depth::Spread(12)).unwrap(), [0, 32, 128, 255]);
        assert_eq!(words(&[0, 513 << 4], Depth::Spread(12)).unwrap(), [0, 32], "dark, and told so");
        assert!(words(&[0, 255 << 4], Depth::Spread(12)).is_err(), "black when spread, a picture when not");
    }

    #[test]
    fn what_is_transparent_lies_on_black() {
        let mut frame = Frame::default();
        let plan = Plan { width: 3, height: 1, channels: 2 };
        from_bytes(plan, vec![200, 255, 200, 0, 200, 128], &mut frame);
        assert_eq!((frame.format, &frame.pixels[..]), (PixelFormat::Grey8, &[200, 0, 100][..]));
        let plan = Plan { width: 1, height: 1, channels: 4 };
        let words = [255, 255, 128, 0, 0, 0, 128, 0];
        from_words(plan, &words, u16::from_be_bytes, Depth::Untold, &mut frame).unwrap();
        assert_eq!((frame.format, &frame.pixels[..]), (PixelFormat::Rgb8, &[128, 64, 0][..]));
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
}
