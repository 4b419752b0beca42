//! The golden set: pictures that a model must judge without a mistake before it may work, and putting it to work.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::lab::files::write_whole;
use crate::lab::judge::Judge;
use crate::lab::labelled::Labelled;
use crate::model;
use crate::printable::Printable as _;
use crate::regular;
use crate::verdict::{Truth, Verdict};

/// Wrong verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Names of defective parts that passed, and of pictures that cannot be read.
    pub(super) escapes: Vec<String>,
    /// Names of good parts that were rejected.
    pub(super) false_rejects: Vec<String>,
}

/// Judges the pictures as the line would, by the model's own threshold.
///
/// # Errors
/// When the model cannot be used.
pub(super) fn judge(model: &Path, pictures: &[Labelled]) -> anyhow::Result<Wrong> {
    let mut judge = Judge::new(model, None)?;
    let mut wrong = Wrong::default();
    for picture in pictures {
        let verdict = match judge.judge(&picture.path) {
            Ok(judged) => judged.verdict,
            Err(why) => {
                // A test that cannot be made is not passed.
                wrong.escapes.push(format!("{} (cannot be read: {why})", picture.name));
                continue;
            }
        };
        match (picture.truth, verdict) {
            (Truth::Defect, Verdict::Ok) => wrong.escapes.push(picture.name.clone()),
            (Truth::Ok, Verdict::Reject(reason)) => {
                wrong.false_rejects.push(format!("{} ({})", picture.name, reason.name()));
            }
            _ => {}
        }
    }
    Ok(wrong)
}

fn kept(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".previous");
    PathBuf::from(name)
}

/// Puts the model `from` and its manifest in the place of `to`; what was there is kept with `.previous` behind its name. A line that starts
/// when only one of the two files is new refuses the model, since the manifest names the other one's print.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn install(from: &Path, to: &Path) -> anyhow::Result<()> {
    for (from, to) in
        [(from.to_owned(), to.to_owned()), (from.with_extension("yaml"), to.with_extension("yaml"))]
    {
        let read = |path: &Path| {
            regular::read(path, model::LARGEST).with_context(|| format!("cannot read {}", path.shown()))
        };
        let bytes = read(&from)?;
        if to.exists() {
            write_whole(&kept(&to), &read(&to)?)?;
        }
        write_whole(&to, &bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_model_has_its_manifest_and_the_one_before_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, text) in [("new.onnx", "N"), ("new.yaml", "n"), ("line.onnx", "O"), ("line.yaml", "o")] {
            std::fs::write(at(name), text).unwrap();
        }
        install(&at("new.onnx"), &at("line.onnx")).unwrap();
        let read = |name: &str| std::fs::read_to_string(at(name)).unwrap();
        assert_eq!((read("line.onnx"), read("line.yaml")), ("N".to_owned(), "n".to_owned()));
        assert_eq!(
            (read("line.onnx.previous"), read("line.yaml.previous")),
            ("O".to_owned(), "o".to_owned())
        );
        install(&at("new.onnx"), &at("first.onnx")).unwrap();
        assert!(at("first.yaml").exists() && !at("first.onnx.previous").exists());
        assert!(install(&at("gone.onnx"), &at("line.onnx")).is_err());
    }
}
