//! The thread that holds the camera: opens it, takes frames, and opens it again when it is lost or asked to.
//!
//! A driver may hang in any call; then this thread hangs and nobody else. One such thread lives at a time, so that nothing piles up
//! however often a camera goes and comes. Must not know what a lost camera means for parts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};

use super::facts::Facts;
use crate::clock::Time;
use crate::frame::{Frame, Prints, print};

/// First wait before a camera is opened again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What one wait for a frame gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// The frame was filled in; the driver's number of it.
    Frame { sequence: u32 },
    /// What came is no picture. Of the frame the capture time is filled in.
    Unusable { why: String, sequence: u32 },
    /// Nothing came for a while.
    Nothing,
}

/// A camera that streams.
pub(super) trait Stream {
    /// Waits a moment for the next frame.
    ///
    /// # Errors
    /// When the camera must be opened again.
    fn next(&mut self, frame: &mut Frame) -> Result<Taken, String>;
}

/// Opens the camera; called on the thread that then uses it.
pub(super) type Opener = Box<dyn FnMut() -> Result<(Box<dyn Stream>, Facts), String> + Send>;

/// What the thread tells.
#[derive(Debug)]
pub(super) enum Told {
    Opened(Facts),
    /// A frame; whether it is one of the last few once more. How many were lost before it, the frame says.
    Frame {
        frame: Frame,
        same: bool,
    },
    /// What came is no picture, when it was taken, and how many were lost before it.
    Unusable {
        why: String,
        at: Time,
        missed: u32,
    },
    /// The camera is not there, or is there no longer.
    Failed(String),
}

/// The thread's side of its channels.
pub(super) struct Grabber {
    pub open: Opener,
    pub told: Sender<Told>,
    pub spare: Receiver<Frame>,
    /// Set to have the camera closed and opened again.
    pub again: Arc<AtomicBool>,
    /// Closed to end the thread.
    pub stop: Receiver<()>,
}

impl Grabber {
    /// Works until the stop. A panic in a driver's library is a failure of the camera like any other.
    pub(super) fn run(mut self) {
        let mut wait = FIRST_WAIT;
        loop {
            let ended = catch_unwind(AssertUnwindSafe(|| self.stream(&mut wait)));
            let why = match ended {
                Ok(Ok(())) => return,
                Ok(Err(why)) => why,
                Err(_) => "the driver's library failed; the log tells where".to_owned(),
            };
            if self.told.send(Told::Failed(why)).is_err() || !self.pause(wait) {
                return;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Whether the thread is to go on after this pause.
    fn pause(&self, span: Duration) -> bool {
        matches!(self.stop.recv_timeout(span), Err(RecvTimeoutError::Timeout))
    }

    /// Opens the camera and hands on what it gives; ends without an error at the stop.
    fn stream(&mut self, wait: &mut Duration) -> Result<(), String> {
        let (mut stream, facts) = (self.open)()?;
        self.again.store(false, Ordering::Relaxed);
        if self.told.send(Told::Opened(facts)).is_err() {
            return Ok(());
        }
        let mut frame = Frame::default();
        let (mut prints, mut last, mut missed) = (Prints::default(), None::<u32>, 0u32);
        loop {
            if !self.pause(Duration::ZERO) {
                return Ok(());
            }
            if self.again.swap(false, Ordering::Relaxed) {
                return Err("no usable frame came".to_owned());
            }
            let (why, sequence) = match stream.next(&mut frame)? {
                Taken::Nothing => continue,
                Taken::Unusable { why, sequence } => (Some(why), sequence),
                Taken::Frame { sequence } => (None, sequence),
            };
            // Some drivers leave the number at 0.
            let lost = last.map_or(0, |before| sequence.saturating_sub(before).saturating_sub(1));
            (last, missed) = (Some(sequence), missed.saturating_add(lost));
            let told = match why {
                Some(why) => Told::Unusable { why, at: frame.captured_at, missed },
                None => {
                    let same = prints.repeats(print(&frame.pixels));
                    if !same {
                        *wait = FIRST_WAIT;
                    }
                    frame.missed = missed;
                    let next = self.spare.try_recv().unwrap_or_default();
                    Told::Frame { frame: std::mem::replace(&mut frame, next), same }
                }
            };
            // Never waits: a line that is busy gets newer frames instead, and is told how many it missed.
            missed = match self.told.try_send(told) {
                Ok(()) => 0,
                Err(TrySendError::Full(_)) => missed.saturating_add(1),
                Err(TrySendError::Disconnected(_)) => return Ok(()),
            };
        }
    }
}
