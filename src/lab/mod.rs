//! The lab: what is done with labelled pictures and models, as functions over plain options that return plain results.
//!
//! This file owns what all of them share: how a request is refused. Must not know a command line, print, or choose an exit code; whoever
//! calls is told how the work goes by [`tell::Event`].

pub mod audit;
pub mod eval;
pub(crate) mod files;
pub(crate) mod heat;
pub(crate) mod judge;
pub mod known;
pub mod labelled;
pub(crate) mod speed;
pub mod tell;
pub mod threshold;
#[cfg(feature = "train")]
pub mod train;

/// What is asked for cannot be, or what was given does not do; no device, model or file has failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);
