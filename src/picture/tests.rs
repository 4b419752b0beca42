//! Pictures of every kind, made here byte by byte, as they are and damaged; and varieties that Pillow makes, held against what
//! Pillow reads, where it is there.

use image::{DynamicImage, ImageFormat};
use proptest::prelude::*;

use super::*;
use crate::frame::PixelFormat;

fn read(bytes: &[u8]) -> Result<Frame, String> {
    let mut frame = Frame::default();
    decode_picture(bytes, &mut frame).map_err(|error| error.to_string())?;
    assert!(frame.is_consistent());
    Ok(frame)
}

fn refused(bytes: &[u8]) -> String {
    read(bytes).err().unwrap_or_else(|| "it was read".to_owned())
}

const FORMATS: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff];

fn encoded(format: ImageFormat, colour: bool) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let grey = image::GrayImage::from_fn(19, 15, |x, y| image::Luma([(x * 13 + y * 7) as u8]));
    let picture = DynamicImage::from(grey);
    let picture = if colour || format == ImageFormat::WebP { picture.to_rgb8().into() } else { picture };
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn every_kind_is_read_by_its_content() {
    for format in FORMATS {
        for colour in [false, true] {
            let frame = read(&encoded(format, colour)).unwrap();
            assert_eq!((frame.width, frame.height), (19, 15));
            assert!(frame.pixels[0] < 8 && frame.pixels[frame.format.bytes()].abs_diff(13) < 8, "{format:?}");
        }
    }
    assert_eq!(refused(b"hello"), "is no JPEG, PNG, BMP, WebP or TIFF picture");
    assert_eq!(refused(b""), "is empty");
}

#[test]
fn a_picture_whose_end_is_missing_is_damaged() {
    for format in FORMATS {
        let whole = encoded(format, true);
        for cut in [1, 2, 5, 13, 40, whole.len() / 3, whole.len() / 2] {
            let error = refused(&whole[..whole.len() - cut]);
            assert!(error.starts_with("damaged: "), "{format:?} {cut} bytes short: {error}");
        }
    }
}

/// A PNG out of chunks, with their check sums.
fn png_of(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
    for (name, body) in chunks {
        let named = [&name[..], body].concat();
        // CRC-32 of ISO 3309, bit by bit.
        let crc = !named.iter().fold(!0u32, |crc, &byte| {
            (0..8)
                .fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 })
        });
        png.extend((body.len() as u32).to_be_bytes());
        png.extend(named);
        png.extend(crc.to_be_bytes());
    }
    png
}

fn head(width: u32, height: u32, bits: u8, colour: u8) -> (&'static [u8; 4], Vec<u8>) {
    let mut body = [width.to_be_bytes(), height.to_be_bytes()].concat();
    body.extend([bits, colour, 0, 0, 0]);
    (b"IHDR", body)
}

/// Rows, each behind its filter byte, unpacked (RFC 1950 and 1951).
fn stored(rows: &[u8]) -> (&'static [u8; 4], Vec<u8>) {
    let (a, b) = rows.iter().fold((1u32, 0u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    let length = rows.len() as u16;
    let mut body = vec![0x78, 0x01, 0x01];
    body.extend(length.to_le_bytes());
    body.extend((!length).to_le_bytes());
    body.extend(rows);
    body.extend((b << 16 | a).to_be_bytes());
    (b"IDAT", body)
}

const END: (&[u8; 4], Vec<u8>) = (b"IEND", Vec::new());

#[test]
fn a_png_of_every_depth_shows_what_was_written() {
    let grey = |bits, row: &[u8]| {
        read(&png_of(&[head(4, 1, bits, 0), stored(&[&[0], row].concat()), END])).unwrap().pixels
    };
    assert_eq!(grey(1, &[0b0110_0000]), [0, 255, 255, 0]);
    assert_eq!(grey(2, &[0b0001_1011]), [0, 85, 170, 255]);
    assert_eq!(grey(4, &[0x05, 0xAF]), [0, 85, 170, 255]);
    assert_eq!(grey(8, &[0, 85, 170, 255]), [0, 85, 170, 255]);
    assert_eq!(grey(16, &[0, 0, 0x55, 0x55, 0xAA, 0xAA, 0xFF, 0xFF]), [0, 85, 170, 255]);
    let palette = (b"PLTE", vec![1, 2, 3, 4, 5, 6]);
    let see_through = (b"tRNS", vec![255, 0]);
    let rows = || stored(&[0, 0b0100_0000]);
    let indexed = png_of(&[head(2, 1, 1, 3), palette.clone(), rows(), END]);
    assert_eq!(read(&indexed).unwrap().pixels, [1, 2, 3, 4, 5, 6]);
    let indexed = png_of(&[head(2, 1, 1, 3), palette, see_through, rows(), END]);
    assert_eq!(read(&indexed).unwrap().pixels, [1, 2, 3, 0, 0, 0], "what is transparent lies on black");
}

#[test]
fn twelve_bits_in_a_png_of_sixteen_are_read_right_or_refused() {
    let rows = || stored(&[0, 0, 0, 0x08, 0x01, 0x0F, 0xFF]);
    let error = refused(&png_of(&[head(3, 1, 16, 0), rows(), END]));
    assert!(error.contains("16-bit picture whose values end at 4095"), "{error}");
    let told = png_of(&[head(3, 1, 16, 0), (b"sBIT", vec![12]), rows(), END]);
    assert_eq!(read(&told).unwrap().pixels, [0, 128, 255]);
}

#[test]
fn a_png_that_would_take_too_much_is_refused_before_any_work() {
    let big = |width, height, bits, colour| {
        refused(&png_of(&[head(width, height, bits, colour), stored(&[0, 0]), END]))
    };
    assert!(big(65_536, 65_536, 8, 0).starts_with("is 65536 x 65536 pixels; at most 64000000"));
    assert!(big(64_000_000, 1, 8, 0).starts_with("is 64000000 x 1 pixels; a side has at most 32768"));
    assert!(big(8_000, 8_000, 16, 6).starts_with("takes 512000000 bytes to decode"));
    assert_eq!(big(0, 1, 8, 0), "is empty");
    // A profile is not unpacked: here it could not be.
    let profile = (b"iCCP", b"x\0\0no packed data".to_vec());
    let png = png_of(&[head(1, 1, 8, 0), profile, (b"zTXt", b"y\0\0neither".to_vec()), stored(&[0, 7]), END]);
    assert_eq!(read(&png).unwrap().pixels, [7]);
    // What comes behind the last row is not unpacked either: here it is broken.
    let mut rows = stored(&[0, 7]);
    rows.1.extend([0xAA; 50]);
    assert_eq!(read(&png_of(&[head(1, 1, 8, 0), rows, END])).unwrap().pixels, [7]);
}

#[test]
fn a_png_with_a_wrong_byte_is_damaged() {
    let whole = encoded(ImageFormat::Png, true);
    for at in 8..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        assert!(read(&bytes).is_err(), "byte {at}");
    }
    let without_data = png_of(&[head(3, 3, 8, 0), END]);
    assert!(refused(&without_data).starts_with("damaged: "));
    let animated = png_of(&[head(1, 1, 8, 0), (b"acTL", vec![0; 8]), stored(&[0, 7]), END]);
    assert!(refused(&animated).starts_with("is an animation"));
}

/// A tag of TIFF with one value of 16 bits.
fn tag(number: u16, value: u16) -> Vec<u8> {
    let mut entry = number.to_le_bytes().to_vec();
    entry.extend([3, 0, 1, 0, 0, 0]);
    entry.extend(value.to_le_bytes());
    entry.extend([0, 0]);
    entry
}

/// An unpacked grey TIFF of one row of three pixels, with further tags.
fn tiff_of(bits: u16, samples: &[u8], further: &[(u16, u16)]) -> Vec<u8> {
    let mut tags = vec![
        (256, 3),
        (257, 1),
        (258, bits),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 1),
        (279, samples.len() as u16),
    ];
    tags.retain(|(number, _)| further.iter().all(|(other, _)| other != number));
    tags.extend(further);
    tags.sort_unstable();
    let mut file = b"II\x2A\0".to_vec();
    file.extend((8 + samples.len() as u32).to_le_bytes());
    file.extend(samples);
    file.extend((tags.len() as u16).to_le_bytes());
    file.extend(tags.iter().flat_map(|&(number, value)| tag(number, value)));
    file.extend([0; 4]);
    file
}

#[test]
fn a_tiff_is_read_for_what_it_means_or_refused() {
    let eight = |further: &[(u16, u16)]| read(&tiff_of(8, &[0, 100, 200, 0], further));
    assert_eq!(eight(&[]).unwrap().pixels, [0, 100, 200]);
    assert_eq!(eight(&[(262, 0)]).unwrap().pixels, [255, 155, 55], "white is 0");
    let turned = eight(&[(274, 8)]).unwrap();
    assert_eq!((turned.width, turned.height, &turned.pixels[..]), (1, 3, &[200, 100, 0][..]));
    let twelve = [0u8, 0, 0x01, 0x08, 0xFF, 0x0F];
    assert!(refused(&tiff_of(16, &twelve, &[])).contains("values end at 4095"));
    assert_eq!(read(&tiff_of(16, &twelve, &[(281, 4_095)])).unwrap().pixels, [0, 128, 255]);
    assert!(
        refused(&tiff_of(16, &twelve, &[(262, 0)])).contains("values end at 4095"),
        "not nearly white either"
    );
    assert_eq!(read(&tiff_of(16, &twelve, &[(281, 4_095), (262, 0)])).unwrap().pixels, [255, 127, 0]);
    for (further, says) in [
        (&[(258, 12)], "is a TIFF of 12 bits"),
        (&[(259, 7)], "is a TIFF that is packed"),
        (&[(262, 5)], "is a TIFF in CMYK"),
        (&[(262, 3)], "is a TIFF that is neither grey"),
        (&[(339, 3)], "is a TIFF whose values are no plain"),
    ] {
        let error = eight(further).err().unwrap_or_default();
        assert!(error.starts_with(says), "{error}");
    }
    // A second page behind the first.
    let mut pages = tiff_of(8, &[0, 100, 200, 0], &[]);
    let (first, end) = (12, pages.len());
    pages[end - 4..].copy_from_slice(&(end as u32).to_le_bytes());
    let second = pages[first..end - 4].to_vec();
    pages.extend(second);
    pages.extend([0; 4]);
    assert!(refused(&pages).starts_with("is a TIFF of 2 pages"));
}

/// A BMP with a head of 40 bytes, a palette of four greys where it has up to 8 bits, and these rows.
fn bmp_of((width, height): (i32, i32), bits: u16, packing: u32, rows: &[u8]) -> Vec<u8> {
    let palette: &[u8] = &[0, 0, 0, 0, 85, 85, 85, 0, 170, 170, 170, 0, 255, 255, 255, 0];
    let palette = if bits <= 8 { &palette[..4 * (1 << bits.min(2))] } else { &[] };
    let mut file = b"BM\0\0\0\0\0\0\0\0".to_vec();
    file.extend((54 + palette.len() as u32).to_le_bytes());
    file.extend([40, 0, 0, 0]);
    file.extend([width.to_le_bytes(), height.to_le_bytes()].concat());
    file.extend([1, 0]);
    file.extend(bits.to_le_bytes());
    file.extend(packing.to_le_bytes());
    file.extend([0; 12]);
    file.extend((palette.len() as u32 / 4).to_le_bytes());
    file.extend([0; 4]);
    file.extend(palette);
    file.extend(rows);
    file
}

/// The first channel of each pixel.
fn greys(frame: &Frame) -> Vec<u8> {
    frame.pixels.iter().copied().step_by(frame.format.bytes()).collect()
}

#[test]
fn a_bmp_of_every_depth_shows_what_was_written() {
    let show = |size, bits, packing, rows: &[u8]| greys(&read(&bmp_of(size, bits, packing, rows)).unwrap());
    // Rows from below, unless the height is negative; each filled up to four bytes.
    assert_eq!(show((2, 2), 8, 0, &[0, 1, 0, 0, 2, 3, 0, 0]), [170, 255, 0, 85]);
    assert_eq!(show((2, -2), 8, 0, &[0, 1, 0, 0, 2, 3, 0, 0]), [0, 85, 170, 255]);
    assert_eq!(show((4, 1), 4, 0, &[0x01, 0x23, 0, 0]), [0, 85, 170, 255]);
    assert_eq!(show((4, 1), 1, 0, &[0b0110_0000, 0, 0, 0]), [0, 85, 85, 0]);
    assert_eq!(show((2, 1), 24, 0, &[9, 9, 9, 70, 70, 70, 0, 0]), [9, 70]);
    assert_eq!(show((1, 1), 32, 0, &[9, 9, 9, 0]), [9], "its fourth byte is no transparency");
    assert_eq!(show((2, 1), 16, 0, &[0xFF, 0x7F, 0, 0]), [255, 0]);
    // Runs: three of 1, two literal ones, the end of the row, and of the picture.
    assert_eq!(show((5, 1), 8, 1, &[3, 1, 2, 2, 0, 0, 0, 1]), [85, 85, 85, 170, 170]);
    assert_eq!(show((4, 1), 4, 2, &[4, 0x12, 0, 0, 0, 1]), [85, 170, 85, 170]);
}

#[test]
fn a_bmp_that_ends_early_is_damaged() {
    let rows = [0, 1, 0, 0, 2, 3, 0, 0];
    assert_eq!(refused(&bmp_of((2, 2), 8, 0, &rows[..5])), "damaged: its data ends after 1 of 2 rows");
    assert_eq!(refused(&bmp_of((2, 2), 8, 1, &[2, 1, 0, 0])), "damaged: its data ends after 1 of 2 rows");
    assert_eq!(
        refused(&bmp_of((2, 2), 8, 1, &[9, 1, 0, 1])),
        "damaged: its data leaves the picture after 0 of 2 rows"
    );
    assert!(refused(&bmp_of((60_000, 2), 8, 1, &[])).starts_with("is 60000 x 2 pixels; a side"));
}

proptest! {
    #[test]
    fn no_bytes_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in 0usize..80, colour: bool) {
        for format in FORMATS {
            let mut bytes = encoded(format, colour);
            for &(at, value) in &changes {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            bytes.truncate(bytes.len().saturating_sub(cut).max(1));
            let _ = read(&bytes);
        }
    }
}

/// What Pillow makes, and what it reads of that again: a name, width, height, channels, and the pixels.
const PILLOW: &str = r"
import io, sys, struct
import numpy as np
from PIL import Image
y, x = np.mgrid[0:37, 0:53]
a = np.stack([(x * 4 + y) % 256, (y * 6) % 256, (x * 2 + y * 3) % 256], -1).astype(np.uint8)
a = (a // 2 + 64).astype(np.uint8)
rgb = Image.fromarray(a); grey = rgb.convert('L'); out = sys.stdout.buffer
def give(name, image, fmt, tolerance, **how):
    b = io.BytesIO(); image.save(b, fmt, **how); j = b.getvalue()
    back = Image.open(io.BytesIO(j))
    from PIL import ImageOps
    back = ImageOps.exif_transpose(back)
    back = back if back.mode in ('L', 'RGB') else back.convert('L' if back.mode in ('1', 'LA') else 'RGB')
    p = back.tobytes(); n = name.encode()
    out.write(struct.pack('<7I', len(n), len(j), back.width, back.height, len(back.getbands()), len(p), tolerance) + n + j + p)
for mode, im in (('grey', grey), ('rgb', rgb)):
    for sub in (0, 1, 2):
        for prog in (False, True):
            for extra in ({}, {'restart_marker_rows': 1}, {'restart_marker_blocks': 3}, {'optimize': True}):
                give(f'jpeg {mode} {sub} {prog} {extra}', im, 'JPEG', 3 if sub == 0 or mode == 'grey' else 24, subsampling=sub, progressive=prog, quality=90, **extra)
    give('jpeg in rgb', rgb, 'JPEG', 3, keep_rgb=True, quality=92)
    for o in range(1, 9):
        e = Image.Exif(); e[0x112] = o
        for fmt, t in (('JPEG', 3), ('PNG', 0), ('WEBP', 0), ('TIFF', 0)):
            how = {'quality': 95, 'subsampling': 0} if fmt == 'JPEG' else {'lossless': True} if fmt == 'WEBP' else {}
            give(f'{fmt} {mode} orientation {o}', im, fmt, t, exif=e, **how)
    give('bmp ' + mode, im, 'BMP', 0); give('webp ' + mode, im, 'WEBP', 4, quality=90)
    for c in (None, 'tiff_lzw', 'tiff_adobe_deflate', 'packbits'):
        give(f'tiff {mode} {c}', im, 'TIFF', 0, compression=c)
give('png palette', rgb.quantize(13), 'PNG', 0); give('bmp palette', rgb.quantize(13), 'BMP', 0)
give('png bits', grey.convert('1'), 'PNG', 0); give('bmp bits', grey.convert('1'), 'BMP', 0); give('tiff bits', grey.convert('1'), 'TIFF', 0)
";

#[test]
fn what_pillow_writes_is_read_as_pillow_reads_it() {
    let python = std::process::Command::new("python3").args(["-c", PILLOW]).output();
    let made = match python {
        Ok(made) if made.status.success() => made.stdout,
        _ => {
            eprintln!("skipped: no python3 with Pillow and numpy, against which pictures are held");
            return;
        }
    };
    let (mut rest, mut count) = (&made[..], 0);
    while !rest.is_empty() {
        let numbers: Vec<usize> =
            rest[..28].as_chunks::<4>().0.iter().map(|four| u32::from_le_bytes(*four) as usize).collect();
        let [named, length, width, height, channels, pixels, tolerance] = numbers[..] else { unreachable!() };
        let (name, after) = rest[28..].split_at(named);
        let name = String::from_utf8_lossy(name);
        let (bytes, after) = after.split_at(length);
        let (wanted, after) = after.split_at(pixels);
        let frame = read(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((frame.width, frame.height), (width, height), "{name}");
        let shown: Vec<u8> = match (frame.format, channels) {
            (PixelFormat::Rgb8, 1) => greys(&frame),
            (PixelFormat::Grey8, 3) => frame.pixels.iter().flat_map(|&p| [p; 3]).collect(),
            _ => frame.pixels,
        };
        let worst = shown.iter().zip(wanted).map(|(a, b)| usize::from(a.abs_diff(*b))).max();
        assert!(
            shown.len() == wanted.len() && worst.is_some_and(|worst| worst <= tolerance),
            "{name}: {worst:?}"
        );
        (rest, count) = (after, count + 1);
    }
    assert!(count > 100, "{count}");
}
