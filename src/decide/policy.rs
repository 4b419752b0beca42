//! From scores to a verdict.

use crate::config::{self, Combine};
use crate::verdict::{Reason, Score, Verdict};

/// Where the model says DEFECT, and where it does not know.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Score from which a part is a defect.
    pub threshold: f32,
    /// Half width of the band around the threshold in which the model counts as unsure.
    pub unsure: f32,
}

impl Policy {
    /// As the section says, and where it says nothing, as the model's own `manifest` says.
    pub fn configured(section: &config::Model, manifest: Self) -> Self {
        Self {
            threshold: section.threshold.unwrap_or(manifest.threshold),
            unsure: section.unsure.unwrap_or(manifest.unsure),
        }
    }

    /// The verdict on a score: OK below the band, a reject as unsure within it, a reject as defect from its upper end on.
    pub fn verdict(&self, score: Score) -> Verdict {
        let score = score.get();
        if score < self.threshold - self.unsure {
            Verdict::Ok
        } else if score >= self.threshold + self.unsure {
            Verdict::Reject(Reason::Defect)
        } else {
            Verdict::Reject(Reason::Unsure)
        }
    }
}

/// What one frame said, and how sharp it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The score, 0 to 1.
    pub score: f32,
    /// Mean second difference along the rows of its picture, in grey levels.
    pub sharpness: f32,
}

/// One score from those of several frames; `None` without any. Sorts `scores`.
pub fn combine(how: Combine, scores: &mut [Scored]) -> Option<Score> {
    if scores.is_empty() {
        return None;
    }
    let sharpest = scores.iter().max_by(|a, b| a.sharpness.total_cmp(&b.sharpness)).map(|s| s.score);
    scores.sort_unstable_by(|a, b| a.score.total_cmp(&b.score));
    let middle = scores.len() / 2;
    Score::new(match how {
        Combine::Mean => (scores.iter().map(|s| s.score).sum::<f32>() / scores.len() as f32).clamp(0.0, 1.0),
        Combine::AnyDefect => scores[scores.len() - 1].score,
        // Of two middle scores the higher: an even vote does not clear a part.
        Combine::Majority => scores[middle].score,
        Combine::BestFocused => sharpest?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy: Policy, score: f32) -> Verdict {
        policy.verdict(Score::new(score).unwrap())
    }

    #[test]
    fn the_band_is_unsure_and_its_edges_are_on_the_safe_side() {
        let policy = Policy { threshold: 0.5, unsure: 0.25 };
        assert_eq!(verdict(policy, 0.24), Verdict::Ok);
        assert_eq!(verdict(policy, 0.25), Verdict::Reject(Reason::Unsure));
        assert_eq!(verdict(policy, 0.74), Verdict::Reject(Reason::Unsure));
        assert_eq!(verdict(policy, 0.75), Verdict::Reject(Reason::Defect));
        let sharp = Policy { threshold: 0.5, unsure: 0.0 };
        assert_eq!(verdict(sharp, 0.5), Verdict::Reject(Reason::Defect));
    }

    #[test]
    fn scores_combine_as_said() {
        let of = |how, scores: Vec<f32>| {
            let sharp = |(n, score)| Scored { score, sharpness: [3.0, 9.0, 5.0][n] };
            let mut scores: Vec<Scored> = scores.into_iter().enumerate().map(sharp).collect();
            combine(how, &mut scores).map(Score::get)
        };
        assert_eq!(of(Combine::BestFocused, vec![0.1, 0.8, 0.9]), Some(0.8));
        assert_eq!(of(Combine::Mean, vec![0.0, 1.0, 0.5]), Some(0.5));
        assert_eq!(of(Combine::AnyDefect, vec![0.1, 0.9, 0.2]), Some(0.9));
        assert_eq!(of(Combine::Majority, vec![0.9, 0.1, 0.2]), Some(0.2));
        assert_eq!(of(Combine::Majority, vec![0.1, 0.9]), Some(0.9));
        assert_eq!(of(Combine::Mean, vec![]), None);
    }
}
