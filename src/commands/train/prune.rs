//! `castgate prune`: takes channels out of a trained model step by step, trains the rest a little after each, and keeps the smallest model
//! that is good enough.
//!
//! Owns the order of the steps, the curve and the choice. What is taken out is known to `train/prune.rs`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;

use super::export::Made;
use super::settings::{Recipe, begun, ends_in_onnx, gently, require};
use super::{enough, load, say, say_data, stop_on_signal, train};
use crate::commands::ExitCode;
use crate::commands::files::{try_out, write_whole};
use crate::commands::known::{Knowing, Listed};
use crate::commands::labelled::ManyFolders;
use crate::config::manifest::Normalise;
use crate::model::read::Trained;
use crate::train::fit::{Candidate, Fit};
use crate::train::pictures::Pictures;
use crate::train::prune::Grown;
use crate::train::quality::{Quality, judge, threshold};
use crate::train::split::Split;

/// Training pictures by which the importance of channels is measured.
const MEASURED_ON: usize = 256;
/// The curve goes on past the tolerance by so many times of it: a step may lose what the next one's training finds again.
const HOPE: f64 = 4.0;

/// Make a trained model smaller
///
/// Removes whole channels from a model that `castgate train` wrote, first those that matter least for the work they cost, and trains the
/// rest a little after each step. Writes the curve of quality against size (OUT.csv) and the smallest model whose errors on the
/// validation pictures cost at most --tolerance more than those of the first; a defective part that passes costs as much as ten good
/// ones that are rejected.
///
/// Ctrl-C ends it early and chooses among the complete steps.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate prune impeller.onnx --data pictures --out small.onnx
  castgate prune impeller.onnx --data pictures --out small.onnx --down-to 20 --epochs 8 --groups groups.csv

Exit codes: 0 made smaller, 1 nothing could be removed: no model was written, 2 the model, the pictures or the settings cannot be used,
3 a file cannot be read or written")]
pub(in crate::commands) struct Args {
    /// ONNX file of the model, or `demo` or `casting` for a built-in one
    #[arg(value_name = "MODEL.onnx")]
    model: PathBuf,
    #[command(flatten)]
    folders: ManyFolders,
    /// ONNX file to write; its manifest gets the same name with `.yaml`, the curve with `.csv`
    #[arg(long, value_name = "OUT.onnx")]
    out: PathBuf,
    /// Stop at this share of the first model's multiply-adds, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 30, value_parser = clap::value_parser!(u8).range(1..=95))]
    down_to: u8,
    /// Share of the remaining multiply-adds to remove in each step, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 15, value_parser = clap::value_parser!(u8).range(1..=50))]
    step: u8,
    /// How much more errors on the validation pictures may cost than before, in good parts rejected for every hundred pictures
    #[arg(long, value_name = "POINTS", default_value_t = 0.5)]
    tolerance: f64,
    /// Passes over the training pictures after each step
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    #[command(flatten)]
    knowing: Knowing,
    #[command(flatten, next_help_heading = "Training after each step")]
    recipe: Recipe,
}

/// One point of the curve.
struct Point {
    grown: Grown,
    epoch: u32,
    quality: Quality,
    threshold: f32,
}

impl Point {
    fn multiply_adds(&self) -> usize {
        self.grown.network.multiply_adds()
    }
}

/// What every step works on.
struct Course<'a> {
    args: &'a Args,
    normalise: Normalise,
    normal: (f32, f32),
    pictures: &'a Pictures,
    split: &'a Split,
}

/// Runs the pruning.
///
/// # Errors
/// [`crate::commands::UsageError`] when settings or pictures do not allow it; others when the model is none of castgate's, or a file cannot be written.
pub(in crate::commands) fn run(args: Args) -> anyhow::Result<ExitCode> {
    args.recipe.check()?;
    require((0.0..=1000.0).contains(&args.tolerance), || {
        format!("--tolerance {} is outside 0 to 1000", args.tolerance)
    })?;
    ends_in_onnx(&args.out)?;
    try_out(&args.out)?;
    let Trained { network, parameters, statistics, inverted: _, manifest } = begun(&args.model, "prunes")?;
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    let known = args.knowing.read()?;
    let Listed { pictures: files, left_out, .. } = known.list(&args.folders)?;
    let normalise = manifest.input.normalise;
    let loaded = load::load(files, network.input(), normalise, &args.recipe, &stop)?;
    loaded.tell_skipped();
    if known.has_groups() {
        loaded.all_known()?;
    }
    let pictures = loaded.pictures;
    let split = args.recipe.split(&pictures, &(0..pictures.len()).collect::<Vec<_>>());
    enough(&pictures, &split)?;
    say_data(&pictures, &split, loaded.skipped.len(), left_out);
    let normal = (manifest.input.mean.of(0), manifest.input.std.of(0));
    let course = Course { args: &args, normalise, normal, pictures: &pictures, split: &split };
    let points = course.walk(Grown { network, parameters, statistics }, &stop)?;
    write_whole(&args.out.with_extension("csv"), csv(&points).as_bytes())?;
    let costs: Vec<f64> = points.iter().map(|point| course.cost(point)).collect();
    let chosen = choose(&costs, args.tolerance / 100.0);
    if chosen == 0 {
        say(
            "chosen    none: the errors of every smaller model cost more than --tolerance allows; no model was written",
        );
        return Ok(ExitCode::No);
    }
    course.write(&points[chosen], &points[0], &manifest.training.data_licence)?;
    Ok(ExitCode::Ok)
}

impl Course<'_> {
    fn cost(&self, point: &Point) -> f64 {
        point.quality.cost(self.split.validation.len())
    }

    fn fit(&self, grown: &Grown) -> Fit<'_> {
        let plan = self.args.recipe.plan(self.args.epochs, self.normalise, self.split.train.len());
        let mut fit = Fit::new(grown.network.clone(), gently(plan), self.pictures, self.split, self.normal);
        fit.begin_with(grown.parameters.clone());
        fit
    }

    fn judged(&self, fit: &mut Fit<'_>, grown: Grown, epoch: u32) -> Point {
        let judged = fit.scores(&grown.parameters, &grown.statistics, &self.split.validation);
        let threshold = threshold(&judged);
        Point { grown, epoch, quality: judge(&judged, threshold), threshold }
    }

    /// The curve, from the whole model down.
    fn walk(&self, whole: Grown, stop: &AtomicBool) -> anyhow::Result<Vec<Point>> {
        let first = self.judged(&mut self.fit(&whole), whole, 0);
        say("multiply-adds  parameters  accuracy  ROC AUC  escapes  false rejects  network");
        show(&first);
        let floor = first.multiply_adds() * usize::from(self.args.down_to) / 100;
        let worst = self.cost(&first) + HOPE * self.args.tolerance / 100.0;
        let mut points = vec![first];
        while let Some(last) = points.last().filter(|last| last.multiply_adds() > floor) {
            if stop.load(Ordering::Relaxed) || self.cost(last) > worst {
                break;
            }
            let wanted = last.multiply_adds() * (100 - usize::from(self.args.step)) / 100;
            let outputs =
                self.fit(&last.grown).outputs(&last.grown.parameters, &last.grown.statistics, MEASURED_ON);
            let Some(less) = last.grown.without_least(&outputs, wanted.max(floor)) else { break };
            let mut fit = self.fit(&less);
            if !train(&mut fit, self.args.epochs, None, stop)? {
                break;
            }
            let Candidate { epoch, parameters, statistics, .. } =
                fit.best().cloned().ok_or_else(|| anyhow!("nothing was trained"))?;
            let point = self.judged(&mut fit, Grown { network: less.network, parameters, statistics }, epoch);
            show(&point);
            points.push(point);
        }
        Ok(points)
    }

    fn write(&self, chosen: &Point, first: &Point, licence: &str) -> anyhow::Result<()> {
        let share = 100.0 * chosen.multiply_adds() as f64 / first.multiply_adds() as f64;
        say(&format!(
            "chosen    {}: {share:.0} % of the work; errors cost {:.2} for every hundred pictures, were {:.2}",
            chosen.grown.network,
            100.0 * self.cost(chosen),
            100.0 * self.cost(first)
        ));
        let Grown { network, parameters, statistics } = &chosen.grown;
        let best = Candidate {
            epoch: chosen.epoch,
            parameters: parameters.clone(),
            statistics: statistics.clone(),
            quality: chosen.quality,
        };
        let made = Made {
            out: &self.args.out,
            data: &self.args.folders.names(),
            licence,
            normalise: self.normalise,
            recipe: &self.args.recipe,
            network,
            pictures: self.pictures,
            split: self.split,
            normal: self.normal,
            epochs: self.args.epochs,
            best,
            threshold: None,
        };
        made.write(&mut self.fit(&chosen.grown))
    }
}

/// The last, which is the smallest, of those that cost at most `tolerance` more than the first.
fn choose(costs: &[f64], tolerance: f64) -> usize {
    let most = costs.first().map_or(0.0, |first| first + tolerance);
    // Shares of a few hundred pictures are no exact numbers.
    costs.iter().rposition(|cost| *cost <= most + 1e-9).unwrap_or(0)
}

fn show(Point { grown, quality, .. }: &Point) {
    say(&format!(
        "{:>13}  {:>10}  {:>8.4}  {:>7.4}  {:>7}  {:>13}  {}",
        grown.network.multiply_adds(),
        grown.network.parameters(),
        quality.accuracy,
        quality.auc,
        quality.escapes,
        quality.false_rejects,
        grown.network
    ));
}

fn csv(points: &[Point]) -> String {
    let mut text =
        "network,parameters,multiply_adds,threshold,accuracy,auc,loss,escapes,false_rejects\n".to_owned();
    for Point { grown, quality, threshold, .. } in points {
        let Quality { loss, accuracy, auc, escapes, false_rejects } = quality;
        let (network, parameters) = (&grown.network, grown.network.parameters());
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "{network},{parameters},{},{threshold},{accuracy:.5},{auc:.5},{loss:.5},{escapes},{false_rejects}",
            network.multiply_adds()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn the_smallest_that_costs_little_more_is_chosen_even_behind_one_that_costs_too_much() {
        assert_eq!(choose(&[0.02, 0.03, 0.024, 0.05], 0.005), 2);
        assert_eq!(choose(&[0.02, 0.03], 0.005), 0);
        assert_eq!(choose(&[0.5, 0.1], 0.0), 1);
        assert_eq!(choose(&[], 1.0), 0);
    }
}
