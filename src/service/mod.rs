//! What makes a process a service: logging, output that keeps nobody waiting, signals, and a socket for commands. Must not know stages.

pub mod logging;
pub mod notify;
pub mod outlet;
pub mod signals;
pub mod socket;
