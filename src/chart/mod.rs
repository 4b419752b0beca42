//! Charts: one list of shapes, written as SVG or drawn as a picture.
//!
//! Pure. Must not know what is plotted, or write files.

mod drawing;
mod picture;
mod plane;
mod scatter;
mod svg;

pub use drawing::Drawing;
pub use plane::{Line, Plane, Ticks, count_height, counts, round_ticks, shares};
pub use scatter::{Mark, Panel, scatter};
pub use svg::escape;
