//! What is wrong with a graph.

/// What is wrong with a graph, as one sentence without the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum GraphProblem {
    /// castgate refuses it; the sentence says what to do.
    #[error("{0}")]
    Refused(String),
    /// The inference engine said so.
    #[error("{0}")]
    Engine(String),
}

impl GraphProblem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }
}
