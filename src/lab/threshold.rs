//! Threshold and unsure band for given costs, or for a promise about escapes.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::UsageError;
use super::files::{try_out, write_json, write_whole};
use super::judge::Judge;
use super::labelled::{Folders, Found, short_name};
use super::tell::{Tell, left_aside};
use crate::decide::Policy;
use crate::model;
use crate::printable::Printable as _;
use crate::regular;
use crate::score::bounds::upper_bound;
use crate::score::curves::{Curve, Cut};
use crate::score::row::Answer;
use crate::score::threshold::{Aim, choose};
use crate::strict::yaml;
use crate::verdict::Truth;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// ONNX file with its manifest beside it, or the name of a built-in model.
    pub model: PathBuf,
    /// The pictures, from which the model did not learn.
    pub folders: Folders,
    /// By what the threshold is chosen.
    pub aim: Aim,
    /// Probability with which the bound of escapes that is given holds, between 0 and 1.
    pub confidence: f64,
    /// Whether threshold and unsure band are written into the model's manifest.
    pub write: bool,
    /// Where choice and curve are written to as JSON.
    pub json: Option<PathBuf>,
}

/// What was chosen.
pub struct Choice {
    /// Errors for every cut.
    pub curve: Curve,
    /// Threshold and unsure band.
    pub policy: Policy,
    /// The figures.
    pub chosen: Chosen,
    /// The manifest, where it was written.
    pub written: Option<Written>,
}

/// A manifest that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it is.
    pub manifest: PathBuf,
    /// The folder that the model was trained on, where these pictures come from one of the same name: then they prove nothing.
    pub trained_on: Option<String>,
}

/// Judges the pictures and chooses; writes what is asked for.
///
/// # Errors
/// [`UsageError`] when the pictures do not allow the choice; others when the model cannot be used or its manifest not be written.
pub fn run(options: &Options, tell: Tell<'_>) -> anyhow::Result<Choice> {
    let usage = |text: String| UsageError(text);
    let manifest = options.model.with_extension("yaml");
    if options.write && model::is_built_in(&options.model) {
        let name = options.model.shown();
        return Err(usage(format!(
            "--write: `{name}` is built in and has no manifest to write; copy models/{name}.onnx and .yaml"
        ))
        .into());
    }
    if options.write {
        // Not after thousands of pictures.
        try_out(&manifest)?;
    }
    options.json.as_deref().map(try_out).transpose()?;
    let Found { pictures, left } = options.folders.list()?;
    left_aside(&left, tell);
    let mut judge = Judge::new(&options.model, None)?;
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
    let data = options.folders.data.shown();
    let policy = choose(&scores, options.aim).map_err(|error| usage(format!("{data}: {error}")))?;
    let curve = Curve::of(&scores);
    let chosen = Chosen::of(judge.info().name.clone(), &curve, policy, left_out, options.confidence);
    if let Some(path) = &options.json {
        write_json(path, &chosen)?;
    }
    let written = if options.write {
        let trained_on = write(&manifest, policy)?;
        let is_same = trained_on == short_name(&options.folders.data);
        Some(Written { manifest, trained_on: is_same.then_some(trained_on) })
    } else {
        None
    };
    Ok(Choice { curve, policy, chosen, written })
}

/// One cut and what it costs.
#[derive(Debug, serde::Serialize)]
pub struct Point {
    /// Parts that score below it pass, 0 to 1.
    pub passes_below: f64,
    /// Defective parts that pass.
    pub escapes: usize,
    /// Good parts that do not.
    pub false_rejects: usize,
}

/// The choice. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, serde::Serialize)]
pub struct Chosen {
    /// The model's name.
    pub model: String,
    /// Pictures of defective parts that were judged.
    pub defective: usize,
    /// Pictures of good parts that were judged.
    pub good: usize,
    /// Pictures that could not be judged.
    pub left_out: usize,
    /// Score from which a part counts as defective, 0 to 1.
    pub threshold: f64,
    /// Half the width of the unsure band.
    pub unsure: f64,
    /// Defective parts that pass.
    pub escapes: usize,
    /// Good parts that do not.
    pub false_rejects: usize,
    /// Probability with which `escape_bound` holds.
    pub confidence: f64,
    /// Greatest share of defective parts that passes.
    pub escape_bound: f64,
    /// A hundred and one cuts, 0 to 1.
    pub curve: Vec<Point>,
}

impl Chosen {
    fn of(model: String, curve: &Curve, policy: Policy, left_out: usize, confidence: f64) -> Self {
        let cut = |at: f32| {
            let Cut { escapes, false_rejects, .. } = curve.at(at);
            Point { passes_below: short(at), escapes, false_rejects }
        };
        let chosen = cut(policy.threshold - policy.unsure);
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

/// Without the digits that only rounding has put there.
pub(crate) fn short(cut: f32) -> f64 {
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
