//! How a network is trained: the settings that `train` and the folds of `eval` share.

use std::path::Path;

use crate::config::manifest::Normalise;
use crate::kernels::MapSize;
use crate::lab::UsageError;
use crate::model::read::{Trained, trained};
use crate::network::Network;
use crate::printable::Printable as _;
use crate::train::augment::{Augment, Kind};
use crate::train::fit::Plan;
use crate::train::pictures::Pictures;
use crate::train::split::{Split, Together};

/// A network and how it is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The network: convolutions as CHANNELS with `s` for steps of two pixels, `n` for batch normalisation and `p` for pooling, then `d` and
    /// the units of the dense layer, `d0` for none; usually [`TAPERED`](crate::network::TAPERED).
    pub network: String,
    /// Side of the square picture that the network sees, in pixels, 8 to 512.
    pub size: u16,
    /// Passes over the training pictures, 1 to 10,000.
    pub epochs: u32,
    /// What makes pictures alike, in training and ever after.
    pub normalise: Normalise,
    /// How it is trained.
    pub recipe: Recipe,
}

/// How any network is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Pictures for one training step, 2 to 1024.
    pub batch: u16,
    /// Greatest learning rate, above 0 to 1.
    pub rate: f64,
    /// Shrinks every weight by this share of the learning rate at every step, 0 to 10.
    pub decay: f64,
    /// Seed of everything random: split, weights, order and changes of the pictures.
    pub seed: u64,
    /// Changes to the training pictures.
    pub augment: Augment,
    /// In how many more ways every picture is shown, altered at random, 0 to 50.
    pub views: u8,
    /// Draws labels towards 0.5 by this share, 0 to 0.5.
    pub smoothing: f64,
    /// Keeps the weights averaged over about so many epochs, 0 to 20, instead of those of the last step.
    pub average: f64,
    /// How far good and defective parts, and photographs, are drawn equally often, 0 to 1.
    pub balance: f64,
    /// Whether it is trained on every photograph: pictures of one may be on both sides then.
    pub all_photographs: bool,
    /// Share of the pictures kept for validation, in percent, 5 to 50.
    pub validation: u8,
    /// Threads, 1 to 256; without it, one for each core.
    pub threads: Option<u16>,
}

impl Settings {
    /// The network, when the settings do.
    ///
    /// # Errors
    /// [`UsageError`] naming the setting that does not.
    pub(super) fn network(&self) -> anyhow::Result<Network> {
        let side = usize::from(self.size);
        let network = Network::parse(&self.network, MapSize { height: side, width: side })
            .map_err(|error| UsageError(format!("--network: {error}")))?;
        self.recipe.check()?;
        Ok(network)
    }

    /// What is asked of a run on `pictures` training pictures.
    pub(super) fn plan(&self, pictures: usize) -> Plan {
        self.recipe.plan(self.epochs, self.normalise, pictures)
    }
}

impl Recipe {
    /// # Errors
    /// [`UsageError`] naming the setting that does not do.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let (rate, smoothing) = (self.rate, self.smoothing);
        require(rate > 0.0 && rate <= 1.0, || format!("--rate {rate} is outside 0 to 1"))?;
        require((0.0..=0.5).contains(&smoothing), || format!("--smoothing {smoothing} is outside 0 to 0.5"))?;
        let (average, decay) = (self.average, self.decay);
        require((0.0..=10.0).contains(&decay), || format!("--decay {decay} is outside 0 to 10"))?;
        require((0.0..=20.0).contains(&average), || format!("--average {average} is outside 0 to 20"))?;
        let balance = self.balance;
        require((0.0..=1.0).contains(&balance), || format!("--balance={balance} is outside 0 to 1"))
    }

    pub(super) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(256);
        self.threads.map_or_else(cores, usize::from)
    }

    /// The pictures `among` all, divided into those to train on and those to choose by.
    pub(super) fn split(&self, pictures: &Pictures, among: &[usize]) -> Split {
        let together = if self.all_photographs { Together::Pixels } else { Together::Photographs };
        Split::among(pictures, among, f64::from(self.validation) / 100.0, self.seed, together)
    }

    /// The changes to training pictures: where the ground is made the same anyway, it is not changed.
    pub(super) fn augment(&self, normalise: Normalise) -> Augment {
        match normalise {
            Normalise::Round => self.augment.without(Kind::Ground),
            _ => self.augment,
        }
    }

    /// The same settings as words of a command line, but for the threads.
    pub(super) fn words(&self) -> String {
        let Self {
            batch,
            rate,
            decay,
            seed,
            augment,
            views,
            smoothing,
            average,
            balance,
            all_photographs,
            validation,
            threads: _,
        } = self;
        let balance = if *balance > 0.0 { format!(" --balance={balance}") } else { String::new() };
        let decay = if *decay > 0.0 { format!(" --decay {decay}") } else { String::new() };
        let all = if *all_photographs { " --all-photographs" } else { "" };
        format!(
            "--batch {batch} --rate {rate}{decay} --seed {seed} --augment {augment} --views {views} --smoothing {smoothing} --average {average} --validation {validation}{balance}{all}"
        )
    }

    /// What is asked of a run of `epochs` on `pictures` training pictures.
    pub(super) fn plan(&self, epochs: u32, normalise: Normalise, pictures: usize) -> Plan {
        Plan {
            epochs,
            batch: usize::from(self.batch).min(pictures),
            rate: self.rate,
            decay: self.decay,
            seed: self.seed,
            augment: self.augment(normalise),
            smoothing: self.smoothing,
            average: self.average,
            balance: self.balance,
            threads: self.threads(),
        }
    }
}

/// Fine-tuning moves weights less than training from nothing: this share of the learning rate.
const GENTLE: f64 = 1.0 / 3.0;

/// The same plan for weights that have learnt something already.
pub(super) fn gently(plan: Plan) -> Plan {
    Plan { rate: plan.rate * GENTLE, ..plan }
}

/// Refuses a name of a model that does not end in `.onnx`.
pub(super) fn ends_in_onnx(out: &Path) -> anyhow::Result<()> {
    let is_onnx = out.extension().is_some_and(|extension| extension == "onnx");
    require(is_onnx, || format!("--out {} must end in `.onnx`", out.shown()))
}

/// The model at `path`, whose weights go on learning; `does` says what castgate does to it.
///
/// # Errors
/// [`UsageError`] when it answers with the probability of OK; others when it is none that `castgate train` wrote.
pub(super) fn begun(path: &Path, does: &str) -> anyhow::Result<Trained> {
    let trained = trained(path)?;
    require(!trained.inverted, || {
        format!("the model answers with the probability of OK; castgate {does} those it trained")
    })?;
    Ok(trained)
}

/// A [`UsageError`] unless something holds.
pub(super) fn require(holds: bool, problem: impl FnOnce() -> String) -> anyhow::Result<()> {
    if holds { Ok(()) } else { Err(UsageError(problem()).into()) }
}
