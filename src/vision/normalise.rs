//! From bytes to the numbers that the model wants.

use crate::config::manifest::{Input, Layout};

/// Turns a picture into input values by a table.
pub(super) struct Normaliser {
    table: [f32; 256],
    channels: usize,
    planes: bool,
}

impl Normaliser {
    pub(super) fn new(input: &Input) -> Self {
        let table = std::array::from_fn(|pixel| (pixel as f32 / 255.0 - input.mean) / input.std);
        let channels = input.colour.channels();
        Self { table, channels, planes: channels > 1 && input.layout == Layout::Nchw }
    }

    /// Appends the input values of `picture` (channels together) in the model's layout.
    pub(super) fn append(&self, picture: &[u8], out: &mut Vec<f32>) {
        let value = |&pixel: &u8| self.table[usize::from(pixel)];
        if self.planes {
            for channel in 0..self.channels {
                out.extend(picture.iter().skip(channel).step_by(self.channels).map(value));
            }
        } else {
            out.extend(picture.iter().map(value));
        }
    }
}
