//! Counts of right and wrong verdicts, and the figures that follow from them.

use serde::Serialize;

use crate::verdict::{Truth, Verdict};

/// Counts by truth and verdict. DEFECT is the positive class: a reject for whatever reason is the answer DEFECT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Defective parts that were rejected.
    pub defect_rejected: u64,
    /// Defective parts that passed: escapes.
    pub defect_passed: u64,
    /// Good parts that were rejected: false rejects.
    pub ok_rejected: u64,
    /// Good parts that passed.
    pub ok_passed: u64,
}

/// Figures with one class taken as positive; null where they would divide by 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Of the parts that were given this class, the share that has it.
    pub precision: Option<f64>,
    /// Of the parts that have this class, the share that was given it.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall.
    pub f1: Option<f64>,
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn figures(right: u64, given_wrongly: u64, missed: u64) -> ClassFigures {
    ClassFigures {
        precision: share(right, right + given_wrongly),
        recall: share(right, right + missed),
        f1: share(2 * right, 2 * right + given_wrongly + missed),
    }
}

impl Confusion {
    /// Counts one part.
    pub fn add(&mut self, truth: Truth, verdict: Verdict) {
        let count = match (truth, verdict) {
            (Truth::Defect, Verdict::Reject(_)) => &mut self.defect_rejected,
            (Truth::Defect, Verdict::Ok) => &mut self.defect_passed,
            (Truth::Ok, Verdict::Reject(_)) => &mut self.ok_rejected,
            (Truth::Ok, Verdict::Ok) => &mut self.ok_passed,
        };
        *count += 1;
    }

    /// Number of parts.
    pub fn parts(&self) -> u64 {
        self.defect_rejected + self.defect_passed + self.ok_rejected + self.ok_passed
    }

    /// Share of right verdicts; `None` without parts.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.defect_rejected + self.ok_passed, self.parts())
    }

    /// With DEFECT as the positive class.
    pub fn defect(&self) -> ClassFigures {
        figures(self.defect_rejected, self.ok_rejected, self.defect_passed)
    }

    /// With OK as the positive class.
    pub fn ok(&self) -> ClassFigures {
        figures(self.ok_passed, self.defect_passed, self.ok_rejected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Reason;

    #[test]
    fn the_paper_s_own_row_comes_out() {
        // Published: 715 parts, accuracy 0.9944, P defect 0.9912, R defect 1, F1 defect 0.9956, F1 ok 0.9923.
        let counts = Confusion { defect_rejected: 453, defect_passed: 0, ok_rejected: 4, ok_passed: 258 };
        let near = |got: Option<f64>, want: f64| (got.unwrap() - want).abs() < 5e-5;
        assert!(near(counts.accuracy(), 0.9944) && near(counts.defect().precision, 0.9912));
        assert!(near(counts.defect().recall, 1.0) && near(counts.defect().f1, 0.9956));
        assert!(near(counts.ok().f1, 0.9923));
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        let mut counts = Confusion::default();
        assert_eq!((counts.accuracy(), counts.defect()), (None, ClassFigures::default()));
        counts.add(Truth::Ok, Verdict::Ok);
        assert_eq!(counts.defect().recall, None);
        counts.add(Truth::Defect, Verdict::Reject(Reason::BadImage));
        assert_eq!(counts.accuracy(), Some(1.0));
    }
}
