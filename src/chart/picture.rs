//! A drawing as pixels.

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_7X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Alignment, Text};

use super::drawing::{Align, Drawing, Ink, Shape};
use crate::frame::{Frame, PixelFormat};

impl Drawing {
    /// As a coloured picture. Text that stands upright in it is written level.
    pub fn picture(&self) -> Frame {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let mut canvas = Canvas(Frame {
            width,
            height,
            format: PixelFormat::Rgb8,
            pixels: vec![255; width * height * 3],
            ..Frame::default()
        });
        for shape in &self.shapes {
            // Drawing into memory cannot fail.
            let _ = draw(shape, &mut canvas);
        }
        canvas.0
    }
}

fn draw(shape: &Shape, canvas: &mut Canvas) -> Result<(), std::convert::Infallible> {
    let point = |(x, y): (f64, f64)| Point::new(x as i32, y as i32);
    let rgb = |ink: Ink| {
        let (red, green, blue) = ink.rgb();
        Rgb888::new(red, green, blue)
    };
    match shape {
        Shape::Line { points, ink } => points.windows(2).try_for_each(|pair| {
            Line::new(point(pair[0]), point(pair[1]))
                .into_styled(PrimitiveStyle::with_stroke(rgb(*ink), ink.width()))
                .draw(canvas)
        }),
        Shape::Bar { corner, size, ink } => {
            let size = Size::new(size.0.max(0.0) as u32, size.1.max(0.0) as u32);
            Rectangle::new(point(*corner), size)
                .into_styled(PrimitiveStyle::with_fill(rgb(*ink)))
                .draw(canvas)
        }
        Shape::Dot { at, radius, ink } => Circle::with_center(point(*at), *radius as u32 * 2 + 1)
            .into_styled(PrimitiveStyle::with_fill(rgb(*ink)))
            .draw(canvas),
        Shape::Text { at, align, ink, text, .. } => {
            let style = MonoTextStyle::new(&FONT_7X13, rgb(*ink));
            let align = match align {
                Align::Start => Alignment::Left,
                Align::Middle => Alignment::Center,
                Align::End => Alignment::Right,
            };
            Text::with_alignment(text, point(*at), style, align).draw(canvas).map(|_| ())
        }
    }
}

/// What is drawn on.
struct Canvas(Frame);

impl OriginDimensions for Canvas {
    fn size(&self) -> Size {
        Size::new(self.0.width as u32, self.0.height as u32)
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = std::convert::Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Self::Error> {
        for Pixel(Point { x, y }, colour) in pixels {
            let Frame { width, height, pixels, .. } = &mut self.0;
            let inside = (0..*width as i32).contains(&x) && (0..*height as i32).contains(&y);
            if inside {
                let at = 3 * (y as usize * *width + x as usize);
                pixels[at..at + 3].copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_leaves_its_colour() {
        let mut drawing = Drawing::new((60.0, 40.0), "");
        drawing.line(Ink::Line, [(2.0, 2.0), (20.0, 2.0)]);
        drawing.dot(Ink::Chosen, (40.0, 20.0), 4.0);
        drawing.text(Ink::Soft, Align::Start, (2.0, 30.0), "1");
        drawing.shapes.push(Shape::Bar { corner: (2.0, 10.0), size: (5.0, 5.0), ink: Ink::Good });
        let picture = drawing.picture();
        assert_eq!(picture.pixels.len(), picture.width * picture.height * 3);
        for ink in [Ink::Line, Ink::Chosen, Ink::Soft, Ink::Good] {
            let (red, green, blue) = ink.rgb();
            assert!(picture.pixels.chunks_exact(3).any(|pixel| pixel == [red, green, blue]), "{ink:?}");
        }
    }
}
