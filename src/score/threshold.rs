//! Choosing the threshold and the unsure band from scores of labelled pictures.
//!
//! Owns the rules. Must not know where scores come from or where the choice is kept.

use super::bounds::{escapes_allowed, parts_needed, upper_bound};
use super::curves::Curve;
use crate::decide::Policy;

/// What the choice is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// Least cost on these pictures.
    Cost {
        /// Of a defective part that passes.
        escape: f64,
        /// Of a good part that is rejected.
        reject: f64,
    },
    /// Fewest false rejects among the choices that keep a promise.
    Promise {
        /// Greatest share of defective parts that may pass, between 0 and 1.
        rate: f64,
        /// Probability that the promise is kept, between 0 and 1.
        confidence: f64,
    },
}

/// Why nothing can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// A class is missing.
    #[error(
        "pictures of good and of defective parts are needed, and {good} good and {defective} defective ones were judged"
    )]
    OneClass {
        /// Good parts with a score.
        good: usize,
        /// Defective parts with a score.
        defective: usize,
    },
    /// The pictures are too few for the promise.
    #[error(
        "{defective} pictures of defective parts cannot prove that at most {} % escape with {} % confidence: that takes at \
         least {needed} of them, each of another part; from {defective} no less than {:.2} % can be proven",
        rate * 100.0, confidence * 100.0, reachable * 100.0
    )]
    TooFew {
        /// Defective parts with a score.
        defective: usize,
        /// Fewest that could prove it.
        needed: f64,
        /// What was asked for.
        rate: f64,
        /// See `rate`.
        confidence: f64,
        /// The lowest rate that they can prove.
        reachable: f64,
    },
}

/// Chooses by `scores`, which are (score, is defective).
///
/// Parts below the cut pass. For costs it is the cut of least cost, of equal ones the one with the fewest escapes. For a promise it lies
/// right below the (k + 1)th lowest score of a defective part, where k is what [`escapes_allowed`] says. Either way it is moved into
/// the middle of the gap to the next lower score, so that a part that scores a little lower is still caught.
///
/// The unsure band begins at the cut and ends at the highest score of a good part: within it parts of both kinds were seen, above
/// it only defective ones. Without a good part above the cut there is no band.
///
/// # Errors
/// When the scores do not allow the choice.
pub fn choose(scores: &[(f32, bool)], aim: Aim) -> Result<Policy, ThresholdError> {
    let curve = Curve::of(scores);
    let (good, defective) = (curve.good, curve.defective);
    if good == 0 || defective == 0 {
        return Err(ThresholdError::OneClass { good, defective });
    }
    let at = match aim {
        Aim::Cost { escape, reject } => cheapest(&curve, escape, reject),
        Aim::Promise { rate, confidence } => {
            let allowed = escapes_allowed(defective, rate, confidence).ok_or_else(|| {
                let (needed, reachable) =
                    (parts_needed(rate, confidence), upper_bound(0, defective, confidence));
                ThresholdError::TooFew { defective, needed, rate, confidence, reachable }
            })?;
            // Escapes fall along the cuts; the first cut that allows no more of them keeps the promise.
            curve.cuts.partition_point(|cut| cut.escapes > allowed)
        }
    };
    let below = curve.cuts.get(at + 1).map_or(0.0, |cut| cut.score);
    let cut = between(below, curve.cuts[at].score.min(1.0));
    let highest_good =
        scores.iter().filter(|(_, defective)| !defective).map(|(score, _)| *score).fold(0.0, f32::max);
    Ok(policy(cut, highest_good))
}

fn cheapest(curve: &Curve, escape: f64, reject: f64) -> usize {
    let mut best = (f64::INFINITY, 0);
    for (at, cut) in curve.cuts.iter().enumerate() {
        let cost = cut.escapes as f64 * escape + cut.false_rejects as f64 * reject;
        if cost <= best.0 {
            best = (cost, at);
        }
    }
    best.1
}

/// A number in few digits in the middle between two scores; above `low` and not above `high`.
fn between(low: f32, high: f32) -> f32 {
    let middle = low + (high - low) / 2.0;
    for decimals in 2..7 {
        let scale = 10f32.powi(decimals);
        let short = (middle * scale).floor() / scale;
        if short > low && short <= high {
            return short;
        }
    }
    if middle > low { middle } else { high }
}

/// The policy under which parts pass below `cut` and are unsure up to `end`.
fn policy(cut: f32, end: f32) -> Policy {
    if end < cut {
        return Policy { threshold: cut, unsure: 0.0 };
    }
    // In hundredths, upwards, so that the manifest holds short numbers.
    let end = ((end * 100.0).ceil() / 100.0).min(1.0);
    let threshold = cut + (end - cut) / 2.0;
    let mut unsure = threshold - cut;
    // The band is kept as middle and half width: rounding must not raise its lower end.
    while threshold - unsure > cut {
        unsure = unsure.next_up();
    }
    Policy { threshold, unsure: unsure.min(0.5) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Score, Verdict};

    fn counts(scores: &[(f32, bool)], policy: Policy) -> (usize, usize) {
        let passes = |score: f32| policy.verdict(Score::new(score).unwrap()) == Verdict::Ok;
        let escapes = scores.iter().filter(|&&(score, defective)| defective && passes(score)).count();
        (escapes, scores.iter().filter(|&&(score, defective)| !defective && !passes(score)).count())
    }

    #[test]
    fn costs_move_the_cut() {
        let scores = [(0.1, false), (0.3, true), (0.5, false), (0.6, false), (0.9, true)];
        let dear = choose(&scores, Aim::Cost { escape: 10.0, reject: 1.0 }).unwrap();
        assert_eq!(counts(&scores, dear), (0, 2));
        assert!((dear.threshold - dear.unsure - 0.2).abs() < 1e-5, "{dear:?}");
        assert!((0.6..0.6101).contains(&(dear.threshold + dear.unsure)), "{dear:?}");
        let cheap = choose(&scores, Aim::Cost { escape: 1.0, reject: 1.0 }).unwrap();
        assert_eq!((counts(&scores, cheap), cheap.unsure, cheap.threshold), ((1, 0), 0.0, 0.75));
    }

    #[test]
    fn a_promise_needs_enough_parts_and_says_how_many() {
        let scores: Vec<(f32, bool)> =
            (0..58).map(|i| (0.5 + i as f32 / 200.0, true)).chain([(0.1, false)]).collect();
        let aim = Aim::Promise { rate: 0.05, confidence: 0.95 };
        let error = choose(&scores, aim).unwrap_err().to_string();
        assert!(error.contains("at least 59 of them") && error.contains("5.03 %"), "{error}");
        let more: Vec<_> = scores.iter().copied().chain([(0.45, true)]).collect();
        assert_eq!(counts(&more, choose(&more, aim).unwrap()), (0, 0));
        assert!(matches!(
            choose(&[(0.5, true)], aim),
            Err(ThresholdError::OneClass { good: 0, defective: 1 })
        ));
    }

    proptest::proptest! {
        #[test]
        fn promises_are_kept_on_the_pictures_and_the_policy_is_one_that_a_manifest_may_hold(
            mut scores in proptest::collection::vec((0.0..=1.0f32, proptest::bool::ANY), 2..200), promise: bool, rate in 0.05..0.5f64,
        ) {
            scores.extend([(0.5, true), (0.5, false)]);
            let aim = if promise { Aim::Promise { rate, confidence: 0.9 } } else { Aim::Cost { escape: 10.0, reject: 1.0 } };
            let Ok(policy) = choose(&scores, aim) else { return Ok(()) };
            proptest::prop_assert!((0.0..=1.0).contains(&policy.threshold) && (0.0..=0.5).contains(&policy.unsure));
            let (escapes, false_rejects) = counts(&scores, policy);
            let defective = scores.iter().filter(|score| score.1).count();
            if promise {
                proptest::prop_assert!(upper_bound(escapes, defective, 0.9) <= rate + 1e-9);
            } else {
                let all = scores.len() - defective;
                proptest::prop_assert!(escapes * 10 + false_rejects <= all.min(defective * 10));
            }
        }
    }
}
