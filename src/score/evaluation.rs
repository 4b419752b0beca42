//! How well a model judges labelled pictures.

use std::fmt;

use serde::Serialize;

use super::confusion::{ClassFigures, Confusion};
use super::foreign::{Foreign, unfamiliar};
use super::located::Located;
use super::roc;
use super::row::{Answer, Row};
use super::stress::Stress;
use crate::album::left::Left;
use crate::decide::Policy;
use crate::verdict::{Truth, Verdict};

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
}

/// Which pictures were judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tested {
    /// Name of their folder.
    pub split: String,
    /// How many of them show a photograph that the model was trained on, where that is known.
    pub leaks: Option<u64>,
    /// Pictures that were left out on request.
    pub left_out: u64,
}

/// A wrong verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// The picture's file.
    pub file: String,
    /// What the part in it is.
    pub truth: Truth,
    /// Its score; null when the model or the picture was at fault.
    pub score: Option<f32>,
    /// The verdict: `ok`, or the reason of the reject.
    pub verdict: &'static str,
}

/// The figures. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Name of the model.
    pub model: String,
    /// Score from which a part counted as defective.
    pub threshold: f32,
    /// Half width of the unsure band.
    pub unsure: f32,
    /// The folder of the pictures.
    pub split: String,
    /// Pictures that were judged.
    pub images: u64,
    /// Of these, pictures that show a photograph which the model was trained on; null where that is not known.
    pub leaks: Option<u64>,
    /// Pictures that were left out on request.
    pub left_out: u64,
    /// Share of right verdicts.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Defective parts that passed.
    pub escapes: u64,
    /// Good parts that were rejected.
    pub false_rejects: u64,
    /// Pictures unlike anything that the model was trained on; they count as rejected.
    pub unfamiliar: u64,
    /// With DEFECT as the positive class.
    pub defect: ClassFigures,
    /// With OK as the positive class.
    pub ok: ClassFigures,
    /// Counts by truth and verdict.
    pub confusion: Confusion,
    /// Wrong verdicts: escapes first, each kind in the order of the pictures.
    pub errors: Vec<Mistake>,
    /// Files that could not be read.
    pub skipped: Vec<Skipped>,
    /// Files that were left aside in the folders of the pictures.
    pub left_aside: Left,
    /// Pictures a second, reading and decoding included.
    pub images_per_second: f64,
    /// The same pictures altered; null when that was not asked for.
    pub stress: Option<Stress>,
    /// Pictures of other things; null when that was not asked for.
    pub foreign: Option<Foreign>,
    /// How often heat maps point at the defect; null when that was not asked for.
    pub located: Option<Located>,
}

impl Evaluation {
    /// The figures of `rows`, the pictures `tested`, which `model` judged by `policy` in `seconds`.
    pub fn of(
        model: String,
        policy: Policy,
        tested: Tested,
        rows: &[Row],
        skipped: Vec<Skipped>,
        seconds: f64,
    ) -> Self {
        let mut confusion = Confusion::default();
        let (mut errors, mut scores) = (Vec::new(), Vec::new());
        for row in rows {
            confusion.add(row.truth, row.verdict);
            let score = match row.answer {
                Answer::Score(score) => Some(score.get()),
                Answer::Fault(_) => None,
            };
            scores.extend(score.map(|score| (score, row.truth == Truth::Defect)));
            if (row.truth == Truth::Ok) != (row.verdict == Verdict::Ok) {
                let verdict = row.verdict.reason().map_or("ok", |reason| reason.name());
                errors.push(Mistake { file: row.file.clone(), truth: row.truth, score, verdict });
            }
        }
        errors.sort_by_key(|mistake| mistake.truth == Truth::Ok);
        Self {
            model,
            threshold: policy.threshold,
            unsure: policy.unsure,
            split: tested.split,
            images: confusion.parts(),
            leaks: tested.leaks,
            left_out: tested.left_out,
            accuracy: confusion.accuracy(),
            auc: roc::auc(&scores),
            escapes: confusion.defect_passed,
            false_rejects: confusion.ok_rejected,
            unfamiliar: unfamiliar(rows),
            defect: confusion.defect(),
            ok: confusion.ok(),
            confusion,
            errors,
            skipped,
            left_aside: Left::default(),
            images_per_second: if seconds > 0.0 { rows.len() as f64 / seconds } else { 0.0 },
            stress: None,
            foreign: None,
            located: None,
        }
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "     -".to_owned(), |value| format!("{value:.4}"))
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = &self.confusion;
        writeln!(
            f,
            "model          {}, threshold {}, unsure band +-{}",
            self.model, self.threshold, self.unsure
        )?;
        write!(
            f,
            "pictures       {} of {}, {:.0} a second",
            self.images, self.split, self.images_per_second
        )?;
        writeln!(
            f,
            "{}",
            if self.left_out > 0 { format!("; {} left out", self.left_out) } else { String::new() }
        )?;
        match self.leaks {
            Some(leaks) => {
                writeln!(f, "leaks          {leaks} of them show a photograph that was trained on")?
            }
            None => writeln!(f, "leaks          unknown: see --groups")?,
        }
        if !self.skipped.is_empty() {
            writeln!(f, "skipped        {} that cannot be read", self.skipped.len())?;
        }
        if self.left_aside.files() > 0 {
            writeln!(f, "left aside     {} files", self.left_aside.files())?;
        }
        writeln!(f, "accuracy       {}   ROC AUC {}", figure(self.accuracy), figure(self.auc))?;
        writeln!(f, "escapes        {} of {} defective", self.escapes, c.defect_passed + c.defect_rejected)?;
        writeln!(f, "false rejects  {} of {} good", self.false_rejects, c.ok_passed + c.ok_rejected)?;
        if self.unfamiliar > 0 {
            writeln!(f, "unfamiliar     {} unlike anything trained on", self.unfamiliar)?;
        }
        writeln!(f)?;
        writeln!(f, "           precision  recall      F1    rejected  passed")?;
        for (name, of, rejected, passed) in [
            ("defective", self.defect, c.defect_rejected, c.defect_passed),
            ("good", self.ok, c.ok_rejected, c.ok_passed),
        ] {
            let (precision, recall, f1) = (figure(of.precision), figure(of.recall), figure(of.f1));
            writeln!(f, "{name:<10} {precision:>9}  {recall:>6}  {f1:>6}  {rejected:>8}  {passed:>6}")?;
        }
        if !self.errors.is_empty() {
            writeln!(f, "\nwrong verdicts")?;
        }
        for mistake in &self.errors {
            let score = mistake.score.map_or_else(|| "     -".to_owned(), |score| format!("{score:.4}"));
            let kind = if mistake.truth == Truth::Defect { "ESCAPE      " } else { "false reject" };
            writeln!(f, "  {kind}  {score}  {:<11}  {}", mistake.verdict, mistake.file)?;
        }
        for file in &self.skipped {
            writeln!(f, "  skipped       {}: {}", file.file, file.why)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Reason, Score};

    fn row(file: &str, truth: Truth, score: Option<f32>, policy: Policy) -> Row {
        let (answer, verdict) = match score.and_then(Score::new) {
            Some(score) => (Answer::Score(score), policy.verdict(score)),
            None => (Answer::Fault("NaN".to_owned()), Verdict::Reject(Reason::ModelFault)),
        };
        Row { file: file.to_owned(), truth, answer, verdict, unlike: None }
    }

    fn sample() -> Evaluation {
        let policy = Policy { threshold: 0.5, unsure: 0.0625 };
        let rows = [
            row("ok/a.png", Truth::Ok, Some(0.125), policy),
            row("ok/b.png", Truth::Ok, Some(0.53125), policy),
            row("ok/c.png", Truth::Ok, None, policy),
            row("bad/d.png", Truth::Defect, Some(0.25), policy),
            row("bad/e.png", Truth::Defect, Some(1.0), policy),
        ];
        let skipped = vec![Skipped { file: "bad/f.png".to_owned(), why: "is empty".to_owned() }];
        let tested = Tested { split: "parts/test".to_owned(), leaks: Some(2), left_out: 1 };
        Evaluation::of("test".to_owned(), policy, tested, &rows, skipped, 0.5)
    }

    #[test]
    fn the_json_keeps_its_names() {
        let json = serde_json::to_string_pretty(&sample()).unwrap() + "\n";
        assert_eq!(json, include_str!("../../tests/data/golden/evaluation.json"));
    }

    #[test]
    fn the_table_for_people() {
        assert_eq!(sample().to_string(), include_str!("../../tests/data/golden/evaluation.txt"));
    }
}
