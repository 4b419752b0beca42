//! Counts of verdicts against the truth, and the ratios that follow from them.

use serde::Serialize;

use crate::verdict::{Truth, Verdict};

/// Verdicts on the parts of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Parts that were rejected, for whatever reason.
    pub reject: u64,
    /// Parts that passed.
    pub ok: u64,
}

/// The confusion matrix: what the parts truly are, then what was said of them. DEFECT is the positive class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Confusion {
    /// Defective parts.
    pub defect: Counts,
    /// Good parts.
    pub ok: Counts,
}

/// How well one class was recognised; `None` where there was nothing to divide by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassQuality {
    /// Share of the parts so called that truly are so.
    pub precision: Option<f64>,
    /// Share of the parts that truly are so that were called so.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Counts one part.
    pub fn add(&mut self, truth: Truth, verdict: Verdict) {
        let counts = match truth {
            Truth::Defect => &mut self.defect,
            Truth::Ok => &mut self.ok,
        };
        match verdict {
            Verdict::Ok => counts.ok += 1,
            Verdict::Reject(_) => counts.reject += 1,
        }
    }

    /// Number of parts.
    pub fn total(&self) -> u64 {
        self.defect.reject + self.defect.ok + self.ok.reject + self.ok.ok
    }

    /// Defective parts that passed.
    pub fn escapes(&self) -> u64 {
        self.defect.ok
    }

    /// Good parts that were rejected.
    pub fn false_rejects(&self) -> u64 {
        self.ok.reject
    }

    /// Share of right verdicts.
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.defect.reject + self.ok.ok, self.total())
    }

    /// How well defective parts were recognised.
    pub fn defect_quality(&self) -> ClassQuality {
        ClassQuality::new(self.defect.reject, self.false_rejects(), self.escapes())
    }

    /// How well good parts were recognised.
    pub fn ok_quality(&self) -> ClassQuality {
        ClassQuality::new(self.ok.ok, self.escapes(), self.false_rejects())
    }
}

impl ClassQuality {
    fn new(hits: u64, wrongly_called: u64, missed: u64) -> Self {
        Self {
            precision: ratio(hits, hits + wrongly_called),
            recall: ratio(hits, hits + missed),
            f1: ratio(2 * hits, 2 * hits + wrongly_called + missed),
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paper's custom network on the official test split: 453 defective, 262 ok, 4 false rejects.
    #[test]
    fn the_figures_of_the_paper_come_out() {
        let confusion =
            Confusion { defect: Counts { reject: 453, ok: 0 }, ok: Counts { reject: 4, ok: 258 } };
        let four = |value: Option<f64>| format!("{:.4}", value.unwrap());
        assert_eq!(four(confusion.accuracy()), "0.9944");
        let defect = confusion.defect_quality();
        assert_eq!([defect.precision, defect.recall, defect.f1].map(four), ["0.9912", "1.0000", "0.9956"]);
        assert_eq!(four(confusion.ok_quality().f1), "0.9923");
    }

    #[test]
    fn what_cannot_be_divided_is_undefined() {
        let nothing = Confusion::default();
        assert_eq!(nothing.accuracy(), None);
        assert_eq!(nothing.defect_quality(), ClassQuality { precision: None, recall: None, f1: None });
        let only_ok = Confusion { ok: Counts { reject: 0, ok: 5 }, ..nothing };
        assert_eq!(only_ok.defect_quality(), ClassQuality { precision: None, recall: None, f1: None });
        assert_eq!(only_ok.ok_quality().f1, Some(1.0));
        let all_escape = Confusion { defect: Counts { reject: 0, ok: 3 }, ..nothing };
        assert_eq!(
            all_escape.defect_quality(),
            ClassQuality { precision: None, recall: Some(0.0), f1: Some(0.0) }
        );
    }
}
