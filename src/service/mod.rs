//! What makes a process a service: logging and signals. Must not know stages.

pub mod logging;
pub mod signals;
