//! How well a way of training inspects parts whose photographs it never saw: figures of folds, each tested by a model of its own.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::evaluation::{Mistake, Skipped};
use super::roc;
use crate::album::left::Left;
use crate::verdict::{Reason, Truth};

/// A picture that was tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The picture's file.
    pub file: String,
    /// What the part in it is.
    pub truth: Truth,
    /// The model's probability of DEFECT, 0 to 1.
    pub score: f32,
}

/// What one fold gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldScores {
    /// Print of pictures, split and settings, by which the same fold is known again.
    pub print: String,
    /// Pictures that were trained on.
    pub trained: u64,
    /// Pictures by which epoch and threshold were chosen.
    pub validated: u64,
    /// Tested pictures that show a photograph of one trained on or chosen by; null where photographs are not known.
    pub leaks: Option<u64>,
    /// The epoch that was kept.
    pub epoch: u32,
    /// The threshold, chosen on the validation pictures.
    pub threshold: f32,
    /// The tested pictures.
    pub scores: Vec<Scored>,
}

impl FoldScores {
    /// The tested pictures, each with the threshold that judges it.
    fn judged_by(&self, threshold: f32) -> impl Iterator<Item = (&Scored, f32)> + Clone {
        self.scores.iter().map(move |scored| (scored, threshold))
    }
}

/// Figures of some tested pictures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Pictures that were tested.
    pub images: u64,
    /// Of these, defective ones.
    pub defective: u64,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Share of right verdicts.
    pub accuracy: Option<f64>,
    /// Defective parts that passed.
    pub escapes: u64,
    /// Good parts that were rejected.
    pub false_rejects: u64,
}

/// One fold's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fold {
    /// Number, from 1.
    pub fold: usize,
    /// Pictures that were trained on.
    pub trained: u64,
    /// Pictures by which epoch and threshold were chosen.
    pub validated: u64,
    /// See [`FoldScores::leaks`].
    pub leaks: Option<u64>,
    /// The epoch that was kept.
    pub epoch: u32,
    /// Score from which a part counted as defective.
    pub threshold: f32,
    /// On the tested pictures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Verdicts by thresholds that never-seen pictures chose: for each fold, the tested pictures of the other folds. Where validation measures
/// memory, as it does with every photograph trained on, a threshold chosen by it knows nothing of the scores that new parts get.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ByOthers {
    /// What the tested pictures of all folds choose, for the model that is trained on all of them.
    pub threshold: f32,
    /// Each fold.
    pub folds: Vec<FoldByOthers>,
    /// All tested pictures together.
    pub pooled: Figures,
}

/// One fold's figures by the threshold that the others chose.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldByOthers {
    /// Number, from 1.
    pub fold: usize,
    /// Score from which a part counted as defective.
    pub threshold: f32,
    /// On the tested pictures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A mean over the folds and how much they differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean of the folds.
    pub mean: f64,
    /// Standard deviation between the folds (with n - 1).
    pub deviation: f64,
}

/// The figures of all folds. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldsReport {
    /// What was split, and how.
    pub split: String,
    /// Pictures that were left out on request.
    pub left_out: u64,
    /// Sum over the folds; null where photographs are not known.
    pub leaks: Option<u64>,
    /// Each fold.
    pub folds: Vec<Fold>,
    /// All tested pictures together: verdicts by their own fold's threshold, and the ROC curve over the scores of all models.
    pub pooled: Figures,
    /// The same with each fold's threshold chosen by the other folds.
    pub by_others: ByOthers,
    /// Of the folds' ROC AUC.
    pub auc: Option<Spread>,
    /// Of the share of defective parts that passed.
    pub escape_rate: Option<Spread>,
    /// Of the share of good parts that were rejected.
    pub false_reject_rate: Option<Spread>,
    /// Wrong verdicts: escapes first, each kind in the order of the folds.
    pub errors: Vec<Mistake>,
    /// Files that could not be read.
    pub skipped: Vec<Skipped>,
    /// Files that were left aside in the folders of the pictures.
    pub left_aside: Left,
}

impl Figures {
    fn of<'a>(tested: impl Iterator<Item = (&'a Scored, f32)> + Clone) -> Self {
        let count = |holds: fn(Truth, bool) -> bool| {
            tested.clone().filter(|(s, threshold)| holds(s.truth, s.score >= *threshold)).count() as u64
        };
        let images = count(|_, _| true);
        let escapes = count(|truth, rejected| truth == Truth::Defect && !rejected);
        let false_rejects = count(|truth, rejected| truth == Truth::Ok && rejected);
        let scores: Vec<(f32, bool)> =
            tested.clone().map(|(s, _)| (s.score, s.truth == Truth::Defect)).collect();
        let right = images - escapes - false_rejects;
        Self {
            images,
            defective: count(|truth, _| truth == Truth::Defect),
            auc: roc::auc(&scores),
            accuracy: share(right, images),
            escapes,
            false_rejects,
        }
    }

    fn good(&self) -> u64 {
        self.images - self.defective
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Spread {
    /// `None` when a fold has no such figure.
    pub(super) fn of(values: impl Iterator<Item = Option<f64>>) -> Option<Self> {
        let values = values.collect::<Option<Vec<f64>>>().filter(|values| !values.is_empty())?;
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Some(Self { mean, deviation: (squares / (count - 1.0).max(1.0)).sqrt() })
    }
}

impl ByOthers {
    fn new(folds: &[FoldScores], choose: fn(&[(f32, Truth)]) -> f32) -> Self {
        let chosen = |without: Option<usize>| {
            let others = folds.iter().enumerate().filter(|(at, _)| Some(*at) != without);
            choose(&others.flat_map(|(_, fold)| &fold.scores).map(|s| (s.score, s.truth)).collect::<Vec<_>>())
        };
        let thresholds: Vec<f32> = (0..folds.len()).map(|at| chosen(Some(at))).collect();
        let tested = || folds.iter().zip(&thresholds).map(|(fold, &threshold)| fold.judged_by(threshold));
        let fold = |(at, tested)| FoldByOthers {
            fold: at + 1,
            threshold: thresholds[at],
            figures: Figures::of(tested),
        };
        Self {
            threshold: chosen(None),
            folds: tested().enumerate().map(fold).collect(),
            pooled: Figures::of(tested().flatten()),
        }
    }
}

impl FoldsReport {
    /// Of the folds in their order; `choose` chooses a threshold by scores.
    pub fn new(
        split: String,
        left_out: u64,
        folds: &[FoldScores],
        choose: fn(&[(f32, Truth)]) -> f32,
        skipped: Vec<Skipped>,
    ) -> Self {
        let of = |fold: &FoldScores| Figures::of(fold.judged_by(fold.threshold));
        let fold = |(at, fold): (usize, &FoldScores)| Fold {
            fold: at + 1,
            trained: fold.trained,
            validated: fold.validated,
            leaks: fold.leaks,
            epoch: fold.epoch,
            threshold: fold.threshold,
            figures: of(fold),
        };
        let figures: Vec<Fold> = folds.iter().enumerate().map(fold).collect();
        let tested = || folds.iter().flat_map(|fold| fold.judged_by(fold.threshold));
        let mistake = |(scored, threshold): (&Scored, f32)| {
            let rejected = scored.score >= threshold;
            let verdict = if rejected { Reason::Defect.name() } else { "ok" };
            let (file, truth, score) = (scored.file.clone(), scored.truth, Some(scored.score));
            ((truth == Truth::Defect) != rejected).then_some(Mistake { file, truth, score, verdict })
        };
        let mut errors: Vec<Mistake> = tested().filter_map(mistake).collect();
        errors.sort_by_key(|mistake| mistake.truth == Truth::Ok);
        let each = |figure: fn(&Figures) -> Option<f64>| {
            Spread::of(figures.iter().map(|fold| figure(&fold.figures)))
        };
        Self {
            split,
            left_out,
            leaks: folds.iter().map(|fold| fold.leaks).sum(),
            pooled: Figures::of(tested()),
            by_others: ByOthers::new(folds, choose),
            auc: each(|f| f.auc),
            escape_rate: each(|f| share(f.escapes, f.defective)),
            false_reject_rate: each(|f| share(f.false_rejects, f.good())),
            folds: figures,
            errors,
            skipped,
            left_aside: Left::default(),
        }
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, threshold: &str, of: &Figures) -> fmt::Result {
    let escapes = format!("{} of {}", of.escapes, of.defective);
    let rejects = format!("{} of {}", of.false_rejects, of.good());
    let (auc, accuracy) = (figure(of.auc), figure(of.accuracy));
    writeln!(f, "{name:<8}{threshold:>9}  {auc:>7}  {accuracy:>8}  {escapes:>12}  {rejects:>13}")
}

impl fmt::Display for FoldsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "split          {}", self.split)?;
        let leaks = self.leaks.map_or_else(|| "unknown".to_owned(), |leaks| leaks.to_string());
        writeln!(f, "leaks          {leaks} tested pictures show a photograph that was trained on")?;
        writeln!(
            f,
            "pictures       {} tested, {} left out, {} that cannot be read\n",
            self.pooled.images,
            self.left_out,
            self.skipped.len()
        )?;
        writeln!(f, "fold    threshold  ROC AUC  accuracy       escapes  false rejects")?;
        for fold in &self.folds {
            row(f, &fold.fold.to_string(), &format!("{:.3}", fold.threshold), &fold.figures)?;
        }
        row(f, "pooled", "", &self.pooled)?;
        writeln!(f, "\nwith the threshold that the parts of the other folds choose:")?;
        for FoldByOthers { fold, threshold, figures } in &self.by_others.folds {
            row(f, &fold.to_string(), &format!("{threshold:.3}"), figures)?;
        }
        row(f, "pooled", "", &self.by_others.pooled)?;
        let threshold = self.by_others.threshold;
        writeln!(f, "all of them choose {threshold:.3}: for `castgate train --threshold`\n")?;
        for (name, spread, percent) in [
            ("ROC AUC", self.auc, false),
            ("escapes", self.escape_rate, true),
            ("false rejects", self.false_reject_rate, true),
        ] {
            match spread {
                Some(Spread { mean, deviation }) if percent => writeln!(
                    f,
                    "{name:<14} {:.2} % +- {:.2} % from fold to fold",
                    mean * 100.0,
                    deviation * 100.0
                )?,
                Some(Spread { mean, deviation }) => {
                    writeln!(f, "{name:<14} {mean:.4} +- {deviation:.4} from fold to fold")?;
                }
                None => writeln!(f, "{name:<14} unknown")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(threshold: f32, scores: &[(Truth, f32)]) -> FoldScores {
        let scored = |(at, &(truth, score)): (usize, &(Truth, f32))| {
            let file = format!("train/{threshold}/{at}.png");
            Scored { file, truth, score }
        };
        let scores = scores.iter().enumerate().map(scored).collect();
        let print = "0123".to_owned();
        FoldScores { print, trained: 60, validated: 15, leaks: Some(0), epoch: 3, threshold, scores }
    }

    fn sample() -> FoldsReport {
        use Truth::{Defect, Ok};
        let folds = [
            fold(0.5, &[(Ok, 0.125), (Ok, 0.25), (Defect, 0.75), (Defect, 0.375)]),
            fold(0.25, &[(Ok, 0.125), (Ok, 0.625), (Defect, 0.75), (Defect, 0.375)]),
        ];
        let skipped = vec![Skipped { file: "train/ok/f.png".to_owned(), why: "is empty".to_owned() }];
        // The highest score of a good part.
        let choose = |scores: &[(f32, Truth)]| {
            scores.iter().filter(|(_, truth)| *truth == Ok).map(|(score, _)| *score).fold(0.0, f32::max)
        };
        let split = "parts/train, 2 folds by photograph, seed 1".to_owned();
        FoldsReport::new(split, 3, &folds, choose, skipped)
    }

    #[test]
    fn verdicts_follow_the_threshold_of_their_own_fold() {
        let report = sample();
        let of = |at: usize| (report.folds[at].figures.escapes, report.folds[at].figures.false_rejects);
        assert_eq!((of(0), of(1)), ((1, 0), (0, 1)));
        assert_eq!((report.pooled.escapes, report.pooled.false_rejects), (1, 1));
        assert_eq!((report.pooled.auc, report.leaks), (Some(0.875), Some(0)));
        let escapes = report.escape_rate.unwrap();
        assert!((escapes.mean, escapes.deviation) == (0.25, 0.125_f64.sqrt()), "{escapes:?}");
        assert_eq!((report.errors[0].truth, report.errors[1].verdict), (Truth::Defect, "defect"));
        assert_eq!(FoldsReport::new(String::new(), 0, &[], |_| 0.5, Vec::new()).auc, None);
    }

    #[test]
    fn each_fold_is_judged_by_what_the_others_choose_too() {
        let ByOthers { threshold, folds, pooled } = sample().by_others;
        assert_eq!((threshold, folds[0].threshold, folds[1].threshold), (0.625, 0.625, 0.25));
        assert_eq!((folds[0].figures.escapes, folds[0].figures.false_rejects), (1, 0));
        assert_eq!((folds[1].figures.escapes, folds[1].figures.false_rejects), (0, 1));
        assert_eq!((pooled.escapes, pooled.false_rejects), (1, 1));
    }

    #[test]
    fn the_json_keeps_its_names() {
        let json = serde_json::to_string_pretty(&sample()).unwrap() + "\n";
        assert_eq!(json, include_str!("../../tests/data/golden/folds.json"));
    }

    #[test]
    fn the_table_for_people() {
        assert_eq!(sample().to_string(), include_str!("../../tests/data/golden/folds.txt"));
    }
}
