//! `castgate threshold`: threshold and unsure band for given costs, or for a promise about escapes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::files::{try_out, write_json, write_whole};
use super::labelled::{Folders, Found, short_name, tell_left};
use super::{ExitCode, UsageError, print};
use crate::config::yaml;
use crate::decide::Policy;
use crate::lab::judge::Judge;
use crate::model;
use crate::printable::Printable as _;
use crate::regular;
use crate::score::bounds::upper_bound;
use crate::score::curves::{Curve, Cut};
use crate::score::row::Answer;
use crate::score::threshold::{Aim, choose};
use crate::units::Share;
use crate::verdict::Truth;

/// Choose threshold and unsure band for given costs, or for a promise about escapes
///
/// Judges labelled pictures that the model was not trained on. Parts that score below the unsure band pass; within it
/// the pictures show parts of both kinds, above it only defective ones. A promise holds if the pictures are a fair sample of
/// the parts on the line: copies of one photograph prove no more than one of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  castgate threshold --model parts.onnx --data more-parts --escape-cost 50
  castgate threshold --model parts.onnx --data more-parts --max-escape-rate 1% --confidence 95% --write

Exit codes: 0 chosen, 2 the pictures cannot be used or do not prove the promise, 3 the model cannot be used or written")]
pub(super) struct Args {
    /// ONNX file with its manifest beside it, or `demo` or `casting` for a built-in model
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Where the pictures are
    #[command(flatten)]
    folders: Folders,
    /// What a defective part that passes costs, in any unit
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = cost, conflicts_with = "max_escape_rate")]
    escape_cost: f64,
    /// What a good part that is rejected costs, in the same unit
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = cost, conflicts_with = "max_escape_rate")]
    reject_cost: f64,
    /// Promise that at most this share of defective parts passes, such as 1%
    #[arg(long, value_name = "SHARE", value_parser = between)]
    max_escape_rate: Option<Share>,
    /// Probability that the promise is kept
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = between)]
    confidence: Share,
    /// Write threshold and unsure band into the model's manifest
    #[arg(long)]
    write: bool,
    /// Write choice and curve as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn cost(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1e9).contains(&value) { Ok(value) } else { Err("not between 0 and 1000000000".to_owned()) }
}

/// A share that is neither nothing nor all.
fn between(text: &str) -> Result<Share, String> {
    let share: Share = text.parse().map_err(|error: crate::units::UnitError| error.to_string())?;
    let inside = (1e-6..=1.0 - 1e-6).contains(&share.as_fraction());
    inside.then_some(share).ok_or_else(|| format!("`{text}` is not between 0% and 100%"))
}

/// Runs the command.
///
/// # Errors
/// [`UsageError`] when the pictures do not allow the choice; others when the model cannot be used or its manifest not be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let usage = |text: String| UsageError(text);
    let manifest = args.model.with_extension("yaml");
    if args.write && model::is_built_in(&args.model) {
        let name = args.model.shown();
        return Err(usage(format!(
            "--write: `{name}` is built in and has no manifest to write; copy models/{name}.onnx and .yaml"
        ))
        .into());
    }
    if args.write {
        // Not after thousands of pictures.
        try_out(&manifest)?;
    }
    args.json.as_deref().map(try_out).transpose()?;
    let Found { pictures, left } = args.folders.list()?;
    tell_left(&left);
    let mut judge = Judge::new(&args.model, None)?;
    let (mut scores, mut left_out) = (Vec::with_capacity(pictures.len()), 0);
    for picture in &pictures {
        match judge.judge(&picture.path) {
            Ok(judged) => match judged.answer {
                Answer::Score(score) => scores.push((score.get(), picture.truth == Truth::Defect)),
                Answer::Fault(_) => left_out += 1,
            },
            Err(why) => {
                log::warn!("{} cannot be used: {why}", picture.path.shown());
                left_out += 1;
            }
        }
    }
    let aim = match args.max_escape_rate {
        Some(rate) => Aim::Promise { rate: rate.as_fraction(), confidence: args.confidence.as_fraction() },
        None => Aim::Cost { escape: args.escape_cost, reject: args.reject_cost },
    };
    let data = args.folders.data.shown();
    let policy = choose(&scores, aim).map_err(|error| usage(format!("{data}: {error}")))?;
    let mut text = format!("model          {}\n", judge.info().name);
    let curve = Curve::of(&scores);
    // Writing to a text cannot fail, here and below.
    let _ = writeln!(
        text,
        "pictures       {} defective, {} good, {left_out} left out\n",
        curve.defective, curve.good
    );
    let chosen = Chosen::of(judge.info().name.clone(), &curve, policy, left_out, &args);
    tell(&mut text, &curve, policy, &chosen, &args);
    if let Some(path) = &args.json {
        write_json(path, &chosen)?;
    }
    if args.write {
        let trained_on = write(&manifest, policy)?;
        let _ = writeln!(text, "written        {}", manifest.shown());
        if trained_on == short_name(&args.folders.data) {
            let _ = writeln!(
                text,
                "warning        the model was trained on a folder called {trained_on}: scores of pictures that it learnt from prove nothing"
            );
        }
    }
    print(&text)?;
    Ok(ExitCode::Ok)
}

/// One cut and what it costs.
#[derive(Debug, serde::Serialize)]
struct Point {
    passes_below: f64,
    escapes: usize,
    false_rejects: usize,
}

/// The choice. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, serde::Serialize)]
struct Chosen {
    model: String,
    defective: usize,
    good: usize,
    left_out: usize,
    threshold: f64,
    unsure: f64,
    escapes: usize,
    false_rejects: usize,
    confidence: f64,
    escape_bound: f64,
    curve: Vec<Point>,
}

impl Chosen {
    fn of(model: String, curve: &Curve, policy: Policy, left_out: usize, args: &Args) -> Self {
        let cut = |at: f32| {
            let Cut { escapes, false_rejects, .. } = curve.at(at);
            Point { passes_below: short(at), escapes, false_rejects }
        };
        let chosen = cut(policy.threshold - policy.unsure);
        let confidence = args.confidence.as_fraction();
        Self {
            model,
            defective: curve.defective,
            good: curve.good,
            left_out,
            threshold: short(policy.threshold),
            unsure: short(policy.unsure),
            escape_bound: upper_bound(chosen.escapes, curve.defective, confidence),
            escapes: chosen.escapes,
            false_rejects: chosen.false_rejects,
            confidence,
            curve: (0..=100u8).map(|at| cut(f32::from(at) / 100.0)).collect(),
        }
    }
}

/// The curve and the choice.
fn tell(text: &mut String, curve: &Curve, policy: Policy, figures: &Chosen, args: &Args) {
    let chosen = policy.threshold - policy.unsure;
    let costs = args.max_escape_rate.is_none();
    let mut cuts = vec![0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, chosen];
    cuts.sort_by(f32::total_cmp);
    cuts.dedup();
    let _ =
        writeln!(text, "passes below   escapes  false rejects{}", if costs { "        cost" } else { "" });
    for cut in cuts {
        let at = curve.at(cut);
        let _ = write!(text, "{:<13}  {:>7}  {:>13}", short(cut), at.escapes, at.false_rejects);
        if costs {
            let cost = at.escapes as f64 * args.escape_cost + at.false_rejects as f64 * args.reject_cost;
            let _ = write!(text, "  {cost:>10}");
        }
        let _ = writeln!(text, "{}", if cut == chosen { "  <- chosen" } else { "" });
    }
    let bound = figures.escape_bound * 100.0;
    let _ = writeln!(text, "\nthreshold      {}, unsure band +-{}", policy.threshold, policy.unsure);
    let percent = figures.confidence * 100.0;
    let _ = writeln!(
        text,
        "escapes        {} of {}; at most {bound:.2} % with {percent} % confidence",
        figures.escapes, figures.defective
    );
    if costs {
        let _ = writeln!(
            text,
            "               (chosen by these very pictures: for a bound that allows for it use --max-escape-rate)"
        );
    }
    let _ = writeln!(text, "false rejects  {} of {}", figures.false_rejects, figures.good);
}

/// Without the digits that only rounding has put there.
fn short(cut: f32) -> f64 {
    (f64::from(cut) * 1e6).round() / 1e6
}

/// Puts the policy into the manifest; gives the name of the data that the model was trained on.
fn write(path: &Path, policy: Policy) -> anyhow::Result<String> {
    let cannot = || format!("cannot change the manifest {}", path.shown());
    let text = regular::read_text(path, yaml::MAX_BYTES as u64).with_context(cannot)?;
    let fault = |problem: &dyn std::fmt::Display| anyhow::anyhow!("{}: {problem}", cannot());
    let mut manifest = model::manifest::read(&text).map_err(|faults| match faults.first() {
        Some(first) => fault(first),
        None => fault(&"it is not readable"),
    })?;
    (manifest.threshold, manifest.unsure) = (policy.threshold, policy.unsure);
    if let Some(problem) = model::manifest::check(&manifest).first() {
        return Err(fault(problem));
    }
    let text = yaml::to_string(&manifest).map_err(|problem| fault(&problem))?;
    write_whole(path, text.as_bytes())?;
    Ok(manifest.training.data)
}
