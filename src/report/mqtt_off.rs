//! Stands in for MQTT in builds without the `mqtt` feature, and says so.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::message::Identity;
use super::{Publisher, ReportError};
use crate::clock::Clock;
use crate::config;
use crate::remote::Take;

/// # Errors
/// Always: MQTT is not part of this build.
pub(super) fn start(
    _: &config::Mqtt,
    _: Identity,
    _: Arc<dyn Clock>,
    _: (Option<Take>, Option<Sender<u64>>),
) -> Result<Box<dyn Publisher>, ReportError> {
    Err(ReportError::NotBuilt)
}

/// # Errors
/// Always: MQTT is not part of this build.
pub(super) fn check(_: &config::Mqtt, _: &str) -> Result<(), ReportError> {
    Err(ReportError::NotBuilt)
}
