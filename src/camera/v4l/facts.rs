//! What to say of a camera that was opened.

use crate::units::Rate;

/// A camera that was opened.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Facts {
    /// Device, name, format, size, rate and settings, for people.
    pub summary: String,
    /// What is otherwise than configured.
    pub differences: Vec<String>,
    /// The rate that its driver agreed to, if it has one.
    pub rate: Option<Rate>,
}
