//! Reading a manifest and checking every value in it. Must not look at the ONNX file.

use crate::config::manifest::{
    Colour, Images, Input, Manifest, Normalise, Output, OutputKind, Quality, Training,
};
use crate::config::problem::{Fault, KeyPath, printable as printable_text};
use crate::config::yaml;
use crate::vision;

/// Least and greatest side of the input, in pixels.
const SIDE: std::ops::RangeInclusive<usize> = 8..=1024;
/// Greatest mean and standard deviation of pixel values, which are 0 to 1 before they are normalised.
const FARTHEST: f64 = 1000.0;
/// Least standard deviation.
const FINEST: f64 = 1e-6;
/// Longest name, in characters: it goes into logs and messages.
const NAME: usize = 64;
/// Most classes.
const CLASSES: usize = 2;

/// Of a network that answers with the probability of DEFECT and of which nothing else is told.
pub(super) fn bare(name: &str, input: &Input) -> Manifest {
    let none = String::new;
    Manifest {
        name: name.to_owned(),
        sha256: none(),
        input: input.clone(),
        output: Output::of_defect(),
        threshold: 0.5,
        unsure: 0.0,
        parameters: 0,
        training: Training {
            command: none(),
            castgate: none(),
            data: none(),
            data_licence: none(),
            images: Images { train_ok: 0, train_defect: 0, validation_ok: 0, validation_defect: 0 },
            seed: 0,
            epochs: 0,
            best_epoch: 0,
            network: Vec::new(),
            augment: None,
        },
        quality: Quality {
            measured_on: none(),
            accuracy: 0.0,
            auc: 0.0,
            escapes: 0,
            false_rejects: 0,
            leaks: None,
        },
    }
}

/// Reads a manifest from its text and checks it.
///
/// # Errors
/// Every problem, with its key and place, in the order of the text.
pub(super) fn read(text: &str) -> Result<Manifest, Vec<Fault>> {
    let manifest: Manifest = yaml::from_str(text)?;
    let mut faults = check(&manifest);
    for fault in &mut faults {
        fault.place = yaml::locate(text, &fault.key);
    }
    faults.sort_by_key(|fault| fault.place);
    if faults.is_empty() { Ok(manifest) } else { Err(faults) }
}

/// Every problem of a manifest, without places; empty when it is sound.
pub fn check(manifest: &Manifest) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut require = |holds: bool, key: &str, message: String| {
        if !holds {
            faults.push(Fault { key: KeyPath::of(key), place: None, message });
        }
    };
    let name = &manifest.name;
    let printable = !name.is_empty() && name.chars().count() <= NAME && !name.chars().any(char::is_control);
    require(printable, "name", format!("must have 1 to {NAME} printable characters"));
    let hexadecimal = manifest.sha256.len() == 64 && manifest.sha256.bytes().all(|b| b.is_ascii_hexdigit());
    require(hexadecimal, "sha256", "must be 64 hexadecimal digits, as `sha256sum` prints them".to_owned());
    let input = &manifest.input;
    for (key, side) in [("input.width", input.width), ("input.height", input.height)] {
        let (least, most) = SIDE.into_inner();
        require(SIDE.contains(&side), key, format!("{side} is outside {least} to {most} pixels"));
    }
    let plain = input.normalise == Normalise::None;
    require(plain || input.colour == Colour::Grey, "input.normalise", "needs `colour: grey`".to_owned());
    let sound = input
        .familiar
        .as_ref()
        .is_none_or(|familiar| input.colour == Colour::Grey && vision::familiar::is_sound(familiar));
    require(
        sound,
        "input.familiar",
        "has not the numbers that `castgate train` writes for grey pictures".to_owned(),
    );
    let square = input.normalise != Normalise::Round || input.width == input.height;
    require(square, "input.normalise", "`round` needs a width and a height that are the same".to_owned());
    let output = &manifest.output;
    require(output.name.as_deref() != Some(""), "output.name", "is empty; leave the key out".to_owned());
    let classes = &output.classes;
    let two =
        classes.len() == CLASSES && classes[0] != classes[1] && classes.iter().all(|class| !class.is_empty());
    require(two, "output.classes", format!("must be {CLASSES} different names, such as [ok, defect]"));
    let defect = printable_text(&output.defect, NAME);
    let known = classes.contains(&output.defect);
    require(known, "output.defect", format!("`{defect}` is none of `output.classes`"));
    let ranges = [
        ("input.mean", f64::from(input.mean), -FARTHEST, FARTHEST),
        ("input.std", f64::from(input.std), FINEST, FARTHEST),
        ("threshold", f64::from(manifest.threshold), 0.0, 1.0),
        ("unsure", f64::from(manifest.unsure), 0.0, 0.5),
        ("quality.accuracy", manifest.quality.accuracy, 0.0, 1.0),
        ("quality.auc", manifest.quality.auc, 0.0, 1.0),
    ];
    for (key, value, least, most) in ranges {
        require((least..=most).contains(&value), key, format!("{value} is outside {least} to {most}"));
    }
    faults
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
        let told = check(&manifest).iter().map(|fault| format!("{fault}\n")).collect::<String>();
        assert_eq!(
            told,
            "\
name: must have 1 to 64 printable characters
sha256: must be 64 hexadecimal digits, as `sha256sum` prints them
input.width: 4 is outside 8 to 1024 pixels
input.height: 4096 is outside 8 to 1024 pixels
output.classes: must be 2 different names, such as [ok, defect]
output.defect: `broken` is none of `output.classes`
input.mean: NaN is outside -1000 to 1000
input.std: 0 is outside 0.000001 to 1000
threshold: 1.5 is outside 0 to 1
unsure: NaN is outside 0 to 0.5
quality.auc: -1 is outside 0 to 1
"
        );
    }

    #[test]
    fn every_problem_has_its_place() {
        let mut manifest = read(SOUND).unwrap();
        manifest.threshold = 5.0;
        manifest.input.width = 0;
        let told: Vec<String> =
            read(&yaml::to_string(&manifest).unwrap()).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].contains(": input.width: 0 is outside") && told[1].contains(": threshold: 5 is outside")
        );
    }

    #[test]
    fn an_unknown_or_missing_key_is_refused() {
        assert!(
            read(&format!("{SOUND}\ncolor: red\n")).unwrap_err()[0]
                .to_string()
                .contains("color: unknown key")
        );
        assert!(read("name: x\n").is_err());
        assert!(read("").is_err());
    }
}
