//! What makes a process a service: logging, signals, and a socket for commands. Must not know stages.

pub mod logging;
pub mod notify;
pub mod signals;
pub mod socket;
