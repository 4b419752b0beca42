//! The area under the ROC curve.

/// Area under the ROC curve: the probability that a random defective part scores higher than a random good one, with ties
/// counted half (Mann-Whitney U / (n1 n2)). `None` when one kind is missing. `scores` are (score, is defective).
pub fn auc(scores: &[(f32, bool)]) -> Option<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let defective = sorted.iter().filter(|(_, defective)| *defective).count() as f64;
    let good = sorted.len() as f64 - defective;
    if defective == 0.0 || good == 0.0 {
        return None;
    }
    let (mut pairs, mut good_below) = (0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
        let tied_defective = ties.iter().filter(|(_, defective)| *defective).count() as f64;
        let tied_good = ties.len() as f64 - tied_defective;
        pairs += tied_defective * (good_below + tied_good / 2.0);
        good_below += tied_good;
    }
    Some(pairs / (defective * good))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_areas() {
        assert_eq!(auc(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(auc(&[(0.9, false), (0.1, true)]), Some(0.0));
        assert_eq!(auc(&[(0.5, false), (0.5, true), (0.5, true)]), Some(0.5));
        assert_eq!(auc(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]), Some(0.75));
        assert_eq!(auc(&[(0.5, true)]), None);
    }

    proptest::proptest! {
        #[test]
        fn it_is_the_share_of_pairs_in_the_right_order(scores in proptest::collection::vec((0u8..9, proptest::bool::ANY), 2..40)) {
            let scores: Vec<(f32, bool)> = scores.iter().map(|&(s, d)| (f32::from(s) / 8.0, d)).collect();
            let (mut right, mut pairs) = (0.0, 0.0);
            for &(defect, _) in scores.iter().filter(|s| s.1) {
                for &(good, _) in scores.iter().filter(|s| !s.1) {
                    pairs += 1.0;
                    right += if defect > good { 1.0 } else if defect == good { 0.5 } else { 0.0 };
                }
            }
            let expected = (pairs > 0.0).then(|| right / pairs);
            proptest::prop_assert!(auc(&scores).zip(expected).is_none_or(|(a, b)| (a - b).abs() < 1e-12));
            proptest::prop_assert_eq!(auc(&scores).is_none(), expected.is_none());
        }
    }
}
