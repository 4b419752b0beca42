//! The line as it is configured: opening its model and devices, and what works beside its stages while it runs.
//!
//! This is where a configuration meets real devices. Functions over plain values, for a command, a page or a test. Must not know a
//! command line, print, or choose an exit code.

mod answers;
pub mod check;
pub mod devices;
mod error;
pub mod keeper;
pub mod orders;
pub mod reload;
pub mod reporter;

pub use error::CannotOpen;
