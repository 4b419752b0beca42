//! The engine's errors in castgate's words.

use tract_core::prelude::TractError;

use crate::model::problem::GraphProblem;

/// What the engine said: where it was, and the cause, as one line of bounded length.
pub(super) fn told(error: impl Into<TractError>) -> GraphProblem {
    const LONGEST: usize = 300;
    let error = error.into();
    let (place, cause) = (error.to_string(), error.root_cause().to_string());
    let text = if place == cause { cause } else { format!("{place}: {cause}") };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    let cut: String = line.chars().take(LONGEST).collect();
    GraphProblem::Engine(if cut.len() < line.len() { format!("{cut} ...") } else { line.to_owned() })
}
