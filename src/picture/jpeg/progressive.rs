//! What decodes the blocks of a progressive JPEG's scans (ITU-T T.81, annex G.1.2), and keeps book of what came: a
//! progressive picture is whole when every coefficient of every component came to its last bit.

use super::bits::{Bad, Bits};
use super::huffman::Huffman;
use super::layout::Layout;
use super::scan::{Blocks, check_mean, dc_difference};
use crate::picture::PictureError;

/// A coefficient of which nothing came yet.
const NOTHING: u8 = 0xFF;

/// What came so far of one component.
#[derive(Debug)]
struct Came {
    /// For each coefficient, in the order of the data: how many of its lowest bits are still to come.
    missing_bits: [u8; 64],
    /// For each block: which coefficients are not 0.
    nonzero: Vec<u64>,
}

/// What came so far of all components.
#[derive(Debug)]
pub(super) struct Book {
    components: Vec<Came>,
}

/// The part of the coefficients that a scan tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// First and last coefficient.
    pub band: (u8, u8),
    /// Bits that were still missing before it, and are still missing after it; 0 before it for the first part.
    pub approximation: (u8, u8),
}

impl Book {
    pub(super) fn new(layout: &Layout) -> Self {
        let came = |blocks| Came { missing_bits: [NOTHING; 64], nonzero: vec![0; blocks] };
        Self { components: layout.components.iter().map(|component| came(component.all_blocks)).collect() }
    }

    /// Notes that a scan tells this part of these components.
    ///
    /// # Errors
    /// When it does not follow on what came before.
    pub(super) fn note(&mut self, scan: &[usize], part: Part) -> Result<(), PictureError> {
        let out_of_order = || PictureError::damaged("its scans are not in order, or one is missing");
        let ((first, last), (before, after)) = (part.band, part.approximation);
        let refines = before > 0;
        let band_fits = if first == 0 { last == 0 } else { first <= last && last < 64 && scan.len() == 1 };
        if !band_fits || after > 13 || (refines && before != after + 1) {
            return Err(out_of_order());
        }
        for &component in scan {
            let came = &mut self.components[component].missing_bits;
            if first > 0 && came[0] == NOTHING {
                return Err(out_of_order());
            }
            for missing in &mut came[usize::from(first)..=usize::from(last)] {
                if *missing != if refines { before } else { NOTHING } {
                    return Err(out_of_order());
                }
                *missing = after;
            }
        }
        Ok(())
    }

    /// Whether everything came.
    ///
    /// # Errors
    /// When something is still missing.
    pub(super) fn check(&self) -> Result<(), PictureError> {
        if self.components.iter().all(|came| came.missing_bits == [0; 64]) {
            Ok(())
        } else {
            Err(PictureError::damaged("scans are missing: it ends before its details came"))
        }
    }
}

/// One scan.
#[derive(Debug)]
pub(super) struct Progressive<'a> {
    pub book: &'a mut Book,
    pub part: Part,
    /// Tables for the first part of means or of details; `None` where the scan needs none.
    pub tables: Vec<Option<&'a Huffman>>,
    /// First step of quantisation of each component.
    pub steps: Vec<i64>,
    /// Last mean of each component.
    pub predictions: Vec<i32>,
    /// Blocks still to come that hold nothing new.
    pub empty: u32,
}

impl Blocks for Progressive<'_> {
    fn block(&mut self, bits: &mut Bits<'_>, component: usize, at: usize) -> Result<(), Bad> {
        let Part { band: (first, last), approximation: (before, after) } = self.part;
        if first == 0 {
            if before > 0 {
                return bits.take(1).map(|_| ());
            }
            let table = self.tables[component].ok_or(Bad::Code)?;
            let mean = &mut self.predictions[component];
            *mean += dc_difference(table, bits)?;
            let step = self.steps[component] << after;
            return check_mean(i64::from(*mean) * step, step);
        }
        let table = self.tables[component].ok_or(Bad::Code)?;
        let nonzero = self.book.components[component].nonzero.get_mut(at).ok_or(Bad::Code)?;
        let band = (u32::from(first), u32::from(last));
        if before == 0 {
            ac_first(bits, table, band, nonzero, &mut self.empty)
        } else {
            ac_refine(bits, table, band, nonzero, &mut self.empty)
        }
    }

    fn restart(&mut self) -> Result<(), Bad> {
        self.predictions.fill(0);
        if self.empty > 0 { Err(Bad::Code) } else { Ok(()) }
    }
}

/// The number of blocks, this one among them, that hold nothing more in the band.
fn end_of_band_run(bits: &mut Bits<'_>, run: u32) -> Result<u32, Bad> {
    Ok((1 << run) + bits.take(run)?)
}

fn ac_first(
    bits: &mut Bits<'_>,
    table: &Huffman,
    (first, last): (u32, u32),
    nonzero: &mut u64,
    empty: &mut u32,
) -> Result<(), Bad> {
    if *empty > 0 {
        *empty -= 1;
        return Ok(());
    }
    let mut k = first;
    while k <= last {
        let symbol = table.symbol(bits)?;
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        if size == 0 {
            if run < 15 {
                *empty = end_of_band_run(bits, run)? - 1;
                break;
            }
            k += 16;
            if k > last + 1 {
                return Err(Bad::Code);
            }
            continue;
        }
        k += run;
        if k > last || size > 10 {
            return Err(Bad::Code);
        }
        bits.take(size)?;
        *nonzero |= 1 << k;
        k += 1;
    }
    Ok(())
}

fn ac_refine(
    bits: &mut Bits<'_>,
    table: &Huffman,
    (first, last): (u32, u32),
    nonzero: &mut u64,
    empty: &mut u32,
) -> Result<(), Bad> {
    let mut k = first;
    while *empty == 0 && k <= last {
        let symbol = table.symbol(bits)?;
        let (mut run, size) = (u32::from(symbol >> 4), symbol & 15);
        match size {
            0 if run < 15 => {
                *empty = end_of_band_run(bits, run)?;
                break;
            }
            0 => {}
            1 => bits.skip_many(1)?,
            _ => return Err(Bad::Code),
        }
        // Over `run` coefficients that are still 0; each that is not has a bit of its own.
        while k <= last {
            if *nonzero >> k & 1 == 1 {
                bits.take(1)?;
            } else if run == 0 {
                break;
            } else {
                run -= 1;
            }
            k += 1;
        }
        if size == 1 {
            if k > last {
                return Err(Bad::Code);
            }
            *nonzero |= 1 << k;
        }
        k += 1;
    }
    if *empty > 0 {
        let rest = (k..=last).fold(0u64, |rest, k| rest | 1 << k);
        bits.skip_many((*nonzero & rest).count_ones())?;
        *empty -= 1;
    }
    Ok(())
}
