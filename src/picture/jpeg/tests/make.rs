//! Makes JPEGs of every variety out of random coefficients.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::picture::jpeg::huffman::standard_segment;
use crate::picture::jpeg::layout::Layout;

/// What to make.
#[derive(Debug, Clone)]
pub(super) struct Make {
    pub width: usize,
    pub height: usize,
    pub sampling: Vec<(usize, usize)>,
    pub progressive: bool,
    /// Whether a scan of a sequential picture holds all components.
    pub interleaved: bool,
    /// Units between restart markers; 0 for none.
    pub restart: usize,
    /// Segments that stand before all others.
    pub first: Vec<u8>,
    /// Whether the Huffman tables are written.
    pub tables: bool,
    pub names: [u8; 3],
    pub seed: u64,
}

impl Default for Make {
    fn default() -> Self {
        let sampling = vec![(1, 1)];
        let (progressive, interleaved, tables) = (false, true, true);
        Self {
            width: 40,
            height: 24,
            sampling,
            progressive,
            interleaved,
            restart: 0,
            first: Vec::new(),
            tables,
            names: [1, 2, 3],
            seed: 1,
        }
    }
}

/// Which bits of which coefficients a scan writes.
#[derive(Clone, Copy)]
struct Scan {
    first: usize,
    last: usize,
    /// Bits left out by the scan before and by this one.
    high: u32,
    low: u32,
}

impl Make {
    /// The whole file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let components: Vec<_> =
            self.sampling.iter().zip(self.names).map(|(&s, name)| (name, s, 0)).collect();
        let layout = Layout::new((self.width, self.height), &components);
        let mut random = Pcg64::seed_from_u64(self.seed);
        let coefficients: Vec<Vec<[i32; 64]>> = layout
            .components
            .iter()
            .map(|component| (0..component.all_blocks).map(|_| block(&mut random)).collect())
            .collect();
        let mut out = vec![0xFF, 0xD8];
        out.extend(&self.first);
        out.extend([0xFF, 0xDB, 0, 67, 0]);
        out.extend([4u8; 64]);
        let count = components.len() as u8;
        out.extend([0xFF, if self.progressive { 0xC2 } else { 0xC0 }, 0, 8 + 3 * count, 8]);
        out.extend((self.height as u16).to_be_bytes());
        out.extend((self.width as u16).to_be_bytes());
        out.push(count);
        for (name, (h, v), _) in &components {
            out.extend([*name, (h << 4 | v) as u8, 0]);
        }
        if self.tables {
            out.extend(standard_segment());
        }
        out.extend([0xFF, 0xDD, 0, 4]);
        out.extend((self.restart as u16).to_be_bytes());
        let all: Vec<usize> = (0..components.len()).collect();
        let each = || all.iter().map(|&index| vec![index]);
        let scan = |first, last, high, low| Scan { first, last, high, low };
        let script: Vec<(Vec<usize>, Scan)> = if self.progressive {
            let mut script = vec![(all.clone(), scan(0, 0, 0, 1))];
            script.extend(each().map(|one| (one, scan(1, 5, 0, 0))));
            script.extend(each().map(|one| (one, scan(6, 63, 0, 1))));
            script.push((all.clone(), scan(0, 0, 1, 0)));
            script.extend(each().map(|one| (one, scan(6, 63, 1, 0))));
            script
        } else if self.interleaved {
            vec![(all.clone(), scan(0, 63, 0, 0))]
        } else {
            each().map(|one| (one, scan(0, 63, 0, 0))).collect()
        };
        for (chosen, scan) in script {
            out.extend([0xFF, 0xDA, 0, 6 + 2 * chosen.len() as u8, chosen.len() as u8]);
            for &index in &chosen {
                out.extend([self.names[index], 0]);
            }
            out.extend([scan.first as u8, scan.last as u8, (scan.high << 4 | scan.low) as u8]);
            self.scan(&layout, &chosen, scan, &coefficients, &mut out);
        }
        out.extend([0xFF, 0xD9]);
        out
    }

    fn scan(&self, layout: &Layout, chosen: &[usize], scan: Scan, all: &[Vec<[i32; 64]>], out: &mut Vec<u8>) {
        let course = layout.course(chosen);
        let mut bits = Writer::default();
        let mut means = [0; 3];
        let (mut units, mut restarts) = (0, 0);
        for row in 0..course.units.1 {
            for column in 0..course.units.0 {
                if self.restart > 0 && units == self.restart {
                    bits.end(out);
                    out.extend([0xFF, 0xD0 + restarts % 8]);
                    (units, restarts, means) = (0, restarts + 1, [0; 3]);
                }
                units += 1;
                for (&(component, x, y), &(across, down)) in course.visits.iter().zip(&course.step) {
                    let block = &all[component][y + row * down + x + column * across];
                    bits.block(block, scan, &mut means[component]);
                }
            }
        }
        bits.end(out);
    }
}

/// A mean and a few details, none of them too bright.
fn block(random: &mut Pcg64) -> [i32; 64] {
    let mut block = [0; 64];
    block[0] = random.random_range(-120..120);
    for _ in 0..random.random_range(0..6) {
        block[random.random_range(1..64)] = random.random_range(-9..10);
    }
    block
}

#[derive(Default)]
struct Writer {
    bits: Vec<bool>,
}

impl Writer {
    fn put(&mut self, value: u32, count: u32) {
        self.bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    }

    fn value(&mut self, value: i32, size: u32) {
        let low = if value < 0 { value - 1 } else { value };
        self.put(low as u32 & ((1 << size) - 1), size);
    }

    /// The code of a symbol in the standard tables: 0 for means, 1 for details.
    fn symbol(&mut self, class: usize, symbol: u8) {
        let segment = standard_segment();
        let at = if class == 0 { 4 } else { 4 + 2 * 29 };
        let (counts, symbols) = (&segment[at + 1..at + 17], &segment[at + 17..]);
        let (mut code, mut next) = (0, 0);
        for (length, &count) in (1..).zip(counts) {
            for _ in 0..count {
                if symbols[next] == symbol {
                    return self.put(code, length);
                }
                (code, next) = (code + 1, next + 1);
            }
            code <<= 1;
        }
        panic!("no code for {symbol:#x}");
    }

    fn block(&mut self, block: &[i32; 64], scan: Scan, mean: &mut i32) {
        if scan.first == 0 && scan.high > 0 {
            return self.put((block[0] >> scan.low) as u32 & 1, 1);
        }
        if scan.first == 0 {
            let now = block[0] >> scan.low;
            let difference = now - std::mem::replace(mean, now);
            self.symbol(0, size(difference) as u8);
            self.value(difference, size(difference));
        }
        let details = scan.first.max(1)..scan.last + 1;
        if scan.high > 0 {
            self.finer(block, details, scan.low)
        } else {
            self.details(block, details, scan.low)
        }
    }

    fn details(&mut self, block: &[i32; 64], details: std::ops::Range<usize>, low: u32) {
        if details.is_empty() {
            return;
        }
        let end = details.end;
        let (mut run, mut last) = (0u8, details.start);
        for k in details {
            // Towards 0, as a sign and a size.
            let value = block[k].signum() * (block[k].abs() >> low);
            if value == 0 {
                run += 1;
                continue;
            }
            while run > 15 {
                self.symbol(1, 0xF0);
                run -= 16;
            }
            self.symbol(1, run << 4 | size(value) as u8);
            self.value(value, size(value));
            (run, last) = (0, k + 1);
        }
        if last < end {
            self.symbol(1, 0);
        }
    }

    fn finer(&mut self, block: &[i32; 64], details: std::ops::Range<usize>, low: u32) {
        let (mut run, mut corrections) = (0u8, Vec::new());
        let newest = details.clone().rev().find(|&k| block[k].abs() >> low == 1);
        for k in details {
            let level = block[k].abs() >> low;
            if level == 0 {
                run += 1;
                continue;
            }
            while run > 15 && newest.is_some_and(|newest| k <= newest) {
                self.symbol(1, 0xF0);
                self.bits.append(&mut corrections);
                run -= 16;
            }
            if level > 1 {
                corrections.push(level & 1 == 1);
                continue;
            }
            self.symbol(1, run << 4 | 1);
            self.put(u32::from(block[k] > 0), 1);
            self.bits.append(&mut corrections);
            run = 0;
        }
        if run > 0 || !corrections.is_empty() {
            self.symbol(1, 0);
            self.bits.append(&mut corrections);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        while !self.bits.len().is_multiple_of(8) {
            self.bits.push(true);
        }
        for eight in self.bits.chunks(8) {
            let byte = eight.iter().fold(0, |all, &bit| all << 1 | u8::from(bit));
            out.push(byte);
            if byte == 0xFF {
                out.push(0);
            }
        }
        self.bits.clear();
    }
}

fn size(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}
