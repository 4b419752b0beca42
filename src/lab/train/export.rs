//! Writes what training made: the ONNX file and its manifest, after the engine has read them and given the same scores.

use std::path::Path;

use anyhow::{bail, ensure};

use super::settings::Recipe;
use super::{load, say};
use crate::config::manifest::{Images, Input, Manifest, Normalise, Output, Quality, Training};
use crate::lab::files::write_whole;
use crate::lab::tell::Tell;
use crate::model;
use crate::network::Network;
use crate::printable::Printable as _;
use crate::strict::yaml;
use crate::train::augment::Change;
use crate::train::fit::{Candidate, Fit};
use crate::train::pictures::Pictures;
use crate::train::quality::{Judged, judge, threshold};
use crate::train::split::Split;
use crate::verdict::Truth;
use crate::vision::familiar::learn;

/// Validation pictures that the engine scores again before the files are written.
const CHECKED: usize = 100;
/// Share of pictures like those of training that are taken for unfamiliar.
const FALSE_ALARMS: f64 = 0.002;
/// How far its scores may lie from training's: rounding, and the engine's approximated sigmoid.
const TOLERANCE: f32 = 1e-3;

/// A trained network and where it comes from.
pub(super) struct Made<'a> {
    /// ONNX file to write.
    pub(super) out: &'a Path,
    /// Names of the folders of the pictures, and their licence.
    pub(super) data: &'a str,
    pub(super) licence: &'a str,
    /// The command that asked for it, as it was typed.
    pub(super) command: &'a str,
    pub(super) normalise: Normalise,
    pub(super) recipe: &'a Recipe,
    pub(super) network: &'a Network,
    pub(super) pictures: &'a Pictures,
    pub(super) split: &'a Split,
    /// Mean and standard deviation of the pixels.
    pub(super) normal: (f32, f32),
    /// Epochs run.
    pub(super) epochs: u32,
    pub(super) best: Candidate,
    /// Instead of the one that the validation pictures choose.
    pub(super) threshold: Option<f32>,
}

impl Made<'_> {
    /// Chooses the threshold if none is given, checks the model in the engine, writes both files and says what came out.
    pub(super) fn write(&self, fit: &mut Fit<'_>, tell: Tell<'_>) -> anyhow::Result<()> {
        let Candidate { parameters, statistics, .. } = &self.best;
        let judged = fit.scores(parameters, statistics, &self.split.validation);
        let onnx = model::write::onnx(self.network, parameters, statistics);
        let threshold = self.threshold.unwrap_or_else(|| threshold(&judged));
        let manifest = self.manifest(fit, &onnx, &judged, threshold);
        let problems = model::manifest::check(&manifest);
        if let Some(problem) = problems.first() {
            bail!("the manifest would not be sound: {problem}");
        }
        let yaml = yaml::to_string(&manifest).map_err(|problem| anyhow::anyhow!("{problem}"))?;
        self.check(&onnx, &yaml, &judged)?;
        let (onnx_file, yaml_file) = (self.out, self.out.with_extension("yaml"));
        write_whole(onnx_file, &onnx)?;
        write_whole(&yaml_file, yaml.as_bytes())?;
        let quality = &manifest.quality;
        say(tell, &format!("best      epoch {} of {}", self.best.epoch, self.epochs));
        say(
            tell,
            &format!(
                "quality   accuracy {:.4}, auc {:.5}, {} escapes, {} false rejects of {} validation pictures",
                quality.accuracy,
                quality.auc,
                quality.escapes,
                quality.false_rejects,
                judged.len()
            ),
        );
        say(tell, &format!("threshold {threshold}"));
        say(
            tell,
            &format!("written   {} ({} bytes) and {}", onnx_file.shown(), onnx.len(), yaml_file.shown()),
        );
        Ok(())
    }

    /// The engine must give the scores that were judged.
    fn check(&self, onnx: &[u8], yaml: &str, judged: &[Judged]) -> anyhow::Result<()> {
        let mut classifier = model::from_parts("the trained model", onnx.to_vec(), yaml.to_owned())?;
        let size = self.network.input();
        let mut input = vec![0.0; size.height * size.width];
        let every = (judged.len() / CHECKED).max(1);
        for (&at, &(score, _)) in self.split.validation.iter().zip(judged).step_by(every) {
            Change::NONE.apply(size, self.pictures.grey(at), None, self.normal, &mut input);
            let engine = classifier.score(&input)?.get();
            ensure!(
                (engine - score).abs() <= TOLERANCE,
                "the inference engine gives {engine} where training gave {score}; nothing was written"
            );
        }
        Ok(())
    }

    /// What goes in, and what it was like in training.
    fn input(&self, fit: &Fit<'_>) -> Input {
        let size = self.network.input();
        let shown = |&at: &usize| fit.shown(at);
        let (trained, held_out) = (self.split.train.iter(), self.split.validation.iter());
        Input {
            familiar: learn(size, trained.flat_map(shown), held_out.flat_map(shown), FALSE_ALARMS),
            ..load::input(size, self.normalise, self.normal)
        }
    }

    fn manifest(&self, fit: &Fit<'_>, onnx: &[u8], judged: &[Judged], threshold: f32) -> Manifest {
        let (recipe, split) = (self.recipe, self.split);
        let name = |path: &Path| {
            path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let defective = |of: &[usize]| self.pictures.count(of, Truth::Defect);
        let quality = judge(judged, threshold);
        let leaks = split.leaks(self.pictures);
        Manifest {
            name: name(self.out),
            sha256: model::fingerprint(onnx),
            input: self.input(fit),
            output: Output::of_defect(),
            threshold,
            unsure: 0.0,
            parameters: self.network.parameters() as u64,
            training: Training {
                command: self.command.to_owned(),
                castgate: env!("CARGO_PKG_VERSION").to_owned(),
                data: self.data.to_owned(),
                data_licence: self.licence.to_owned(),
                images: Images {
                    train_ok: split.train.len() - defective(&split.train),
                    train_defect: defective(&split.train),
                    validation_ok: split.validation.len() - defective(&split.validation),
                    validation_defect: defective(&split.validation),
                },
                seed: recipe.seed,
                epochs: self.epochs,
                best_epoch: self.best.epoch,
                network: self.network.words(),
                augment: Some(recipe.augment(self.normalise).to_string()),
            },
            quality: Quality {
                measured_on: format!(
                    "{} validation pictures, {} % of the data by seed {}; repeats pixel for pixel are on one side, {}",
                    judged.len(),
                    recipe.validation,
                    recipe.seed,
                    match leaks {
                        Some(0) => "and so are pictures of one photograph",
                        Some(_) => "pictures of one photograph are on both",
                        None => "near repeats may be on both",
                    }
                ),
                accuracy: decimals(quality.accuracy),
                auc: decimals(quality.auc),
                escapes: quality.escapes,
                false_rejects: quality.false_rejects,
                leaks,
            },
        }
    }
}

/// Rounded to five decimals, which is finer than one picture in most collections.
fn decimals(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}
