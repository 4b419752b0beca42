//! A camera of this board, by Video4Linux: captured on a thread of its own, watched, and opened again when it is lost.
//!
//! The only home of nokhwa and of `v4l`. Knows devices and frames; must not know what a lost camera means for parts.

mod controls;
mod decode;
mod device;
mod facts;
mod find;
mod grab;
mod watch;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::{CameraError, Captured, FrameSource, Listed};
use crate::clock::{Clock, Time};
use crate::config::Camera;
use crate::frame::Frame;
use crate::limit::Limiter;
use crate::units::Rate;
use facts::Facts;
use grab::{Grabber, Opener, Told};
use watch::{Watch, Watched};

/// Messages from the thread that wait; more than one frame in them means that the line is late already.
const TOLD: usize = 4;
/// Longest wait for a frame in one step, so that a stop is heard.
const STEP: Duration = Duration::from_millis(100);
/// Longest wait for the thread's end; a driver that hangs longer is left behind, and ends with the process.
const END_WITHIN: Duration = Duration::from_secs(2);
/// Frames that are no picture are told at most so often.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// A camera of this board.
pub struct V4lCamera {
    inbox: Receiver<Told>,
    spare: Sender<Frame>,
    again: Arc<AtomicBool>,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    clock: Arc<dyn Clock>,
    watch: Watch,
    facts: Option<Facts>,
    told_unusable: Limiter,
    /// When a loss was told, and whether the present or last one was. A camera that is just slow is lost and back with every frame.
    told_lost: Option<Time>,
    lost_told: bool,
    /// Frames that were lost before ones that are no picture, for the next frame to tell.
    missed: u32,
}

impl V4lCamera {
    /// Begins to open the camera of `camera.device`; in colour only if that is wanted. A camera that is not there yet is waited for.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn open(camera: &Camera, colour: bool, clock: Arc<dyn Clock>) -> Result<Self, CameraError> {
        let (settings, stamps) = (camera.clone(), clock.clone());
        let opener: Opener = Box::new(move || {
            let (streaming, facts) = device::open(&settings, colour, stamps.clone())?;
            Ok((Box::new(streaming), facts))
        });
        Self::start(opener, camera.lost_after.duration(), clock)
    }

    fn start(open: Opener, lost_after: Duration, clock: Arc<dyn Clock>) -> Result<Self, CameraError> {
        let (told, inbox) = bounded(TOLD);
        let (spare, spares) = bounded(TOLD);
        let (stop, stopped) = bounded(0);
        let again = Arc::new(AtomicBool::new(false));
        let grabber = Grabber { open, told, spare: spares, again: again.clone(), stop: stopped };
        // Its end is seen by its channel: a driver that hangs must not hang whoever waits for the thread.
        Builder::new().name("camera".to_owned()).spawn(move || grabber.run()).map_err(CameraError::Thread)?;
        let watch = Watch::new(clock.now(), lost_after);
        let stop = Some(stop);
        Ok(Self {
            inbox,
            spare,
            again,
            stop,
            clock,
            watch,
            facts: None,
            told_unusable: Limiter::new(1, TELL_EVERY),
            told_lost: None,
            lost_told: false,
            missed: 0,
        })
    }

    fn opened(&mut self, facts: Facts) {
        if self.facts.as_ref() == Some(&facts) {
            log::debug!("{} is open again", facts.summary);
            return;
        }
        log::info!("{}", facts.summary);
        facts.differences.iter().for_each(|difference| log::warn!("{difference}"));
        self.facts = Some(facts);
    }

    fn tell(&mut self, watched: Watched, now: Time) {
        match watched {
            Watched::Well => {}
            Watched::Lost { why } => {
                self.lost_told = self.told_lost.is_none_or(|told| now - told >= TELL_EVERY);
                if self.lost_told {
                    self.told_lost = Some(now);
                    log::warn!("the camera is lost: {why}; parts are rejected until it is back");
                }
            }
            Watched::Changed { why } => log::warn!("the camera is still lost: {why}"),
            Watched::Back { after } if self.lost_told => {
                log::info!("the camera is back after {:.1} s", after.as_secs_f64());
            }
            Watched::Back { .. } => {}
            Watched::OpenAgain => self.again.store(true, Ordering::Relaxed),
        }
    }

    fn damaged(&mut self, why: String, now: Time) -> Captured {
        Captured::Damaged { why: self.told_unusable.allow(now).map(|more| format!("{why}{more}")) }
    }
}

impl FrameSource for V4lCamera {
    fn due(&self) -> Option<Time> {
        None
    }

    /// Taken when the driver gave the frame, before it was decoded and waited for the line.
    fn dates_arrival(&self) -> bool {
        true
    }

    fn agreed(&self) -> Option<f64> {
        self.facts.as_ref()?.rate.map(Rate::as_per_s)
    }

    fn next(&mut self, _: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        let told = self.inbox.recv_timeout(STEP);
        let now = self.clock.now();
        let captured = match told {
            Ok(Told::Frame { frame: new, same }) => {
                let old = std::mem::replace(frame, new);
                // A thread that has memory enough does not need it back.
                let _ = self.spare.try_send(old);
                frame.missed = frame.missed.saturating_add(std::mem::take(&mut self.missed));
                if frame.missed > 0 {
                    log::debug!("{} frames were lost before this one", frame.missed);
                }
                let watched = match same {
                    true => self.watch.poor("it repeats one picture", now),
                    false => self.watch.good(now),
                };
                self.tell(watched, now);
                Captured::Frame
            }
            Ok(Told::Unusable { why, at, missed }) => {
                let watched = self.watch.poor(&format!("its frames cannot be used: {why}"), now);
                self.tell(watched, now);
                frame.captured_at = at;
                self.missed = self.missed.saturating_add(missed);
                self.damaged(why, now)
            }
            Ok(Told::Opened(facts)) => {
                self.opened(facts);
                self.watch.opened(now);
                // What becomes of a camera that was opened anew is told.
                self.told_lost = None;
                Captured::Nothing
            }
            Ok(Told::Failed(why)) => {
                let watched = self.watch.failed(&why);
                self.told_lost = None;
                self.tell(watched, now);
                Captured::Nothing
            }
            Err(RecvTimeoutError::Timeout) => {
                let watched = self.watch.silent(now);
                self.tell(watched, now);
                Captured::Nothing
            }
            Err(RecvTimeoutError::Disconnected) => return Err(CameraError::Ended),
        };
        Ok(captured)
    }
}

impl Drop for V4lCamera {
    fn drop(&mut self) {
        self.stop = None;
        let until = self.clock.now() + END_WITHIN;
        while let Ok(_) | Err(RecvTimeoutError::Timeout) = self.inbox.recv_timeout(STEP) {
            if self.clock.now() >= until {
                log::warn!("the camera's driver does not return from a call; it is left behind");
                return;
            }
        }
    }
}

/// The cameras of this board.
pub fn list() -> Vec<Listed> {
    let seen = device::listed();
    let nodes = find::nodes().into_iter().filter(|node| node.index == 0 && seen.contains(&node.number));
    nodes
        .map(|node| Listed { path: node.path(), lasting: find::lasting_names(&node), name: node.name })
        .collect()
}

/// What the camera that `wanted` names can do: name, settings, formats with sizes and rates.
///
/// # Errors
/// When there is no such camera or it does not answer.
pub fn show(wanted: Option<&str>) -> Result<Vec<String>, CameraError> {
    let told = find::resolve(wanted).and_then(|node| device::describe(&node));
    told.map_err(CameraError::Device)
}

#[cfg(test)]
mod tests;
