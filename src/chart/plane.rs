//! Curves and bars over a plane that goes from 0 to 1 in both directions.

use super::drawing::{Align, Drawing, Ink, Shape};

/// Size of a chart and its margins in pixels.
const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;
/// Radius of a point in pixels.
const POINT: f64 = 5.0;

/// Places on an axis, 0 to 1, with their labels.
pub type Ticks = Vec<(f64, String)>;

/// What a curve or a bar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The one that the chart is about.
    Main,
    /// What chance alone would give.
    Chance,
    /// A sum behind its parts.
    Wide,
    /// Good parts.
    Good,
    /// Defective parts.
    Bad,
    /// Times.
    Time,
}

impl Line {
    const fn ink(self) -> Ink {
        match self {
            Line::Main => Ink::Line,
            Line::Chance => Ink::Chance,
            Line::Wide => Ink::Wide,
            Line::Good => Ink::Good,
            Line::Bad => Ink::Bad,
            Line::Time => Ink::Time,
        }
    }
}

/// The plane, y upwards; what lies outside is drawn at its border.
#[derive(Debug, Clone)]
pub struct Plane(Drawing);

fn x_of(x: f64) -> f64 {
    LEFT + x.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

fn y_of(y: f64) -> f64 {
    HEIGHT - BOTTOM - y.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

impl Plane {
    /// An empty plane; `label` says for a screen reader what the chart shows.
    pub fn new(label: &str, (x_name, x): (&str, Ticks), (y_name, y): (&str, Ticks)) -> Self {
        let mut drawing = Drawing::new((WIDTH, HEIGHT), label);
        for (at, text) in x {
            let (x, low) = (x_of(at), y_of(0.0));
            drawing.line(Ink::Grid, [(x, low), (x, y_of(1.0))]);
            drawing.text(Ink::Soft, Align::Middle, (x, low + 16.0), &text);
        }
        for (at, text) in y {
            let (y, left) = (y_of(at), x_of(0.0));
            drawing.line(Ink::Grid, [(left, y), (x_of(1.0), y)]);
            drawing.text(Ink::Soft, Align::End, (left - 6.0, y + 4.0), &text);
        }
        drawing.text(Ink::Name, Align::Middle, (x_of(0.5), HEIGHT - 8.0), x_name);
        drawing.shapes.push(Shape::Text {
            at: (12.0, y_of(0.5)),
            align: Align::Middle,
            ink: Ink::Name,
            text: y_name.to_owned(),
            upright: true,
        });
        Self(drawing)
    }

    /// A line through `points`.
    #[must_use]
    pub fn line(mut self, line: Line, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.0.line(line.ink(), points.into_iter().map(|(x, y)| (x_of(x), y_of(y))));
        self
    }

    /// Bars from the bottom: left end, right end, height.
    #[must_use]
    pub fn bars(mut self, line: Line, bars: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        for (left, right, height) in bars.into_iter().filter(|bar| bar.2 > 0.0) {
            self.bar(line.ink(), (left, right), height);
        }
        self
    }

    /// A band over the whole height.
    #[must_use]
    pub fn band(mut self, left: f64, right: f64) -> Self {
        self.bar(Ink::Band, (left, right), 1.0);
        self
    }

    /// A dashed line over the whole height.
    #[must_use]
    pub fn limit(mut self, x: f64) -> Self {
        self.0.line(Ink::Limit, [(x_of(x), y_of(0.0)), (x_of(x), y_of(1.0))]);
        self
    }

    /// A point.
    #[must_use]
    pub fn dot(mut self, x: f64, y: f64) -> Self {
        self.0.dot(Ink::Ring, (x_of(x), y_of(y)), POINT);
        self
    }

    /// The finished chart.
    pub fn end(self) -> Drawing {
        self.0
    }

    fn bar(&mut self, ink: Ink, (left, right): (f64, f64), height: f64) {
        let corner = (x_of(left), y_of(height));
        let size = (x_of(right) - corner.0, y_of(0.0) - corner.1);
        self.0.shapes.push(Shape::Bar { corner, size, ink });
    }
}

/// Shares of 0 to 1 in fifths.
pub fn shares() -> Ticks {
    (0..=5).map(|i| (f64::from(i) / 5.0, format!("{:.1}", f64::from(i) / 5.0))).collect()
}

/// Counts from 0 to `most`, on the scale of [`count_height`].
pub fn counts(most: usize) -> Ticks {
    let steps = std::iter::successors(Some(1usize), |step| step.checked_mul(10));
    let steps = std::iter::once(0).chain(steps.take_while(|&step| step <= most));
    steps.map(|count| (count_height(count, most), count.to_string())).collect()
}

/// Height of a count, 0 to 1: logarithmic, so that one picture among thousands can be seen.
pub fn count_height(count: usize, most: usize) -> f64 {
    // One picture must stand out from none.
    let height = |count: usize| (1.0 + 4.0 * count as f64).ln();
    height(count) / height(most.max(1))
}

/// Round numbers from 0 to `end`, two to five of them.
pub fn round_ticks(end: f64) -> Ticks {
    let decade = 10f64.powf(end.log10().floor());
    let step = [0.2, 0.5, 1.0, 2.0].map(|part| part * decade).into_iter().find(|step| end / step <= 5.5);
    let step = step.unwrap_or(end);
    let decimals = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
    let ticks = (0..6).map(|i| f64::from(i) * step).take_while(|at| *at <= end * 1.001);
    ticks.map(|at| (at / end, format!("{at:.decimals$}"))).collect()
}
