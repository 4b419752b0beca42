//! What a chart is made of: shapes and the ink that each is drawn with.

/// Grey levels and colours, red first.
pub(super) type Rgb = (u8, u8, u8);

/// The colour that everything is drawn on.
pub(super) const PAPER: Rgb = (255, 255, 255);

/// What a shape stands for. A page gives it a colour in its style sheet, by [`Ink::class`]; a drawing that stands alone has [`Ink::rgb`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Grid,
    /// Numbers at the axes.
    Soft,
    /// Titles and the names of the axes.
    Name,
    Line,
    /// What chance alone would give.
    Chance,
    /// A broad line behind others.
    Wide,
    Good,
    Bad,
    Time,
    /// A limit.
    Limit,
    /// A range around a limit.
    Band,
    /// A point on a line.
    Ring,
    Faint,
    Plain,
    Front,
    Chosen,
}

impl Ink {
    /// The class of its shape in a page's style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Ink::Grid => "grid",
            Ink::Soft => "",
            Ink::Name => "name",
            Ink::Line => "line",
            Ink::Chance => "line chance",
            Ink::Wide => "line wide",
            Ink::Good => "good",
            Ink::Bad => "bad",
            Ink::Time => "time",
            Ink::Limit => "mark",
            Ink::Band => "band",
            Ink::Ring => "dot",
            Ink::Faint => "faint",
            Ink::Plain => "plain",
            Ink::Front => "front",
            Ink::Chosen => "chosen",
        }
    }

    /// Its colour on white paper.
    pub(super) const fn rgb(self) -> Rgb {
        match self {
            Ink::Grid => (225, 229, 234),
            Ink::Soft | Ink::Chance | Ink::Plain => (93, 104, 117),
            Ink::Name | Ink::Limit | Ink::Ring => (27, 36, 48),
            Ink::Line | Ink::Wide | Ink::Time | Ink::Front => (43, 99, 184),
            Ink::Good => (31, 122, 92),
            Ink::Bad | Ink::Chosen => (196, 67, 43),
            Ink::Band => (243, 217, 164),
            Ink::Faint => (190, 197, 205),
        }
    }

    /// How wide its lines are, in pixels.
    pub(super) const fn width(self) -> u32 {
        match self {
            Ink::Wide => 7,
            Ink::Line | Ink::Good | Ink::Bad | Ink::Front | Ink::Limit | Ink::Ring => 2,
            _ => 1,
        }
    }
}

/// Where a text stands about its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// One shape; places in pixels, to the right and down.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Line { points: Vec<(f64, f64)>, ink: Ink },
    Bar { corner: (f64, f64), size: (f64, f64), ink: Ink },
    Dot { at: (f64, f64), radius: f64, ink: Ink },
    Text { at: (f64, f64), align: Align, ink: Ink, text: String, upright: bool },
}

/// A finished chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Width and height in pixels.
    pub(super) size: (f64, f64),
    /// What it shows, for a screen reader.
    pub(super) label: String,
    pub(super) shapes: Vec<Shape>,
}

impl Drawing {
    pub(super) fn new(size: (f64, f64), label: &str) -> Self {
        Self { size, label: label.to_owned(), shapes: Vec::new() }
    }

    pub(super) fn line(&mut self, ink: Ink, points: impl IntoIterator<Item = (f64, f64)>) {
        self.shapes.push(Shape::Line { points: points.into_iter().collect(), ink });
    }

    pub(super) fn dot(&mut self, ink: Ink, at: (f64, f64), radius: f64) {
        self.shapes.push(Shape::Dot { at, radius, ink });
    }

    pub(super) fn text(&mut self, ink: Ink, align: Align, at: (f64, f64), text: &str) {
        self.shapes.push(Shape::Text { at, align, ink, text: text.to_owned(), upright: false });
    }
}
