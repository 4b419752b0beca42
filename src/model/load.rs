//! Opening a model: reading both files once, and loading on a thread that may be given up.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use sha2::{Digest, Sha256};

use crate::clock::{Clock, SystemClock};
use crate::config::manifest::{Input, Manifest};
use crate::regular;
use crate::strict::problem::{Fault, KeyPath, Problem};

use super::batch::Batch;
use super::classifier::OnnxClassifier;
use super::contain::contain;
use super::engine::{self, Engine, Limits};
use super::problem::GraphProblem;
use super::{Classifier, ModelError, builtin, graph, manifest};

/// Names of the built-in models.
pub const BUILT_IN: [&str; builtin::MODELS.len()] = [builtin::MODELS[0].name, builtin::MODELS[1].name];
/// How long loading may take unless the caller says otherwise. ResNet50 takes 2 s on a laptop.
pub const LOAD_LIMIT: Duration = Duration::from_secs(20);
/// Largest ONNX file. ResNet50 has 95 MiB.
const ONNX_MIB: u64 = 256;
/// The same in bytes.
pub const LARGEST: u64 = ONNX_MIB << 20;
/// Largest manifest.
const MANIFEST_MIB: u64 = 1;
/// Whether `path` is the bare name of a built-in model.
pub fn is_built_in(path: &Path) -> bool {
    BUILT_IN.iter().any(|name| path == Path::new(name))
}

/// Stack of the loading thread: the engine's optimiser recurses with the depth of the graph.
const STACK_BYTES: usize = 32 << 20;
/// Digits of the fingerprint that make the model's short id.
const ID_DIGITS: usize = 12;

/// The two files of a model, or their built-in twins.
pub(super) struct Source {
    /// How messages name the ONNX file.
    pub(super) file: String,
    /// How messages name the manifest.
    manifest_file: String,
    pub(super) onnx: Vec<u8>,
    manifest: String,
}

impl Source {
    /// Reads both files, or takes the built-in model when `path` is its bare name.
    pub(super) fn read(path: &Path) -> Result<Self, ModelError> {
        if let Some(model) = builtin::MODELS.iter().find(|model| path == Path::new(model.name)) {
            let file = format!("built-in model `{}`", model.name);
            let (onnx, manifest) = (model.onnx.to_vec(), model.manifest.to_owned());
            return Ok(Self { manifest_file: file.clone(), file, onnx, manifest });
        }
        let manifest_path = path.with_extension("yaml");
        let (file, manifest_file) = (path.display().to_string(), manifest_path.display().to_string());
        let onnx = read_file(path, ONNX_MIB)?;
        let text = String::from_utf8(read_file(&manifest_path, MANIFEST_MIB)?);
        let manifest = text.map_err(|_| {
            let message = "the file is not UTF-8 text".to_owned();
            in_manifest(&manifest_file, vec![Fault { key: KeyPath::default(), place: None, message }])
        })?;
        Ok(Source { file, manifest_file, onnx, manifest })
    }

    /// The manifest, when it is sound and describes this very ONNX file; and the file's SHA-256.
    pub(super) fn manifest(&self) -> Result<(Manifest, String), ModelError> {
        let manifest =
            manifest::read(&self.manifest).map_err(|faults| in_manifest(&self.manifest_file, faults))?;
        let found = fingerprint(&self.onnx);
        if found.eq_ignore_ascii_case(&manifest.sha256) {
            return Ok((manifest, found));
        }
        let (file, manifest_file) = (self.file.clone(), self.manifest_file.clone());
        let expected = manifest.sha256.to_ascii_lowercase();
        Err(ModelError::Fingerprint { file, manifest: manifest_file, found, expected })
    }
}

/// Opens the model at `path`, or a built-in one when `path` is its bare name (see [`BUILT_IN`]).
///
/// The manifest lies beside the ONNX file, with the extension `.yaml`. Both are read once and checked before the
/// inference engine sees them; then the model is warmed up.
///
/// # Errors
/// See [`ModelError`]. Takes at most [`LOAD_LIMIT`].
pub fn open(path: &Path) -> Result<Box<dyn Classifier>, ModelError> {
    open_within(path, LOAD_LIMIT)
}

/// [`open`] with another time limit.
///
/// # Errors
/// See [`ModelError`]. A thread that ran into the limit is left behind; the caller should end the process soon.
pub fn open_within(path: &Path, limit: Duration) -> Result<Box<dyn Classifier>, ModelError> {
    let path = path.to_owned();
    let file = path.display().to_string();
    load(move || Source::read(&path), file, limit)
}

/// Opens a model for `batch` pictures at a time, which is for measurements: on the line each picture is judged as it comes.
///
/// # Errors
/// See [`ModelError`]; also when it would need more than `memory_mib` of working memory.
pub fn open_batch(path: &Path, batch: usize, memory_mib: u64, limit: Duration) -> Result<Batch, ModelError> {
    let limits = Limits::of_batch(batch, memory_mib);
    let (file, path) = (path.display().to_string(), path.to_owned());
    within(limit, &file, move || {
        let (built, manifest, ..) = engine(Source::read(&path)?, batch, limits)?;
        Ok(Batch::new(built.engine, &manifest, batch))
    })
}

/// Opens a model from the contents of its two files, as `train` has them before they are written.
///
/// # Errors
/// See [`ModelError`]; messages call the model `name`.
pub fn from_parts(name: &str, onnx: Vec<u8>, manifest: String) -> Result<Box<dyn Classifier>, ModelError> {
    let source = Source { file: name.to_owned(), manifest_file: name.to_owned(), onnx, manifest };
    load(move || Ok(source), name.to_owned(), LOAD_LIMIT)
}

/// Opens a model that has no manifest yet, to time it on one picture at a time.
///
/// # Errors
/// See [`ModelError`].
pub fn untold(onnx: Vec<u8>, input: &Input) -> Result<Batch, ModelError> {
    let name = "the network";
    let manifest = manifest::bare(name, input);
    within(LOAD_LIMIT, name, move || {
        Ok(Batch::new(build(name, onnx, &manifest, 1, Limits::LINE)?.engine, &manifest, 1))
    })
}

fn in_manifest(file: &str, faults: Vec<Fault>) -> ModelError {
    let problem = |fault| Problem { file: PathBuf::from(file), fault };
    ModelError::Manifest { problems: faults.into_iter().map(problem).collect() }
}

pub(super) fn read_file(path: &Path, limit_mib: u64) -> Result<Vec<u8>, ModelError> {
    let file = path.display().to_string();
    regular::read(path, limit_mib << 20).map_err(|cause| match cause.kind() {
        ErrorKind::FileTooLarge => ModelError::TooLarge { file, limit_mib },
        _ => ModelError::Read { file, cause },
    })
}

/// Runs all of loading on a thread of its own, with every panic kept inside and a limit on the time.
fn load(
    source: impl FnOnce() -> Result<Source, ModelError> + Send + 'static,
    file: String,
    limit: Duration,
) -> Result<Box<dyn Classifier>, ModelError> {
    let start = SystemClock.now();
    let mut network = within(limit, &file, move || prepare(source()?))?;
    network.loaded_in(SystemClock.now() - start);
    Ok(Box::new(network))
}

/// Gives up on `work` after `limit`.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    file: &str,
    work: impl FnOnce() -> Result<T, ModelError> + Send + 'static,
) -> Result<T, ModelError> {
    let (sender, receiver) = bounded(1);
    let body = move || drop(sender.send(contain(work)));
    let builder = std::thread::Builder::new().name("model-load".to_owned()).stack_size(STACK_BYTES);
    let file = file.to_owned();
    let thread = match builder.spawn(body) {
        Ok(thread) => thread,
        Err(error) => {
            return Err(ModelError::Broken { file, problem: format!("cannot start a thread: {error}") });
        }
    };
    let outcome = match receiver.recv_timeout(limit) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => return Err(ModelError::TooSlow { file, limit }),
        Err(RecvTimeoutError::Disconnected) => Err("the loading thread ended early".to_owned()),
    };
    drop(thread.join());
    outcome.unwrap_or_else(|panic| Err(ModelError::Broken { file, problem: panic }))
}

fn prepare(source: Source) -> Result<OnnxClassifier, ModelError> {
    let (Built { engine, end, parameters }, mut manifest, file, about) = engine(source, 1, Limits::LINE)?;
    if manifest.parameters == 0 {
        manifest.parameters = parameters;
    }
    let mut network = OnnxClassifier::new(engine, manifest, about.id, about.bytes);
    let warm_up = network.warm_up();
    warm_up.map_err(|(picture, fault)| ModelError::WarmUp { file: file.clone(), picture, fault })?;
    // Last: an answer that is no probability says more of the model than how it ends.
    end.map_err(|problem| ModelError::Graph { file, problem: problem.to_string() })?;
    Ok(network)
}

/// Facts about an ONNX file.
struct About {
    /// The first digits of its fingerprint.
    id: String,
    bytes: u64,
}

/// A graph made ready, and what it says of itself.
struct Built {
    engine: Box<dyn Engine>,
    /// Whether it ends as its manifest says.
    end: Result<(), GraphProblem>,
    /// Number of its weights.
    parameters: u64,
}

/// From the files to an engine for `batch` pictures at a time, with the name of the ONNX file.
fn engine(
    source: Source,
    batch: usize,
    limits: Limits,
) -> Result<(Built, Manifest, String, About), ModelError> {
    let (manifest, found) = source.manifest()?;
    let Source { file, onnx, .. } = source;
    let about = About { id: found[..ID_DIGITS].to_owned(), bytes: onnx.len() as u64 };
    let built = build(&file, onnx, &manifest, batch, limits)?;
    Ok((built, manifest, file, about))
}

/// An engine for the network `onnx`, which messages call `file`.
fn build(
    file: &str,
    onnx: Vec<u8>,
    manifest: &Manifest,
    batch: usize,
    limits: Limits,
) -> Result<Built, ModelError> {
    let in_graph = |problem| match problem {
        GraphProblem::Refused(problem) => ModelError::Graph { file: file.to_owned(), problem },
        GraphProblem::Engine(problem) => ModelError::Engine { file: file.to_owned(), problem },
    };
    let checked = graph::read(&onnx, manifest, batch).map_err(in_graph)?;
    drop(onnx);
    let end = graph::check_end(&checked, manifest.output.kind);
    let parameters = graph::parameters(&checked);
    let engine = engine::choose(checked, manifest::outputs(manifest), batch, limits).map_err(in_graph)?;
    Ok(Built { engine, end, parameters })
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_is_an_error() {
        let (release, wait) = bounded::<()>(0);
        let hang = move || {
            let _ = wait.recv();
            Ok(())
        };
        let error = within(Duration::from_millis(1), "slow.onnx", hang).unwrap_err();
        assert_eq!(
            error.to_string(),
            "slow.onnx did not load within 0.001 s; use a smaller model or a faster board"
        );
        drop(release);
    }

    #[test]
    fn a_panic_is_an_error() {
        let error = within::<()>(LOAD_LIMIT, "bad.onnx", || panic!("no such axis")).unwrap_err();
        assert!(error.to_string().starts_with("bad.onnx: loading broke down: no such axis ("), "{error}");
    }

    #[test]
    fn the_fingerprint_is_that_of_sha256sum() {
        assert_eq!(fingerprint(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
