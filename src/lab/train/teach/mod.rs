//! Teaching: from parts before the line's camera to a model that has learnt them, tested before it may work.
//!
//! Owns the order: pictures, photographs, folds, the model, the golden set, the line. Each has its own place.

mod capture;
mod follow;
mod golden;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{anyhow, bail};
use crossbeam_channel::Receiver;

use super::export::Made;
use super::folds::Course;
use super::load::Loaded;
use super::settings::{Recipe, begun, ends_in_onnx, gently, require};
use super::{enough, load, say, say_data, train};
use crate::album::layout::own;
use crate::camera::FrameSource;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::load::load_or_demonstration;
use crate::lab::UsageError;
use crate::lab::audit::photographs;
use crate::lab::files::try_out;
use crate::lab::labelled::{Folders, Found, Labelled, Names, short_name};
use crate::lab::tell::{Tell, left_aside};
use crate::model::is_built_in;
use crate::model::read::Trained;
use crate::printable::Printable as _;
use crate::score::folds::FoldsReport;
use crate::train::fit::{Fit, Plan};
use crate::train::quality::threshold;
use crate::verdict::Truth;

pub use capture::{Key, label};
use capture::{Labels, Taken, capture};
use golden::{Wrong, install, judge};

/// Steps that few pictures are repeated for, where `--epochs` does not say.
const STEPS: usize = 600;
/// Wrong pictures that are named.
const NAMED: usize = 20;

/// Where labels come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Every part that comes is of this kind.
    All(Truth),
    /// What somebody types, see [`Station::keys`].
    Keys,
    /// A file of lines `FILE,ok` or `FILE,defect`, for a folder camera.
    File(PathBuf),
    /// The subfolders of the folder camera.
    Folders,
}

/// What pictures are taken with.
pub trait Station {
    /// Opens the camera of the configuration.
    ///
    /// # Errors
    /// When it cannot be used.
    fn camera(&self, config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Box<dyn FrameSource>>;

    /// Begins to listen to whoever labels parts.
    ///
    /// # Errors
    /// When nobody can be heard.
    fn keys(&self) -> anyhow::Result<Receiver<Key>>;
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Configuration file; without it, the demonstration line's.
    pub config: Option<PathBuf>,
    /// Folder of the pictures that are taken and learnt from.
    pub data: PathBuf,
    /// Where the labels of parts come from that are taken before it learns; without it, nothing is taken.
    pub labels: Option<Source>,
    /// How many parts are taken; without it, until whoever labels or the camera ends it.
    pub parts: Option<u32>,
    /// Whether nothing is learnt.
    pub only_take: bool,
    /// Model to begin with; without it, the configuration's.
    pub start: Option<PathBuf>,
    /// ONNX file to write; without it, taught.onnx in `data`.
    pub out: Option<PathBuf>,
    /// Folder of pictures that the new model must judge without a mistake.
    pub golden: Option<PathBuf>,
    /// Good parts of the golden set that may be rejected.
    pub golden_rejects: usize,
    /// Whether the new model takes the place of the configuration's, if it passes the golden set.
    pub install: bool,
    /// Folds by which the quality is measured, 2 to 50.
    pub folds: u8,
    /// Passes over the training pictures, 1 to 10,000; without it, as many as make 600 steps, 10 to 200.
    pub epochs: Option<u32>,
    /// Licence of the pictures, for the manifest.
    pub licence: String,
    /// How it is trained.
    pub recipe: Recipe,
    /// The command that asks for it as it was typed, for the manifest.
    pub command: String,
}

/// Takes pictures, learns, tests and installs; `false` when the golden set was not passed and the line's model was left alone.
///
/// # Errors
/// [`UsageError`] when configuration, pictures or settings do not do; others when a device, the model or a file cannot be used.
pub fn run(
    options: &Options,
    station: &dyn Station,
    stop: &AtomicBool,
    tell: Tell<'_>,
) -> anyhow::Result<bool> {
    options.recipe.check()?;
    let config = load_or_demonstration(options.config.as_deref())?.config;
    let out = options.out.clone().unwrap_or_else(|| options.data.join("taught.onnx"));
    ends_in_onnx(&out)?;
    let place = options.install.then(|| place(&config.model.path)).transpose()?;
    let start = options.start.as_deref().unwrap_or(&config.model.path);
    let learnt = begun(start, "teaches")?;
    let golden = options.golden.as_deref().map(golden_set).transpose()?;
    if let Some(labels) = labels(options, station)? {
        let most = options.parts.map(|parts| parts as usize);
        let camera = |clock: &Arc<dyn Clock>| station.camera(&config, clock);
        let Taken { ok, defective, unknown } =
            capture(camera, (&config, &learnt.manifest.input), &labels, (most, &options.data), (stop, tell))?;
        say(tell, &format!("taken     {ok} good, {defective} defective, {unknown} without a label"));
        if options.only_take || stop.load(Ordering::Relaxed) {
            return Ok(true);
        }
    }
    let Found { pictures: files, left } = folders(&options.data).list()?;
    left_aside(&left, tell);
    try_out(&out)?;
    let files = grouped(files, golden.as_deref(), &options.recipe)?;
    before(start, &files, tell)?;
    let lesson = Lesson { options, start: &learnt, stop, tell };
    lesson.learn(files, &out)?;
    let Some(golden) = golden else { return Ok(true) };
    let wrong = judge(&out, &golden)?;
    let passed = wrong.escapes.is_empty() && wrong.false_rejects.len() <= options.golden_rejects;
    say_wrong(tell, "golden", &wrong, golden.len());
    if !passed {
        say(tell, "          not passed: the model of the line is left as it is");
        return Ok(false);
    }
    match place {
        None => say(tell, "          passed; --install would put it to work"),
        Some(place) => {
            install(&out, &place)?;
            say(
                tell,
                &format!(
                    "installed {}; it works from the line's next start on, such as by `systemctl restart castgate`",
                    place.shown()
                ),
            );
        }
    }
    Ok(true)
}

fn folders(data: &Path) -> Folders {
    let own = own();
    Folders { data: data.to_owned(), names: Names { ok: own.ok, defect: own.defect } }
}

/// The pictures of the golden set.
///
/// # Errors
/// [`UsageError`] when something was left aside that may belong to it: a test that is not made is not passed.
fn golden_set(folder: &Path) -> anyhow::Result<Vec<Labelled>> {
    let Found { pictures, left } = folders(folder).list()?;
    require(left.unasked() == 0, || {
        format!("--golden: not all of it can be tested: {}", left.lines().join("; "))
    })?;
    Ok(pictures)
}

/// Where the configuration's model is, if it is a file.
fn place(model: &Path) -> anyhow::Result<PathBuf> {
    require(!is_built_in(model), || {
        format!(
            "--install: `model.path` is {}, which is built in; name a file there first and put a copy of the model at it",
            model.shown()
        )
    })?;
    Ok(model.to_owned())
}

fn labels(options: &Options, station: &dyn Station) -> anyhow::Result<Option<Labels>> {
    Ok(match &options.labels {
        Some(Source::All(truth)) => Some(Labels::All(*truth)),
        Some(Source::Keys) => Some(Labels::Keys(station.keys()?)),
        Some(Source::File(file)) => Some(Labels::read(file)?),
        Some(Source::Folders) => Some(Labels::Folders),
        None => None,
    })
}

/// The pictures with their photographs, as `castgate audit` finds them.
///
/// # Errors
/// [`UsageError`] when a golden picture shows a photograph that is learnt from: then it is no test.
fn grouped(
    mut files: Vec<Labelled>,
    golden: Option<&[Labelled]>,
    recipe: &Recipe,
) -> anyhow::Result<Vec<Labelled>> {
    let all = files.iter().map(|file| ("taught", file.clone()));
    let all: Vec<_> =
        all.chain(golden.unwrap_or_default().iter().map(|file| ("golden", file.clone()))).collect();
    let shown: HashMap<(String, String), u64> = photographs(all, recipe.threads())?;
    let of = |split: &str, name: &str| shown.get(&(split.to_owned(), name.to_owned())).copied();
    files.iter_mut().for_each(|file| file.group = of("taught", &file.name));
    for file in golden.unwrap_or_default() {
        let group = of("golden", &file.name);
        let same = files.iter().find(|taught| group.is_some() && taught.group == group);
        if let Some(taught) = same {
            return Err(UsageError(format!(
                "--golden: {} shows the photograph of {}, which is learnt from: take it out of one of the two",
                file.name, taught.name
            ))
            .into());
        }
    }
    Ok(files)
}

/// Says what the model that is begun with thinks of the parts.
fn before(start: &Path, files: &[Labelled], tell: Tell<'_>) -> anyhow::Result<()> {
    let wrong = judge(start, files)?;
    say(
        tell,
        &format!(
            "before    {} of {} pictures are judged wrong by {}: {} escapes, {} false rejects",
            wrong.escapes.len() + wrong.false_rejects.len(),
            files.len(),
            start.shown(),
            wrong.escapes.len(),
            wrong.false_rejects.len()
        ),
    );
    Ok(())
}

fn say_wrong(tell: Tell<'_>, what: &str, wrong: &Wrong, count: usize) {
    let (escapes, false_rejects) = (wrong.escapes.len(), wrong.false_rejects.len());
    say(tell, &format!("{what:<9} {escapes} escapes and {false_rejects} false rejects of {count} pictures"));
    wrong.escapes.iter().for_each(|name| say(tell, &format!("          escaped   {name}")));
    wrong.false_rejects.iter().for_each(|name| say(tell, &format!("          rejected  {name}")));
}

/// Learning from what was taken.
struct Lesson<'a> {
    options: &'a Options,
    start: &'a Trained,
    stop: &'a AtomicBool,
    tell: Tell<'a>,
}

impl Lesson<'_> {
    fn plan(&self, pictures: usize) -> Plan {
        let (recipe, normalise) = (&self.options.recipe, self.start.manifest.input.normalise);
        let plan = recipe.plan(1, normalise, pictures);
        let enough = STEPS.div_ceil(pictures.div_ceil(plan.batch.max(1)).max(1)).clamp(10, 200);
        let epochs = self.options.epochs.unwrap_or(enough as u32);
        Plan { epochs, ..gently(plan) }
    }

    fn learn(&self, files: Vec<Labelled>, out: &Path) -> anyhow::Result<()> {
        let (recipe, manifest) = (&self.options.recipe, &self.start.manifest);
        let normalise = manifest.input.normalise;
        let loaded =
            load::load(files, self.start.network.input(), normalise, recipe, (self.stop, self.tell))?;
        loaded.tell_skipped(self.tell);
        loaded.all_known()?;
        let threshold = self.fold(&loaded)?;
        let pictures = &loaded.pictures;
        let split = recipe.split(pictures, &(0..pictures.len()).collect::<Vec<_>>());
        enough(pictures, &split)?;
        say(self.tell, "learning from all of them");
        say_data(self.tell, pictures, &split, loaded.skipped.len(), 0);
        let normal = (manifest.input.mean.of(0), manifest.input.std.of(0));
        let plan = self.plan(split.train.len());
        let epochs = plan.epochs;
        let mut fit = Fit::new(self.start.network.clone(), plan, pictures, &split, normal);
        fit.begin_with(self.start.parameters.clone());
        if !train(&mut fit, epochs, None, (self.stop, self.tell))? {
            bail!("stopped; the pictures are kept in {}", self.options.data.shown());
        }
        let best = fit.best().cloned().ok_or_else(|| anyhow!("nothing was learnt"))?;
        let made = Made {
            out,
            data: &short_name(&self.options.data),
            licence: &format!(
                "{}; begun with {}: {}",
                self.options.licence, manifest.name, manifest.training.data_licence
            ),
            command: &self.options.command,
            normalise,
            recipe,
            network: &self.start.network,
            pictures,
            split: &split,
            normal,
            epochs,
            best,
            threshold: Some(threshold),
        };
        made.write(&mut fit, self.tell)
    }

    /// Measures how well parts are judged that were not learnt from, names those that were not, and gives the threshold that they choose.
    fn fold(&self, loaded: &Loaded) -> anyhow::Result<f32> {
        let (recipe, input) = (&self.options.recipe, &self.start.manifest.input);
        let count = usize::from(self.options.folds);
        let course = Course {
            recipe,
            plan: &|pictures| self.plan(pictures),
            network: &self.start.network,
            start: Some((&self.start.parameters, (input.mean.of(0), input.std.of(0)))),
            pictures: &loaded.pictures,
            names: &loaded.names,
        };
        let few = |error: anyhow::Error| match error.downcast::<UsageError>() {
            Ok(UsageError(why)) => {
                UsageError(format!("too few different parts for --folds {count}: {why}")).into()
            }
            Err(error) => error,
        };
        let results = course.run(count, None, (self.stop, self.tell)).map_err(few)?;
        let split = format!("{}: {count} folds that share no photograph", self.options.data.shown());
        let report = FoldsReport::new(split, 0, &results, threshold, loaded.skipped());
        say(self.tell, &format!("\n{report}"));
        for mistake in report.errors.iter().take(NAMED) {
            let kind = if mistake.truth == Truth::Defect { "would escape  " } else { "would be lost " };
            say(
                self.tell,
                &format!("{kind} {} (score {:.3})", mistake.file, mistake.score.unwrap_or(f32::NAN)),
            );
        }
        if report.errors.len() > NAMED {
            say(self.tell, &format!("               and {} more", report.errors.len() - NAMED));
        }
        Ok(report.by_others.threshold)
    }
}
