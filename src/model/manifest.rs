//! Reading a manifest and checking every value in it. Must not look at the ONNX file.

use crate::config::manifest::{Manifest, OutputKind};
use crate::config::yaml;

/// Least and greatest side of the input, in pixels.
const SIDE: std::ops::RangeInclusive<usize> = 8..=1024;
/// Greatest mean and standard deviation of pixel values, which are 0 to 1 before they are normalised.
const FARTHEST: f32 = 1000.0;
/// Least standard deviation.
const FINEST: f32 = 1e-6;
/// Longest name, in characters: it goes into logs and messages.
const NAME: usize = 64;
/// Most classes.
const CLASSES: usize = 2;

/// Reads a manifest from its text and checks it.
///
/// # Errors
/// Every problem as one sentence that names the key and says what would be right.
pub(super) fn read(text: &str) -> Result<Manifest, Vec<String>> {
    let manifest: Manifest = yaml::from_str(text)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let problems = check(&manifest);
    if problems.is_empty() { Ok(manifest) } else { Err(problems) }
}

/// Every problem of a manifest, in the order of its keys; empty when it is sound.
pub fn check(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    let mut require = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    let name = &manifest.name;
    let printable = !name.is_empty() && name.chars().count() <= NAME && !name.chars().any(char::is_control);
    require(printable, format!("`name` must have 1 to {NAME} printable characters"));
    let hexadecimal = manifest.sha256.len() == 64 && manifest.sha256.bytes().all(|b| b.is_ascii_hexdigit());
    require(hexadecimal, "`sha256` must be 64 hexadecimal digits, as `sha256sum` prints them".to_owned());
    let input = &manifest.input;
    for (key, side) in [("width", input.width), ("height", input.height)] {
        let (least, most) = SIDE.into_inner();
        require(SIDE.contains(&side), format!("`input.{key}` is {side}, outside {least} to {most} pixels"));
    }
    let (mean, std) = (input.mean, input.std);
    require(
        (-FARTHEST..=FARTHEST).contains(&mean),
        format!("`input.mean` is {mean}, outside -{FARTHEST} to {FARTHEST}"),
    );
    require(
        (FINEST..=FARTHEST).contains(&std),
        format!("`input.std` is {std}, outside {FINEST} to {FARTHEST}"),
    );
    let output = &manifest.output;
    require(output.name.as_deref() != Some(""), "`output.name` is empty; leave the key out".to_owned());
    let classes = &output.classes;
    let two =
        classes.len() == CLASSES && classes[0] != classes[1] && classes.iter().all(|class| !class.is_empty());
    require(two, format!("`output.classes` must be {CLASSES} different names, such as [ok, defect]"));
    let defect = &output.defect;
    require(
        classes.contains(defect),
        format!("`output.defect` is {defect:?}, which is none of `output.classes`"),
    );
    for (key, value, most) in [("threshold", manifest.threshold, 1.0), ("unsure", manifest.unsure, 0.5)] {
        require((0.0..=most).contains(&value), format!("`{key}` is {value}, outside 0 to {most}"));
    }
    for (key, value) in [("accuracy", manifest.quality.accuracy), ("auc", manifest.quality.auc)] {
        require((0.0..=1.0).contains(&value), format!("`quality.{key}` is {value}, outside 0 to 1"));
    }
    problems
}

/// Number of values that the graph's output must have.
pub(super) fn outputs(manifest: &Manifest) -> usize {
    match manifest.output.kind {
        OutputKind::Sigmoid => 1,
        OutputKind::Softmax => manifest.output.classes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = include_str!("../../models/demo.yaml");

    #[test]
    fn every_problem_is_named_at_once() {
        let mut manifest = read(SOUND).unwrap();
        manifest.name = String::new();
        manifest.sha256 = "abc".to_owned();
        manifest.input.width = 4;
        manifest.input.height = 4096;
        manifest.input.mean = f32::NAN;
        manifest.input.std = 0.0;
        manifest.output.classes = vec!["ok".to_owned(), "ok".to_owned()];
        manifest.output.defect = "broken".to_owned();
        manifest.threshold = 1.5;
        manifest.unsure = f32::NAN;
        manifest.quality.auc = -1.0;
        let problems = check(&manifest);
        assert_eq!(problems.len(), 11, "{problems:#?}");
        for (problem, key) in problems.iter().zip([
            "name",
            "sha256",
            "input.width",
            "input.height",
            "input.mean",
            "input.std",
            "output.classes",
            "output.defect",
            "threshold",
            "unsure",
            "quality.auc",
        ]) {
            assert!(problem.starts_with(&format!("`{key}`")), "{problem}");
        }
    }

    #[test]
    fn an_unknown_or_missing_key_is_refused() {
        assert!(read(&format!("{SOUND}\ncolor: red\n")).unwrap_err()[0].contains("color"));
        assert!(read("name: x\n").unwrap_err()[0].contains("missing field"));
        assert!(read("").is_err());
    }
}
