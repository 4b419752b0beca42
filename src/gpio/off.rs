//! Stands in for GPIO lines in builds without the `gpio` feature, and says so.

use std::convert::Infallible;
use std::time::Duration;

use super::{Edge, LineError, Named, Wanted};
use crate::config::Drive;

fn not_built(named: &Named<'_>) -> LineError {
    LineError {
        device: named.key.to_owned(),
        what: "this build has no `gpio` feature".to_owned(),
        remedy: "build castgate with its default features, or do without this line",
    }
}

/// An output that cannot be opened.
pub(crate) struct OutputLine(Infallible);

impl OutputLine {
    /// # Errors
    /// Always: GPIO is not part of this build.
    pub(crate) fn open(named: Named<'_>, _: Drive, _: bool) -> Result<Self, LineError> {
        Err(not_built(&named))
    }

    pub(crate) fn set(&self, _: bool) -> Result<(), LineError> {
        match self.0 {}
    }
}

/// Inputs that cannot be opened.
pub(crate) struct InputLines(Infallible);

impl InputLines {
    /// # Errors
    /// Always, unless nothing is wanted: GPIO is not part of this build.
    pub(crate) fn open(wanted: &[Wanted<'_>]) -> Result<Self, LineError> {
        let nothing = Named { key: "gpio", chip: None, line: None };
        Err(not_built(wanted.first().map_or(&nothing, |wanted| &wanted.named)))
    }

    pub(crate) fn is_on(&self, _: usize) -> Result<bool, LineError> {
        match self.0 {}
    }

    pub(crate) fn device(&self, _: usize) -> &str {
        match self.0 {}
    }

    pub(crate) fn wait(&self, _: Duration) -> Result<(), LineError> {
        match self.0 {}
    }

    pub(crate) fn drain(&mut self, _: &mut Vec<Edge>) -> Result<(), LineError> {
        match self.0 {}
    }
}
