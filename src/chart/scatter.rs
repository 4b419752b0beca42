//! Points over logarithmic axes, panel beside panel.

use super::drawing::{Align, Drawing, Ink};

/// Size of one panel in pixels, and its margins.
const PANEL: (f64, f64) = (620.0, 440.0);
const LEFT: f64 = 66.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 52.0;

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

/// Panels beside each other under one title.
pub fn scatter(title: &str, panels: &[Panel<'_>]) -> Drawing {
    let mut drawing = Drawing::new((PANEL.0 * panels.len() as f64, PANEL.1), title);
    drawing.text(Ink::Name, Align::Start, (LEFT, 18.0), title);
    for (at, panel) in panels.iter().enumerate() {
        draw(&mut drawing, PANEL.0 * at as f64, panel);
    }
    drawing
}

fn draw(drawing: &mut Drawing, offset: f64, panel: &Panel<'_>) {
    let x_axis = Axis::of(panel.points.iter().map(|point| point.0));
    let y_axis = Axis::of(panel.points.iter().map(|point| point.1));
    let (wide, high) = (PANEL.0 - LEFT - RIGHT, PANEL.1 - TOP - BOTTOM);
    let (left, low) = (offset + LEFT, PANEL.1 - BOTTOM);
    let place = |&(x, y, _): &(f64, f64, Mark)| (left + x_axis.place(x) * wide, low - y_axis.place(y) * high);
    for tick in x_axis.ticks() {
        let x = left + x_axis.place(tick) * wide;
        drawing.line(Ink::Grid, [(x, low), (x, TOP)]);
        drawing.text(Ink::Soft, Align::Middle, (x, low + 18.0), &label(tick));
    }
    for tick in y_axis.ticks() {
        let y = low - y_axis.place(tick) * high;
        drawing.line(Ink::Grid, [(left, y), (left + wide, y)]);
        drawing.text(Ink::Soft, Align::End, (left - 8.0, y + 4.0), &label(tick));
    }
    drawing.text(Ink::Name, Align::Middle, (left + wide / 2.0, PANEL.1 - 12.0), panel.names.0);
    drawing.text(Ink::Name, Align::Start, (left, TOP - 8.0), panel.names.1);
    let on_front = panel.points.iter().filter(|point| matches!(point.2, Mark::Front | Mark::Chosen));
    let mut front: Vec<(f64, f64)> = on_front.map(place).collect();
    front.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if front.len() > 1 {
        drawing.line(Ink::Front, front);
    }
    for mark in [Mark::Faint, Mark::Plain, Mark::Front, Mark::Chosen] {
        let (radius, ink) = match mark {
            Mark::Faint => (3.0, Ink::Faint),
            Mark::Plain => (4.0, Ink::Plain),
            Mark::Front => (5.0, Ink::Front),
            Mark::Chosen => (7.0, Ink::Chosen),
        };
        for point in panel.points.iter().filter(|point| point.2 == mark) {
            drawing.dot(ink, place(point), radius);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_drawn_and_the_axes_have_round_numbers() {
        let points = vec![
            (1e5, 0.2, Mark::Faint),
            (1e6, 0.01, Mark::Front),
            (3e6, 0.004, Mark::Chosen),
            (9e6, 0.02, Mark::Plain),
        ];
        let svg = scatter("a < b & c", &[Panel { names: ("multiply-adds", "1 - AUC"), points }]).svg();
        assert_eq!(svg.matches("<circle").count(), 4);
        assert!(svg.contains("a &lt; b &amp; c") && svg.contains(">1M<") && svg.contains(">0.01<"), "{svg}");
    }

    #[test]
    fn odd_values_do_no_harm() {
        let points = vec![(0.0, f64::NAN, Mark::Plain), (f64::INFINITY, -1.0, Mark::Front)];
        for panel in [Panel { names: ("x", "y"), points }, Panel { names: ("x", "y"), points: Vec::new() }] {
            let drawing = scatter("", &[panel]);
            assert!(!drawing.svg().contains("NaN"));
            drawing.picture();
        }
    }
}
