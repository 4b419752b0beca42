//! A frame: one camera picture with its capture time, whose memory goes round.
//!
//! Owns a frame's identity. Must not know how pictures are captured, decoded or judged.

use std::sync::Arc;

use crate::clock::Time;
use crate::verdict::Truth;

/// Number of a frame within one run; counts every captured frame, also those that were dropped later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FrameId(pub u64);

/// Arrangement of a frame's pixels, rows from the top, no padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PixelFormat {
    /// One byte a pixel.
    #[default]
    Grey8,
    /// Three bytes a pixel: red, green, blue.
    Rgb8,
}

impl PixelFormat {
    /// Bytes a pixel takes.
    pub const fn bytes(self) -> usize {
        match self {
            PixelFormat::Grey8 => 1,
            PixelFormat::Rgb8 => 3,
        }
    }
}

/// Where a frame came from when that is known by name: a file, and what its folder says about the part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// File name, as a person would look for it.
    pub name: String,
    /// What the part in it truly is, where the folder tells.
    pub truth: Option<Truth>,
}

/// One camera picture.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Number within the run.
    pub id: FrameId,
    /// When the middle of the exposure was, on the monotonic clock.
    pub captured_at: Time,
    /// When it had arrived, on the same clock: never before `captured_at` where the camera's stamps can be believed.
    pub received_at: Time,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Arrangement of `pixels`.
    pub format: PixelFormat,
    /// `width * height * format.bytes()` bytes, rows from the top.
    pub pixels: Vec<u8>,
    /// The file it came from, if it did.
    pub origin: Option<Arc<Origin>>,
    /// Whether the camera delivered the very same picture just before (see [`Prints`]): then it shows nothing new.
    pub repeated: bool,
    /// Pictures that the camera took since the frame before and that nobody got: its driver had no room for them.
    pub missed: u32,
}

impl Frame {
    /// Whether `pixels` has the length that size and format ask for, and is not empty.
    pub fn is_consistent(&self) -> bool {
        let wanted = self.width.checked_mul(self.height).and_then(|n| n.checked_mul(self.format.bytes()));
        wanted == Some(self.pixels.len()) && !self.pixels.is_empty()
    }
}

/// Brightness of red, green and blue: ITU-R BT.601, `(299 R + 587 G + 114 B) / 1000`, rounded.
#[inline]
pub fn luma(rgb: [u8; 3]) -> u8 {
    let [r, g, b] = rgb.map(u32::from);
    ((299 * r + 587 * g + 114 * b + 500) / 1000) as u8
}

/// A print by which a picture that repeats the one before is known (FNV-1a over eight bytes at a time).
pub fn print(pixels: &[u8]) -> u64 {
    let (words, rest) = pixels.as_chunks::<8>();
    let mut print = 0xcbf2_9ce4_8422_2325_u64;
    for word in words {
        print = (print ^ u64::from_le_bytes(*word)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    for &byte in rest {
        print = (print ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    print
}

/// So many pictures are remembered: a driver that hangs may hand out its buffers in turn, and one that shows its last picture for seconds may
/// have spoilt ones between.
const REMEMBERED: usize = 64;

/// Prints of a camera's last pictures. Where a sensor looks, no picture comes a second time: its noise is another one.
#[derive(Debug, Clone)]
pub struct Prints {
    last: [Option<u64>; REMEMBERED],
    next: usize,
}

impl Default for Prints {
    fn default() -> Self {
        Self { last: [None; REMEMBERED], next: 0 }
    }
}

impl Prints {
    /// Whether the picture with this [`print()`] is one of the last 64; remembers it.
    pub fn repeats(&mut self, print: u64) -> bool {
        let known = self.last.contains(&Some(print));
        self.last[self.next] = Some(print);
        self.next = (self.next + 1) % REMEMBERED;
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_again_within_as_many_as_are_remembered() {
        let mut prints = Prints::default();
        let most = REMEMBERED as u64;
        let pictures = (1..=most).chain([1]).chain(most + 1..=2 * most).chain([1]);
        let known: Vec<bool> = pictures.map(|print| prints.repeats(print)).collect();
        let at: Vec<usize> = (0..known.len()).filter(|&at| known[at]).collect();
        assert_eq!(at, [REMEMBERED], "the one that came again, and not after so many others");
    }

    #[test]
    fn a_frame_whose_pixels_do_not_fit_its_size_is_inconsistent() {
        let mut frame = Frame { width: 2, height: 2, pixels: vec![0; 4], ..Frame::default() };
        assert!(frame.is_consistent());
        frame.width = usize::MAX;
        assert!(!frame.is_consistent());
        assert!(!Frame::default().is_consistent());
    }
}
