//! How well scores separate defective from good parts, whatever the threshold.

use crate::verdict::{Score, Truth};

/// Area under the ROC curve: the probability that a defective part scores higher than a good one, ties counting half.
///
/// Computed from ranks, as the Mann-Whitney U statistic. `None` unless both kinds of part are there.
pub fn auc(parts: impl IntoIterator<Item = (Truth, Score)>) -> Option<f64> {
    let mut parts: Vec<(Truth, f32)> = parts.into_iter().map(|(truth, score)| (truth, score.get())).collect();
    parts.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    let (mut ok_below, mut defects, mut wins) = (0u64, 0u64, 0.0);
    for tied in parts.chunk_by(|a, b| a.1 == b.1) {
        let defect = tied.iter().filter(|(truth, _)| *truth == Truth::Defect).count() as u64;
        let ok = tied.len() as u64 - defect;
        wins += defect as f64 * (ok_below as f64 + ok as f64 / 2.0);
        ok_below += ok;
        defects += defect;
    }
    (ok_below > 0 && defects > 0).then(|| wins / (ok_below as f64 * defects as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ok: &[f32], defect: &[f32]) -> Option<f64> {
        let all = |truth, scores: &[f32]| {
            scores.iter().map(|&s| (truth, Score::new(s).unwrap())).collect::<Vec<_>>()
        };
        auc([all(Truth::Ok, ok), all(Truth::Defect, defect)].concat())
    }

    #[test]
    fn known_areas() {
        assert_eq!(of(&[0.1, 0.2], &[0.8, 0.9]), Some(1.0));
        assert_eq!(of(&[0.8, 0.9], &[0.1, 0.2]), Some(0.0));
        assert_eq!(of(&[0.5, 0.5, 0.5], &[0.5]), Some(0.5));
        assert_eq!(of(&[0.1, 0.4], &[0.35, 0.8]), Some(0.75));
        assert_eq!(of(&[0.1], &[]), None);
        assert_eq!(of(&[], &[]), None);
    }

    proptest::proptest! {
        #[test]
        fn ranks_agree_with_counting_every_pair(
            ok in proptest::collection::vec(0u8..8, 1..20), defect in proptest::collection::vec(0u8..8, 1..20),
        ) {
            let scores = |levels: &[u8]| levels.iter().map(|&l| f32::from(l) / 8.0).collect::<Vec<_>>();
            let (ok, defect) = (scores(&ok), scores(&defect));
            let pairs = ok.iter().flat_map(|o| defect.iter().map(move |d| if d > o { 1.0 } else if d == o { 0.5 } else { 0.0 }));
            let wanted = pairs.sum::<f64>() / (ok.len() * defect.len()) as f64;
            proptest::prop_assert!((of(&ok, &defect).unwrap() - wanted).abs() < 1e-12);
        }
    }
}
