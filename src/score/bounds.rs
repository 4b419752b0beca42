//! What counts of labelled pictures prove about parts that nobody has seen.
//!
//! All bounds are exact for parts that are drawn independently from what the line will see; copies of one photograph count once.

/// Probability of at most `k` successes in `n` trials of probability `p`, 0 to 1.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    // In logarithms: for many trials the first terms are smaller than any f64.
    let odds = (p / (1.0 - p)).ln();
    let mut term = n as f64 * (-p).ln_1p();
    let mut sum = term.exp();
    for i in 0..k {
        term += ((n - i) as f64 / (i + 1) as f64).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

/// Upper confidence bound of a rate when `k` of `n` were seen: with probability `confidence` (between 0 and 1) the true rate is not
/// higher. Exact, one-sided: the rate at which at most `k` of `n` would be seen with probability 1 - `confidence`. 1 without trials.
///
/// Source: C. J. Clopper, E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
/// Biometrika 26 (1934), 404-413.
pub fn upper_bound(k: usize, n: usize, confidence: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let (mut low, mut high) = (k as f64 / n as f64, 1.0);
    // Each step halves the interval: after 60 it is finer than an f64 can tell.
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if at_most(k, n, middle) > 1.0 - confidence { low = middle } else { high = middle }
    }
    high
}

/// How many of `n` defective parts may pass so that the true escape rate is at most `rate` with the given `confidence`; `None` when not
/// even 0 of `n` proves that. The cut just below the (k + 1)th lowest score of a defective part then keeps the promise although it is
/// chosen by the same scores, for k depends on no score.
///
/// Source: S. S. Wilks, "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics 12 (1941),
/// 91-96: the share of a population below its kth lowest sample does not depend on the distribution.
pub fn escapes_allowed(n: usize, rate: f64, confidence: f64) -> Option<usize> {
    let proves = |k: usize| at_most(k, n, rate) <= 1.0 - confidence;
    if n == 0 || !proves(0) {
        return None;
    }
    // The probability rises with k: the last k that proves it lies below the first that does not.
    let (mut proven, mut not) = (0, n);
    while not - proven > 1 {
        let middle = proven + (not - proven) / 2;
        if proves(middle) { proven = middle } else { not = middle }
    }
    Some(proven)
}

/// Fewest defective parts with which [`escapes_allowed`] allows 0: `ln(1 - confidence) / ln(1 - rate)`, rounded up.
pub fn parts_needed(rate: f64, confidence: f64) -> f64 {
    ((-confidence).ln_1p() / (-rate).ln_1p()).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_tables() {
        let near = |k, n, confidence, wanted: f64| {
            let bound = upper_bound(k, n, confidence);
            assert!((bound - wanted).abs() < 5e-5, "{k} of {n}: {bound} instead of {wanted}");
        };
        near(0, 10, 0.95, 0.25887);
        near(1, 10, 0.95, 0.39416);
        near(5, 10, 0.975, 0.81291);
        near(0, 453, 0.95, 1.0 - 0.05f64.powf(1.0 / 453.0));
        assert_eq!((upper_bound(3, 3, 0.95), upper_bound(0, 0, 0.95)), (1.0, 1.0));
    }

    #[test]
    fn fifty_nine_parts_prove_five_percent_and_fifty_eight_do_not() {
        assert_eq!(parts_needed(0.05, 0.95), 59.0);
        assert_eq!(escapes_allowed(59, 0.05, 0.95), Some(0));
        assert_eq!(escapes_allowed(58, 0.05, 0.95), None);
        assert_eq!(escapes_allowed(93, 0.05, 0.95), Some(1));
        assert_eq!(escapes_allowed(0, 0.05, 0.95), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_allowed_keeps_its_bound(n in 1usize..3000, rate in 0.001..0.9f64, confidence in 0.5..0.999f64) {
            match escapes_allowed(n, rate, confidence) {
                Some(k) => {
                    proptest::prop_assert!(upper_bound(k, n, confidence) <= rate + 1e-9);
                    proptest::prop_assert!(k + 1 >= n || upper_bound(k + 1, n, confidence) > rate - 1e-9);
                }
                None => proptest::prop_assert!((n as f64) < parts_needed(rate, confidence) + 1e-6),
            }
        }
    }
}
