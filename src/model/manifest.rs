//! Reading a manifest and checking every value in it. Must not look at the ONNX file.

use crate::config::SECRETS;
use crate::config::manifest::{Colour, Input, Manifest, NEEDED, Normalise, OutputKind, PerChannel, Range};
use crate::printable::{is_unsafe, short};
use crate::strict::problem::{Fault, KeyPath, Step};
use crate::strict::yaml::{self, Manner};
use crate::vision;

/// Least and greatest side of the input, in pixels.
const SIDE: std::ops::RangeInclusive<usize> = 8..=1024;
/// Greatest mean and standard deviation of pixel values, which are 0 to 1 before they are normalised.
const FARTHEST: f64 = 1000.0;
/// Greatest mean of pixel values from 0 to 1 that anybody can mean: with it all pictures would look alike.
const FARTHEST_UNIT: f32 = 2.0;
/// Least standard deviation.
const FINEST: f64 = 1e-6;
/// Longest name, in characters: it goes into logs and messages.
const NAME: usize = 64;
/// Most classes.
const CLASSES: usize = 2;

/// Of a network that answers with the probability of DEFECT and of which nothing else is told.
pub(super) fn bare(name: &str, input: &Input) -> Manifest {
    Manifest { name: name.to_owned(), input: input.clone(), threshold: 0.5, ..Manifest::default() }
}

/// Reads a manifest from its text and checks it.
///
/// # Errors
/// Every problem, with its key and place, in the order of the text.
pub fn read(text: &str) -> Result<Manifest, Vec<Fault>> {
    let yaml::Read { value, mut faults, doubtful } =
        yaml::read::<Manifest>(text, &Manner { notes: &["training", "quality"], secrets: Some(SECRETS) });
    let Some(manifest) = value else { return Err(faults) };
    let missing = yaml::missing(text, NEEDED);
    let stand_in = |key: &KeyPath| {
        missing.iter().map(|(missing, _)| missing).chain(&doubtful).any(|doubtful| doubtful.covers(key))
    };
    let broken = check(&manifest).into_iter().filter(|fault| !stand_in(&fault.key));
    let broken: Vec<Fault> =
        broken.map(|fault| Fault { place: yaml::locate(text, &fault.key), ..fault }).collect();
    for (key, fault) in missing {
        // A key that is misspelt is not missing as well.
        let meant = |other: &Fault| matches!(key.0.last(), Some(Step::Key(name)) if other.message.contains(&format!("did you mean `{name}`")));
        if !faults.iter().any(meant) {
            faults.push(fault);
        }
    }
    faults.extend(broken);
    yaml::sort(&mut faults);
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
    let printable = !name.is_empty() && name.chars().count() <= NAME && !name.contains(is_unsafe);
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
    let defect = short(&output.defect, NAME);
    let known = classes.contains(&output.defect);
    require(known, "output.defect", format!("`{defect}` is none of `output.classes`"));
    for (key, numbers, least) in [("input.mean", &input.mean, -FARTHEST), ("input.std", &input.std, FINEST)] {
        let outside = |value: &&f32| !(least..=FARTHEST).contains(&f64::from(**value));
        if let Some(value) = numbers.values().iter().find(outside) {
            require(false, key, format!("{value} is outside {least} to {FARTHEST}"));
        }
        let fits = input.colour != Colour::Grey || matches!(numbers, PerChannel::All(_));
        require(fits, key, "is a list of three numbers, and `colour: grey` has one channel".to_owned());
    }
    let (mean, std) = (input.mean.values(), input.std.values());
    match input.range {
        Range::Unit => require(
            !mean.iter().any(|mean| mean.abs() > FARTHEST_UNIT),
            "input.mean",
            "belongs to pixel values from 0 to 255, and castgate gives the model 0 to 1; add `range: 0..255`"
                .to_owned(),
        ),
        Range::Byte => require(
            !(mean.iter().any(|mean| *mean != 0.0) && mean.iter().chain(std).all(|value| value.abs() < 1.0)),
            "input.mean",
            "belongs to pixel values from 0 to 1; take `range: 0..255` out".to_owned(),
        ),
    }
    let ranges = [
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
        OutputKind::Sigmoid | OutputKind::Logit => 1,
        OutputKind::Softmax | OutputKind::Logits => manifest.output.classes.len(),
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
        manifest.input.mean = f32::NAN.into();
        manifest.input.std = 0.0.into();
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

    fn told(text: &str) -> String {
        read(text).err().unwrap_or_default().iter().map(|fault| format!("{fault}\n")).collect()
    }

    /// What a network of one's own needs.
    const OWN: &str = "\
name: own
sha256: 3d511aedd0178e5e4c4b1cfb192fbac2b824b5f733f015cae6f8aaff5828f5c8
input: {width: 64, height: 64, layout: nhwc, colour: rgb, range: 0..255, mean: [123.7, 116.3, 103.5], std: [58, 57, 57]}
output: {kind: softmax, classes: [ok, defect], defect: defect}
threshold: 0.5
unsure: 0
";

    #[test]
    fn what_only_training_writes_may_be_left_out_or_empty() {
        let manifest = read(OWN).unwrap();
        assert_eq!(manifest.input.mean.of(1), 116.3);
        assert_eq!((manifest.parameters, manifest.training.data.as_str()), (0, ""));
        let empty = format!("{OWN}parameters: 0\ntraining: {{}}\nquality:\n");
        assert_eq!(read(&empty).unwrap(), manifest);
        assert_eq!(read(&format!("\u{feff}{}", OWN.replace('\n', "\r\n"))).unwrap(), manifest);
    }

    #[test]
    fn every_key_that_is_missing_is_told_at_once_beside_what_is_wrong() {
        let text = "name: own\ninput: {width: 64, colour: gray, mean: [1, 2], std: 1}\noutput:\n  kind: sigmod\n  clases: [ok, bad]\nunsure: 2\n";
        assert_eq!(
            told(text),
            "\
1:1: the key `sha256` is missing here, such as `sha256: 3d51..., the 64 digits that sha256sum prints`
1:1: the key `threshold` is missing here, such as `threshold: 0.5`
2:1: input: the key `height` is missing here, such as `height: 128`
2:1: input: the key `layout` is missing here, such as `layout: nchw`
2:28: input.colour: `gray` is none of `grey`, `rgb`, `bgr`; did you mean `grey`?
2:40: input.mean: is a list of 2 numbers, and there are three channels
3:1: output: the key `defect` is missing here, such as `defect: defect`
4:9: output.kind: `sigmod` is none of `sigmoid`, `softmax`, `logit`, `logits`; did you mean `sigmoid`?
5:3: output.clases: unknown key; did you mean `classes`? keys in `output`: name, kind, classes, defect
6:9: unsure: 2 is outside 0 to 0.5
"
        );
    }

    #[test]
    fn numbers_of_another_scale_are_refused() {
        let unit = OWN.replace("range: 0..255, ", "");
        assert!(told(&unit).contains("input.mean: belongs to pixel values from 0 to 255"), "{}", told(&unit));
        let byte = OWN.replace("[123.7, 116.3, 103.5]", "0.485").replace("[58, 57, 57]", "0.229");
        assert!(told(&byte).contains("input.mean: belongs to pixel values from 0 to 1;"), "{}", told(&byte));
        let grey = OWN.replace("rgb", "grey");
        assert!(told(&grey).contains("`colour: grey` has one channel"), "{}", told(&grey));
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
