//! How good scores are, and the threshold that follows from them.
//!
//! Owns the rule for the threshold. Must not know where scores come from.

use crate::kernels::dense::sigmoid;
use crate::score::roc::auc;
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

impl Quality {
    /// What its errors on `pictures` cost for one picture, in false rejects.
    pub fn cost(&self, pictures: usize) -> f64 {
        (ESCAPE_COST * self.escapes as f64 + self.false_rejects as f64) / pictures.max(1) as f64
    }
}

/// A false reject costs a part that can be looked at again; an escape reaches the customer.
const ESCAPE_COST: f64 = 10.0;
/// Highest threshold that is chosen: above, a part that is more likely defective than not would pass.
const HIGHEST: f64 = 0.5;
/// Lowest threshold that is chosen: a defect that scores lower is more likely a wrong label, and would cost many good parts.
const LOWEST: f64 = 0.05;
/// Distance of the thresholds that are compared, in log-odds.
const STEP: f64 = 0.01;
/// Least width of the kernel, in log-odds: however alike scores are, the next parts' will differ a little.
const LEAST_WIDTH: f64 = 0.25;

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
    let ranked: Vec<(f32, bool)> =
        judged.iter().map(|&(score, truth)| (score, truth == Truth::Defect)).collect();
    Quality {
        loss: loss.sum::<f64>() / count,
        accuracy: 1.0 - (escapes + false_rejects) as f64 / count,
        auc: auc(&ranked).unwrap_or(0.5),
        escapes,
        false_rejects,
    }
}

/// The threshold of least cost on validation scores, between 0.05 and 0.5, where an escape costs as much as ten false rejects. Of equal
/// ones the highest; rounded down to three decimals.
///
/// Between the scores of some hundred pictures any threshold costs the same, on the parts to come it does not. So each score stands for
/// those near it: scores are spread, in log-odds, by a logistic kernel as wide as Silverman's rule says (B. W. Silverman, "Density
/// estimation for statistics and data analysis", 1986, eq. 3.31), and the threshold is where the cost expected from that is least.
pub fn threshold(judged: &[Judged]) -> f32 {
    let [good, defective] = [Truth::Ok, Truth::Defect].map(|class| Spread::of(judged, class));
    let cost = |at: f64| ESCAPE_COST * defective.below(at) + good.count() - good.below(at);
    let (lowest, highest) = (log_odds(LOWEST), log_odds(HIGHEST));
    let steps = ((highest - lowest) / STEP) as usize;
    let mut best = (cost(highest), highest);
    for step in 1..=steps {
        let at = highest - step as f64 * STEP;
        let cost = cost(at);
        if cost < best.0 {
            best = (cost, at);
        }
    }
    ((sigmoid(best.1) * 1000.0).floor() / 1000.0) as f32
}

fn log_odds(score: f64) -> f64 {
    let score = score.clamp(1e-6, 1.0 - 1e-6);
    (score / (1.0 - score)).ln()
}

/// Scores of one class in log-odds, each spread by the kernel.
struct Spread {
    sorted: Vec<f64>,
    /// Of the logistic distribution that is the kernel.
    scale: f64,
}

impl Spread {
    fn of(judged: &[Judged], class: Truth) -> Self {
        let of_class = judged.iter().filter(|(_, truth)| *truth == class);
        let mut sorted: Vec<f64> = of_class.map(|&(score, _)| log_odds(f64::from(score))).collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len().max(1) as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        let variance = sorted.iter().map(|at| (at - mean).powi(2)).sum::<f64>() / count;
        let quartile = |quarters: usize| sorted.get(sorted.len() * quarters / 4).copied().unwrap_or(0.0);
        let between_quartiles = (quartile(3) - quartile(1)) / 1.34;
        let width = 0.9 * variance.sqrt().min(between_quartiles) * count.powf(-0.2);
        // The standard deviation of a logistic distribution is its scale times pi / sqrt(3).
        let scale = width.max(LEAST_WIDTH) * 3f64.sqrt() / std::f64::consts::PI;
        Self { sorted, scale }
    }

    fn count(&self) -> f64 {
        self.sorted.len() as f64
    }

    /// Expected number of pictures that score below.
    fn below(&self, at: f64) -> f64 {
        self.sorted.iter().map(|score| sigmoid((at - score) / self.scale)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Truth::{Defect, Ok};

    #[test]
    fn judging_counts_and_ranks() {
        let quality = judge(&[(0.1, Ok), (0.6, Ok), (0.4, Defect), (0.9, Defect)], 0.5);
        assert_eq!((quality.escapes, quality.false_rejects, quality.accuracy), (1, 1, 0.5));
        assert_eq!(quality.cost(4), 11.0 / 4.0);
        assert_eq!(quality.auc, 0.75);
        assert_eq!(judge(&[(0.5, Ok), (0.5, Defect)], 0.5).auc, 0.5);
        assert_eq!(judge(&[(0.5, Ok)], 0.5).auc, 0.5);
        assert_eq!(judge(&[], 0.5).escapes, 0);
        assert!(judge(&[(0.0, Defect)], 0.5).loss.is_finite());
    }

    #[test]
    fn the_threshold_lies_where_escapes_and_false_rejects_cost_least() {
        let between = |judged: &[Judged], low: f32, high: f32| {
            let threshold = threshold(judged);
            assert!((low..=high).contains(&threshold), "{threshold} is outside {low} to {high}");
        };
        // Two kernels of the least width, at -2.197 and 2.197 in log-odds: the tenfold cost moves the middle by scale * ln(10) / 2.
        let scale = LEAST_WIDTH * 3f64.sqrt() / std::f64::consts::PI;
        let middle = sigmoid(-scale * 10f64.ln() / 2.0) as f32;
        between(&[(0.1, Ok), (0.9, Defect)], middle - 0.003, middle + 0.003);
        let mut costly: Vec<Judged> = (0..40).map(|i| (0.35 + 0.003 * i as f32, Ok)).collect();
        costly.push((0.1, Defect));
        assert_eq!(threshold(&costly), 0.5);
        let apart: Vec<Judged> =
            (0..400).map(|i| if i % 2 == 0 { (0.001, Ok) } else { (0.97, Defect) }).collect();
        between(&apart, 0.1, 0.3);
        let mut wrong_label = apart.clone();
        wrong_label.push((0.0001, Defect));
        between(&wrong_label, 0.05, 0.3);
        assert_eq!(threshold(&[]), 0.5);
    }
}
