//! `castgate teach`: from parts before the line's camera to a model that has learnt them, tested before it may work.
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

use super::export::Made;
use super::folds::Course;
use super::load::Loaded;
use super::settings::{Recipe, begun, ends_in_onnx, gently, require};
use super::{enough, load, say, say_data, stop_on_signal, train};
use crate::album::layout::own;
use crate::commands::audit::photographs;
use crate::commands::files::try_out;
use crate::commands::labelled::{Folders, Found, Labelled, Names, short_name, tell_left};
use crate::commands::{ExitCode, UsageError};
use crate::config::load::load_or_demonstration;
use crate::model::is_built_in;
use crate::model::read::Trained;
use crate::printable::Printable as _;
use crate::score::folds::FoldsReport;
use crate::train::fit::{Fit, Plan};
use crate::train::quality::threshold;
use crate::verdict::Truth;

use capture::{Keys, Labels, Taken, capture};
use golden::{Wrong, install, judge};

/// Steps that few pictures are repeated for, where `--epochs` does not say.
const STEPS: usize = 600;
/// Wrong pictures that are named.
const NAMED: usize = 20;

/// Train the line's model further with pictures of this line's parts
///
/// Takes pictures of parts with the camera of the configuration, each cut out as the model will see it, and saves them below --data under
/// the label from --label, --keys, --labels or --folders. Then trains the configured model, or that of --start, further with all pictures
/// below --data and writes it to --out. It measures the quality by folds: models trained without some of the photographs are tested on
/// those, and it names every part that they judge wrong.
///
/// --golden is a folder of other pictures that the new model must judge without a mistake. Only if it does, --install puts it in the
/// place of the model that the configuration names; that one is kept as `.previous`.
///
/// Without --label, --keys, --labels or --folders it takes no pictures and trains with those that are there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate teach --config castgate.yaml --data parts --label ok --parts 100      good parts on the belt
  castgate teach --config castgate.yaml --data parts --keys                      label each part by a key
  castgate teach --config castgate.yaml --data parts --golden golden --install   learn, test and install

Exit codes: 0 taught, and with --golden the test is passed; 1 the test is not passed: the line's model was left alone;
2 the configuration, the pictures or the settings cannot be used; 3 camera, model or file")]
pub(in crate::commands) struct Args {
    /// Configuration file; without it, the demonstration line's
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the training pictures; new ones are added to it
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Take pictures of parts that are all of this kind
    #[arg(long, value_name = "ok|defect", value_parser = label, group = "labels")]
    label: Option<Truth>,
    /// Take pictures and ask for each label: o (ok), d (defect), s (skip), u (undo) or q (done), each with Enter
    #[arg(long, group = "labels")]
    keys: bool,
    /// Take pictures from a folder camera, with labels from this file: lines of FILE,ok or FILE,defect
    #[arg(long = "labels", value_name = "FILE", group = "labels")]
    file: Option<PathBuf>,
    /// Take pictures from a folder camera, with labels from its subfolders `ok_front` and `def_front`
    #[arg(long, group = "labels")]
    folders: bool,
    /// Take pictures of so many parts; without it, until Ctrl-C, `q` or the camera's end
    #[arg(long, value_name = "N", requires = "labels", value_parser = clap::value_parser!(u32).range(1..))]
    parts: Option<u32>,
    /// Only take pictures
    #[arg(long, requires = "labels")]
    only_take: bool,
    /// Model to begin with; without it, the configuration's
    #[arg(long, value_name = "MODEL")]
    start: Option<PathBuf>,
    /// ONNX file to write; without it, taught.onnx in --data
    #[arg(long, value_name = "MODEL.onnx")]
    out: Option<PathBuf>,
    /// Folder of pictures that the new model must judge without a mistake, in `ok_front` and `def_front`
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// Good parts of the golden set that may be rejected
    #[arg(long, value_name = "N", default_value_t = 0, requires = "golden")]
    golden_rejects: usize,
    /// Replace the configuration's model with the new one, if that passes the golden set
    #[arg(long, requires = "golden")]
    install: bool,
    /// Number of folds for measuring the quality
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u8).range(2..=50))]
    folds: u8,
    /// Passes over the training pictures; without it, as many as make 600 steps, 10 to 200
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: Option<u32>,
    /// Licence of the pictures, for the manifest
    #[arg(long, value_name = "TEXT", default_value = "unknown")]
    licence: String,
    #[command(flatten, next_help_heading = "Training")]
    recipe: Recipe,
}

fn label(text: &str) -> Result<Truth, String> {
    capture::label(text).ok_or_else(|| "not `ok` or `defect`".to_owned())
}

/// Runs the command.
///
/// # Errors
/// [`UsageError`] when configuration, pictures or settings do not do; others when a device, the model or a file cannot be used.
pub(in crate::commands) fn run(args: Args) -> anyhow::Result<ExitCode> {
    args.recipe.check()?;
    let config = load_or_demonstration(args.config.as_deref())?.config;
    let out = args.out.clone().unwrap_or_else(|| args.data.join("taught.onnx"));
    ends_in_onnx(&out)?;
    let place = args.install.then(|| place(&config.model.path)).transpose()?;
    let start = args.start.as_deref().unwrap_or(&config.model.path);
    let learnt = begun(start, "teaches")?;
    let golden = args.golden.as_deref().map(golden_set).transpose()?;
    let stop = Arc::new(AtomicBool::new(false));
    let _watch = stop_on_signal(&stop)?;
    if let Some(labels) = labels(&args)? {
        let most = args.parts.map(|parts| parts as usize);
        let Taken { ok, defective, unknown } =
            capture(&config, &learnt.manifest.input, &labels, most, &args.data, &stop)?;
        say(&format!("taken     {ok} good, {defective} defective, {unknown} without a label"));
        if args.only_take || stop.load(Ordering::Relaxed) {
            return Ok(ExitCode::Ok);
        }
    }
    let Found { pictures: files, left } = folders(&args.data).list()?;
    tell_left(&left);
    try_out(&out)?;
    let files = grouped(files, golden.as_deref(), &args.recipe)?;
    before(start, &files)?;
    let lesson = Lesson { args: &args, start: &learnt, stop: &stop };
    lesson.learn(files, &out)?;
    let Some(golden) = golden else { return Ok(ExitCode::Ok) };
    let wrong = judge(&out, &golden)?;
    let passed = wrong.escapes.is_empty() && wrong.false_rejects.len() <= args.golden_rejects;
    tell("golden", &wrong, golden.len());
    if !passed {
        say("          not passed: the model of the line is left as it is");
        return Ok(ExitCode::No);
    }
    match place {
        None => say("          passed; --install would put it to work"),
        Some(place) => {
            install(&out, &place)?;
            say(&format!(
                "installed {}; it works from the line's next start on, such as by `systemctl restart castgate`",
                place.shown()
            ));
        }
    }
    Ok(ExitCode::Ok)
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

fn labels(args: &Args) -> anyhow::Result<Option<Labels>> {
    Ok(match (args.label, args.keys, &args.file, args.folders) {
        (Some(truth), ..) => Some(Labels::All(truth)),
        (_, true, ..) => Some(Labels::Keys(Keys::listen()?)),
        (_, _, Some(file), _) => Some(Labels::read(file)?),
        (.., true) => Some(Labels::Folders),
        _ => None,
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
fn before(start: &Path, files: &[Labelled]) -> anyhow::Result<()> {
    let wrong = judge(start, files)?;
    say(&format!(
        "before    {} of {} pictures are judged wrong by {}: {} escapes, {} false rejects",
        wrong.escapes.len() + wrong.false_rejects.len(),
        files.len(),
        start.shown(),
        wrong.escapes.len(),
        wrong.false_rejects.len()
    ));
    Ok(())
}

fn tell(what: &str, wrong: &Wrong, count: usize) {
    let (escapes, false_rejects) = (wrong.escapes.len(), wrong.false_rejects.len());
    say(&format!("{what:<9} {escapes} escapes and {false_rejects} false rejects of {count} pictures"));
    wrong.escapes.iter().for_each(|name| say(&format!("          escaped   {name}")));
    wrong.false_rejects.iter().for_each(|name| say(&format!("          rejected  {name}")));
}

/// Learning from what was taken.
struct Lesson<'a> {
    args: &'a Args,
    start: &'a Trained,
    stop: &'a AtomicBool,
}

impl Lesson<'_> {
    fn plan(&self, pictures: usize) -> Plan {
        let (recipe, normalise) = (&self.args.recipe, self.start.manifest.input.normalise);
        let plan = recipe.plan(1, normalise, pictures);
        let enough = STEPS.div_ceil(pictures.div_ceil(plan.batch.max(1)).max(1)).clamp(10, 200);
        let epochs = self.args.epochs.unwrap_or(enough as u32);
        Plan { epochs, ..gently(plan) }
    }

    fn learn(&self, files: Vec<Labelled>, out: &Path) -> anyhow::Result<()> {
        let (recipe, manifest) = (&self.args.recipe, &self.start.manifest);
        let normalise = manifest.input.normalise;
        let loaded = load::load(files, self.start.network.input(), normalise, recipe, self.stop)?;
        loaded.tell_skipped();
        loaded.all_known()?;
        let threshold = self.fold(&loaded)?;
        let pictures = &loaded.pictures;
        let split = recipe.split(pictures, &(0..pictures.len()).collect::<Vec<_>>());
        enough(pictures, &split)?;
        say("learning from all of them");
        say_data(pictures, &split, loaded.skipped.len(), 0);
        let normal = (manifest.input.mean.of(0), manifest.input.std.of(0));
        let plan = self.plan(split.train.len());
        let epochs = plan.epochs;
        let mut fit = Fit::new(self.start.network.clone(), plan, pictures, &split, normal);
        fit.begin_with(self.start.parameters.clone());
        if !train(&mut fit, epochs, None, self.stop)? {
            bail!("stopped; the pictures are kept in {}", self.args.data.shown());
        }
        let best = fit.best().cloned().ok_or_else(|| anyhow!("nothing was learnt"))?;
        let made = Made {
            out,
            data: &short_name(&self.args.data),
            licence: &format!(
                "{}; begun with {}: {}",
                self.args.licence, manifest.name, manifest.training.data_licence
            ),
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
        made.write(&mut fit)
    }

    /// Measures how well parts are judged that were not learnt from, names those that were not, and gives the threshold that they choose.
    fn fold(&self, loaded: &Loaded) -> anyhow::Result<f32> {
        let (recipe, input) = (&self.args.recipe, &self.start.manifest.input);
        let count = usize::from(self.args.folds);
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
        let results = course.run(count, None, self.stop).map_err(few)?;
        let split = format!("{}: {count} folds that share no photograph", self.args.data.shown());
        let report = FoldsReport::new(split, 0, &results, threshold, loaded.skipped());
        say(&format!("\n{report}"));
        for mistake in report.errors.iter().take(NAMED) {
            let kind = if mistake.truth == Truth::Defect { "would escape  " } else { "would be lost " };
            say(&format!("{kind} {} (score {:.3})", mistake.file, mistake.score.unwrap_or(f32::NAN)));
        }
        if report.errors.len() > NAMED {
            say(&format!("               and {} more", report.errors.len() - NAMED));
        }
        Ok(report.by_others.threshold)
    }
}
