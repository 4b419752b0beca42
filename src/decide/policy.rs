//! From a score to a verdict. Must not know frames, parts or time.

use crate::verdict::{Reason, Score, Verdict};

/// Where the model's score says DEFECT.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Score from which a part is a defect, 0 to 1.
    pub threshold: f32,
    /// Half width of the band around the threshold in which the model counts as unsure, 0 to 0.5.
    pub unsure: f32,
}

impl Policy {
    /// The verdict on a score: a defect above the band, unsure within it, OK below it. Without a band, a score that
    /// equals the threshold is a defect.
    pub fn verdict(self, score: Score) -> Verdict {
        let score = score.get();
        if score >= self.threshold + self.unsure {
            Verdict::Reject(Reason::Defect)
        } else if score > self.threshold - self.unsure {
            Verdict::Reject(Reason::Unsure)
        } else {
            Verdict::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(threshold: f32, unsure: f32, score: f32) -> Verdict {
        Policy { threshold, unsure }.verdict(Score::new(score).unwrap())
    }

    #[test]
    fn the_band_lies_around_the_threshold() {
        let cases = [
            (0.0, Verdict::Ok),
            (0.25, Verdict::Ok),
            (0.26, Verdict::Reject(Reason::Unsure)),
            (0.5, Verdict::Reject(Reason::Unsure)),
            (0.74, Verdict::Reject(Reason::Unsure)),
            (0.75, Verdict::Reject(Reason::Defect)),
            (1.0, Verdict::Reject(Reason::Defect)),
        ];
        for (score, wanted) in cases {
            assert_eq!(verdict(0.5, 0.25, score), wanted, "{score}");
        }
    }

    #[test]
    fn without_a_band_the_threshold_itself_is_a_defect() {
        assert_eq!(verdict(0.5, 0.0, 0.5), Verdict::Reject(Reason::Defect));
        assert_eq!(verdict(0.5, 0.0, 0.499_999_97), Verdict::Ok);
    }

    #[test]
    fn a_band_beyond_the_range_of_scores_still_rejects() {
        assert_eq!(verdict(0.9, 0.3, 1.0), Verdict::Reject(Reason::Unsure));
        assert_eq!(verdict(0.1, 0.3, 0.0), Verdict::Reject(Reason::Unsure));
    }

    proptest::proptest! {
        #[test]
        fn a_higher_score_never_clears_a_part(
            threshold in 0.0f32..=1.0, unsure in 0.0f32..=0.5, low in 0.0f32..=1.0, high in 0.0f32..=1.0,
        ) {
            let (low, high) = (low.min(high), low.max(high));
            if verdict(threshold, unsure, high) == Verdict::Ok {
                proptest::prop_assert_eq!(verdict(threshold, unsure, low), Verdict::Ok);
            }
        }

        #[test]
        fn a_wider_band_never_clears_a_part(
            threshold in 0.0f32..=1.0, narrow in 0.0f32..=0.5, wide in 0.0f32..=0.5, score in 0.0f32..=1.0,
        ) {
            let (narrow, wide) = (narrow.min(wide), narrow.max(wide));
            if verdict(threshold, narrow, score) != Verdict::Ok {
                proptest::prop_assert_ne!(verdict(threshold, wide, score), Verdict::Ok);
            }
        }
    }
}
