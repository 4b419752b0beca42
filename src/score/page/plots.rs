//! The charts of the page: which curve, which axes, which words below.

use crate::chart::{Line, Plane, Ticks, count_height, counts, escape, round_ticks, shares};
use crate::score::curves::{Curve, Cut};

/// Bins of a histogram.
const BINS: usize = 40;
/// Cuts for the curves over all thresholds.
const STEPS: usize = 400;

fn figure(title: &str, chart: Plane, caption: &str) -> String {
    format!(
        "<figure><h2>{}</h2>{}<figcaption>{caption}</figcaption></figure>\n",
        escape(title),
        chart.end().inline()
    )
}

/// The cut that the policy makes: a part passes below the unsure band.
fn made(curve: &Curve, (threshold, unsure): (f32, f32)) -> Cut {
    curve.at(threshold - unsure)
}

/// Scores of both classes, with threshold and unsure band.
pub(super) fn scores(scores: &[(f32, bool)], (threshold, unsure): (f32, f32)) -> String {
    let mut bins = [[0usize; BINS]; 2];
    for &(score, defective) in scores {
        bins[usize::from(defective)][((score * BINS as f32) as usize).min(BINS - 1)] += 1;
    }
    let most = bins.iter().flatten().copied().max().unwrap_or(0).max(1);
    let bars = |class: usize| {
        let height = move |(bin, &count): (usize, &usize)| {
            // The two classes stand side by side in each bin.
            let left = (bin as f64 + 0.08 + 0.42 * class as f64) / BINS as f64;
            (left, left + 0.42 / BINS as f64, count_height(count, most))
        };
        bins[class].iter().enumerate().map(height).collect::<Vec<_>>()
    };
    let (low, high) = (f64::from(threshold - unsure), f64::from(threshold + unsure));
    let chart = Plane::new(
        "Histogram of scores",
        ("score: probability of DEFECT", shares()),
        ("pictures", counts(most)),
    )
    .band(low, high)
    .bars(Line::Good, bars(0))
    .bars(Line::Bad, bars(1))
    .limit(f64::from(threshold));
    let caption = "<i class=\"good\"></i>good <i class=\"bad\"></i>defective; dashed: the threshold, shaded: the unsure band. Heights are logarithmic.";
    figure("Scores by class", chart, caption)
}

/// Defects caught over false rejects.
pub(super) fn roc(curve: &Curve, cut: (f32, f32)) -> String {
    let point = |cut: &Cut| (curve.false_reject_rate(cut), 1.0 - curve.escape_rate(cut));
    let (x, y) = point(&made(curve, cut));
    let chart = Plane::new(
        "ROC curve",
        ("false rejects: share of good parts", shares()),
        ("share of defects caught", shares()),
    )
    .line(Line::Chance, [(0.0, 0.0), (1.0, 1.0)])
    .line(Line::Main, curve.cuts.iter().map(point))
    .dot(x, y);
    let caption = format!(
        "The circle is the model's own threshold: {:.2} % of good parts rejected, {:.2} % of defects caught.",
        x * 100.0,
        y * 100.0
    );
    figure("ROC curve", chart, &caption)
}

/// Precision over recall, DEFECT as the positive class.
pub(super) fn precision_recall(curve: &Curve, cut: (f32, f32)) -> String {
    let point = |cut: &Cut| Some((1.0 - curve.escape_rate(cut), curve.precision(cut)?));
    let base = curve.defective as f64 / (curve.defective + curve.good).max(1) as f64;
    let mut chart = Plane::new(
        "Precision and recall",
        ("recall: share of defects caught", shares()),
        ("precision: share of rejects defective", shares()),
    )
    .line(Line::Chance, [(0.0, base), (1.0, base)])
    .line(Line::Main, curve.cuts.iter().filter_map(point));
    if let Some((x, y)) = point(&made(curve, cut)) {
        chart = chart.dot(x, y);
    }
    figure("Precision and recall", chart, "DEFECT is the positive class; dotted: rejecting everything.")
}

/// Error rates and cost for every threshold.
pub(super) fn cost(curve: &Curve, cut: (f32, f32), escape_cost: f64) -> String {
    let cuts: Vec<(f64, Cut)> =
        (0..=STEPS).map(|step| step as f64 / STEPS as f64).map(|at| (at, curve.at(at as f32))).collect();
    let parts = (curve.defective + curve.good).max(1) as f64;
    let cost = |cut: &Cut| (cut.escapes as f64 * escape_cost + cut.false_rejects as f64) / parts;
    let most = cuts.iter().map(|(_, cut)| cost(cut)).fold(0.0, f64::max).max(1e-9);
    // The root spreads the small rates, among which the choice lies.
    let ticks: Ticks = [0.0, 0.01, 0.05, 0.2, 0.5, 1.0]
        .map(|share: f64| (share.sqrt(), format!("{:.0} %", share * 100.0)))
        .into();
    let chart = Plane::new("Cost by threshold", ("threshold", shares()), ("share", ticks))
        .line(Line::Wide, cuts.iter().map(|(at, cut)| (*at, (cost(cut) / most).sqrt())))
        .line(Line::Bad, cuts.iter().map(|(at, cut)| (*at, curve.escape_rate(cut).sqrt())))
        .line(Line::Good, cuts.iter().map(|(at, cut)| (*at, curve.false_reject_rate(cut).sqrt())))
        .limit(f64::from(cut.0 - cut.1));
    let now = cost(&made(curve, cut)) * 1000.0;
    let caption = format!(
        "<i class=\"bad\"></i>defective parts that pass <i class=\"good\"></i>good parts rejected <i class=\"line\"></i>cost, of its greatest; an escape costs {escape_cost} false rejects. Dashed: where the model cuts, at a cost of {now:.1} false rejects for 1000 pictures. Heights are roots."
    );
    figure("Cost by threshold", chart, &caption)
}

/// Milliseconds for preparing and judging.
pub(super) fn latency(ms: &[f64]) -> String {
    let mut sorted = ms.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        sorted
            .get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0)
    };
    let (median, last, longest) = (at(0.5), at(0.99), at(1.0));
    // Few slow pictures would press all others into one bin.
    let end = (last * 1.25).min(longest).max(median * 1.1).max(0.01);
    let mut bins = [0usize; BINS];
    for &ms in &sorted {
        bins[((ms / end * BINS as f64) as usize).min(BINS - 1)] += 1;
    }
    let most = bins.iter().copied().max().unwrap_or(0).max(1);
    let bar = |(bin, &count): (usize, &usize)| {
        let left = (bin as f64 + 0.1) / BINS as f64;
        (left, left + 0.8 / BINS as f64, count_height(count, most))
    };
    let ticks = round_ticks(end);
    let chart = Plane::new("Latency", ("milliseconds", ticks), ("pictures", counts(most)))
        .bars(Line::Time, bins.iter().enumerate().map(bar));
    let caption = format!(
        "Preparing a picture and the model, on one thread of this machine: median {median:.2} ms, 99 of 100 within {last:.2} ms, longest {longest:.2} ms (longer ones stand in the last bar). Heights are logarithmic."
    );
    figure("Latency", chart, &caption)
}
