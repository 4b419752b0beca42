//! Tapering: searches for the network whose tapering suits the parts best.
//!
//! Owns the rounds: who is tried for how long, who goes on, and what is written. Which networks there are is known to `train/taper.rs`, what
//! the results mean to `score/tapering.rs`.

mod book;
mod jobs;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};

use super::load::Loaded;
use super::settings::{Recipe, require};
use super::{enough, load, normal, say, words};
use crate::chart::{Drawing, Mark, Panel, scatter};
use crate::clock::{Clock as _, SystemClock};
use crate::config::manifest::Normalise;
use crate::kernels::MapSize;
use crate::lab::files::{write_png, write_whole};
use crate::lab::known::{Knowing, Listed};
use crate::lab::labelled::ManyFolders;
use crate::lab::tell::Tell;
use crate::lab::{UsageError, speed};
use crate::model::{untold, write};
use crate::network::{Network, Statistics, initial};
use crate::printable::Printable as _;
use crate::score::tapering::{Recommended, Tapering, Tried, choose, mean_and_error, survivors};
use crate::train::split::Split;
use crate::train::taper::{draw, of_the_paper};

use book::{Book, Entry};
use jobs::{Job, Table};

/// Rounds; in each the epochs double and the networks halve.
const ROUNDS: usize = 3;
/// Seconds for timing one network, and fewest passes.
const TIMED_S: f64 = 0.3;
const LEAST_PASSES: usize = 15;

/// What is asked of a search.
#[derive(Debug, Clone)]
pub struct Options {
    /// The pictures.
    pub folders: ManyFolders,
    /// Folder for the results.
    pub out: PathBuf,
    /// Networks that are tried, besides those of `also` and the paper's, 2 to 1000.
    pub networks: u16,
    /// Networks to try in any case, written as `16np-8n-d32`, at the largest of `sizes`.
    pub also: Vec<String>,
    /// Sides of the square pictures that networks see, in pixels, 8 to 512 each.
    pub sizes: Vec<u16>,
    /// Most multiply-adds of a network, in millions, above 0 to 10,000.
    pub most: f64,
    /// Passes over the training pictures in the last round, 1 to 10,000; the first has a quarter of them, the second half.
    pub epochs: u32,
    /// Splits of the pictures on which each network is trained anew, 1 to 20.
    pub splits: u8,
    /// After how many minutes no training starts any more.
    pub minutes: Option<u32>,
    /// What makes pictures alike.
    pub normalise: Normalise,
    /// What is known of the pictures.
    pub knowing: Knowing,
    /// How each network is trained.
    pub recipe: Recipe,
}

/// The pictures at one size, with their splits.
struct AtSize {
    size: MapSize,
    loaded: Loaded,
    /// Each with mean and standard deviation of its training pixels.
    splits: Vec<(Split, (f32, f32))>,
}

/// Searches and writes what it found. Finished trainings are kept in `out`: after a `stop`, or when the time is over, the same options go on
/// from there.
///
/// # Errors
/// [`UsageError`] when settings or pictures do not do; others when a file cannot be written, or when it was stopped before there
/// was anything to compare.
pub fn run(options: &Options, stop: &AtomicBool, tell: Tell<'_>) -> anyhow::Result<Tapering> {
    let networks = candidates(options)?;
    std::fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make the folder {}", options.out.shown()))?;
    let mut book = Book::open(&options.out.join("trainings.jsonl"))?;
    let sized = read(options, &networks, (stop, tell))?;
    let table = Table {
        sized: &sized,
        recipe: &options.recipe,
        normalise: options.normalise,
        stop,
        tell,
        begin: SystemClock.now(),
        seconds: options.minutes.map(|minutes| 60.0 * f64::from(minutes)),
    };
    let (rounds, results) = rounds(options, &networks, &table, &mut book)?;
    if rounds == 0 {
        bail!(
            "stopped before the first round was complete; the same command goes on from {}",
            options.out.shown()
        );
    }
    say(tell, "timing the networks");
    let mut tried = Vec::new();
    for (network, (round, epochs, entries)) in networks.iter().zip(&results) {
        tried.push(figures(network, *round, *epochs, entries, latency(network)?));
    }
    let leaks = sized.first().and_then(|sized| {
        sized.splits.iter().map(|(split, _)| split.leaks(&sized.loaded.pictures)).sum::<Option<usize>>()
    });
    let (at, reason) = choose(&mut tried).context("no network was tried to the end of a round")?;
    let chosen = &tried[at];
    let command = train_command(options, chosen);
    let recommended = Recommended { network: chosen.network.clone(), size: chosen.size, reason, command };
    let found = Tapering {
        split: format!(
            "{}: {} splits, {} % for validation, from seed {}",
            options.folders.names(),
            options.splits,
            options.recipe.validation,
            options.recipe.seed
        ),
        leaks: leaks.map(|leaks| leaks as u64),
        rounds,
        rounds_wanted: ROUNDS,
        recommended,
        tried,
    };
    put(options, &found)?;
    say(tell, &format!("\n{found}"));
    say(
        tell,
        &format!("written   taper.csv, taper.json, taper.svg and taper.png in {}", options.out.shown()),
    );
    Ok(found)
}

/// All networks that are tried, when the settings do.
fn candidates(options: &Options) -> anyhow::Result<Vec<Network>> {
    options.recipe.check()?;
    require(options.most > 0.0 && options.most <= 10_000.0, || {
        format!("--most {} is outside 0 to 10000", options.most)
    })?;
    let sides: Vec<usize> = options.sizes.iter().map(|&side| usize::from(side)).collect();
    let largest = sides.iter().copied().max().unwrap_or(8);
    let most = (options.most * 1e6) as usize;
    let mut networks = draw(usize::from(options.networks), &sides, most, options.recipe.seed);
    require(networks.len() > 1, || {
        format!(
            "--most {} leaves no networks to choose from; use a greater one or smaller --sizes",
            options.most
        )
    })?;
    let mut others: Vec<Network> = of_the_paper(&sides).into_iter().collect();
    for text in &options.also {
        let network = Network::parse(text, MapSize { height: largest, width: largest })
            .map_err(|error| UsageError(format!("--also: {error}")))?;
        others.push(network);
    }
    for other in others {
        if !networks.contains(&other) {
            networks.push(other);
        }
    }
    Ok(networks)
}

/// Reads the pictures once for each size that a network wants.
fn read(
    options: &Options,
    networks: &[Network],
    (stop, tell): (&AtomicBool, Tell<'_>),
) -> anyhow::Result<Vec<AtSize>> {
    let known = options.knowing.read()?;
    let Listed { pictures: files, left_out, .. } = known.list(&options.folders, tell)?;
    let mut sizes: Vec<MapSize> = networks.iter().map(Network::input).collect();
    sizes.sort_by_key(|size| size.height);
    sizes.dedup();
    let mut all = Vec::new();
    for size in sizes {
        let loaded = load::load(files.clone(), size, options.normalise, &options.recipe, (stop, tell))?;
        if known.has_groups() {
            loaded.all_known()?;
        }
        let pictures = &loaded.pictures;
        if all.is_empty() {
            loaded.tell_skipped(tell);
            say(
                tell,
                &format!(
                    "pictures  {} read, {} skipped, {left_out} left out",
                    pictures.len(),
                    loaded.skipped.len()
                ),
            );
        }
        let everything: Vec<usize> = (0..pictures.len()).collect();
        let mut splits = Vec::new();
        for number in 0..u64::from(options.splits) {
            let mut recipe = options.recipe.clone();
            recipe.seed = recipe.seed.wrapping_add(number);
            let split = recipe.split(pictures, &everything);
            enough(pictures, &split)?;
            let normal = normal(pictures, &split);
            splits.push((split, normal));
        }
        all.push(AtSize { size, loaded, splits });
    }
    Ok(all)
}

/// For each network the last round that it completed, its epochs and what its trainings gave.
type Results = Vec<(usize, u32, Vec<Entry>)>;

/// Runs the rounds; how many are complete, and what each network has reached.
fn rounds(
    options: &Options,
    networks: &[Network],
    table: &Table<'_>,
    book: &mut Book,
) -> anyhow::Result<(usize, Results)> {
    let mut results: Results = vec![(0, 0, Vec::new()); networks.len()];
    let mut going: Vec<usize> = (0..networks.len()).collect();
    for round in 1..=ROUNDS {
        let epochs = (options.epochs >> (ROUNDS - round)).max(1);
        say(
            table.tell,
            &format!(
                "round     {round} of {ROUNDS}: {} networks, {epochs} epochs on each of {} splits",
                going.len(),
                options.splits
            ),
        );
        let jobs: Vec<Job<'_>> = going
            .iter()
            .flat_map(|&at| (0..usize::from(options.splits)).map(move |split| (at, split)))
            .filter_map(|(at, split)| table.job(at, &networks[at], split, epochs))
            .collect();
        if !table.work(&jobs, book)? {
            return Ok((round - 1, results));
        }
        for &at in &going {
            let of_network = jobs.iter().filter(|job| job.at == at);
            let entries = of_network.filter_map(|job| book.get(&job.print).cloned()).collect();
            results[at] = (round, epochs, entries);
        }
        let points: Vec<(f64, f64)> = going
            .iter()
            .map(|&at| {
                let aucs: Vec<f64> = results[at].2.iter().map(|entry| entry.auc).collect();
                (mean_and_error(&aucs).0, networks[at].multiply_adds() as f64)
            })
            .collect();
        let keep = survivors(&points, going.len().div_ceil(2));
        going = keep.into_iter().map(|at| going[at]).collect();
        if table.stop.load(Ordering::Relaxed) {
            return Ok((round, results));
        }
    }
    Ok((ROUNDS, results))
}

fn figures(
    network: &Network,
    round: usize,
    epochs: u32,
    entries: &[Entry],
    latency_ms: Option<f64>,
) -> Tried {
    let aucs: Vec<f64> = entries.iter().map(|entry| entry.auc).collect();
    let (auc, auc_error) = mean_and_error(&aucs);
    let accuracies: Vec<f64> = entries.iter().map(|entry| entry.accuracy).collect();
    Tried {
        network: network.to_string(),
        size: network.input().height,
        parameters: network.parameters(),
        multiply_adds: network.multiply_adds(),
        latency_ms,
        round,
        epochs,
        auc,
        auc_error,
        aucs,
        accuracy: mean_and_error(&accuracies).0,
        escapes: entries.iter().map(|entry| entry.escapes).sum(),
        false_rejects: entries.iter().map(|entry| entry.false_rejects).sum(),
        front: false,
        latency_front: false,
    }
}

/// Median milliseconds of the engine for one picture; which weights it has does not matter.
fn latency(network: &Network) -> anyhow::Result<Option<f64>> {
    let mut random = <rand_pcg::Pcg64 as rand::SeedableRng>::seed_from_u64(1);
    let parameters = initial(network, &mut random);
    let onnx = write::onnx(network, &parameters, &Statistics::unit(network));
    let input = load::input(network.input(), Normalise::None, (0.5, 0.25));
    let times = speed::alone(&mut untold(onnx, &input)?, TIMED_S, LEAST_PASSES)?;
    Ok(times.map(|times| times.median_ms))
}

/// How the chosen network is trained on all of the pictures.
fn train_command(options: &Options, chosen: &Tried) -> String {
    format!(
        "castgate train {} --out model.onnx --network {} --size {} --normalise {} {}{}",
        words::folders(&options.folders),
        chosen.network,
        chosen.size,
        options.normalise.name(),
        options.recipe.words(),
        words::knowing(&options.knowing)
    )
}

fn put(options: &Options, found: &Tapering) -> anyhow::Result<()> {
    let file = |name: &str| options.out.join(name);
    write_whole(&file("taper.csv"), found.csv().as_bytes())?;
    write_whole(&file("taper.json"), &serde_json::to_vec_pretty(found)?)?;
    let plot = plot(found);
    write_whole(&file("taper.svg"), plot.svg().as_bytes())?;
    write_png(&file("taper.png"), &plot.picture())
}

/// Quality against work, and against time.
fn plot(found: &Tapering) -> Drawing {
    let mark = |one: &Tried, front: bool| match () {
        () if found.is_recommended(one) => Mark::Chosen,
        () if one.round < found.rounds => Mark::Faint,
        () if front => Mark::Front,
        () => Mark::Plain,
    };
    // Logarithms have no place for a perfect result.
    let worse = |one: &Tried| (1.0 - one.auc).max(1e-5);
    let works = found.tried.iter().map(|one| (one.multiply_adds as f64, worse(one), mark(one, one.front)));
    let timed = found
        .tried
        .iter()
        .filter_map(|one| Some((one.latency_ms?, worse(one), mark(one, one.latency_front))));
    let upwards = "1 - ROC AUC (lower is better)";
    let title =
        format!("Tapering: {} (blue: the front, red: recommended, light: given up early)", found.split);
    scatter(
        &title,
        &[
            Panel { names: ("multiply-adds for a picture", upwards), points: works.collect() },
            Panel { names: ("milliseconds for a picture on one core", upwards), points: timed.collect() },
        ],
    )
}
