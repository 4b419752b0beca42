//! What is done with labelled pictures and models, as functions that a command, a page or a test may call.
//!
//! Must not know flags, print, or end the program.

pub mod judge;
