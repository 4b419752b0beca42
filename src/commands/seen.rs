//! What the model saw of a picture, as a picture again: whether the part was made out where it lies.

use std::path::Path;

use crate::config::manifest::{Colour, Input, Layout};
use crate::frame::{Frame, PixelFormat};
use crate::lab::files::write_png;
use crate::lab::judge::Judge;

/// Writes what the model was given of the picture that `judge` judged last as PNG; `false` when it did not get that far.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn save(judge: &Judge, path: &Path) -> anyhow::Result<bool> {
    let (input, tensor) = (judge.input(), judge.last().1);
    if tensor.len() != input.len() {
        return Ok(false);
    }
    write_png(path, &picture(input, tensor))?;
    Ok(true)
}

fn picture(input: &Input, tensor: &[f32]) -> Frame {
    let (count, channels) = (input.width * input.height, input.colour.channels());
    let place = |pixel: usize, channel: usize| match input.layout {
        Layout::Nhwc => pixel * channels + channel,
        Layout::Nchw => channel * count + pixel,
    };
    let values = (0..count).flat_map(|pixel| (0..channels).map(move |channel| (pixel, channel)));
    Frame {
        width: input.width,
        height: input.height,
        format: if input.colour == Colour::Grey { PixelFormat::Grey8 } else { PixelFormat::Rgb8 },
        pixels: values
            .map(|(pixel, colour)| {
                // Which channel red, green or blue went in as: the exchange of two is its own inverse.
                let channel = input.colour.source(colour);
                input.pixel(channel, tensor[place(pixel, channel)])
            })
            .collect(),
        ..Frame::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::manifest::PerChannel;

    #[test]
    fn bytes_come_back_in_their_places() {
        let mut input = Input {
            width: 2,
            height: 1,
            layout: Layout::Nchw,
            colour: Colour::Rgb,
            mean: 0.5.into(),
            std: 0.5.into(),
            ..Input::default()
        };
        let value = |byte: u8| (f32::from(byte) / 255.0 - 0.5) / 0.5;
        let planes = [10, 40, 20, 50, 30, 60].map(value);
        assert_eq!(picture(&input, &planes).pixels, [10, 20, 30, 40, 50, 60]);
        input.layout = Layout::Nhwc;
        assert_eq!(picture(&input, &planes).pixels, [10, 40, 20, 50, 30, 60]);
        input.colour = Colour::Bgr;
        assert_eq!(picture(&input, &planes).pixels, [20, 40, 10, 60, 30, 50]);
        (input.mean, input.std) = (PerChannel::Each([0.1, 0.2, 0.3]), PerChannel::Each([0.4, 0.5, 0.6]));
        let values: Vec<f32> = (0..6).map(|at| input.value(at % 3, 40 * at as u8)).collect();
        assert_eq!(picture(&input, &values).pixels, [80, 40, 0, 200, 160, 120]);
    }
}
