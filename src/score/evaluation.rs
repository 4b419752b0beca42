//! The result of judging a folder of labelled pictures: one value for programs (JSON) and for people (a table).

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::verdict::{Score, Truth, Verdict};

use super::confusion::{ClassQuality, Confusion};
use super::roc::auc;

/// What judged, and with which settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct About {
    /// Name of the model.
    pub model: String,
    /// Short id of the model.
    pub model_id: String,
    /// Threshold in use, 0 to 1.
    pub threshold: f32,
    /// Half width of the unsure band in use.
    pub unsure: f32,
}

/// One judged picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// File, as a person would look for it.
    pub file: String,
    /// What its part truly is.
    pub truth: Truth,
    /// Its score, or why there is none.
    pub score: Result<Score, String>,
    /// The verdict.
    pub verdict: Verdict,
}

/// A picture that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// File, as a person would look for it.
    pub file: String,
    /// Why.
    pub why: String,
}

/// A wrong verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// File, as a person would look for it.
    pub file: String,
    /// What its part truly is.
    pub truth: Truth,
    /// Its score; `None` when the model was at fault.
    pub score: Option<Score>,
    /// `ok` or `reject`.
    pub verdict: &'static str,
    /// Stable name of the reason of a reject.
    pub reason: Option<&'static str>,
}

/// How good the verdicts on a folder of labelled pictures were. Field names are stable: they are the JSON's keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// What judged.
    #[serde(flatten)]
    pub about: About,
    /// Number of judged pictures.
    pub images: u64,
    /// Share of right verdicts.
    pub accuracy: Option<f64>,
    /// Area under the ROC curve, over the pictures that have a score.
    pub auc: Option<f64>,
    /// Defective parts that passed.
    pub escapes: u64,
    /// Good parts that were rejected.
    pub false_rejects: u64,
    /// How well defective parts were recognised.
    pub defect: ClassQuality,
    /// How well good parts were recognised.
    pub ok: ClassQuality,
    /// Truth, then verdict.
    pub confusion: Confusion,
    /// Wrong verdicts: escapes first, then false rejects, each in the order of the file names.
    pub errors: Vec<Mistake>,
    /// Pictures for which the model gave no score; they count as rejected.
    pub faults: Vec<Skipped>,
    /// Pictures that could not be read; they count nowhere.
    pub skipped: Vec<Skipped>,
    /// Time for all pictures.
    pub seconds: f64,
    /// Pictures judged in a second.
    pub images_per_second: Option<f64>,
}

impl Evaluation {
    /// From all judged and skipped pictures; `elapsed` is the time that judging took.
    pub fn new(about: About, judged: &[Judged], mut skipped: Vec<Skipped>, elapsed: Duration) -> Self {
        let mut confusion = Confusion::default();
        let (mut errors, mut faults) = (Vec::new(), Vec::new());
        for part in judged {
            confusion.add(part.truth, part.verdict);
            if (part.truth == Truth::Ok) != (part.verdict == Verdict::Ok) {
                errors.push(mistake(part));
            }
            if let Err(why) = &part.score {
                faults.push(Skipped { file: part.file.clone(), why: why.clone() });
            }
        }
        errors.sort_by(|a, b| (a.truth == Truth::Ok, &a.file).cmp(&(b.truth == Truth::Ok, &b.file)));
        faults.sort_by(|a, b| a.file.cmp(&b.file));
        skipped.sort_by(|a, b| a.file.cmp(&b.file));
        let scored = judged.iter().filter_map(|part| Some((part.truth, part.score.as_ref().ok().copied()?)));
        let (images, seconds) = (confusion.total(), elapsed.as_secs_f64());
        Self {
            about,
            images,
            accuracy: confusion.accuracy(),
            auc: auc(scored),
            escapes: confusion.escapes(),
            false_rejects: confusion.false_rejects(),
            defect: confusion.defect_quality(),
            ok: confusion.ok_quality(),
            confusion,
            errors,
            faults,
            skipped,
            seconds,
            images_per_second: (seconds > 0.0).then(|| images as f64 / seconds),
        }
    }
}

fn mistake(part: &Judged) -> Mistake {
    let reason = part.verdict.reason();
    Mistake {
        file: part.file.clone(),
        truth: part.truth,
        score: part.score.as_ref().ok().copied(),
        verdict: if reason.is_some() { "reject" } else { "ok" },
        reason: reason.map(|reason| reason.name()),
    }
}

/// Most files that the table lists of one kind; the JSON has all of them.
const LISTED: usize = 40;

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (about, defect, ok) = (&self.about, self.confusion.defect, self.confusion.ok);
        writeln!(f, "model      {} ({})", about.model, about.model_id)?;
        let band =
            if about.unsure > 0.0 { format!(", unsure within {}", about.unsure) } else { String::new() };
        writeln!(f, "threshold  {}{band}", about.threshold)?;
        let speed = self.images_per_second.map_or(String::new(), |rate| format!(", {rate:.0} a second"));
        let (defects, oks) = (defect.reject + defect.ok, ok.reject + ok.ok);
        writeln!(f, "images     {}: {defects} defective, {oks} ok{speed}", self.images)?;
        writeln!(f, "accuracy   {}", share(self.accuracy))?;
        writeln!(f, "ROC AUC    {}\n", share(self.auc))?;
        writeln!(f, "            precision   recall       F1    rejected   passed")?;
        for (name, quality, counts) in [("defective", self.defect, defect), ("ok", self.ok, ok)] {
            let ClassQuality { precision, recall, f1 } = quality;
            let [precision, recall, f1] = [precision, recall, f1].map(share);
            writeln!(f, "{name:<12}{precision:>9}{recall:>9}{f1:>9}{:>12}{:>9}", counts.reject, counts.ok)?;
        }
        writeln!(f, "\nescapes (defective parts that passed): {}", self.escapes)?;
        self.list_mistakes(f, Truth::Defect)?;
        writeln!(f, "false rejects (good parts rejected): {}", self.false_rejects)?;
        self.list_mistakes(f, Truth::Ok)?;
        list_skipped(f, "model faults (rejected)", &self.faults)?;
        list_skipped(f, "skipped (not judged)", &self.skipped)
    }
}

impl Evaluation {
    fn list_mistakes(&self, f: &mut fmt::Formatter<'_>, truth: Truth) -> fmt::Result {
        let of_kind = || self.errors.iter().filter(|mistake| mistake.truth == truth);
        for mistake in of_kind().take(LISTED) {
            let score =
                mistake.score.map_or("no score".to_owned(), |score| format!("score {:.4}", score.get()));
            let reason = mistake.reason.map_or(String::new(), |reason| format!(", {reason}"));
            writeln!(f, "  {}  {score}{reason}", mistake.file)?;
        }
        more(f, of_kind().count())
    }
}

fn list_skipped(f: &mut fmt::Formatter<'_>, title: &str, files: &[Skipped]) -> fmt::Result {
    if files.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}: {}", files.len())?;
    for Skipped { file, why } in files.iter().take(LISTED) {
        writeln!(f, "  {file}  {why}")?;
    }
    more(f, files.len())
}

fn more(f: &mut fmt::Formatter<'_>, count: usize) -> fmt::Result {
    match count.saturating_sub(LISTED) {
        0 => Ok(()),
        left => writeln!(f, "  ... and {left} more"),
    }
}

fn share(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.4}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Reason;

    fn judged(file: &str, truth: Truth, score: f32) -> Judged {
        let verdict = if score >= 0.5 { Verdict::Reject(Reason::Defect) } else { Verdict::Ok };
        Judged { file: file.to_owned(), truth, score: Ok(Score::new(score).unwrap()), verdict }
    }

    fn sample() -> Evaluation {
        let mut parts = vec![
            judged("def_front/b.jpeg", Truth::Defect, 0.25),
            judged("def_front/a.jpeg", Truth::Defect, 0.875),
            judged("def_front/c.jpeg", Truth::Defect, 0.9375),
            judged("ok_front/e.jpeg", Truth::Ok, 0.625),
            judged("ok_front/d.jpeg", Truth::Ok, 0.125),
        ];
        let score = Err("the model computed NaN, which is no probability".to_owned());
        let verdict = Verdict::Reject(Reason::ModelFault);
        parts.push(Judged { file: "ok_front/f.jpeg".to_owned(), truth: Truth::Ok, score, verdict });
        let about = About {
            model: "casting".to_owned(),
            model_id: "0123456789ab".to_owned(),
            threshold: 0.5,
            unsure: 0.05,
        };
        let skipped = vec![Skipped { file: "ok_front/g.jpeg".to_owned(), why: "cut short".to_owned() }];
        Evaluation::new(about, &parts, skipped, Duration::from_millis(250))
    }

    #[test]
    fn golden_json() {
        let json = serde_json::to_string_pretty(&sample()).unwrap();
        assert_eq!(format!("{json}\n"), include_str!("../../tests/data/golden/evaluation.json"));
    }

    #[test]
    fn golden_table() {
        assert_eq!(sample().to_string(), include_str!("../../tests/data/golden/evaluation.txt"));
    }

    #[test]
    fn nothing_judged_is_null_and_not_a_division_by_zero() {
        let empty = Evaluation::new(sample().about, &[], Vec::new(), Duration::ZERO);
        let json = serde_json::to_value(&empty).unwrap();
        for key in ["accuracy", "auc", "images_per_second"] {
            assert!(json[key].is_null(), "{key}");
        }
        assert!(json["defect"]["f1"].is_null() && json["errors"] == serde_json::json!([]));
        assert!(empty.to_string().contains("accuracy   -"));
    }

    #[test]
    fn long_lists_are_cut_in_the_table_only() {
        let parts: Vec<_> = (0..100).map(|i| judged(&format!("{i:03}.png"), Truth::Defect, 0.0)).collect();
        let all = Evaluation::new(sample().about, &parts, Vec::new(), Duration::from_secs(1));
        assert_eq!(all.errors.len(), 100);
        assert!(all.to_string().contains("... and 60 more") && !all.to_string().contains("041.png"));
    }
}
