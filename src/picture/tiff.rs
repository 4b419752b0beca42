//! TIFF pictures (TIFF 6.0): one picture a file, of 8 or 16 bits, grey or in colour, packed without loss.
//!
//! Its tags are read here first, as they say what the values mean; what would be shown otherwise than it was meant is refused.

use std::io::Cursor;

use image::codecs::tiff::TiffDecoder;
use image::{ColorType, ImageDecoder, Limits};

use super::pixels::{Depth, Plan, from_bytes, from_words};
use super::{MAX_DECODED_BYTES, PictureError, check_size, orient};
use crate::frame::Frame;

/// Most entries of a directory that are looked at.
const MAX_ENTRIES: usize = 4_096;
/// Most pages that are looked at.
const MAX_PAGES: usize = 64;

/// Fills `frame`; gives the orientation, 1 to 8.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Result<u8, PictureError> {
    let tags = Tags::read(bytes)?;
    let depth = check(&tags)?;
    let mut decoder = TiffDecoder::new(Cursor::new(bytes)).map_err(PictureError::of_decoder)?;
    let (width, height) = decoder.dimensions();
    let colour = decoder.color_type();
    check_size(width, height, colour.bytes_per_pixel().into())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 * MAX_DECODED_BYTES);
    decoder.set_limits(limits).map_err(PictureError::of_decoder)?;
    let channels = usize::from(colour.channel_count());
    let plan = Plan { width, height, channels };
    let mut samples = vec![0; width as usize * height as usize * usize::from(colour.bytes_per_pixel())];
    decoder.read_image(&mut samples).map_err(PictureError::of_decoder)?;
    match colour {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => {
            from_bytes(plan, samples, frame)
        }
        _ => {
            // How far its values go can only be seen as they are stored, where white may be 0.
            let inverse = if tags.first(262) == Some(0) { u16::MAX } else { 0 };
            let value = |two| u16::from_ne_bytes(two) ^ inverse;
            from_words(plan, &samples, value, depth, frame)?;
            frame.pixels.iter_mut().for_each(|pixel| *pixel ^= inverse as u8);
        }
    }
    Ok(tags.first(orient::TAG).map_or(1, |orientation| orientation.min(255) as u8))
}

/// Refuses what is not read, or not for what it means.
fn check(tags: &Tags) -> Result<Depth, PictureError> {
    let refuse = |what: &str| Err(PictureError::Unsupported(format!("is a TIFF {what}")));
    let width = tags.first(256).unwrap_or(0);
    let height = tags.first(257).unwrap_or(0);
    check_size(width, height, 1)?;
    if tags.pages > 1 {
        return refuse(&format!("of {} pages: save each as a file of its own", tags.pages));
    }
    if tags.all(339).iter().any(|&format| format != 1) {
        return refuse("whose values are no plain whole numbers: save it with 8 or 16 bits");
    }
    let bits = tags.all(258);
    if bits.iter().any(|&bits| ![1, 8, 16].contains(&bits)) {
        return refuse(&format!("of {} bits: save it with 8 or 16 bits", bits[0]));
    }
    if ![None, Some(1), Some(5), Some(8), Some(32_773), Some(32_946)].contains(&tags.first(259)) {
        return refuse("that is packed in a way that is not read: save it with LZW, Deflate or unpacked");
    }
    if tags.first(266).unwrap_or(1) != 1 {
        return refuse("whose bits stand in reverse order: save it anew");
    }
    match tags.first(262) {
        Some(0) if tags.first(277).unwrap_or(1) > 1 => {
            return refuse("of transparent negative pixels: save it anew");
        }
        Some(0..=2) => {}
        Some(5) => return refuse("in CMYK, the colours of print: save it in RGB or grey"),
        _ => return refuse("that is neither grey nor in RGB: save it so"),
    }
    // MaxSampleValue and SMaxSampleValue: only a whole number of bits is believed, as some programs put the picture's own
    // brightest value there.
    let white = tags.first(341).or_else(|| tags.first(281)).filter(|&white| white < u32::from(u16::MAX));
    let white = white.filter(|white| *white >= 255 && (white + 1).is_power_of_two());
    Ok(white.map_or(Depth::Untold, |white| Depth::White(white as u16)))
}

/// Tags by their number, with the first of their whole numbers.
type Values = Vec<(u16, Vec<u32>)>;

/// The whole numbers among the tags of the first page, and how many pages there are beside reduced copies.
#[derive(Debug)]
struct Tags {
    values: Values,
    pages: usize,
}

impl Tags {
    fn first(&self, tag: u16) -> Option<u32> {
        self.all(tag).first().copied()
    }

    fn all(&self, tag: u16) -> &[u32] {
        self.values.iter().find(|(known, _)| *known == tag).map_or(&[], |(_, values)| values)
    }

    fn read(bytes: &[u8]) -> Result<Self, PictureError> {
        let file = File { bytes, little: bytes.starts_with(b"II") };
        if file.word(2) == Some(43) {
            return Err(PictureError::unsupported("is a BigTIFF: save it as an ordinary TIFF or as PNG"));
        }
        let cut = || PictureError::damaged("its tags are missing");
        let mut next = file.number(4).ok_or_else(cut)?;
        let mut first = None;
        let (mut pages, mut seen) = (0, 0);
        while next != 0 && seen < MAX_PAGES {
            let (values, after) = file.directory(next as usize).ok_or_else(cut)?;
            let tags = Self { values, pages: 0 };
            // A copy of reduced size, or a mask, is no page.
            if first.is_none() || tags.first(254).unwrap_or(0) & 5 == 0 {
                pages += 1;
            }
            first.get_or_insert(tags);
            (next, seen) = (after, seen + 1);
        }
        let first = first.ok_or_else(cut)?;
        Ok(Self { pages, ..first })
    }
}

/// Numbers of either byte order.
#[derive(Debug, Clone, Copy)]
struct File<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl File<'_> {
    fn word(self, at: usize) -> Option<u32> {
        let &two = self.bytes.get(at..)?.first_chunk::<2>()?;
        Some(u32::from(if self.little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) }))
    }

    fn number(self, at: usize) -> Option<u32> {
        let &four = self.bytes.get(at..)?.first_chunk::<4>()?;
        Some(if self.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    /// The first values of every tag of whole numbers in the directory at `at`, and where the next one is.
    fn directory(self, at: usize) -> Option<(Values, u32)> {
        let entries = self.word(at)? as usize;
        if entries > MAX_ENTRIES {
            return None;
        }
        let mut values = Vec::new();
        for entry in (0..entries).map(|entry| at + 2 + 12 * entry) {
            let (tag, kind, count) =
                (self.word(entry)? as u16, self.word(entry + 2)?, self.number(entry + 4)? as usize);
            let size = match kind {
                1 => 1,
                3 => 2,
                4 => 4,
                _ => continue,
            };
            let place = if count * size <= 4 { entry + 8 } else { self.number(entry + 8)? as usize };
            // More channels than that there are not.
            let value = |i: usize| match size {
                1 => self.bytes.get(place + i).map(|&byte| u32::from(byte)),
                2 => self.word(place + 2 * i),
                _ => self.number(place + 4 * i),
            };
            values.push((tag, (0..count.min(8)).map_while(value).collect()));
        }
        Some((values, self.number(at + 2 + 12 * entries)?))
    }
}
