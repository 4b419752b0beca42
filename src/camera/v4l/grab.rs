//! The thread that holds the camera: opens it, takes frames, and opens it again when it is lost or asked to.
//!
//! A driver may hang in any call; then this thread hangs and nobody else. One such thread lives at a time, so that nothing piles up
//! however often a camera goes and comes. Must not know what a lost camera means for parts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::device::Facts;
use crate::frame::{Frame, print};

/// First wait before a camera is opened again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What one wait for a frame gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// The frame was filled in; the driver's number of it.
    Frame { sequence: u32 },
    /// What came is no picture.
    Unusable(String),
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
    /// A frame; whether it shows the very same as the one before; how many the driver lost before it.
    Frame {
        frame: Frame,
        same: bool,
        lost: u32,
    },
    Unusable(String),
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
        let mut last: Option<(u64, u32)> = None;
        loop {
            if !self.pause(Duration::ZERO) {
                return Ok(());
            }
            if self.again.swap(false, Ordering::Relaxed) {
                return Err("no usable frame came".to_owned());
            }
            let told = match stream.next(&mut frame)? {
                Taken::Nothing => continue,
                Taken::Unusable(why) => Told::Unusable(why),
                Taken::Frame { sequence } => {
                    let print = print(&frame.pixels);
                    let same = last.is_some_and(|(before, _)| before == print);
                    // Some drivers leave the number at 0.
                    let lost =
                        last.map_or(0, |(_, before)| sequence.saturating_sub(before).saturating_sub(1));
                    last = Some((print, sequence));
                    if !same {
                        *wait = FIRST_WAIT;
                    }
                    let next = self.spare.try_recv().unwrap_or_default();
                    Told::Frame { frame: std::mem::replace(&mut frame, next), same, lost }
                }
            };
            // Never waits: a line that is busy gets newer frames instead, and counts by the driver's numbers what it missed.
            if let Err(crossbeam_channel::TrySendError::Disconnected(_)) = self.told.try_send(told) {
                return Ok(());
            }
        }
    }
}
