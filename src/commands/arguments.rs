//! Values of flags that several commands take.

use crate::units::Span;

/// A time on the command line.
pub(super) fn span(text: &str) -> Result<Span, String> {
    serde_json::from_value(text.into()).map_err(|_| "not a time such as 200ms or 1.5s".to_owned())
}
