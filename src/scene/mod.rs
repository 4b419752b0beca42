//! The simulated line: a belt with drawn or real parts, what a camera above it sees, and what gate and sensors do.
//!
//! Pure: pictures come from the caller, time is an argument, everything random comes from the seed. Must not know
//! devices or files.

mod belt;
mod canvas;
mod defect;
mod impeller;
mod picture;
mod random;
mod render;
mod sample;
mod sprite;
mod surface;
mod world;

pub use belt::{Belt, Label, Part};
pub use defect::{Defect, DefectKind};
pub use picture::Picture;
pub use render::{PartPictures, Renderer, View};
pub use sample::{Place, draw_sample};
pub use world::{PartTruth, Tally, World};
