//! `castgate threshold`: threshold and unsure band for given costs, or for a promise about escapes.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::labelled::Folders;
use super::progress::teller;
use super::{ExitCode, print};
use crate::decide::Policy;
use crate::lab::threshold::{self, Choice, Chosen, Written, short};
use crate::printable::Printable as _;
use crate::score::curves::Curve;
use crate::score::threshold::Aim;
use crate::units::Share;

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
/// When the pictures do not allow the choice, the model cannot be used, or a file cannot be written.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { model, folders, max_escape_rate, confidence, write, json, escape_cost, reject_cost } = args;
    let confidence = confidence.as_fraction();
    let aim = match max_escape_rate {
        Some(rate) => Aim::Promise { rate: rate.as_fraction(), confidence },
        None => Aim::Cost { escape: escape_cost, reject: reject_cost },
    };
    let folders = folders.into();
    let options = threshold::Options { model, folders, aim, confidence, write, json };
    let Choice { curve, policy, chosen, written } = threshold::run(&options, &teller())?;
    let mut text = format!("model          {}\n", chosen.model);
    // Writing to a text cannot fail, here and below.
    let _ = writeln!(
        text,
        "pictures       {} defective, {} good, {} left out\n",
        curve.defective, curve.good, chosen.left_out
    );
    tell(&mut text, &curve, policy, &chosen, aim);
    if let Some(Written { manifest, trained_on }) = written {
        let _ = writeln!(text, "written        {}", manifest.shown());
        if let Some(trained_on) = trained_on {
            let _ = writeln!(
                text,
                "warning        the model was trained on a folder called {trained_on}: scores of pictures that it learnt from prove nothing"
            );
        }
    }
    print(&text)?;
    Ok(ExitCode::Ok)
}

/// The curve and the choice.
fn tell(text: &mut String, curve: &Curve, policy: Policy, figures: &Chosen, aim: Aim) {
    let chosen = policy.threshold - policy.unsure;
    let costs = match aim {
        Aim::Cost { escape, reject } => Some((escape, reject)),
        Aim::Promise { .. } => None,
    };
    let mut cuts = vec![0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, chosen];
    cuts.sort_by(f32::total_cmp);
    cuts.dedup();
    let _ = writeln!(
        text,
        "passes below   escapes  false rejects{}",
        if costs.is_some() { "        cost" } else { "" }
    );
    for cut in cuts {
        let at = curve.at(cut);
        let _ = write!(text, "{:<13}  {:>7}  {:>13}", short(cut), at.escapes, at.false_rejects);
        if let Some((escape, reject)) = costs {
            let cost = at.escapes as f64 * escape + at.false_rejects as f64 * reject;
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
    if costs.is_some() {
        let _ = writeln!(
            text,
            "               (chosen by these very pictures: for a bound that allows for it use --max-escape-rate)"
        );
    }
    let _ = writeln!(text, "false rejects  {} of {}", figures.false_rejects, figures.good);
}
