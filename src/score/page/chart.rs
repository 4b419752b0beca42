//! Charts as inline SVG. Owns drawing; must not know what is drawn.

use std::fmt::Write as _;

use super::html::escape;

/// Size of a chart and its margins, in the drawing's own units.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// Places on an axis, 0 to 1, with their labels.
pub(super) type Ticks = Vec<(f64, String)>;

/// A chart whose plane goes from 0 to 1 in both directions, y upwards; what lies outside is drawn at its border.
pub(super) struct Chart(String);

fn x_of(x: f64) -> f64 {
    LEFT + x.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn y_of(y: f64) -> f64 {
    HEIGHT - BOTTOM - y.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

impl Chart {
    /// An empty plane; `label` says for a screen reader what the chart shows.
    pub(super) fn new(label: &str, (x_name, x): (&str, Ticks), (y_name, y): (&str, Ticks)) -> Self {
        let mut svg =
            format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escape(label));
        // Writing to a text cannot fail, here and below.
        for (at, text) in x {
            let (x, low, high) = (x_of(at), y_of(0.0), y_of(1.0));
            let _ = write!(svg, "<path class=\"grid\" d=\"M{x:.1} {low:.1}V{high:.1}\"/>");
            let _ = write!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.1}\" class=\"mid\">{}</text>",
                low + 16.0,
                escape(&text)
            );
        }
        for (at, text) in y {
            let (y, left, right) = (y_of(at), x_of(0.0), x_of(1.0));
            let _ = write!(svg, "<path class=\"grid\" d=\"M{left:.1} {y:.1}H{right:.1}\"/>");
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" class=\"end\">{}</text>",
                left - 6.0,
                y + 4.0,
                escape(&text)
            );
        }
        let (middle, low) = (x_of(0.5), HEIGHT - 8.0);
        let _ = write!(
            svg,
            "<text x=\"{middle:.1}\" y=\"{low:.1}\" class=\"mid name\">{}</text>",
            escape(x_name)
        );
        let y = y_of(0.5);
        let _ = write!(
            svg,
            "<text x=\"12\" y=\"{y:.1}\" class=\"mid name\" transform=\"rotate(-90 12 {y:.1})\">{}</text>",
            escape(y_name)
        );
        Self(svg)
    }

    /// A line through `points`; `class` gives its colour.
    pub(super) fn line(mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut path = String::new();
        for (x, y) in points {
            let _ = write!(path, "{}{:.1} {:.1}", if path.is_empty() { "M" } else { "L" }, x_of(x), y_of(y));
        }
        let _ = write!(self.0, "<path class=\"line {class}\" d=\"{path}\"/>");
        self
    }

    /// Bars from the bottom: left end, right end, height.
    pub(super) fn bars(mut self, class: &str, bars: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        for (left, right, height) in bars.into_iter().filter(|bar| bar.2 > 0.0) {
            let (x, y) = (x_of(left), y_of(height));
            let (width, height) = (x_of(right) - x, y_of(0.0) - y);
            let _ = write!(
                self.0,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
            );
        }
        self
    }

    /// A band over the whole height.
    pub(super) fn band(mut self, left: f64, right: f64) -> Self {
        let (x, y) = (x_of(left), y_of(1.0));
        let (width, height) = (x_of(right) - x, y_of(0.0) - y);
        let _ = write!(
            self.0,
            "<rect class=\"band\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
        self
    }

    /// A dashed line over the whole height.
    pub(super) fn mark(mut self, x: f64) -> Self {
        let _ =
            write!(self.0, "<path class=\"mark\" d=\"M{:.1} {:.1}V{:.1}\"/>", x_of(x), y_of(0.0), y_of(1.0));
        self
    }

    /// A point.
    pub(super) fn dot(mut self, x: f64, y: f64) -> Self {
        let _ = write!(self.0, "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\"/>", x_of(x), y_of(y));
        self
    }

    pub(super) fn end(self) -> String {
        self.0 + "</svg>"
    }
}

/// Shares of 0 to 1 in fifths.
pub(super) fn shares() -> Ticks {
    (0..=5).map(|i| (f64::from(i) / 5.0, format!("{:.1}", f64::from(i) / 5.0))).collect()
}

/// Counts from 0 to `most`, on the scale of [`count_height`].
pub(super) fn counts(most: usize) -> Ticks {
    let steps = std::iter::successors(Some(1usize), |step| step.checked_mul(10));
    let steps = std::iter::once(0).chain(steps.take_while(|&step| step <= most));
    steps.map(|count| (count_height(count, most), count.to_string())).collect()
}

/// Height of a count, 0 to 1: logarithmic, so that one picture among thousands can be seen.
pub(super) fn count_height(count: usize, most: usize) -> f64 {
    // One picture must stand out from none.
    let height = |count: usize| (1.0 + 4.0 * count as f64).ln();
    height(count) / height(most.max(1))
}
