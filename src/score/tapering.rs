//! What a search for the ideal tapering found: the front of quality against work, and which network to take.
//!
//! Owns the order of merit and its reasons. Must not know how networks are trained or timed.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::folds::Spread;

/// A network that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tried {
    /// Its layers, as `train --network` takes them.
    pub network: String,
    /// Side of its picture in pixels.
    pub size: usize,
    /// Trained parameters.
    pub parameters: usize,
    /// Multiply-adds for one picture.
    pub multiply_adds: usize,
    /// Median milliseconds for one picture on one core of the machine of the search; null where it was not timed.
    pub latency_ms: Option<f64>,
    /// The last round that it was in, from 1.
    pub round: usize,
    /// Epochs of that round; the figures below are those of that round.
    pub epochs: u32,
    /// Area under the ROC curve on the validation pictures of each split.
    pub aucs: Vec<f64>,
    /// Their mean.
    pub auc: f64,
    /// Standard error of that mean; null with one split.
    pub auc_error: Option<f64>,
    /// Mean over the splits of the share of right verdicts at a score of 0.5.
    pub accuracy: f64,
    /// Sum over the splits of defective parts that would have passed at 0.5.
    pub escapes: usize,
    /// Sum over the splits of good parts that would have been rejected at 0.5.
    pub false_rejects: usize,
    /// Whether no network of the last round is better at no more multiply-adds.
    pub front: bool,
    /// Whether no network of the last round is better at no more milliseconds.
    pub latency_front: bool,
}

/// What a search found. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tapering {
    /// What was split, and how.
    pub split: String,
    /// Validation pictures that show a photograph that was trained on, over all splits; null where photographs are not known.
    pub leaks: Option<u64>,
    /// Rounds that are complete.
    pub rounds: usize,
    /// Rounds that were asked for.
    pub rounds_wanted: usize,
    /// Every network, those of the last round first, then by quality.
    pub tried: Vec<Tried>,
    /// The network to take.
    pub recommended: Recommended,
}

/// The network to take and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommended {
    /// Its layers.
    pub network: String,
    /// Side of its picture in pixels.
    pub size: usize,
    /// Why this one.
    pub reason: String,
    /// The command that trains it.
    pub command: String,
}

/// Mean and standard error of a mean; no error from one value.
pub fn mean_and_error(values: &[f64]) -> (f64, Option<f64>) {
    let Some(Spread { mean, deviation }) = Spread::of(values.iter().copied().map(Some)) else {
        return (0.0, None);
    };
    (mean, (values.len() > 1).then(|| deviation / (values.len() as f64).sqrt()))
}

/// Ranks by merit and cost: 0 for those that none beats in both, 1 for those that only the former beat, and so on (non-dominated sorting,
/// K. Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002). `points` are merit, more is better, and cost.
pub fn ranks(points: &[(f64, f64)]) -> Vec<usize> {
    let mut ranks = vec![usize::MAX; points.len()];
    for rank in 0..points.len() {
        let open: Vec<usize> = (0..points.len()).filter(|&at| ranks[at] == usize::MAX).collect();
        let beats = |a: (f64, f64), b: (f64, f64)| a.0 >= b.0 && a.1 <= b.1 && (a.0 > b.0 || a.1 < b.1);
        for &at in &open {
            if !open.iter().any(|&other| beats(points[other], points[at])) {
                ranks[at] = rank;
            }
        }
    }
    ranks
}

/// The best `keep` of `points`, as indices: by their rank, those of one rank by their merit.
pub fn survivors(points: &[(f64, f64)], keep: usize) -> Vec<usize> {
    let ranks = ranks(points);
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| ranks[a].cmp(&ranks[b]).then(points[b].0.total_cmp(&points[a].0)));
    order.truncate(keep);
    order
}

/// Sorts, marks the fronts, and chooses by the rule of one standard error (L. Breiman et al., "Classification and regression trees", 1984):
/// the network of fewest multiply-adds whose quality lies within one standard error of the best one's. Gives its index and the reason;
/// `None` when nothing was tried.
pub fn choose(tried: &mut [Tried]) -> Option<(usize, String)> {
    let last = tried.iter().map(|one| one.round).max()?;
    tried.sort_by(|a, b| {
        b.round.cmp(&a.round).then(b.auc.total_cmp(&a.auc)).then(a.multiply_adds.cmp(&b.multiply_adds))
    });
    let finalists = tried.iter().take_while(|one| one.round == last).count();
    let works: Vec<(f64, f64)> =
        tried[..finalists].iter().map(|one| (one.auc, one.multiply_adds as f64)).collect();
    let times: Vec<(f64, f64)> =
        tried[..finalists].iter().map(|one| (one.auc, one.latency_ms.unwrap_or(f64::INFINITY))).collect();
    let (works, times) = (ranks(&works), ranks(&times));
    for (at, one) in tried[..finalists].iter_mut().enumerate() {
        one.front = works[at] == 0;
        one.latency_front = times[at] == 0 && one.latency_ms.is_some();
    }
    let best = tried.first()?;
    let error = best.auc_error.unwrap_or(0.0);
    let near = |one: &(usize, &Tried)| one.1.auc >= best.auc - error;
    let (at, chosen) =
        tried[..finalists].iter().enumerate().filter(near).min_by_key(|(_, one)| one.multiply_adds)?;
    let reason = if at == 0 {
        format!(
            "its ROC AUC {:.4} is the best, and nothing with less work comes within one standard error ({error:.4}) of it",
            best.auc
        )
    } else {
        format!(
            "its ROC AUC {:.4} lies within one standard error ({error:.4}) of the best, {:.4} by {} at {} pixels, for {:.0} % of the work",
            chosen.auc,
            best.auc,
            best.network,
            best.size,
            100.0 * chosen.multiply_adds as f64 / best.multiply_adds.max(1) as f64
        )
    };
    Some((at, reason))
}

impl Tapering {
    /// The networks of the last round that is complete.
    pub fn finalists(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|one| one.round == self.rounds)
    }

    /// Whether it is the one to take.
    pub fn is_recommended(&self, one: &Tried) -> bool {
        one.network == self.recommended.network && one.size == self.recommended.size
    }

    /// One line a network, with a line of names first.
    pub fn csv(&self) -> String {
        let mut text = "network,size,parameters,multiply_adds,latency_ms,round,epochs,auc,auc_error,accuracy,escapes,false_rejects,front,latency_front\n".to_owned();
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.5}"));
        for one in &self.tried {
            // Writing to a text cannot fail.
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{:.5},{},{:.5},{},{},{},{}",
                one.network,
                one.size,
                one.parameters,
                one.multiply_adds,
                number(one.latency_ms),
                one.round,
                one.epochs,
                one.auc,
                number(one.auc_error),
                one.accuracy,
                one.escapes,
                one.false_rejects,
                one.front,
                one.latency_front
            );
        }
        text
    }
}

impl fmt::Display for Tapering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "split     {}", self.split)?;
        match self.leaks {
            Some(leaks) => {
                writeln!(f, "leaks     {leaks} validation pictures show a photograph that was trained on")?
            }
            None => writeln!(f, "leaks     unknown: see --groups")?,
        }
        if self.rounds < self.rounds_wanted {
            writeln!(
                f,
                "stopped   after round {} of {}; the same command goes on",
                self.rounds, self.rounds_wanted
            )?;
        }
        writeln!(f, "\n  multiply-adds  parameters  latency    ROC AUC  accuracy  size  network")?;
        for one in self.finalists() {
            let latency = one.latency_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.3} ms"));
            let sign = if self.is_recommended(one) {
                '*'
            } else if one.front {
                '+'
            } else {
                ' '
            };
            writeln!(
                f,
                "{sign} {:>13}  {:>10}  {latency:>8}  {:>9.4}  {:>8.4}  {:>4}  {}",
                one.multiply_adds, one.parameters, one.auc, one.accuracy, one.size, one.network
            )?;
        }
        writeln!(f, "\n+ on the front of quality against work, * recommended: {}", self.recommended.reason)?;
        writeln!(f, "\n{}", self.recommended.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(network: &str, round: usize, multiply_adds: usize, aucs: &[f64]) -> Tried {
        let (auc, auc_error) = mean_and_error(aucs);
        Tried {
            network: network.to_owned(),
            size: 64,
            parameters: 10,
            multiply_adds,
            latency_ms: Some(multiply_adds as f64 / 1e6),
            round,
            epochs: 4,
            aucs: aucs.to_vec(),
            auc,
            auc_error,
            accuracy: auc,
            escapes: 0,
            false_rejects: 0,
            front: false,
            latency_front: false,
        }
    }

    #[test]
    fn means_have_errors() {
        assert_eq!(mean_and_error(&[1.0, 3.0]), (2.0, Some(1.0)));
        assert_eq!(mean_and_error(&[0.5]), (0.5, None));
        assert_eq!(mean_and_error(&[]), (0.0, None));
    }

    #[test]
    fn the_cheapest_within_one_error_of_the_best_is_taken() {
        let mut all = [
            tried("early", 1, 1, &[1.0, 1.0]),
            tried("best", 2, 900, &[0.99, 0.95]),
            tried("near", 2, 300, &[0.96, 0.96]),
            tried("worse", 2, 400, &[0.95, 0.95]),
            tried("poor", 2, 100, &[0.8, 0.8]),
        ];
        let (at, reason) = choose(&mut all).unwrap();
        assert_eq!(all[at].network, "near");
        assert!(
            reason.contains("within one standard error (0.0200) of the best, 0.9700 by best"),
            "{reason}"
        );
        assert!(reason.ends_with("for 33 % of the work"), "{reason}");
        let fronts: Vec<&str> =
            all.iter().filter(|one| one.front && one.latency_front).map(|one| one.network.as_str()).collect();
        assert_eq!(fronts, ["best", "near", "poor"]);
        assert_eq!(all.last().unwrap().network, "early");
        assert!(choose(&mut []).is_none());
        let (at, reason) = choose(&mut [tried("a", 1, 5, &[0.9]), tried("b", 1, 3, &[0.8])]).unwrap();
        assert!(at == 0 && reason.contains("is the best"), "{reason}");
    }

    proptest::proptest! {
        #[test]
        fn whoever_survives_is_beaten_by_none_that_goes(
            points in proptest::collection::vec((0u8..9, 0u8..9), 1..30), keep in 0usize..30,
        ) {
            let points: Vec<(f64, f64)> = points.iter().map(|&(a, b)| (f64::from(a), f64::from(b))).collect();
            let kept = survivors(&points, keep);
            proptest::prop_assert_eq!(kept.len(), keep.min(points.len()));
            for gone in (0..points.len()).filter(|at| !kept.contains(at)) {
                for &at in &kept {
                    let (a, b) = (points[gone], points[at]);
                    proptest::prop_assert!(!(a.0 >= b.0 && a.1 <= b.1 && a != b));
                }
            }
        }
    }
}
