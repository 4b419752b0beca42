//! PNG pictures (ISO/IEC 15948): every chunk's check sum holds, the last one is there, and no more is unpacked than is shown.
//!
//! Profiles and texts are stepped over unread: they may unpack to a thousand times their size.

use std::io::Cursor;

use super::pixels::{Depth, Plan, from_bytes, from_words};
use super::{MAX_DECODED_BYTES, PictureError, check_size, orient};
use crate::frame::Frame;

/// What the chunks say.
#[derive(Debug, Default)]
struct Facts {
    width: u32,
    height: u32,
    /// Bits of a sample.
    bits: u8,
    channels: u64,
    orientation: u8,
    /// Bits of a sample that came from the camera; 0 where nothing is told.
    significant: u8,
}

/// Fills `frame`; gives the orientation, 1 to 8.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Result<u8, PictureError> {
    let facts = check(bytes)?;
    // With transparency told apart, a palette unpacks to four channels.
    check_size(facts.width, facts.height, facts.channels * if facts.bits == 16 { 2 } else { 1 })?;
    let limits = png::Limits { bytes: MAX_DECODED_BYTES as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(damage)?;
    let (colour, depth) = reader.output_color_type();
    let plan = Plan { width: facts.width, height: facts.height, channels: colour.samples() };
    let sample = if depth == png::BitDepth::Sixteen { 2 } else { 1 };
    let row = plan.width as usize * plan.channels * sample;
    let mut samples = vec![0; row * plan.height as usize];
    // Row by row, and no further: behind the last row may come any amount of data that shows nothing.
    let mut rows = 0;
    let wanted = row_count(&reader);
    while rows < wanted {
        let Some(read) = reader.next_interlaced_row().map_err(damage)? else { break };
        match read.interlace() {
            png::InterlaceInfo::Null(_) => samples[rows * row..][..row].copy_from_slice(&read.data()[..row]),
            png::InterlaceInfo::Adam7(pass) => {
                let bits = (8 * plan.channels * sample) as u8;
                png::expand_interlaced_row(&mut samples, row, read.data(), pass, bits);
            }
        }
        rows += 1;
    }
    if rows < wanted {
        return Err(PictureError::damaged("its data ends early"));
    }
    if sample == 1 {
        from_bytes(plan, samples, frame);
    } else {
        let depth = if facts.significant > 0 { Depth::Spread(facts.significant) } else { Depth::Untold };
        from_words(plan, &samples, u16::from_be_bytes, depth, frame)?;
    }
    Ok(facts.orientation)
}

/// Rows that come, those of all passes of an interlaced picture together.
fn row_count(reader: &png::Reader<Cursor<&[u8]>>) -> usize {
    let info = reader.info();
    let (width, height) = (info.width as usize, info.height as usize);
    if !info.interlaced {
        return height;
    }
    // Where each of the seven passes begins, and how far its pixels are apart, across and down.
    let passes =
        [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)];
    let rows = |(x, _, y, down): (usize, usize, usize, usize)| {
        if width > x { height.saturating_sub(y).div_ceil(down) } else { 0 }
    };
    passes.into_iter().map(rows).sum()
}

fn damage(error: png::DecodingError) -> PictureError {
    match error {
        png::DecodingError::LimitsExceeded => {
            PictureError::TooMuchWork("it needs more memory than its size explains".to_owned())
        }
        png::DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            PictureError::damaged("its data ends early")
        }
        other => PictureError::Damaged(other.to_string()),
    }
}

/// Looks through all chunks up to the last.
fn check(bytes: &[u8]) -> Result<Facts, PictureError> {
    let mut facts = Facts { orientation: 1, ..Facts::default() };
    let (mut at, mut first, mut palette) = (8, true, false);
    loop {
        let cut = || PictureError::damaged("its end is missing");
        let head = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>).ok_or_else(cut)?;
        let [l3, l2, l1, l0, name @ ..] = *head;
        let shown = String::from_utf8_lossy(&name);
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(PictureError::damaged(
                "something stands between its chunks that does not belong there",
            ));
        }
        let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        let body = bytes.get(at + 8..).and_then(|rest| rest.get(..length));
        let sum = bytes.get(at + 8 + length..).and_then(<[u8]>::first_chunk::<4>);
        let (Some(body), Some(sum)) = (body, sum) else {
            return Err(PictureError::Damaged(format!(
                "its end is missing: its data ends in its chunk {shown}"
            )));
        };
        if crc(&bytes[at + 4..at + 8 + length]) != u32::from_be_bytes(*sum) {
            return Err(PictureError::Damaged(format!("the check sum of its chunk {shown} is wrong")));
        }
        if first != (&name == b"IHDR") {
            return Err(PictureError::damaged("its first chunk is not its only IHDR"));
        }
        first = false;
        match &name {
            b"IHDR" => head_chunk(body, &mut facts)?,
            b"IEND" => break,
            b"PLTE" => palette = true,
            b"IDAT" => {}
            b"tRNS" => facts.channels = if facts.channels == 1 && !palette { 2 } else { 4 },
            b"eXIf" => facts.orientation = orient::of_exif(body),
            b"sBIT" => facts.significant = body.first().copied().unwrap_or(0),
            b"acTL" => {
                return Err(PictureError::unsupported("is an animation: save one picture of it"));
            }
            _ if name[0].is_ascii_uppercase() => {
                return Err(PictureError::Unsupported(format!(
                    "is a PNG with a part {shown} that is not read: save it as an ordinary PNG"
                )));
            }
            _ => {}
        }
        at += 12 + length;
    }
    Ok(facts)
}

fn head_chunk(body: &[u8], facts: &mut Facts) -> Result<(), PictureError> {
    let &[w3, w2, w1, w0, h3, h2, h1, h0, bits, colour, ..] = body else {
        return Err(PictureError::damaged("its first chunk is too short"));
    };
    facts.width = u32::from_be_bytes([w3, w2, w1, w0]);
    facts.height = u32::from_be_bytes([h3, h2, h1, h0]);
    facts.bits = bits;
    facts.channels = match colour {
        0 => 1,
        2 | 3 => 3,
        4 => 2,
        _ => 4,
    };
    Ok(())
}

/// CRC-32 as PNG uses it (ISO 3309), a byte at a time.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| CRC[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut crc, mut bit) = (at as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
};
