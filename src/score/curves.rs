//! Curves over all thresholds: what each would cost in escapes and false rejects.
//!
//! Owns the counting, once for ROC, precision-recall and costs. Must not know how curves are drawn.

/// What one cut between OK and REJECT gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cut {
    /// Lowest score that is rejected; infinite for the cut that rejects nothing.
    pub score: f32,
    /// Defective parts below it: escapes.
    pub escapes: usize,
    /// Good parts that reach it: false rejects.
    pub false_rejects: usize,
}

/// Scores of labelled pictures, counted at every cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// From the highest score, where nothing is rejected, to the lowest, where everything is. Never empty.
    pub cuts: Vec<Cut>,
    /// Defective parts.
    pub defective: usize,
    /// Good parts.
    pub good: usize,
}

impl Curve {
    /// Of `scores`, which are (score, is defective).
    pub fn of(scores: &[(f32, bool)]) -> Self {
        let mut sorted = scores.to_vec();
        sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let defective = sorted.iter().filter(|(_, defective)| *defective).count();
        let mut cut = Cut { score: f32::INFINITY, escapes: defective, false_rejects: 0 };
        let mut cuts = vec![cut];
        for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
            let caught = ties.iter().filter(|(_, defective)| *defective).count();
            cut = Cut {
                score: ties[0].0,
                escapes: cut.escapes - caught,
                false_rejects: cut.false_rejects + ties.len() - caught,
            };
            cuts.push(cut);
        }
        Self { cuts, defective, good: sorted.len() - defective }
    }

    /// The cut that a threshold gives: scores that reach it are rejected.
    pub fn at(&self, threshold: f32) -> Cut {
        let below = self.cuts.partition_point(|cut| cut.score >= threshold);
        Cut { score: threshold, ..self.cuts[below.max(1) - 1] }
    }

    /// Share of defective parts that pass; 0 without any.
    pub fn escape_rate(&self, cut: &Cut) -> f64 {
        cut.escapes as f64 / self.defective.max(1) as f64
    }

    /// Share of good parts that are rejected; 0 without any.
    pub fn false_reject_rate(&self, cut: &Cut) -> f64 {
        cut.false_rejects as f64 / self.good.max(1) as f64
    }

    /// Of the rejected parts, the share that is defective; `None` when nothing is rejected.
    pub fn precision(&self, cut: &Cut) -> Option<f64> {
        let caught = self.defective - cut.escapes;
        let rejected = caught + cut.false_rejects;
        (rejected > 0).then(|| caught as f64 / rejected as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_is_counted_once_and_ties_fall_together() {
        let curve = Curve::of(&[(0.9, true), (0.5, true), (0.5, false), (0.1, false), (0.4, true)]);
        let counts: Vec<_> = curve.cuts.iter().map(|cut| (cut.escapes, cut.false_rejects)).collect();
        assert_eq!(counts, [(3, 0), (2, 0), (1, 1), (0, 1), (0, 2)]);
        assert_eq!((curve.defective, curve.good), (3, 2));
        assert_eq!((curve.at(0.45).escapes, curve.at(0.5).escapes, curve.at(0.51).escapes), (1, 1, 2));
        assert_eq!((curve.at(2.0).escapes, curve.at(0.0).false_rejects), (3, 2));
        assert_eq!(curve.precision(&curve.cuts[0]), None);
        assert_eq!(curve.precision(&curve.at(0.5)), Some(2.0 / 3.0));
        assert_eq!(Curve::of(&[]).at(0.5).escapes, 0);
    }
}
