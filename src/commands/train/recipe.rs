//! The arguments that say how a network is trained, which several commands share.

use crate::config::manifest::Normalise;
use crate::lab::train::settings;
use crate::network::TAPERED;
use crate::train::augment::Augment;

/// The settings on the command line.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Settings {
    /// The network, layers joined by `-`: for each convolution its channels with `s` for a stride of two pixels, `n` for batch normalisation,
    /// `p` for pooling; last `d` and the units of the dense layer, `d0` for none
    #[arg(long, value_name = "LAYERS", default_value = TAPERED)]
    network: String,
    /// Side of the square picture that the network sees, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 128, value_parser = clap::value_parser!(u16).range(8..=512))]
    size: u16,
    /// Passes over the training pictures
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    epochs: u32,
    /// How to normalise pictures, in training and on the line: `none`, `light` (the same mean and spread of grey), or `round` (find a round
    /// part, and make its place, size, light and ground the same)
    #[arg(long, value_name = "KIND", default_value = "none")]
    normalise: Normalise,
    #[command(flatten)]
    recipe: Recipe,
}

/// How any network is trained.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Recipe {
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
    seed: u64,
    /// Random changes of the training pictures: `none`, `flips` (flips and quarter turns), `full` (framing, light, sharpness and ground too)
    /// or `paper`; then amounts of single kinds, such as `full,motion=0,shift=0.1`; see docs/training.md
    #[arg(long, value_name = "CHANGES", default_value = "full")]
    augment: Augment,
    /// Add so many versions of every picture, altered at random as by `eval --stress` before it is normalised; half of the time training
    /// shows the picture itself
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=50))]
    views: u8,
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
    validation: u8,
    /// Threads; without it, one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl From<Settings> for settings::Settings {
    fn from(Settings { network, size, epochs, normalise, recipe }: Settings) -> Self {
        Self { network, size, epochs, normalise, recipe: recipe.into() }
    }
}

impl From<Recipe> for settings::Recipe {
    fn from(recipe: Recipe) -> Self {
        let Recipe {
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
            threads,
        } = recipe;
        Self {
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
            threads,
        }
    }
}
