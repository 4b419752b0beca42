//! A drawing as SVG: within a page, whose style sheet gives the colours, or by itself.

use std::fmt::Write as _;

use super::drawing::{Align, Drawing, Ink, PAPER, Rgb, Shape};
use crate::printable::{is_unsafe, lines};

/// Text as it must stand in SVG and HTML, also within quotes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c if is_unsafe(c) => safe.push_str(&lines(c.encode_utf8(&mut [0; 4]))),
            c => safe.push(c),
        }
    }
    safe
}

/// Who gives the colours.
#[derive(Clone, Copy, PartialEq)]
enum Dress {
    Page,
    Own,
}

impl Drawing {
    /// For a page, within its HTML; its style sheet has a rule for each class.
    pub fn inline(&self) -> String {
        let (width, height) = self.size;
        let label = escape(&self.label);
        let head = format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">");
        head + &self.shapes(Dress::Page, "") + "</svg>"
    }

    /// A file of its own.
    pub fn svg(&self) -> String {
        let (width, height) = self.size;
        let head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"monospace\" font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
            hex(PAPER)
        );
        head + &self.shapes(Dress::Own, "\n") + "</svg>\n"
    }

    fn shapes(&self, dress: Dress, end: &str) -> String {
        self.shapes.iter().map(|shape| element(shape, dress) + end).collect()
    }
}

fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn class(names: &str) -> String {
    if names.is_empty() { String::new() } else { format!(" class=\"{names}\"") }
}

fn element(shape: &Shape, dress: Dress) -> String {
    let stroke = |ink: Ink| match dress {
        Dress::Page => match ink {
            // Among lines these two are colours of a line.
            Ink::Good => class("line good"),
            Ink::Bad => class("line bad"),
            _ => class(ink.class()),
        },
        Dress::Own => {
            format!(" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"", hex(ink.rgb()), ink.width())
        }
    };
    let fill = |ink: Ink| match dress {
        Dress::Page => class(ink.class()),
        Dress::Own => format!(" fill=\"{}\"", hex(ink.rgb())),
    };
    match shape {
        Shape::Line { points, ink } => {
            let mut path = String::new();
            for (x, y) in points {
                // Writing to a text cannot fail.
                let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { "L" });
            }
            format!("<path{} d=\"{path}\"/>", stroke(*ink))
        }
        Shape::Bar { corner: (x, y), size: (width, height), ink } => {
            let fill = fill(*ink);
            format!("<rect{fill} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>")
        }
        Shape::Dot { at: (x, y), radius, ink } => {
            format!("<circle{} cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"/>", fill(*ink))
        }
        Shape::Text { at: (x, y), align, ink, text, upright } => {
            let dressed = match (dress, align) {
                (Dress::Page, Align::Start) => class(ink.class()),
                (Dress::Page, Align::Middle) => class(format!("mid {}", ink.class()).trim_end()),
                (Dress::Page, Align::End) => class(format!("end {}", ink.class()).trim_end()),
                (Dress::Own, Align::Start) => fill(*ink),
                (Dress::Own, Align::Middle) => fill(*ink) + " text-anchor=\"middle\"",
                (Dress::Own, Align::End) => fill(*ink) + " text-anchor=\"end\"",
            };
            let turned =
                if *upright { format!(" transform=\"rotate(-90 {x:.1} {y:.1})\"") } else { String::new() };
            format!("<text{dressed} x=\"{x:.1}\" y=\"{y:.1}\"{turned}>{}</text>", escape(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_leave_its_place() {
        assert_eq!(escape("<a b=\"c\">'&\u{0}"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\u{fffd}");
        assert_eq!(escape("gpj.\u{202e}exe"), "gpj.\\u202eexe");
    }

    #[test]
    fn a_page_gives_the_colours_and_a_file_has_its_own() {
        let mut drawing = Drawing::new((20.0, 10.0), "a < b");
        drawing.line(Ink::Bad, [(1.0, 2.0), (3.0, 4.0)]);
        drawing.text(Ink::Name, Align::Middle, (5.0, 6.0), "x & y");
        let (page, own) = (drawing.inline(), drawing.svg());
        assert_eq!(
            page,
            "<svg viewBox=\"0 0 20 10\" role=\"img\" aria-label=\"a &lt; b\"><path class=\"line bad\" d=\"M1.0 2.0L3.0 4.0\"/><text class=\"mid name\" x=\"5.0\" y=\"6.0\">x &amp; y</text></svg>"
        );
        assert!(
            own.contains("stroke=\"#c4432b\"") && own.contains("fill=\"#1b2430\"") && !own.contains("class=")
        );
    }
}
