//! A plot of points over logarithmic axes, as SVG and as pixels: one list of shapes, drawn twice.
//!
//! Owns the layout and the colours. Must not know what the points are, or write files.

use std::fmt::Write as _;

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_7X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, Line, PrimitiveStyle, PrimitiveStyleBuilder};
use embedded_graphics::text::{Alignment, Text};

use super::page::escape;
use crate::frame::{Frame, PixelFormat};

/// Size of one panel in pixels, and its margins.
const PANEL: (i32, i32) = (620, 440);
const LEFT: i32 = 66;
const RIGHT: i32 = 22;
const TOP: i32 = 44;
const BOTTOM: i32 = 52;

/// What a point stands out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Given up early.
    Faint,
    /// An ordinary one.
    Plain,
    /// On the line that is drawn.
    Front,
    /// The chosen one.
    Chosen,
}

/// One panel: points over two logarithmic axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel<'a> {
    /// What is plotted to the right; and upwards.
    pub names: (&'a str, &'a str),
    /// Positive x and y, and how it is drawn.
    pub points: Vec<(f64, f64, Mark)>,
}

/// Grey levels and colours, red first.
type Rgb = (u8, u8, u8);
const PAPER: Rgb = (255, 255, 255);
const INK: Rgb = (27, 36, 48);
const SOFT: Rgb = (93, 104, 117);
const GRID: Rgb = (225, 229, 234);
const FAINT: Rgb = (190, 197, 205);
const LINE: Rgb = (43, 99, 184);
const CHOSEN: Rgb = (196, 67, 43);

enum Shape {
    Line { from: (i32, i32), to: (i32, i32), colour: Rgb, wide: u32 },
    Dot { at: (i32, i32), radius: u32, colour: Rgb },
    Text { at: (i32, i32), align: Alignment, colour: Rgb, text: String },
}

/// A finished plot.
pub struct Plot {
    size: (i32, i32),
    shapes: Vec<Shape>,
}

/// An axis: powers of ten around all values.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let logs = values.filter(|value| *value > 0.0 && value.is_finite()).map(f64::log10);
        let (low, high) =
            logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
        if low > high {
            return Self { low: 0.0, high: 1.0 };
        }
        // A little room, so that no point lies on the frame.
        let room = ((high - low) * 0.06).max(0.05);
        Self { low: low - room, high: high + room }
    }

    /// Place of a value, 0 to 1.
    fn place(&self, value: f64) -> f64 {
        ((value.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// 1, 2 and 5 times powers of ten within the axis; only the powers where there are many.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.low.floor() as i32..=self.high.ceil() as i32;
        let steps: &[f64] = if self.high - self.low > 2.5 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
        all.filter(|tick| (self.low..=self.high).contains(&tick.log10())).collect()
    }
}

fn label(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", (value / 1e5).round() / 10.0),
        value if value >= 1e3 => format!("{}k", (value / 1e2).round() / 10.0),
        value => format!("{}", (value * 1e6).round() / 1e6),
    }
}

impl Plot {
    /// Panels beside each other under one title.
    pub fn new(title: &str, panels: &[Panel<'_>]) -> Self {
        let mut plot = Self { size: (PANEL.0 * panels.len() as i32, PANEL.1), shapes: Vec::new() };
        plot.text((LEFT, 18), Alignment::Left, INK, title);
        for (at, panel) in panels.iter().enumerate() {
            plot.panel(PANEL.0 * at as i32, panel);
        }
        plot
    }

    fn text(&mut self, at: (i32, i32), align: Alignment, colour: Rgb, text: &str) {
        self.shapes.push(Shape::Text { at, align, colour, text: text.to_owned() });
    }

    fn panel(&mut self, offset: i32, panel: &Panel<'_>) {
        let x_axis = Axis::of(panel.points.iter().map(|point| point.0));
        let y_axis = Axis::of(panel.points.iter().map(|point| point.1));
        let (wide, high) = (PANEL.0 - LEFT - RIGHT, PANEL.1 - TOP - BOTTOM);
        let (left, low) = (offset + LEFT, PANEL.1 - BOTTOM);
        let x = |value: f64| left + (x_axis.place(value) * f64::from(wide)) as i32;
        let y = |value: f64| low - (y_axis.place(value) * f64::from(high)) as i32;
        for tick in x_axis.ticks() {
            let at = x(tick);
            self.shapes.push(Shape::Line { from: (at, low), to: (at, TOP), colour: GRID, wide: 1 });
            self.text((at, low + 18), Alignment::Center, SOFT, &label(tick));
        }
        for tick in y_axis.ticks() {
            let at = y(tick);
            self.shapes.push(Shape::Line { from: (left, at), to: (left + wide, at), colour: GRID, wide: 1 });
            self.text((left - 8, at + 4), Alignment::Right, SOFT, &label(tick));
        }
        self.text((left + wide / 2, PANEL.1 - 12), Alignment::Center, INK, panel.names.0);
        self.text((left, TOP - 8), Alignment::Left, INK, panel.names.1);
        let mut front: Vec<(i32, i32)> = panel
            .points
            .iter()
            .filter(|point| matches!(point.2, Mark::Front | Mark::Chosen))
            .map(|&(at_x, at_y, _)| (x(at_x), y(at_y)))
            .collect();
        front.sort_unstable();
        for pair in front.windows(2) {
            self.shapes.push(Shape::Line { from: pair[0], to: pair[1], colour: LINE, wide: 2 });
        }
        for mark in [Mark::Faint, Mark::Plain, Mark::Front, Mark::Chosen] {
            let (radius, colour) = match mark {
                Mark::Faint => (3, FAINT),
                Mark::Plain => (4, SOFT),
                Mark::Front => (5, LINE),
                Mark::Chosen => (7, CHOSEN),
            };
            let of_mark = panel.points.iter().filter(|point| point.2 == mark);
            self.shapes.extend(of_mark.map(|&(at_x, at_y, _)| Shape::Dot {
                at: (x(at_x), y(at_y)),
                radius,
                colour,
            }));
        }
    }

    /// As SVG.
    pub fn svg(&self) -> String {
        let (width, height) = self.size;
        let hex = |(red, green, blue): Rgb| format!("#{red:02x}{green:02x}{blue:02x}");
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
            hex(PAPER)
        );
        for shape in &self.shapes {
            // Writing to a text cannot fail.
            let _ = match shape {
                Shape::Line { from, to, colour, wide } => writeln!(
                    svg,
                    "<path d=\"M{} {}L{} {}\" stroke=\"{}\" stroke-width=\"{wide}\"/>",
                    from.0,
                    from.1,
                    to.0,
                    to.1,
                    hex(*colour)
                ),
                Shape::Dot { at, radius, colour } => {
                    writeln!(
                        svg,
                        "<circle cx=\"{}\" cy=\"{}\" r=\"{radius}\" fill=\"{}\"/>",
                        at.0,
                        at.1,
                        hex(*colour)
                    )
                }
                Shape::Text { at, align, colour, text } => {
                    let anchor = match align {
                        Alignment::Left => "start",
                        Alignment::Center => "middle",
                        Alignment::Right => "end",
                    };
                    let text = escape(text);
                    writeln!(
                        svg,
                        "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\">{text}</text>",
                        at.0,
                        at.1,
                        hex(*colour)
                    )
                }
            };
        }
        svg + "</svg>\n"
    }

    /// As a coloured picture.
    pub fn picture(&self) -> Frame {
        let (width, height) = (self.size.0 as usize, self.size.1 as usize);
        let mut canvas = Canvas(Frame {
            width,
            height,
            format: PixelFormat::Rgb8,
            pixels: vec![255; width * height * 3],
            ..Frame::default()
        });
        let rgb = |(red, green, blue): Rgb| Rgb888::new(red, green, blue);
        let point = |(x, y): (i32, i32)| Point::new(x, y);
        for shape in &self.shapes {
            // Drawing into memory cannot fail.
            let _ = match shape {
                Shape::Line { from, to, colour, wide } => Line::new(point(*from), point(*to))
                    .into_styled(PrimitiveStyle::with_stroke(rgb(*colour), *wide))
                    .draw(&mut canvas),
                Shape::Dot { at, radius, colour } => Circle::with_center(point(*at), radius * 2 + 1)
                    .into_styled(PrimitiveStyleBuilder::new().fill_color(rgb(*colour)).build())
                    .draw(&mut canvas),
                Shape::Text { at, align, colour, text } => {
                    let style = MonoTextStyle::new(&FONT_7X13, rgb(*colour));
                    Text::with_alignment(text, point(*at), style, *align).draw(&mut canvas).map(|_| ())
                }
            };
        }
        canvas.0
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
    fn both_drawings_hold_every_point() {
        let points = vec![
            (1e5, 0.2, Mark::Faint),
            (1e6, 0.01, Mark::Front),
            (3e6, 0.004, Mark::Chosen),
            (9e6, 0.02, Mark::Plain),
        ];
        let plot = Plot::new("a < b & c", &[Panel { names: ("multiply-adds", "1 - AUC"), points }]);
        let svg = plot.svg();
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("a &lt; b &amp; c") && svg.contains(">1M<") && svg.contains(">0.01<"), "{svg}");
        let picture = plot.picture();
        let has =
            |(red, green, blue): Rgb| picture.pixels.chunks_exact(3).any(|pixel| pixel == [red, green, blue]);
        assert_eq!(picture.pixels.len(), picture.width * picture.height * 3);
        assert!([FAINT, SOFT, LINE, CHOSEN, INK].into_iter().all(has));
    }

    #[test]
    fn odd_values_do_no_harm() {
        let points = vec![(0.0, f64::NAN, Mark::Plain), (f64::INFINITY, -1.0, Mark::Front)];
        for panel in [Panel { names: ("x", "y"), points }, Panel { names: ("x", "y"), points: Vec::new() }] {
            let plot = Plot::new("", &[panel]);
            assert!(!plot.svg().contains("NaN"));
            plot.picture();
        }
    }
}
