//! Tapered networks: their shape and the text that names it, their parameters, and the way through them. Pure.
//!
//! For training and for inference alike; must not know gradients, files or engines.

mod error;
mod forward;
mod moments;
mod parameters;
mod shape;
mod slots;
mod text;

pub use error::NetworkError;
pub use forward::EPSILON;
pub(crate) use forward::{Forward, Trace};
pub(crate) use moments::lanes_of;
pub use moments::{Moments, Statistics};
pub(crate) use parameters::Padded;
pub use parameters::initial;
pub use shape::{Block, Network, Stage, lanes};
pub use slots::{BlockSlots, HeadSlots, Slot};
pub use text::TAPERED;
