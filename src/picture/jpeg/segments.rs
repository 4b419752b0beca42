//! Walks over a whole JPEG, segment by segment and scan by scan (ITU-T T.81, annex B), and tells what it is and whether all of
//! it came.

use super::huffman::{Huffman, standard_segment};
use super::layout::Layout;
use super::progressive::{Book, Part, Progressive};
use super::scan::{Sequential, walk};
use crate::picture::{MAX_DECODED_BYTES, PictureError, check_size, orient};

/// Most scans of a picture; encoders make about ten.
const MAX_SCANS: usize = 100;
/// Most blocks that the scans of a picture visit in all: those of the largest picture in colour, by as many scans as encoders make.
const MAX_VISITS: usize = 40_000_000;

/// How the components are to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    /// Brightness and two differences of colour.
    Ycc,
    Rgb,
}

/// What a JPEG that is whole says of itself.
#[derive(Debug)]
pub(super) struct Facts {
    pub width: usize,
    pub height: usize,
    pub colour: Colour,
    /// As the Exif tag tells it, 1 to 8.
    pub orientation: u8,
    /// Where the picture ends; more may follow.
    pub end: usize,
    /// Whether it leaves out Huffman tables, so that the standard ones hold.
    pub standard_tables: bool,
}

/// Looks through a JPEG from its first byte to its end marker.
///
/// # Errors
/// What is missing, broken or not read.
pub(super) fn check(bytes: &[u8]) -> Result<Facts, PictureError> {
    let mut walker = Walker { bytes, orientation: 1, ..Walker::default() };
    let mut at = 2;
    loop {
        let (marker, body) = walker.marker(at)?;
        at = match marker {
            0xD9 => break at = body,
            0xD8 => return Err(PictureError::damaged("a second picture begins inside it")),
            // Some encoders close the last stretch with a restart marker too; nothing is missing then.
            0xD0..=0xD7 if walker.marker(body).is_ok_and(|(next, _)| next == 0xD9) => body,
            0xD0..=0xD7 => return Err(PictureError::damaged("a restart marker stands outside its data")),
            0x01 => body,
            _ => walker.segment(marker, body)?,
        };
    }
    let layout = walker.layout.as_ref().ok_or_else(|| PictureError::damaged("it holds no picture"))?;
    match &walker.book {
        Some(book) => book.check()?,
        None if walker.came.iter().any(|came| !came) => {
            return Err(PictureError::damaged("it ends before all its colours came"));
        }
        None => {}
    }
    // Cameras that make several pictures at once list them; without a list, two were run together.
    if bytes[at..].starts_with(&[0xFF, 0xD8, 0xFF]) && !walker.listed {
        return Err(PictureError::damaged("a second picture follows in it"));
    }
    let names: Vec<u8> = layout.components.iter().map(|component| component.id).collect();
    let colour = match (names.as_slice(), walker.adobe) {
        ([_], _) => Colour::Grey,
        (_, Some(0)) | (b"RGB", None) => Colour::Rgb,
        (b"RGB", Some(_)) => {
            return Err(PictureError::unsupported("is a JPEG of unclear colours: save it as PNG"));
        }
        _ => Colour::Ycc,
    };
    let (width, height) = (layout.width, layout.height);
    let Walker { orientation, standard_tables, .. } = walker;
    Ok(Facts { width, height, colour, orientation, end: at, standard_tables })
}

#[derive(Debug, Default)]
struct Walker<'a> {
    bytes: &'a [u8],
    layout: Option<Layout>,
    quantisers: [Option<[u16; 64]>; 4],
    /// Tables of means and of details.
    huffman: [[Option<Huffman>; 4]; 2],
    standard_tables: bool,
    restart_interval: usize,
    /// Of a sequential picture: which components came.
    came: Vec<bool>,
    /// Of a progressive one.
    book: Option<Book>,
    scans: usize,
    visits: usize,
    adobe: Option<u8>,
    orientation: u8,
    /// Whether it lists further pictures behind it.
    listed: bool,
}

fn ends() -> PictureError {
    PictureError::damaged("its end is missing")
}

impl Walker<'_> {
    /// The marker at `at`, and where what belongs to it begins.
    fn marker(&self, mut at: usize) -> Result<(u8, usize), PictureError> {
        if *self.bytes.get(at).ok_or_else(ends)? != 0xFF {
            return Err(PictureError::damaged(
                "something stands between its parts that does not belong there",
            ));
        }
        while self.bytes.get(at) == Some(&0xFF) {
            at += 1;
        }
        self.bytes.get(at).map(|&marker| (marker, at + 1)).ok_or_else(ends)
    }

    /// Reads the segment of a marker whose length stands at `at`; gives the place behind it.
    fn segment(&mut self, marker: u8, at: usize) -> Result<usize, PictureError> {
        let bytes = self.bytes;
        let length = bytes.get(at..at + 2).map(|two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        let length = length.ok_or_else(ends)?;
        let body = bytes.get(at + 2..at + length).ok_or_else(if length < 2 { short } else { ends })?;
        let end = at + length;
        match marker {
            0xC0..=0xC2 => self.frame(body, marker == 0xC2)?,
            0xC4 => self.tables(body)?,
            0xC3 | 0xC5..=0xC7 => return Err(kind("without loss or with layers")),
            0xC9..=0xCF => return Err(kind("with arithmetic coding")),
            0xDB => self.quantisers(body)?,
            0xDD => {
                let &[high, low] = body else { return Err(short()) };
                self.restart_interval = usize::from(u16::from_be_bytes([high, low]));
            }
            0xDA => return self.scan(body, end),
            0xDC => {
                return Err(PictureError::unsupported(
                    "is a JPEG that tells its height at its end: save it anew",
                ));
            }
            0xE1 if body.starts_with(b"Exif\0\0") => self.orientation = orient::of_exif(body),
            0xE2 if body.starts_with(b"MPF\0") => self.listed = true,
            0xEE if body.starts_with(b"Adobe") => self.adobe = body.get(11).copied(),
            0xE0..=0xFE => {}
            _ => return Err(PictureError::damaged("it holds a marker that there is not")),
        }
        Ok(end)
    }

    fn frame(&mut self, body: &[u8], progressive: bool) -> Result<(), PictureError> {
        let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = body else { return Err(short()) };
        if self.layout.is_some() {
            return Err(PictureError::damaged("it tells its size twice"));
        }
        if precision != 8 {
            return Err(PictureError::Unsupported(format!(
                "is a JPEG of {precision} bits: save it with 8 bits or as PNG"
            )));
        }
        let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
        match count {
            1 | 3 => {}
            4 => {
                return Err(PictureError::unsupported(
                    "is a JPEG in CMYK, the colours of print: save it in RGB or grey",
                ));
            }
            _ => {
                return Err(PictureError::Unsupported(format!(
                    "is a JPEG of {count} components: save it in RGB or grey"
                )));
            }
        }
        if rest.len() != 3 * usize::from(count) {
            return Err(short());
        }
        check_size(width.into(), height.into(), count.into())?;
        let component =
            |c: &[u8]| (c[0], (usize::from(c[1] >> 4), usize::from(c[1] & 15)), usize::from(c[2]));
        let components: Vec<_> = rest.chunks_exact(3).map(component).collect();
        if components.iter().any(|&(_, (h, v), q)| !(1..=4).contains(&h) || !(1..=4).contains(&v) || q > 3) {
            return Err(PictureError::damaged("its components are not as they can be"));
        }
        let largest = components.iter().fold((1, 1), |(h, v), (_, s, _)| (h.max(s.0), v.max(s.1)));
        let divides =
            |&(_, (h, v), _): &(u8, (usize, usize), usize)| largest.0 % h == 0 && largest.1 % v == 0;
        let first_is_finest = components[0].1 == largest;
        if !components.iter().all(divides) || !first_is_finest {
            return Err(PictureError::unsupported(
                "is a JPEG whose colours are finer than its brightness: save it as 4:4:4 or as PNG",
            ));
        }
        let layout = Layout::new((width.into(), height.into()), &components);
        if progressive {
            check_memory(&layout)?;
            self.book = Some(Book::new(&layout));
        }
        self.came = vec![false; layout.components.len()];
        self.layout = Some(layout);
        Ok(())
    }

    fn tables(&mut self, mut body: &[u8]) -> Result<(), PictureError> {
        while let [number, rest @ ..] = body {
            let (class, number) = (usize::from(number >> 4), usize::from(number & 15));
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
            let symbols = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, rest) = rest.split_at_checked(symbols).ok_or_else(short)?;
            let slot = self.huffman.get_mut(class).and_then(|tables| tables.get_mut(number));
            let (Some(slot), Some(table)) = (slot, Huffman::new(counts, symbols)) else {
                return Err(PictureError::damaged("a Huffman table of it is broken"));
            };
            *slot = Some(table);
            body = rest;
        }
        Ok(())
    }

    fn quantisers(&mut self, mut body: &[u8]) -> Result<(), PictureError> {
        while let [number, rest @ ..] = body {
            let bytes = if number >> 4 == 0 { 64 } else { 128 };
            let (steps, rest) = rest.split_at_checked(bytes).ok_or_else(short)?;
            let mut table = [0u16; 64];
            for (slot, step) in table.iter_mut().zip(steps.chunks_exact(bytes / 64)) {
                *slot = step.iter().fold(0, |all, &byte| all << 8 | u16::from(byte));
            }
            let slot = self.quantisers.get_mut(usize::from(number & 15)).filter(|_| number >> 4 < 2);
            let slot =
                slot.ok_or_else(|| PictureError::damaged("a table of quantisation of it is broken"))?;
            if table.contains(&0) {
                return Err(PictureError::damaged("a table of quantisation of it is broken"));
            }
            *slot = Some(table);
            body = rest;
        }
        Ok(())
    }

    fn scan(&mut self, body: &[u8], from: usize) -> Result<usize, PictureError> {
        let layout =
            self.layout.as_ref().ok_or_else(|| PictureError::damaged("its data comes before its size"))?;
        let [count, rest @ ..] = body else { return Err(short()) };
        let count = usize::from(*count);
        let (chosen, last) = rest.split_at_checked(2 * count).ok_or_else(short)?;
        let &[first_k, last_k, approximation] = last else { return Err(short()) };
        let mut scan = Vec::with_capacity(count);
        let mut numbers = Vec::with_capacity(count);
        for pair in chosen.chunks_exact(2) {
            let index = layout.components.iter().position(|component| component.id == pair[0]);
            let index = index.filter(|index| scan.last().is_none_or(|last| last < index));
            scan.push(
                index.ok_or_else(|| {
                    PictureError::damaged("a scan of it names components that there are not")
                })?,
            );
            numbers.push((usize::from(pair[1] >> 4), usize::from(pair[1] & 15)));
        }
        let course = layout.course(&scan);
        if scan.is_empty() || (scan.len() > 1 && course.visits.len() > 10) {
            return Err(PictureError::damaged("a scan of it holds more than a scan can"));
        }
        self.scans += 1;
        self.visits += course.units.0 * course.units.1 * course.visits.len();
        if self.scans > MAX_SCANS || self.visits > MAX_VISITS {
            return Err(PictureError::TooMuchWork(format!(
                "it visits its blocks {} times in {} scans; at most {MAX_VISITS} and {MAX_SCANS} are done",
                self.visits, self.scans
            )));
        }
        let part = Part { band: (first_k, last_k), approximation: (approximation >> 4, approximation & 15) };
        if let Some(book) = &mut self.book {
            book.note(&scan, part)?;
        } else {
            if scan.len() < layout.components.len() {
                check_memory(layout)?;
                if layout.largest != (1, 1) {
                    return Err(PictureError::unsupported(
                        "is a JPEG that stores coarse colours one after the other: save it as an ordinary JPEG or as PNG",
                    ));
                }
            }
            let again = scan.iter().any(|&index| std::mem::replace(&mut self.came[index], true));
            if again {
                return Err(PictureError::damaged("its data comes twice"));
            }
        }
        let needs = |class: usize| {
            self.book.is_none() || (class == 0) == (first_k == 0) && (class == 1 || part.approximation.0 == 0)
        };
        let needed = [needs(0), needs(1)];
        let missing = numbers.iter().any(|&(dc, ac)| {
            [(0, dc), (1, ac)].iter().any(|&(class, number)| {
                needed[class] && self.huffman[class].get(number).is_some_and(Option::is_none)
            })
        });
        if missing {
            self.fill_tables()?;
        }
        let layout = self.layout.as_ref().expect("it was there at the begin of this scan");
        let no_table = || PictureError::damaged("a Huffman table is missing in it");
        let table = |class: usize, number: usize| {
            self.huffman[class].get(number).and_then(Option::as_ref).ok_or_else(no_table)
        };
        let steps = |index: usize| {
            let steps = self.quantisers[layout.components[index].quantiser].as_ref();
            steps.ok_or_else(|| PictureError::damaged("a table of quantisation is missing in it"))
        };
        match &mut self.book {
            None => {
                let mut blocks = Sequential::new(layout.components.len());
                for (&index, &(dc, ac)) in scan.iter().zip(&numbers) {
                    blocks.add(index, table(0, dc)?, table(1, ac)?, steps(index)?);
                }
                walk(self.bytes, from, layout, &course, self.restart_interval, &mut blocks)
            }
            Some(book) => {
                let components = layout.components.len();
                let mut tables = vec![None; components];
                let mut first_steps = vec![1; components];
                for (&index, &(dc, ac)) in scan.iter().zip(&numbers) {
                    first_steps[index] = i64::from(steps(index)?[0]);
                    tables[index] = match needed {
                        [true, _] => Some(table(0, dc)?),
                        [_, true] => Some(table(1, ac)?),
                        _ => None,
                    };
                }
                let predictions = vec![0; components];
                let mut blocks =
                    Progressive { book, part, tables, steps: first_steps, predictions, empty: 0 };
                walk(self.bytes, from, layout, &course, self.restart_interval, &mut blocks)
            }
        }
    }

    /// Puts the standard tables where there are none: frames of Motion-JPEG may leave them out.
    fn fill_tables(&mut self) -> Result<(), PictureError> {
        let own = std::mem::take(&mut self.huffman);
        self.tables(&standard_segment()[4..])?;
        self.standard_tables = true;
        for (slot, own) in self.huffman.iter_mut().flatten().zip(own.into_iter().flatten()) {
            if own.is_some() {
                *slot = own;
            }
        }
        Ok(())
    }
}

fn short() -> PictureError {
    PictureError::damaged("a part of it is shorter than it must be")
}

fn kind(which: &str) -> PictureError {
    PictureError::Unsupported(format!(
        "is a JPEG {which}, which is not read: save it as an ordinary JPEG or as PNG"
    ))
}

/// Refuses a picture whose decoder has to keep all coefficients where they take too much memory.
fn check_memory(layout: &Layout) -> Result<(), PictureError> {
    let bytes = 128 * layout.components.iter().map(|component| component.all_blocks as u64).sum::<u64>();
    if bytes > MAX_DECODED_BYTES {
        return Err(PictureError::TooDeep {
            width: layout.width as u32,
            height: layout.height as u32,
            bytes,
        });
    }
    Ok(())
}
