//! How a network is trained: the settings that `train` and the folds of `eval` share.

use std::path::Path;

use crate::commands::UsageError;
use crate::config::manifest::Normalise;
use crate::kernels::MapSize;
use crate::model::read::{Trained, trained};
use crate::network::Network;
use crate::network::TAPERED;
use crate::printable::Printable as _;
use crate::train::augment::{Augment, Kind};
use crate::train::fit::Plan;
use crate::train::pictures::Pictures;
use crate::train::split::{Split, Together};

/// The settings on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::commands) struct Settings {
    /// The network, layers joined by `-`: for each convolution its channels with `s` for a stride of two pixels, `n` for batch normalisation,
    /// `p` for pooling; last `d` and the units of the dense layer, `d0` for none
    #[arg(long, value_name = "LAYERS", default_value = TAPERED)]
    network: String,
    /// Side of the square picture that the network sees, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 128, value_parser = clap::value_parser!(u16).range(8..=512))]
    pub(super) size: u16,
    /// Passes over the training pictures
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) epochs: u32,
    /// How to normalise pictures, in training and on the line: `none`, `light` (the same mean and spread of grey), or `round` (find a round
    /// part, and make its place, size, light and ground the same)
    #[arg(long, value_name = "KIND", default_value = "none")]
    pub(super) normalise: Normalise,
    #[command(flatten)]
    pub(super) recipe: Recipe,
}

/// How any network is trained.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::commands) struct Recipe {
    /// Pictures for one training step
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(2..=1024))]
    batch: u16,
    /// Greatest learning rate
    #[arg(long, value_name = "RATE", default_value_t = 0.003)]
    rate: f64,
    /// Weight decay: shrink every weight by this share of the learning rate at every step, 0 to 10, against memorising
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    decay: f64,
    /// Seed of everything random: split, weights, order and changes of the pictures
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Random changes of the training pictures: `none`, `flips` (flips and quarter turns), `full` (framing, light, sharpness and ground too)
    /// or `paper`; then amounts of single kinds, such as `full,motion=0,shift=0.1`; see docs/training.md
    #[arg(long, value_name = "CHANGES", default_value = "full")]
    augment: Augment,
    /// Add so many versions of every picture, altered at random as by `eval --stress` before it is normalised; half of the time training
    /// shows the picture itself
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=50))]
    pub(super) views: u8,
    /// Label smoothing: move labels towards 0.5 by this share, 0 to 0.5, so that scores are less confident and wrong labels less harmful
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    smoothing: f64,
    /// Keep the mean of the weights over about so many epochs, 0 to 20, instead of those of the last step: steadier, at no cost on the line
    #[arg(long, value_name = "EPOCHS", default_value_t = 0.0)]
    average: f64,
    /// Draw good and defective parts equally often, and every photograph equally often, whatever the number of its pictures; with a share
    /// between 0 and 1 photographs only partly so. Give --groups, so that photographs are known
    #[arg(long, value_name = "SHARE", num_args = 0..=1, require_equals = true, default_missing_value = "1", default_value_t = 0.0)]
    balance: f64,
    /// Train on every photograph, also on those that validation uses: its figures then only say what the model remembers. For the final
    /// model, when `eval --folds` has judged this way of training
    #[arg(long)]
    all_photographs: bool,
    /// Share of the pictures kept for validation, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u8).range(5..=50))]
    pub(super) validation: u8,
    /// Threads; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
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
