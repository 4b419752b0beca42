//! One judged picture.

use crate::verdict::{Score, Truth, Verdict};

/// What the model said of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Its score.
    Score(Score),
    /// It failed, or the picture cannot be judged; why.
    Fault(String),
}

/// One judged picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The picture's file.
    pub file: String,
    /// What the part in it is.
    pub truth: Truth,
    /// What the model said.
    pub answer: Answer,
    /// The verdict.
    pub verdict: Verdict,
    /// How unlike the pictures of training it is, 1 at the limit, where the model knows that.
    pub unlike: Option<f32>,
}
