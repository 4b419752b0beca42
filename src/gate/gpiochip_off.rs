//! Stands in for the GPIO gate in builds without the `gpio` feature, and says so.

use super::{Gate, GateError};
use crate::config;

/// # Errors
/// Always: GPIO is not part of this build.
pub(super) fn open(_: &config::Gate) -> Result<Box<dyn Gate>, GateError> {
    Err(GateError {
        device: "gpiochip".to_owned(),
        what: "this build has no `gpio` feature".to_owned(),
        remedy: "build castgate with its default features, or choose another gate.kind",
    })
}
