//! From bytes to the numbers that the model wants.

use crate::config::manifest::{Colour, Input, Layout};

/// Turns a picture into input values by a table.
pub(super) struct Normaliser {
    /// Of each channel, in the order in which they go in.
    tables: Vec<[f32; 256]>,
    colour: Colour,
    planes: bool,
}

impl Normaliser {
    pub(super) fn new(input: &Input) -> Self {
        let channels = input.colour.channels();
        let table = |channel| std::array::from_fn(|pixel| input.value(channel, pixel as u8));
        let tables = (0..channels).map(table).collect();
        Self { tables, colour: input.colour, planes: input.layout == Layout::Nchw }
    }

    /// Appends the input values of `picture` (grey, or red, green and blue together) in the model's layout and order of colours.
    pub(super) fn append(&self, picture: &[u8], out: &mut Vec<f32>) {
        let (colour, channels) = (self.colour, self.tables.len());
        if self.planes {
            for (channel, table) in self.tables.iter().enumerate() {
                let pixels = picture.iter().skip(colour.source(channel)).step_by(channels);
                out.extend(pixels.map(|&pixel| table[usize::from(pixel)]));
            }
        } else {
            let tables = self.tables.iter().enumerate();
            let value = |pixel: &[u8], (channel, table): (usize, &[f32; 256])| {
                table[usize::from(pixel[colour.source(channel)])]
            };
            let pixels = picture.chunks_exact(channels);
            out.extend(pixels.flat_map(|pixel| tables.clone().map(move |channel| value(pixel, channel))));
        }
    }
}
