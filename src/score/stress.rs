//! A stress test's table: how well a model judges the same pictures, altered.

use std::fmt;

use serde::Serialize;

use super::confusion::Confusion;
use super::foreign::{told_apart, unfamiliar};
use super::roc;
use super::row::{Answer, Row};
use crate::verdict::Truth;

/// The table. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stress {
    /// Seed of the noise.
    pub seed: u64,
    /// One row an alteration, in the order of the test.
    pub rows: Vec<StressRow>,
}

/// The figures under one alteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StressRow {
    /// The alteration with its amount, for people.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Pictures that were judged.
    pub images: u64,
    /// Share of right verdicts.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve: what a threshold of this row's own could reach.
    pub auc: Option<f64>,
    /// Defective parts that passed.
    pub escapes: u64,
    /// Good parts that were rejected.
    pub false_rejects: u64,
    /// Pictures on which the model was at fault; they count as rejected.
    pub faults: u64,
    /// Pictures unlike anything that the model was trained on; they count as rejected.
    pub unfamiliar: u64,
    /// How well these pictures can be told from the unaltered ones by how unlike training they are: area under the ROC curve; null where
    /// the model does not know.
    pub told_apart: Option<f64>,
}

impl StressRow {
    /// The figures of `rows`, which were judged under the alteration `name`; `unaltered` are the same pictures as they were.
    pub fn of(name: String, kind: &'static str, rows: &[Row], unaltered: &[Row]) -> Self {
        let mut confusion = Confusion::default();
        let mut scores = Vec::with_capacity(rows.len());
        for row in rows {
            confusion.add(row.truth, row.verdict);
            if let Answer::Score(score) = row.answer {
                scores.push((score.get(), row.truth == Truth::Defect));
            }
        }
        Self {
            name,
            kind,
            images: confusion.parts(),
            accuracy: confusion.accuracy(),
            auc: roc::auc(&scores),
            escapes: confusion.defect_passed,
            false_rejects: confusion.ok_rejected,
            faults: (rows.len() - scores.len()) as u64,
            unfamiliar: unfamiliar(rows),
            told_apart: told_apart(unaltered, rows),
        }
    }
}

impl fmt::Display for Stress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(10);
        writeln!(f, "{:<width$}  accuracy  ROC AUC  escapes  false rejects", "alteration")?;
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        for row in &self.rows {
            let (accuracy, auc) = (figure(row.accuracy), figure(row.auc));
            let (escapes, false_rejects) = (row.escapes, row.false_rejects);
            write!(f, "{:<width$}  {accuracy:>8}  {auc:>7}  {escapes:>7}  {false_rejects:>13}", row.name)?;
            if row.faults > 0 {
                write!(f, "  ({} faults)", row.faults)?;
            }
            if row.unfamiliar > 0 {
                write!(f, "  ({} unfamiliar)", row.unfamiliar)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Reason, Score, Verdict};

    #[test]
    fn a_row_counts_and_the_table_lines_up() {
        let row = |truth, score: f32, verdict| Row {
            file: String::new(),
            truth,
            answer: Score::new(score).map_or(Answer::Fault("NaN".to_owned()), Answer::Score),
            verdict,
            unlike: None,
        };
        let rows = [
            row(Truth::Ok, 0.1, Verdict::Ok),
            row(Truth::Ok, f32::NAN, Verdict::Reject(Reason::ModelFault)),
            row(Truth::Defect, 0.3, Verdict::Ok),
            row(Truth::Defect, 0.9, Verdict::Reject(Reason::Defect)),
        ];
        let counted = StressRow::of("turn 45 degrees".to_owned(), "turn", &rows, &[]);
        let empty = StressRow::of("unchanged".to_owned(), "unchanged", &[], &[]);
        let table = Stress { seed: 1, rows: vec![empty, counted] }.to_string();
        assert_eq!(
            table,
            "\
alteration       accuracy  ROC AUC  escapes  false rejects
unchanged               -        -        0              0
turn 45 degrees    0.5000   1.0000        1              1  (1 faults)
"
        );
    }
}
