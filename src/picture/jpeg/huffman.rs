//! Huffman tables (ITU-T T.81, annex C and F.2.2.3), and those that a stream may leave out (annex K.3.3).

use super::bits::{Bad, Bits};

/// Codes of up to this many bits are found at the first look.
const FAST: u32 = 9;

/// A table that turns codes into symbols.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// By the first bits of a code: its length and its symbol; length 0 where it is longer.
    fast: [(u8, u8); 1 << FAST],
    /// For each length of code: the first code beyond it, from the top of 16 bits.
    limit: [u32; 17],
    /// For each length of code: what to add to a code to find its symbol.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Huffman {
    /// Out of the numbers of codes of 1 to 16 bits and their symbols; `None` where there can be no such table.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut table =
            Self { fast: [(0, 0); 1 << FAST], limit: [0; 17], offset: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut at) = (0u32, 0usize);
        for length in 1..=16u32 {
            table.offset[length as usize] = at as i32 - code as i32;
            for _ in 0..counts[length as usize - 1] {
                let &symbol = symbols.get(at)?;
                if code >= 1 << length {
                    return None;
                }
                if length <= FAST {
                    let spread = 1usize << (FAST - length);
                    let first = (code as usize) * spread;
                    table.fast[first..first + spread].fill((length as u8, symbol));
                }
                (code, at) = (code + 1, at + 1);
            }
            table.limit[length as usize] = code << (16 - length);
            code <<= 1;
        }
        (at == symbols.len()).then_some(table)
    }

    /// The symbol of the next code.
    #[inline]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Bad> {
        let next = bits.peek();
        let (length, symbol) = self.fast[(next >> (16 - FAST)) as usize];
        if length > 0 {
            bits.skip(u32::from(length))?;
            return Ok(symbol);
        }
        for length in FAST + 1..=16 {
            if next < self.limit[length as usize] {
                bits.skip(length)?;
                let at = (next >> (16 - length)) as i32 + self.offset[length as usize];
                return self.symbols.get(at as usize).copied().ok_or(Bad::Code);
            }
        }
        // At the end of the data, the zeros that stand for what is missing may look like no code.
        Err(if bits.skip(16).is_ok() { Bad::Code } else { Bad::Ended })
    }
}

/// The segment of tables K.3 to K.6: for brightness number 0, for colour number 1.
pub(super) fn standard_segment() -> Vec<u8> {
    let tables: [(u8, &[u8; 16], &[u8]); 4] = [
        (0x00, &DC_COUNTS[0], &DC),
        (0x01, &DC_COUNTS[1], &DC),
        (0x10, &AC_COUNTS[0], &AC_Y),
        (0x11, &AC_COUNTS[1], &AC_C),
    ];
    let length = 2 + tables.iter().map(|(_, _, symbols)| 17 + symbols.len()).sum::<usize>();
    let mut segment = vec![0xFF, 0xC4];
    segment.extend((length as u16).to_be_bytes());
    for (number, counts, symbols) in tables {
        segment.push(number);
        segment.extend(counts);
        segment.extend(symbols);
    }
    segment
}

const DC_COUNTS: [[u8; 16]; 2] =
    [[0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]];
const DC: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const AC_COUNTS: [[u8; 16]; 2] = [
    [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D],
    [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77],
];
#[rustfmt::skip]
const AC_Y: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14, 0x32,
    0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0A, 0x16,
    0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
    0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92, 0x93, 0x94,
    0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6,
    0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8,
    0xD9, 0xDA, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];
#[rustfmt::skip]
const AC_C: [u8; 162] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32, 0x81,
    0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62, 0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34,
    0xE1, 0x25, 0xF1, 0x17, 0x18, 0x19, 0x1A, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x43, 0x44,
    0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
    0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x92,
    0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xAA, 0xB2, 0xB3, 0xB4,
    0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6,
    0xD7, 0xD8, 0xD9, 0xDA, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0xFA,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_tables_have_their_codes() {
        let table = |counts, symbols: &[u8]| Huffman::new(counts, symbols).unwrap();
        // Table K.3: category 0 is 00, category 11 is 111111110. Table K.5: EOB is 1010, 0/1 is 00, F/A is sixteen bits.
        let dc = table(&DC_COUNTS[0], &DC);
        assert_eq!(dc.symbol(&mut Bits::new(&[0b0000_0000, 0, 0], 0)), Ok(0));
        assert_eq!(dc.symbol(&mut Bits::new(&[0b1111_1110, 0b0000_0000, 0], 0)), Ok(10));
        assert_eq!(dc.symbol(&mut Bits::new(&[0xFF, 0, 0, 0], 0)), Ok(11));
        let ac = table(&AC_COUNTS[0], &AC_Y);
        assert_eq!(ac.symbol(&mut Bits::new(&[0b1010_0000, 0, 0], 0)), Ok(0));
        assert_eq!(ac.symbol(&mut Bits::new(&[0xFF, 0, 0xFE, 0], 0)), Ok(0xFA));
        assert_eq!(ac.symbol(&mut Bits::new(&[0xFF, 0, 0xFF, 0], 0)), Err(Bad::Code), "all ones is no code");
        assert_eq!(ac.symbol(&mut Bits::new(&[0xFF, 0], 0)), Err(Bad::Ended));
        assert!(Huffman::new(&AC_COUNTS[1], &AC_C).is_some());
    }

    #[test]
    fn tables_that_cannot_be_are_none() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Huffman::new(&counts, &[1, 2, 3]).is_none(), "three codes of one bit");
        counts[0] = 2;
        assert!(Huffman::new(&counts, &[1]).is_none(), "a symbol is missing");
        assert!(Huffman::new(&counts, &[1, 2]).is_some());
    }
}
