//! Stopping in order, and the first cause of a failure.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::urgency;
use crate::camera::CameraError;
use crate::gate::GateError;
use crate::sensor::SensorError;

/// Asks a run to stop, from any thread and any number of times.
#[derive(Debug, Clone)]
pub struct Stopper {
    sender: Arc<Mutex<Option<Sender<()>>>>,
    receiver: Receiver<()>,
}

impl Default for Stopper {
    fn default() -> Self {
        let (sender, receiver) = bounded(0);
        Self { sender: Arc::new(Mutex::new(Some(sender))), receiver }
    }
}

impl Stopper {
    /// Asks for the stop: every stage that waits wakes up.
    pub fn stop(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Whether a stop was asked for.
    pub fn is_stopped(&self) -> bool {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// A channel that never carries anything and closes at the stop.
    pub fn signal(&self) -> Receiver<()> {
        self.receiver.clone()
    }
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// As many parts as asked for have left the line.
    PartsReached,
    /// The camera has no further picture and every part has left the line.
    EndOfPictures,
    /// Somebody asked for the stop.
    Stopped,
}

/// What ended a run before its time.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The camera cannot go on.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The sensor cannot go on.
    #[error(transparent)]
    Sensor(#[from] SensorError),
    /// The gate cannot be moved.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A stage panicked: a bug.
    #[error("the {stage} stage panicked: {what}")]
    Panic {
        /// Name of its thread.
        stage: &'static str,
        /// What it said.
        what: String,
    },
    /// A thread could not be started.
    #[error("cannot start the {stage} thread")]
    Thread {
        /// Its name.
        stage: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stage did not end in time.
    #[error("the {0} stage did not stop in time")]
    Stuck(&'static str),
}

/// How a stage's thread ended.
pub(super) struct Ended {
    pub stage: &'static str,
    pub result: Result<(), Failure>,
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Starts a stage's thread; its end, also by a panic, is told to `ended`.
pub(super) fn start(
    stage: &'static str,
    ended: &Sender<Ended>,
    work: impl FnOnce() -> Result<(), Failure> + Send + 'static,
) -> Result<JoinHandle<()>, Failure> {
    let ended = ended.clone();
    let run = move || {
        urgency::take(stage);
        let result = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(Failure::Panic { stage, what: message(panic.as_ref()) }));
        // The supervisor is gone only when it has given this stage up.
        let _ = ended.send(Ended { stage, result });
    };
    Builder::new().name(stage.to_owned()).spawn(run).map_err(|source| Failure::Thread { stage, source })
}
