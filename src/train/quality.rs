//! How good scores are, and the threshold that follows from them.
//!
//! Owns the rule for the threshold. Must not know where scores come from.

use crate::verdict::Truth;

/// A score and what the part truly is.
pub type Judged = (f32, Truth);

/// How good a model is on its validation pictures.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share of right verdicts.
    pub accuracy: f64,
    /// Area under the ROC curve; 0.5 when a class is missing.
    pub auc: f64,
    /// Defective parts that passed.
    pub escapes: usize,
    /// Good parts that were rejected.
    pub false_rejects: usize,
}

/// A false reject costs a part that can be looked at again; an escape reaches the customer.
const ESCAPE_COST: usize = 10;
/// Highest threshold that is chosen: above, a part that is more likely defective than not would pass.
const HIGHEST: f32 = 0.5;
/// Lowest threshold that is chosen: a defect that scores lower is more likely a wrong label, and would cost many good parts.
const LOWEST: f32 = 0.25;

/// Judges scores by a threshold: a score that reaches it is a defect.
pub fn judge(judged: &[Judged], threshold: f32) -> Quality {
    let count = judged.len().max(1) as f64;
    let loss = judged.iter().map(|&(score, truth)| {
        let right = if truth == Truth::Defect { f64::from(score) } else { 1.0 - f64::from(score) };
        -right.max(1e-7).ln()
    });
    let escapes =
        judged.iter().filter(|&&(score, truth)| truth == Truth::Defect && score < threshold).count();
    let false_rejects =
        judged.iter().filter(|&&(score, truth)| truth == Truth::Ok && score >= threshold).count();
    Quality {
        loss: loss.sum::<f64>() / count,
        accuracy: 1.0 - (escapes + false_rejects) as f64 / count,
        auc: auc(judged),
        escapes,
        false_rejects,
    }
}

/// Probability that a defective part scores higher than a good one, ties counting half (Mann-Whitney).
fn auc(judged: &[Judged]) -> f64 {
    let mut sorted = judged.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ok_below, mut won, mut ok, mut defective) = (0.0, 0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let defects = tied.iter().filter(|(_, truth)| *truth == Truth::Defect).count() as f64;
        let good = tied.len() as f64 - defects;
        won += defects * (ok_below + good / 2.0);
        ok_below += good;
        ok += good;
        defective += defects;
    }
    if ok * defective > 0.0 { won / (ok * defective) } else { 0.5 }
}

/// The threshold of least cost on validation scores, between 0.25 and 0.5, where an escape costs as much as ten false rejects. Of equal
/// ones the highest; below a score it lies in the middle to the next, so that a score a little lower is still caught. Rounded down to
/// three decimals.
pub fn threshold(judged: &[Judged]) -> f32 {
    let cost = |threshold: f32| {
        let (escapes, false_rejects) = judge_counts(judged, threshold);
        escapes * ESCAPE_COST + false_rejects
    };
    let mut scores: Vec<f32> =
        judged.iter().map(|&(score, _)| score).filter(|&score| score < HIGHEST).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.dedup();
    let mut best = (cost(HIGHEST), HIGHEST);
    for (i, &score) in scores.iter().enumerate() {
        let next = scores.get(i + 1).copied().unwrap_or(0.0);
        let candidate = (score + next) / 2.0;
        if candidate < LOWEST {
            break;
        }
        let cost = cost(candidate);
        if cost < best.0 {
            best = (cost, candidate);
        }
    }
    (best.1 * 1000.0).floor() / 1000.0
}

/// Escapes and false rejects.
fn judge_counts(judged: &[Judged], threshold: f32) -> (usize, usize) {
    judged.iter().fold((0, 0), |(escapes, false_rejects), &(score, truth)| match truth {
        Truth::Defect => (escapes + usize::from(score < threshold), false_rejects),
        Truth::Ok => (escapes, false_rejects + usize::from(score >= threshold)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Truth::{Defect, Ok};

    #[test]
    fn judging_counts_and_ranks() {
        let quality = judge(&[(0.1, Ok), (0.6, Ok), (0.4, Defect), (0.9, Defect)], 0.5);
        assert_eq!((quality.escapes, quality.false_rejects, quality.accuracy), (1, 1, 0.5));
        assert_eq!(quality.auc, 0.75);
        assert_eq!(judge(&[(0.5, Ok), (0.5, Defect)], 0.5).auc, 0.5);
        assert_eq!(judge(&[(0.5, Ok)], 0.5).auc, 0.5);
        assert_eq!(judge(&[], 0.5).escapes, 0);
        assert!(judge(&[(0.0, Defect)], 0.5).loss.is_finite());
    }

    #[test]
    fn the_threshold_falls_only_to_spare_an_escape() {
        assert_eq!(threshold(&[(0.1, Ok), (0.9, Defect)]), 0.5);
        assert_eq!(threshold(&[(0.2, Ok), (0.4, Defect), (0.9, Defect)]), 0.3);
        assert_eq!(threshold(&[(0.01, Ok), (0.1, Defect), (0.9, Defect)]), 0.5, "more likely a wrong label");
        assert_eq!(threshold(&[]), 0.5);
        let mut costly: Vec<Judged> = (0..11).map(|i| (0.35 + 0.01 * i as f32, Ok)).collect();
        costly.push((0.32, Defect));
        assert_eq!(threshold(&costly), 0.5, "eleven false rejects would cost more than the escape");
    }
}
