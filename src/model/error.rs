//! What can go wrong with a model: when it is opened, and while it works.

use std::io;
use std::time::Duration;

use crate::strict::problem::Problem;

/// Why a model cannot be used. Every message names the file and says what to do; commands end with exit code 3.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The ONNX file or its manifest cannot be read.
    #[error(
        "cannot read {file}: {cause}; a model is an ONNX file with its manifest beside it (`part.onnx` and `part.yaml`), \
         or `demo` or `casting` for a built-in one"
    )]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        cause: io::Error,
    },
    /// A file is larger than any that castgate takes.
    #[error("{file} is larger than {limit_mib} MiB, the most that castgate reads; is it the right file?")]
    TooLarge {
        /// The file.
        file: String,
        /// The limit, in MiB.
        limit_mib: u64,
    },
    /// The manifest has problems; all of them are listed.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Manifest {
        /// Each with file, place and key.
        problems: Vec<Problem>,
    },
    /// The manifest belongs to another ONNX file.
    #[error(
        "{file} is not the file that {manifest} describes: its sha256 is {found}, the manifest says {expected}; \
         put back the pair that belongs together"
    )]
    Fingerprint {
        /// The ONNX file.
        file: String,
        /// Its manifest.
        manifest: String,
        /// SHA-256 of the file.
        found: String,
        /// SHA-256 in the manifest.
        expected: String,
    },
    /// The file is not ONNX, or its graph is not one that castgate runs.
    #[error("{file}: {problem}")]
    Graph {
        /// The ONNX file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The inference engine refused the graph.
    #[error(
        "{file}: the inference engine cannot run this graph: {problem}; export it again as float32 with operator set 13 to 18"
    )]
    Engine {
        /// The ONNX file.
        file: String,
        /// What the engine said.
        problem: String,
    },
    /// The model did not answer the warm-up pictures with scores.
    #[error("{file}: warm-up on a {picture} picture failed: {fault}; train or export the model again")]
    WarmUp {
        /// The ONNX file.
        file: String,
        /// Which picture.
        picture: &'static str,
        /// What was wrong with the answer.
        fault: ModelFault,
    },
    /// Loading took too long and was given up.
    #[error("{file} did not load within {} s; use a smaller model or a faster board", limit.as_secs_f64())]
    TooSlow {
        /// The ONNX file.
        file: String,
        /// The time it had.
        limit: Duration,
    },
    /// Loading broke down in a way that is castgate's or the engine's mistake, not the model's alone.
    #[error("{file}: loading broke down: {problem}; the file is damaged or not made for castgate")]
    Broken {
        /// The ONNX file.
        file: String,
        /// What is known of it.
        problem: String,
    },
}

/// Why a model gave no score for a picture. The part is rejected with the reason `model_fault`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelFault {
    /// An answer, or the number that its sigmoid or softmax was made from, was NaN or infinite.
    #[error("the model computed {0}, which is no probability")]
    NotFinite(f32),
    /// An answer was not between 0 and 1.
    #[error("the model answered {0}, outside 0 to 1")]
    OutOfRange(f32),
    /// The probabilities of the classes do not make a whole.
    #[error("the model's class probabilities add up to {0}, not to 1: its graph must end with softmax")]
    NotAWhole(f32),
    /// The picture does not have the size that the model takes.
    #[error("the model takes {expected} values and was given {found}")]
    WrongInput {
        /// Number of values of the manifest's input.
        expected: usize,
        /// Number of values given.
        found: usize,
    },
    /// The picture holds NaN or an infinite value, which could hide behind the network's ReLU and look healthy.
    #[error("the picture holds {0}, which is no grey level")]
    BadInput(f32),
    /// The engine reported an error.
    #[error("inference failed: {0}")]
    Engine(String),
    /// The engine panicked; it was caught and the model made ready again.
    #[error("inference panicked: {0}")]
    Panicked(String),
}
