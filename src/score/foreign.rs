//! How well a model knows what it does not know: pictures unlike anything that it was trained on.

use std::fmt;

use serde::Serialize;

use super::roc;
use super::row::Row;
use crate::verdict::{Reason, Verdict};

/// What was said of pictures that show something else than the model's parts. The names are a stable interface, documented in
/// `docs/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Foreign {
    /// The folder of the pictures.
    pub folder: String,
    /// Pictures that were judged.
    pub images: u64,
    /// Of these, pictures that were rejected as unfamiliar.
    pub unfamiliar: u64,
    /// Of these, pictures that were rejected for any reason.
    pub rejected: u64,
    /// How well they can be told from the model's own parts: area under the ROC curve; null where the model does not know.
    pub told_apart: Option<f64>,
}

impl Foreign {
    /// The figures of `rows`, pictures of `folder`, against `own` pictures of the model's parts.
    pub fn of(folder: String, rows: &[Row], own: &[Row]) -> Self {
        Self {
            folder,
            images: rows.len() as u64,
            unfamiliar: unfamiliar(rows),
            rejected: rows.iter().filter(|row| row.verdict != Verdict::Ok).count() as u64,
            told_apart: told_apart(own, rows),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.told_apart.map_or_else(
            || "the model was not taught what is familiar".to_owned(),
            |auc| format!("told from its own parts with an ROC AUC of {auc:.4}"),
        );
        writeln!(
            f,
            "foreign        {} of {} pictures of {} rejected, {} of them as unfamiliar; {told}",
            self.rejected, self.images, self.folder, self.unfamiliar
        )
    }
}

/// How many pictures were rejected as unfamiliar.
pub(super) fn unfamiliar(rows: &[Row]) -> u64 {
    rows.iter().filter(|row| row.verdict == Verdict::Reject(Reason::Unfamiliar)).count() as u64
}

/// Area under the ROC curve of how unlike training pictures are: `others` against `own`.
pub(super) fn told_apart(own: &[Row], others: &[Row]) -> Option<f64> {
    let of = |rows: &[Row], other: bool| -> Vec<(f32, bool)> {
        rows.iter().filter_map(|row| row.unlike).map(|unlike| (unlike, other)).collect()
    };
    roc::auc(&[of(own, false), of(others, true)].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::row::Answer;
    use crate::verdict::{Score, Truth};

    #[test]
    fn foreign_pictures_are_counted_and_ranked() {
        let row = |unlike: f32| Row {
            file: String::new(),
            truth: Truth::Ok,
            answer: Answer::Score(Score::new(0.1).unwrap()),
            verdict: if unlike > 1.0 { Verdict::Reject(Reason::Unfamiliar) } else { Verdict::Ok },
            unlike: Some(unlike),
        };
        let own = [0.2, 0.5, 0.9].map(row);
        let foreign = Foreign::of("cups".to_owned(), &[0.7, 1.5, 3.0].map(row), &own);
        assert_eq!((foreign.images, foreign.unfamiliar, foreign.rejected), (3, 2, 2));
        assert_eq!(foreign.told_apart, Some(8.0 / 9.0));
        let unknown = Row { unlike: None, ..row(0.5) };
        assert_eq!(Foreign::of(String::new(), &[unknown], &own).told_apart, None);
    }
}
