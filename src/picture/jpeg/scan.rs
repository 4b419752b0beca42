//! Walks over one scan's entropy-coded data and says whether it is whole: as many units as the picture has, restart markers
//! where they belong and in order, and nothing left over (ITU-T T.81, annex E.2 and F.2).
//!
//! A decoder fills what is missing with grey and goes on. Here nothing is drawn: it is only found out what came.

use super::bits::{Bad, Bits};
use super::huffman::Huffman;
use super::layout::{Course, Layout};
use crate::picture::PictureError;

/// Bytes of zeros that may stand between the last block and the next marker: some cameras fill up to whole words.
const FILL: usize = 3;

/// What decodes the blocks of a scan.
pub(super) trait Blocks {
    /// The next block, which is number `at` of its component.
    ///
    /// # Errors
    /// When it cannot be decoded.
    fn block(&mut self, bits: &mut Bits<'_>, component: usize, at: usize) -> Result<(), Bad>;

    /// A stretch has ended: predictions begin anew.
    ///
    /// # Errors
    /// When something is still open.
    fn restart(&mut self) -> Result<(), Bad>;
}

/// Walks over a scan that begins at byte `from`; gives the place of the marker behind it.
///
/// # Errors
/// What is wrong with it, and in which row.
pub(super) fn walk(
    bytes: &[u8],
    from: usize,
    layout: &Layout,
    course: &Course,
    restart_interval: usize,
    blocks: &mut impl Blocks,
) -> Result<usize, PictureError> {
    let mut bits = Bits::new(bytes, from);
    let (mut until_restart, mut restarts) = (restart_interval, 0u8);
    let height = layout.height;
    for unit_row in 0..course.units.1 {
        let row = unit_row * course.rows + 1;
        for unit in 0..course.units.0 {
            if restart_interval > 0 && until_restart == 0 {
                blocks.restart().map_err(|bad| words(bad, row, height))?;
                let marker = end(bits, row, height, 0)?;
                let found = bytes.get(marker + 1).copied();
                if found != Some(0xD0 + restarts) {
                    return Err(wrong_marker(found, restarts, row, height));
                }
                bits = Bits::new(bytes, marker + 2);
                (until_restart, restarts) = (restart_interval, (restarts + 1) % 8);
            }
            until_restart = until_restart.saturating_sub(1);
            for (&(component, x, y), &(across, down)) in course.visits.iter().zip(&course.step) {
                let at = y + unit_row * down + x + unit * across;
                blocks.block(&mut bits, component, at).map_err(|bad| words(bad, row, height))?;
            }
        }
    }
    blocks.restart().map_err(|bad| words(bad, height, height))?;
    end(bits, height, height, FILL)
}

fn words(bad: Bad, row: usize, height: usize) -> PictureError {
    let row = row.min(height);
    PictureError::Damaged(match bad {
        Bad::Ended => format!("its data ends in row {row} of {height}"),
        Bad::Code => format!("its data is broken in row {row} of {height}"),
        Bad::Range => format!("its data tells impossible brightness in row {row} of {height}"),
    })
}

fn wrong_marker(found: Option<u8>, wanted: u8, row: usize, height: usize) -> PictureError {
    PictureError::Damaged(match found {
        Some(found @ 0xD0..=0xD7) => {
            format!("restart marker {} stands where {wanted} belongs, in row {row} of {height}", found - 0xD0)
        }
        None | Some(0xD9) => format!("its data ends in row {row} of {height}"),
        Some(_) => format!("a restart marker is missing in row {row} of {height}"),
    })
}

/// Ends a stretch before row `row`: the place of the marker behind it, which may be the end of the file.
fn end(bits: Bits<'_>, row: usize, height: usize, fill: usize) -> Result<usize, PictureError> {
    let data = bits.data();
    let (mut marker, left, any) = bits.end();
    if left > fill || (left > 0 && any) {
        return Err(PictureError::Damaged(format!(
            "{left} bytes of its data belong nowhere, at row {row} of {height}"
        )));
    }
    // Any number of bytes 0xFF may stand before a marker.
    while data.get(marker..marker + 2) == Some(&[0xFF, 0xFF]) {
        marker += 1;
    }
    Ok(marker)
}

/// A block may tell more energy than samples of 8 bits have, as rounding adds to it and some encoders overshoot on purpose
/// where a bright area meets its limit.
const HEADROOM: f64 = 1.25;

/// What decodes the blocks of a sequential scan (F.2.2).
#[derive(Debug)]
pub(super) struct Sequential<'a> {
    components: Vec<Option<Coder<'a>>>,
}

#[derive(Debug)]
struct Coder<'a> {
    dc: &'a Huffman,
    ac: &'a Huffman,
    /// Steps of quantisation, in the order of the data.
    steps: [i64; 64],
    /// Most energy of a block, in squares of steps of brightness.
    limit: i64,
    prediction: i32,
}

impl<'a> Sequential<'a> {
    /// For as many components as the picture has; those of the scan are added.
    pub(super) fn new(components: usize) -> Self {
        Self { components: (0..components).map(|_| None).collect() }
    }

    pub(super) fn add(&mut self, component: usize, dc: &'a Huffman, ac: &'a Huffman, steps: &[u16; 64]) {
        let steps = steps.map(i64::from);
        // By Parseval's theorem the sum of squares of a block's 64 coefficients is that of its samples, each at most 128.
        let rounding = steps.iter().map(|step| (step * step) as f64).sum::<f64>().sqrt();
        let most = HEADROOM * 1024.0 + rounding;
        let limit = (most * most) as i64;
        self.components[component] = Some(Coder { dc, ac, steps, limit, prediction: 0 });
    }
}

impl Blocks for Sequential<'_> {
    #[inline]
    fn block(&mut self, bits: &mut Bits<'_>, component: usize, _at: usize) -> Result<(), Bad> {
        let coder = self.components[component].as_mut().ok_or(Bad::Code)?;
        coder.prediction += dc_difference(coder.dc, bits)?;
        let mean = i64::from(coder.prediction) * coder.steps[0];
        check_mean(mean, coder.steps[0])?;
        let mut energy = mean * mean;
        let mut k = 1;
        while k < 64 {
            let symbol = coder.ac.symbol(bits)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                match run {
                    0 => break,
                    15 => k += 16,
                    _ => return Err(Bad::Code),
                }
                if k > 64 {
                    return Err(Bad::Code);
                }
                continue;
            }
            k += run;
            if k > 63 || size > 10 {
                return Err(Bad::Code);
            }
            let value = i64::from(bits.value(size)?) * coder.steps[k];
            energy += value * value;
            k += 1;
        }
        if energy > coder.limit { Err(Bad::Range) } else { Ok(()) }
    }

    fn restart(&mut self) -> Result<(), Bad> {
        self.components.iter_mut().flatten().for_each(|coder| coder.prediction = 0);
        Ok(())
    }
}

/// The difference of a block's mean from that of the one before.
#[inline]
pub(super) fn dc_difference(table: &Huffman, bits: &mut Bits<'_>) -> Result<i32, Bad> {
    match table.symbol(bits)? {
        0 => Ok(0),
        size @ 1..=11 => bits.value(size.into()),
        _ => Err(Bad::Code),
    }
}

/// Whether a mean, eight times that of the block's samples, is one that samples of 8 bits can have.
#[inline]
pub(super) fn check_mean(mean: i64, step: i64) -> Result<(), Bad> {
    if mean.abs() > 1024 + step { Err(Bad::Range) } else { Ok(()) }
}
