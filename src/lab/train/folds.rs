//! Folds: each is trained without, and tested on, its own share of the photographs.
//!
//! Owns the order of the folds and what is kept of each. Training itself is that of every model.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow, bail};

use super::settings::{Recipe, Settings, require};
use super::{enough, load, normal, say, train};
use crate::lab::files::{LARGEST_LIST, try_out, write_json, write_whole};
use crate::lab::known::{Knowing, Listed};
use crate::lab::labelled::ManyFolders;
use crate::lab::tell::Tell;
use crate::network::Network;
use crate::printable::Printable as _;
use crate::regular;
use crate::score::folds::{FoldScores, FoldsReport, Scored};
use crate::train::fit::{Fit, Plan};
use crate::train::pictures::Pictures;
use crate::train::quality::threshold;
use crate::train::split::{folds, leaks};

/// What is asked of the folds.
#[derive(Debug, Clone)]
pub struct Options {
    /// The pictures.
    pub folders: ManyFolders,
    /// What is known of them: which show one photograph must be.
    pub knowing: Knowing,
    /// How many models are trained and tested, 2 to 50.
    pub folds: u8,
    /// Folder that keeps the result of each fold: finished ones are taken from there.
    pub work: Option<PathBuf>,
    /// The network and how it is trained.
    pub settings: Settings,
    /// Where the figures are written to as JSON.
    pub json: Option<PathBuf>,
}

/// Trains and tests all folds.
///
/// # Errors
/// [`UsageError`](crate::lab::UsageError) when pictures or settings do not do; others when a result cannot be written, or when it was
/// stopped.
pub fn run(options: &Options, stop: &AtomicBool, tell: Tell<'_>) -> anyhow::Result<FoldsReport> {
    let Listed { pictures: files, left_out, left } = options.knowing.read()?.list(&options.folders, tell)?;
    options.json.as_deref().map(try_out).transpose()?;
    let settings = &options.settings;
    let network = settings.network()?;
    if let Some(work) = &options.work {
        std::fs::create_dir_all(work).with_context(|| format!("cannot make the folder {}", work.shown()))?;
    }
    let loaded = load::load(files, network.input(), settings.normalise, &settings.recipe, (stop, tell))?;
    loaded.tell_skipped(tell);
    loaded.all_known()?;
    let count = usize::from(options.folds);
    let course = Course {
        recipe: &settings.recipe,
        plan: &|pictures| settings.plan(pictures),
        network: &network,
        start: None,
        pictures: &loaded.pictures,
        names: &loaded.names,
    };
    let results = course.run(count, options.work.as_deref(), (stop, tell))?;
    let data = options.folders.names();
    let split = format!("{data}: {count} folds that share no photograph, seed {}", settings.recipe.seed);
    let mut report = FoldsReport::new(split, left_out as u64, &results, threshold, loaded.skipped());
    report.left_aside = left;
    if let Some(path) = &options.json {
        write_json(path, &report)?;
    }
    Ok(report)
}

/// What every fold works on.
pub(super) struct Course<'a> {
    pub(super) recipe: &'a Recipe,
    /// For a number of training pictures.
    pub(super) plan: &'a dyn Fn(usize) -> Plan,
    pub(super) network: &'a Network,
    /// Weights to begin with, and mean and standard deviation of the pixels that they expect.
    pub(super) start: Option<(&'a [f32], (f32, f32))>,
    pub(super) pictures: &'a Pictures,
    pub(super) names: &'a [String],
}

impl Course<'_> {
    /// Trains and tests `count` folds; finished ones are kept in `work`, where that is given, and taken from there.
    pub(super) fn run(
        &self,
        count: usize,
        work: Option<&Path>,
        (stop, tell): (&AtomicBool, Tell<'_>),
    ) -> anyhow::Result<Vec<FoldScores>> {
        let mut results = Vec::with_capacity(count);
        for (at, tested) in folds(self.pictures, count, self.recipe.seed).iter().enumerate() {
            say(tell, &format!("fold      {} of {count}: {} pictures to test", at + 1, tested.len()));
            let file = work.map(|work| work.join(format!("fold-{}.json", at + 1)));
            results.push(self.one(tested, file.as_deref(), (stop, tell))?);
        }
        Ok(results)
    }

    fn one(
        &self,
        tested: &[usize],
        file: Option<&Path>,
        (stop, tell): (&AtomicBool, Tell<'_>),
    ) -> anyhow::Result<FoldScores> {
        let pictures = self.pictures;
        let others: Vec<usize> = (0..pictures.len()).filter(|at| tested.binary_search(at).is_err()).collect();
        require(!tested.is_empty(), || "fewer photographs than folds; use a smaller --folds".to_owned())?;
        let split = self.recipe.split(pictures, &others);
        enough(pictures, &split)?;
        let plan = (self.plan)(split.train.len());
        let epochs = plan.epochs;
        let normal = self.start.map_or_else(|| normal(pictures, &split), |(_, normal)| normal);
        let mut fit = Fit::new(self.network.clone(), plan, pictures, &split, normal);
        if let Some((parameters, _)) = self.start {
            fit.begin_with(parameters.to_vec());
        }
        let print = format!("{:016x}", fit.print());
        if let Some(done) = file.and_then(|file| finished(file, &print, tested.len())) {
            say(tell, "          finished before");
            return Ok(done);
        }
        if !train(&mut fit, epochs, None, (stop, tell))? {
            bail!("stopped; the folds that are finished are kept where --work says");
        }
        let best = fit.best().cloned().ok_or_else(|| anyhow!("nothing was trained"))?;
        // The threshold is chosen where the epoch was, and never on what is tested.
        let threshold = threshold(&fit.scores(&best.parameters, &best.statistics, &split.validation));
        let scores = fit.scores(&best.parameters, &best.statistics, tested);
        let scored =
            |(&at, (score, truth)): (&usize, _)| Scored { file: self.names[at].clone(), truth, score };
        let result = FoldScores {
            print,
            trained: split.train.len() as u64,
            validated: split.validation.len() as u64,
            leaks: leaks(pictures, &others, tested).map(|leaks| leaks as u64),
            epoch: best.epoch,
            threshold,
            scores: tested.iter().zip(scores).map(scored).collect(),
        };
        if let Some(file) = file {
            write_whole(file, &serde_json::to_vec_pretty(&result)?)?;
        }
        Ok(result)
    }
}

/// The result of a fold that was finished before, if the file holds that of this very fold.
fn finished(file: &Path, print: &str, tested: usize) -> Option<FoldScores> {
    let kept: FoldScores = serde_json::from_slice(&regular::read(file, LARGEST_LIST).ok()?).ok()?;
    (kept.print == print && kept.scores.len() == tested).then_some(kept)
}
