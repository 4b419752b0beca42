//! Pruning: takes channels out of a trained model step by step, trains the rest a little after each, and keeps the smallest model
//! that is good enough.
//!
//! Owns the order of the steps, the curve and the choice. What is taken out is known to `train/prune.rs`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::anyhow;

use super::export::Made;
use super::settings::{Recipe, begun, ends_in_onnx, gently, require};
use super::{enough, load, say, say_data, train};
use crate::config::manifest::Normalise;
use crate::lab::files::{try_out, write_whole};
use crate::lab::known::{Knowing, Listed};
use crate::lab::labelled::ManyFolders;
use crate::lab::tell::Tell;
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

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// ONNX file of the model, or the name of a built-in one.
    pub model: PathBuf,
    /// The pictures.
    pub folders: ManyFolders,
    /// ONNX file to write; its manifest gets the same name with `.yaml`, the curve with `.csv`.
    pub out: PathBuf,
    /// Where to stop, in percent of the first model's multiply-adds, 1 to 95.
    pub down_to: u8,
    /// What a step takes away, in percent of the multiply-adds that are left, 1 to 50.
    pub step: u8,
    /// What errors on the validation pictures may cost more than before, in good parts rejected for every hundred pictures, 0 to 1000.
    pub tolerance: f64,
    /// Passes over the training pictures after each step, 1 to 1000.
    pub epochs: u32,
    /// What is known of the pictures.
    pub knowing: Knowing,
    /// How it is trained after each step.
    pub recipe: Recipe,
    /// The command that asks for it as it was typed, for the manifest.
    pub command: String,
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
    options: &'a Options,
    normalise: Normalise,
    normal: (f32, f32),
    pictures: &'a Pictures,
    split: &'a Split,
}

/// Makes the model smaller, step by step; whether one was smaller and good enough, and was written. A `stop` ends it early: the choice is
/// then made among the steps that are complete.
///
/// # Errors
/// [`UsageError`](crate::lab::UsageError) when settings or pictures do not allow it; others when the model is none of castgate's, or a file cannot be written.
pub fn run(options: &Options, stop: &AtomicBool, tell: Tell<'_>) -> anyhow::Result<bool> {
    options.recipe.check()?;
    require((0.0..=1000.0).contains(&options.tolerance), || {
        format!("--tolerance {} is outside 0 to 1000", options.tolerance)
    })?;
    ends_in_onnx(&options.out)?;
    try_out(&options.out)?;
    let Trained { network, parameters, statistics, inverted: _, manifest } = begun(&options.model, "prunes")?;
    let known = options.knowing.read()?;
    let Listed { pictures: files, left_out, .. } = known.list(&options.folders, tell)?;
    let normalise = manifest.input.normalise;
    let loaded = load::load(files, network.input(), normalise, &options.recipe, (stop, tell))?;
    loaded.tell_skipped(tell);
    if known.has_groups() {
        loaded.all_known()?;
    }
    let pictures = loaded.pictures;
    let split = options.recipe.split(&pictures, &(0..pictures.len()).collect::<Vec<_>>());
    enough(&pictures, &split)?;
    say_data(tell, &pictures, &split, loaded.skipped.len(), left_out);
    let normal = (manifest.input.mean.of(0), manifest.input.std.of(0));
    let course = Course { options, normalise, normal, pictures: &pictures, split: &split };
    let points = course.walk(Grown { network, parameters, statistics }, (stop, tell))?;
    write_whole(&options.out.with_extension("csv"), csv(&points).as_bytes())?;
    let costs: Vec<f64> = points.iter().map(|point| course.cost(point)).collect();
    let chosen = choose(&costs, options.tolerance / 100.0);
    if chosen == 0 {
        say(
            tell,
            "chosen    none: the errors of every smaller model cost more than --tolerance allows; no model was written",
        );
        return Ok(false);
    }
    course.write(&points[chosen], &points[0], &manifest.training.data_licence, tell)?;
    Ok(true)
}

impl Course<'_> {
    fn cost(&self, point: &Point) -> f64 {
        point.quality.cost(self.split.validation.len())
    }

    fn fit(&self, grown: &Grown) -> Fit<'_> {
        let plan = self.options.recipe.plan(self.options.epochs, self.normalise, self.split.train.len());
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
    fn walk(&self, whole: Grown, (stop, tell): (&AtomicBool, Tell<'_>)) -> anyhow::Result<Vec<Point>> {
        let first = self.judged(&mut self.fit(&whole), whole, 0);
        say(tell, "multiply-adds  parameters  accuracy  ROC AUC  escapes  false rejects  network");
        show(tell, &first);
        let floor = first.multiply_adds() * usize::from(self.options.down_to) / 100;
        let worst = self.cost(&first) + HOPE * self.options.tolerance / 100.0;
        let mut points = vec![first];
        while let Some(last) = points.last().filter(|last| last.multiply_adds() > floor) {
            if stop.load(Ordering::Relaxed) || self.cost(last) > worst {
                break;
            }
            let wanted = last.multiply_adds() * (100 - usize::from(self.options.step)) / 100;
            let outputs =
                self.fit(&last.grown).outputs(&last.grown.parameters, &last.grown.statistics, MEASURED_ON);
            let Some(less) = last.grown.without_least(&outputs, wanted.max(floor)) else { break };
            let mut fit = self.fit(&less);
            if !train(&mut fit, self.options.epochs, None, (stop, tell))? {
                break;
            }
            let Candidate { epoch, parameters, statistics, .. } =
                fit.best().cloned().ok_or_else(|| anyhow!("nothing was trained"))?;
            let point = self.judged(&mut fit, Grown { network: less.network, parameters, statistics }, epoch);
            show(tell, &point);
            points.push(point);
        }
        Ok(points)
    }

    fn write(&self, chosen: &Point, first: &Point, licence: &str, tell: Tell<'_>) -> anyhow::Result<()> {
        let share = 100.0 * chosen.multiply_adds() as f64 / first.multiply_adds() as f64;
        say(
            tell,
            &format!(
                "chosen    {}: {share:.0} % of the work; errors cost {:.2} for every hundred pictures, were {:.2}",
                chosen.grown.network,
                100.0 * self.cost(chosen),
                100.0 * self.cost(first)
            ),
        );
        let Grown { network, parameters, statistics } = &chosen.grown;
        let best = Candidate {
            epoch: chosen.epoch,
            parameters: parameters.clone(),
            statistics: statistics.clone(),
            quality: chosen.quality,
        };
        let made = Made {
            out: &self.options.out,
            data: &self.options.folders.names(),
            licence,
            command: &self.options.command,
            normalise: self.normalise,
            recipe: &self.options.recipe,
            network,
            pictures: self.pictures,
            split: self.split,
            normal: self.normal,
            epochs: self.options.epochs,
            best,
            threshold: None,
        };
        made.write(&mut self.fit(&chosen.grown), tell)
    }
}

/// The last, which is the smallest, of those that cost at most `tolerance` more than the first.
fn choose(costs: &[f64], tolerance: f64) -> usize {
    let most = costs.first().map_or(0.0, |first| first + tolerance);
    // Shares of a few hundred pictures are no exact numbers.
    costs.iter().rposition(|cost| *cost <= most + 1e-9).unwrap_or(0)
}

fn show(tell: Tell<'_>, Point { grown, quality, .. }: &Point) {
    say(
        tell,
        &format!(
            "{:>13}  {:>10}  {:>8.4}  {:>7.4}  {:>7}  {:>13}  {}",
            grown.network.multiply_adds(),
            grown.network.parameters(),
            quality.accuracy,
            quality.auc,
            quality.escapes,
            quality.false_rejects,
            grown.network
        ),
    );
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
