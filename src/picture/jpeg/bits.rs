//! Bits of entropy-coded data (ITU-T T.81, annex B.1.1.5 and F.2.2), up to the next marker and no further.

/// Why a block cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    /// The data ends before it.
    Ended,
    /// It holds a code that there is not, or more values than a block has.
    Code,
    /// It tells brightness that no picture of 8 bits can have.
    Range,
}

/// Reads bits, the most significant first, leaving out the zero that follows each byte 0xFF of data.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Next byte that is not in `buffer` yet; stands still at a marker.
    at: usize,
    /// The next bits from the top; what lies below `have` is not counted yet.
    buffer: u64,
    have: u32,
}

impl<'a> Bits<'a> {
    /// Begins at byte `at` of `data`.
    pub(super) fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at, buffer: 0, have: 0 }
    }

    /// Fills up to 56 bits or more, where the data has them.
    #[inline]
    fn refill(&mut self) {
        if self.have > 56 {
            return;
        }
        if let Some(eight) = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_be_bytes(*eight);
            // Whether one of its bytes is 0xFF: whether one of the inverted ones is 0.
            let inverted = !word;
            let any = inverted.wrapping_sub(0x0101_0101_0101_0101) & !inverted & 0x8080_8080_8080_8080;
            if any == 0 {
                // Bits beyond the whole bytes that are counted are the same ones that come next time.
                self.buffer |= word >> self.have;
                let bytes = (63 - self.have) / 8;
                self.at += bytes as usize;
                self.have += 8 * bytes;
                return;
            }
        }
        self.refill_by_byte();
    }

    fn refill_by_byte(&mut self) {
        while self.have <= 56 {
            let Some(&byte) = self.data.get(self.at) else { return };
            if byte == 0xFF {
                if self.data.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.buffer |= u64::from(byte) << (56 - self.have);
            self.have += 8;
        }
    }

    /// The next 16 bits, with zeros behind the end of the data. At least 16 more can be taken without asking for more.
    #[inline]
    pub(super) fn peek(&mut self) -> u32 {
        if self.have < 32 {
            self.refill();
        }
        (self.buffer >> 48) as u32
    }

    /// Moves on by 1 to 16 bits that were peeked at.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) -> Result<(), Bad> {
        if count > self.have {
            return Err(Bad::Ended);
        }
        self.buffer <<= count;
        self.have -= count;
        Ok(())
    }

    /// The next 0 to 16 bits as a number.
    #[inline]
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Bad> {
        if count == 0 {
            return Ok(0);
        }
        if self.have < count {
            self.refill();
        }
        let value = (self.buffer >> (64 - count)) as u32;
        self.skip(count)?;
        Ok(value)
    }

    /// Moves on by any number of bits.
    pub(super) fn skip_many(&mut self, mut count: u32) -> Result<(), Bad> {
        while count > 0 {
            let now = count.min(16);
            self.take(now)?;
            count -= now;
        }
        Ok(())
    }

    /// A value of `size` bits, 1 to 16 (F.2.2.1, EXTEND).
    #[inline]
    pub(super) fn value(&mut self, size: u32) -> Result<i32, Bad> {
        let value = self.take(size)? as i32;
        let half = (1 << size) >> 1;
        Ok(if value < half { value - (1 << size) + 1 } else { value })
    }

    /// What it reads from.
    pub(super) fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Ends a stretch: the place of the marker behind it, the bytes left over before that, and whether one of them is not 0.
    pub(super) fn end(mut self) -> (usize, usize, bool) {
        let padding = self.have % 8;
        let filled = if padding == 0 { 0 } else { self.buffer >> (64 - padding) };
        self.buffer <<= padding;
        self.have -= padding;
        // The last byte is filled up with ones, by some encoders with zeros, and never with both.
        let mixed = filled != 0 && filled != (1 << padding) - 1;
        let (mut left, mut any) = (usize::from(mixed), mixed);
        loop {
            while self.have > 0 {
                left += 1;
                any |= self.buffer >> 56 != 0;
                self.buffer <<= 8;
                self.have -= 8;
            }
            // What was not counted of the last word is read again.
            self.buffer = 0;
            self.refill_by_byte();
            if self.have == 0 {
                return (self.at, left, any);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_as_they_were_written(bytes in proptest::collection::vec(prop_oneof![Just(0xFFu8), any::<u8>()], 0..60), counts in proptest::collection::vec(1u32..17, 0..80)) {
            let mut stuffed = Vec::new();
            for &byte in &bytes {
                stuffed.push(byte);
                if byte == 0xFF { stuffed.push(0); }
            }
            let end = stuffed.len();
            stuffed.extend([0xFF, 0xD9, 1, 2, 3, 4, 5, 6, 7, 8]);
            let mut bits = Bits::new(&stuffed, 0);
            let mut at = 0;
            for count in counts {
                let wanted = (at..at + count as usize)
                    .map(|i| bytes.get(i / 8).map(|byte| u32::from(byte >> (7 - i % 8) & 1)))
                    .collect::<Option<Vec<_>>>();
                let Some(wanted) = wanted else {
                    prop_assert_eq!(bits.take(count), Err(Bad::Ended));
                    break;
                };
                prop_assert_eq!(bits.take(count), Ok(wanted.iter().fold(0, |all, bit| 2 * all + bit)));
                at += count as usize;
            }
            let (marker, left, any) = bits.end();
            let rest = &bytes[at.div_ceil(8)..];
            let fill: Vec<u8> = (at..at.div_ceil(8) * 8).map(|i| bytes[i / 8] >> (7 - i % 8) & 1).collect();
            let mixed = fill.iter().any(|&bit| bit != fill[0]);
            let wanted = rest.len() + usize::from(mixed);
            prop_assert_eq!((marker, left, any), (end, wanted, mixed || rest.iter().any(|&byte| byte != 0)));
        }
    }

    #[test]
    fn values_are_extended_by_their_sign() {
        let mut bits = Bits::new(&[0b0100_1101, 0b1000_0000], 0);
        assert_eq!([bits.value(1), bits.value(1)], [Ok(-1), Ok(1)]);
        assert_eq!([bits.value(2), bits.value(2), bits.value(3)], [Ok(-3), Ok(3), Ok(-4)]);
    }
}
