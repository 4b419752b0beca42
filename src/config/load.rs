//! From a file to a checked configuration.
//!
//! The only file of this layer that reads files. Must not know the rules themselves or what a section is used for.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::live::take_live;
use super::mqtt::SECRETS;
use super::{Config, validate};
use crate::regular;
use crate::strict::problem::{Fault, KeyPath, Problem};
use crate::strict::yaml::{self, Manner};

/// A configuration that keeps all rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration; its file names are relative to the current folder or absolute.
    pub config: Config,
    /// Names what is configured: 12 hexadecimal digits, the same for the same values however they are written.
    pub fingerprint: String,
    /// The file as it was named; `None` for the demonstration line.
    pub file: Option<PathBuf>,
    text: String,
    /// The configuration with file names as they are written, of which the fingerprint is made.
    written: Config,
}

impl Loaded {
    /// This configuration with the keys of `newer` that can change while the line runs, and the fingerprint of the two together.
    ///
    /// # Errors
    /// When the two do not go together.
    pub fn with_live(&self, newer: &Loaded) -> Result<Loaded, Vec<validate::Broken>> {
        let mut mixed = self.clone();
        take_live(&mut mixed.config, &newer.config);
        take_live(&mut mixed.written, &newer.written);
        mixed.fingerprint = fingerprint(&mixed.written);
        let broken = validate::validate(&mixed.config, Vec::new());
        if broken.is_empty() { Ok(mixed) } else { Err(broken) }
    }

    /// What to call this configuration in messages.
    pub fn name(&self) -> String {
        self.file.as_ref().map_or_else(|| "demonstration line".to_owned(), |file| file.display().to_string())
    }

    /// A problem that came to light only when the configuration met the world (a missing file, a broken model), at the
    /// place where `key` stands, such as `model.path`.
    pub fn problem(&self, key: &str, message: String) -> Problem {
        let key = KeyPath::of(key);
        let fault = Fault { place: yaml::locate(&self.text, &key), key, message };
        Problem { file: PathBuf::from(self.name()), fault }
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no valid configuration: one line for each problem, in the order of the file.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// The built-in demonstration line: what holds without a configuration file.
pub fn demonstration() -> Loaded {
    of(Config::default())
}

/// A configuration that no file holds, and that keeps all rules.
pub fn of(config: Config) -> Loaded {
    Loaded {
        fingerprint: fingerprint(&config),
        written: config.clone(),
        config,
        file: None,
        text: String::new(),
    }
}

/// Reads and checks the file, or gives the demonstration line where none is named.
///
/// # Errors
/// As [`load`].
pub fn load_or_demonstration(path: Option<&Path>) -> Result<Loaded, LoadError> {
    path.map_or_else(|| Ok(demonstration()), load)
}

/// Reads and checks a configuration file. Relative file names in it are resolved against its folder.
///
/// # Errors
/// When the file cannot be read, or with every problem in it.
pub fn load(path: &Path) -> Result<Loaded, LoadError> {
    let bytes = read(path).map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    let problem = |fault| Problem { file: path.to_owned(), fault };
    let text = String::from_utf8(bytes).map_err(|error| {
        let place = yaml::at_byte(error.as_bytes(), error.utf8_error().valid_up_to());
        let wide = matches!(error.as_bytes(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
        let fault = Fault::whole(if wide {
            "a UTF-16 text, as some editors save it under the name Unicode; save the file as UTF-8"
        } else {
            "not a UTF-8 text: no letter is written with this byte; save the file as UTF-8"
        });
        LoadError::Problems(vec![problem(Fault { place: Some(place), ..fault })])
    })?;
    // A file that was cut off by a power failure, or is just being written, is no wish for a line that is not there.
    if text.trim().is_empty() {
        let fault = Fault::whole("is empty; `castgate config sample` prints one to begin with");
        return Err(LoadError::Problems(vec![problem(fault)]));
    }
    let mut config =
        parse(&text).map_err(|faults| LoadError::Problems(faults.into_iter().map(problem).collect()))?;
    let (fingerprint, written) = (fingerprint(&config), config.clone());
    resolve(&mut config, path.parent().unwrap_or(Path::new("")));
    Ok(Loaded { config, fingerprint, file: Some(path.to_owned()), text, written })
}

/// Reads and checks the text of a configuration.
///
/// # Errors
/// Every problem, in the order of the text; those of keys that do not stand in it last.
pub fn parse(text: &str) -> Result<Config, Vec<Fault>> {
    let yaml::Read { value, mut faults, doubtful } =
        yaml::read::<Config>(text, &Manner { secrets: Some(SECRETS), ..Manner::default() });
    let Some(config) = value else {
        return Err(faults);
    };
    let as_written: Vec<KeyPath> = faults.iter().map(|fault| fault.key.clone()).collect();
    for validate::Broken { key, message } in validate::validate(&config, doubtful) {
        // What is wrong with a value as it is written comes first; that it breaks a rule as well follows from it.
        if !as_written.contains(&key) {
            faults.push(Fault { place: yaml::locate(text, &key), key, message });
        }
    }
    yaml::sort(&mut faults);
    if faults.is_empty() { Ok(config) } else { Err(faults) }
}

/// The file's bytes, no more than a configuration can have and one.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    regular::beginning(path, yaml::MAX_BYTES as u64 + 1)
}

/// The first 12 hexadecimal digits of the SHA-256 of the configuration's JSON form, defaults included.
fn fingerprint(config: &Config) -> String {
    let canonical = serde_json::to_vec(config).expect("a configuration has text keys and plain values only");
    Sha256::digest(canonical).iter().take(6).fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn resolve(config: &mut Config, folder: &Path) {
    let Config { camera, commands, model, mqtt, position, simulation, store, .. } = config;
    for file in [
        &mut camera.path,
        &mut position.path,
        &mut commands.socket,
        &mut simulation.parts_from,
        &mut mqtt.password_file,
        &mut mqtt.tls.ca_file,
        &mut mqtt.tls.cert_file,
        &mut mqtt.tls.key_file,
    ]
    .into_iter()
    .flatten()
    {
        *file = folder.join(&*file);
    }
    if !model.is_built_in() {
        model.path = folder.join(&model.path);
    }
    store.path = folder.join(&store.path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy as _;

    #[test]
    fn file_names_are_resolved_against_the_file_s_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        std::fs::write(
            &file,
            "model: {path: m/x.onnx}\nstore: {path: parts.db}\nmqtt: {user: a, password_file: /p}\nsimulation: {parts_from: ../d}\n",
        )
        .unwrap();
        let config = load(&file).unwrap().config;
        assert_eq!(config.model.path, folder.path().join("m/x.onnx"));
        assert_eq!(config.store.path, folder.path().join("parts.db"));
        assert_eq!(config.mqtt.password_file.unwrap(), Path::new("/p"));
        assert_eq!(config.simulation.parts_from.unwrap(), folder.path().join("../d"));
        std::fs::write(&file, "model: {path: casting}\n").unwrap();
        assert_eq!(load(&file).unwrap().config.model.path, Path::new("casting"));
    }

    #[test]
    fn the_fingerprint_names_the_values_and_not_the_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        let of = |text: &str| {
            std::fs::write(&file, text).unwrap();
            load(&file).unwrap().fingerprint
        };
        assert_eq!(of("# the defaults\n"), demonstration().fingerprint);
        assert_eq!(of("line: {speed: 500mm/s}  # the default\n"), of("line: {speed: 30m/min}\n"));
        assert_ne!(of("line: {name: a}\n"), of("# the defaults\n"));
        assert_eq!(of("# the defaults\n").len(), 12);
    }

    #[test]
    fn live_keys_are_taken_over_and_the_fingerprint_is_that_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let of = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            load(&file).unwrap()
        };
        let old = of("a.yaml", "model: {path: m.onnx}\n");
        let live = of("b.yaml", "model: {path: m.onnx, threshold: 0.3}\n");
        assert_eq!(old.with_live(&live).unwrap().fingerprint, live.fingerprint);
        let both = of("c.yaml", "model: {path: n.onnx, threshold: 0.3}\n");
        let mixed = old.with_live(&both).unwrap();
        assert_eq!((&mixed.config, &mixed.fingerprint), (&live.config, &live.fingerprint));
        let apart = of(
            "d.yaml",
            "line: {part_length: 60mm, min_pitch: 80mm}\ngate: {pulse: 80mm}\nposition: {tolerance: 20mm}\n",
        );
        let wide = of(
            "e.yaml",
            "line: {min_pitch: 400mm}\nsimulation: {pitch: 500mm}\nposition: {tolerance: 90mm}\ngate: {pulse: 200mm}\n",
        );
        assert!(
            !apart.with_live(&wide).unwrap_err().is_empty(),
            "a tolerance of 90 mm does not suit parts at 80 mm"
        );
    }

    #[test]
    fn what_is_no_text_file_is_refused_with_words() {
        let folder = tempfile::tempdir().unwrap();
        let told = |path: &Path| {
            let error = load(path).unwrap_err();
            let source =
                std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            format!("{error}{source}")
        };
        assert!(told(folder.path()).ends_with("it is a folder; name the file in it"));
        assert!(told(&folder.path().join("none")).contains("No such file"));
        let file = folder.path().join("a.yaml");
        std::fs::write(&file, b"line:\n  name: \xff\n").unwrap();
        assert!(told(&file).ends_with(
            "a.yaml:2:9: not a UTF-8 text: no letter is written with this byte; save the file as UTF-8"
        ));
        assert!(told(Path::new("/dev/zero")).ends_with("it is a device, not a regular file"));
        std::fs::write(&file, "#".repeat(yaml::MAX_BYTES + 1)).unwrap();
        assert!(told(&file).contains("more than 256 KiB"), "{}", told(&file));
    }

    /// Pieces of which texts that look like YAML are made.
    const PIECES: &[&str] = &[
        "line", "camera", "gate", "mqtt", "speed", "rate", "tls", "position", "region", " ", "  ", "\n",
        ": ", "- ", "{", "}", "[", "]", ",", "&a", "*a", "!t", "\"", "'", "#", "0mm", "-5m/s", ".nan", "~",
        "1e9", "\t",
    ];

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in proptest::collection::vec(proptest::char::any(), 0..200).prop_map(String::from_iter)) {
            let _ = parse(&text);
        }

        #[test]
        fn no_yaml_like_text_panics(
            text in proptest::collection::vec(proptest::sample::select(PIECES), 0..40).prop_map(|p| p.concat()),
        ) {
            let _ = parse(&text);
        }
    }
}
