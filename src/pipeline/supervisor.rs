//! Stopping in order, and the first cause of a failure.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

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
    /// A stage did not end within the time that a stop may take.
    #[error(
        "the {stage} stage did not stop within {} s: a device or the model does not answer, or this machine has no time for castgate{}",
        STOP_WITHIN.as_secs(),
        if *.gate_is_safe { "" } else { "; the gate may not be in its safe position" }
    )]
    Stuck {
        /// The stage that has been at work for longest.
        stage: &'static str,
        /// Whether the gate's own stage has ended, and put it in its safe position.
        gate_is_safe: bool,
    },
}

/// Time that the stages have to end in after a stop. They need milliseconds, and on a machine that is far too busy seconds: only what hangs
/// takes it all.
pub const STOP_WITHIN: Duration = Duration::from_secs(10);
/// The supervisor waits in pieces of this length. It counts pieces and reads no clock: on a machine that has no time for the stages it is
/// late itself, and gives them as much more.
const PIECE: Duration = Duration::from_millis(100);
/// Pieces after which a stop is given up.
const PIECES: u128 = STOP_WITHIN.as_millis() / PIECE.as_millis();

/// A stage's thread.
pub(super) struct Started {
    pub stage: &'static str,
    pub thread: JoinHandle<()>,
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
) -> Result<Started, Failure> {
    let ended = ended.clone();
    let run = move || {
        urgency::take(stage);
        let result = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|panic| Err(Failure::Panic { stage, what: message(panic.as_ref()) }));
        // The supervisor is gone only when it has given this stage up.
        let _ = ended.send(Ended { stage, result });
    };
    let thread = Builder::new().name(stage.to_owned()).spawn(run);
    thread.map(|thread| Started { stage, thread }).map_err(|source| Failure::Thread { stage, source })
}

/// Waits for the stages to end: a failure, the decide stage's end or a stop ends them all. Without a stop the decide stage
/// ends when the camera has no further picture.
///
/// # Errors
/// The first cause of a failure, or the stage that does not end.
pub(super) fn supervise(
    ended: &Receiver<Ended>,
    started: Vec<Started>,
    stopper: &Stopper,
    at_work: impl Fn() -> Option<&'static str>,
) -> Result<Cause, Failure> {
    wait_in_pieces(ended, started, stopper, at_work, PIECE)
}

fn wait_in_pieces(
    ended: &Receiver<Ended>,
    started: Vec<Started>,
    stopper: &Stopper,
    at_work: impl Fn() -> Option<&'static str>,
    piece: Duration,
) -> Result<Cause, Failure> {
    let mut first: Option<Failure> = None;
    let mut cause = Cause::Stopped;
    let mut left: Vec<&str> = started.iter().map(|started| started.stage).collect();
    let mut waited = 0;
    loop {
        match ended.recv_timeout(piece) {
            Ok(end) => {
                left.retain(|stage| *stage != end.stage);
                let stopped = stopper.is_stopped();
                if end.stage == "decide" && !stopped {
                    cause = Cause::EndOfPictures;
                }
                let failed = end.result.is_err();
                first = first.or(end.result.err());
                if failed || end.stage == "decide" {
                    stopper.stop();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if stopper.is_stopped() => {
                waited += 1;
                if waited >= PIECES {
                    // The others wait for the one that is at work. Where none is, the last one started waits for nobody.
                    let stage = at_work().or(left.last().copied()).unwrap_or("report");
                    let gate_is_safe = !left.contains(&"gate");
                    return Err(first.unwrap_or(Failure::Stuck { stage, gate_is_safe }));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    for Started { thread, .. } in started {
        // The threads have told their end already, panics included.
        let _ = thread.join();
    }
    first.map_or(Ok(cause), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stages of which `stuck` never end; what a stop comes to.
    fn stop(stuck: &'static [&'static str], at_work: Option<&'static str>) -> Result<Cause, Failure> {
        let (told, ended) = bounded(8);
        let (hold, held) = bounded::<()>(0);
        let stages = ["report", "gate", "decide", "infer", "capture"];
        let work = |stage: &'static str| {
            let held = held.clone();
            move || {
                if stuck.contains(&stage) {
                    let _ = held.recv();
                }
                Ok(())
            }
        };
        let started = stages.map(|stage| start(stage, &told, work(stage)).unwrap());
        drop(told);
        let stopper = Stopper::default();
        stopper.stop();
        let result = wait_in_pieces(&ended, started.into(), &stopper, || at_work, Duration::from_millis(1));
        drop(hold);
        result
    }

    #[test]
    fn a_stage_that_does_not_end_is_named_and_no_bug() {
        assert_eq!(stop(&[], None).unwrap(), Cause::Stopped);
        let told = |stuck, at_work| stop(stuck, at_work).unwrap_err().to_string();
        let why = "did not stop within 10 s: a device or the model does not answer, or this machine has no time for castgate";
        // The report stage ends after the others, whichever of them hangs.
        assert_eq!(told(&["report", "capture"], None), format!("the capture stage {why}"));
        assert_eq!(told(&["report", "infer", "capture"], Some("infer")), format!("the infer stage {why}"));
        assert_eq!(
            told(&["report", "gate"], Some("gate")),
            format!("the gate stage {why}; the gate may not be in its safe position")
        );
    }
}
