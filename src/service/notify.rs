//! What systemd is told: ready, status, reloading, stopping, and that the daemon is alive while every stage is.
//!
//! The only home of sd_notify. Outside systemd nothing is told. Must not know what the stages do.

use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use sd_notify::NotifyState;

use crate::camera::rate::SLOW;
use crate::clock::{Clock, Time};
use crate::pipeline::{Event, Listener, Vitals};
use crate::verdict::Verdict;

/// Time between two looks at the stages.
const BEAT: Duration = Duration::from_millis(500);
/// A stage that is at one piece of work for longer hangs, where systemd sets no watchdog. Slower models are refused long before.
const HANGS_AFTER: Duration = Duration::from_secs(5);
/// The status is told at most so often, in beats.
const STATUS_EVERY: u64 = 4;
/// Time that the thread has to end in: a systemd that takes nothing must not keep the process.
const END_WITHIN: Duration = Duration::from_millis(500);
/// How much longer the start may take with each beat on which all is well: a camera that is not there yet is waited for.
const EXTEND_BY: Duration = Duration::from_secs(10);

/// Tells systemd something; a systemd that does not listen must not disturb the line.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log::debug!("systemd cannot be told {states:?}: {error}");
    }
}

/// Whether systemd was told that the daemon is ready: a reload before that must not say so.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The configuration is read again; [`reloaded`] follows.
pub fn reloading() {
    if IS_READY.load(Ordering::Relaxed)
        && let Ok(now) = NotifyState::monotonic_usec_now()
    {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// The configuration was read again, or was not good and the old one holds.
pub fn reloaded() {
    if IS_READY.load(Ordering::Relaxed) {
        tell(&[NotifyState::Ready]);
    }
}

/// What the status is made of, counted by a listener.
#[derive(Debug, Default)]
struct Counted {
    parts: AtomicU64,
    rejected: AtomicU64,
    /// When the last part left, in nanoseconds; 0 before.
    last: AtomicU64,
    stopped: AtomicU64,
}

/// Counts for the status.
struct Counter(Arc<Counted>);

impl Listener for Counter {
    fn hear(&mut self, event: &Event) {
        match event {
            Event::Part(record) => {
                self.0.parts.fetch_add(1, Ordering::Relaxed);
                if record.verdict != Verdict::Ok {
                    self.0.rejected.fetch_add(1, Ordering::Relaxed);
                }
                self.0.last.store(record.triggered_at.as_nanos(), Ordering::Relaxed);
            }
            Event::LineStop { reason, .. } => {
                self.0.stopped.store(u64::from(reason.is_some()), Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// Watches the stages of one run, on a thread of its own, and tells systemd.
pub struct Watchdog {
    counted: Arc<Counted>,
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Watchdog {
    /// Begins to watch: READY is told when the first frame has gone through all stages, and each sign of life only while no stage
    /// hangs.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(line: &str, vitals: Vitals, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (stop, stopped) = bounded::<()>(0);
        let (end, ended) = bounded::<()>(0);
        let counted = Arc::new(Counted::default());
        let limit = sd_notify::watchdog_enabled().map_or(HANGS_AFTER, |span| span / 2);
        let mut watch =
            Watch { line: line.to_owned(), vitals, counted: counted.clone(), limit, ..Watch::default() };
        let work = move || {
            let _end = end;
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                watch.beat(clock.now()).iter().for_each(Said::tell);
            }
            tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
        };
        Builder::new().name("watchdog".to_owned()).spawn(work)?;
        Ok(Self { counted, stop: Some(stop), ended })
    }

    /// Counts parts for the status.
    pub fn listener(&self) -> impl Listener + use<> {
        Counter(self.counted.clone())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop = None;
        // Closed when the thread has ended, also by a panic, which the hook has logged. One that hangs in a socket is left behind.
        let _ = self.ended.recv_timeout(END_WITHIN);
    }
}

/// Something for systemd.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Ready,
    Alive,
    StartTakesLonger,
    Status(String),
}

impl Said {
    fn tell(&self) {
        match self {
            Said::Ready => {
                IS_READY.store(true, Ordering::Relaxed);
                log::info!("ready: the first frame has gone through all stages");
                tell(&[NotifyState::Ready]);
            }
            Said::Alive => tell(&[NotifyState::Watchdog]),
            Said::StartTakesLonger => {
                tell(&[NotifyState::ExtendTimeoutUsec(
                    u32::try_from(EXTEND_BY.as_micros()).unwrap_or(u32::MAX),
                )]);
            }
            Said::Status(text) => tell(&[NotifyState::Status(text)]),
        }
    }
}

/// What is told when; pure.
#[derive(Debug, Default)]
struct Watch {
    line: String,
    vitals: Vitals,
    counted: Arc<Counted>,
    limit: Duration,
    beats: u64,
    ready: bool,
    /// Frames at the last status, and when that was.
    before: Option<(u64, Time)>,
    /// The stage whose hang was logged.
    hanging: Option<&'static str>,
}

impl Watch {
    fn beat(&mut self, now: Time) -> Vec<Said> {
        let mut said = Vec::new();
        let hanging = self.vitals.hanging(now, self.limit);
        match hanging {
            Some((stage, span)) if self.hanging != Some(stage) => log::error!(
                "the {stage} stage has been at one piece of work for {:.1} s: systemd is told nothing more and restarts castgate",
                span.as_secs_f64()
            ),
            None if self.hanging.is_some() => log::warn!("no stage hangs any more"),
            _ => {}
        }
        self.hanging = hanging.map(|(stage, _)| stage);
        if !self.ready && self.vitals.judged() > 0 {
            self.ready = true;
            said.push(Said::Ready);
        }
        if hanging.is_none() {
            said.push(if self.ready { Said::Alive } else { Said::StartTakesLonger });
        }
        if self.beats.is_multiple_of(STATUS_EVERY) {
            said.push(Said::Status(self.status(now)));
        }
        self.beats += 1;
        said
    }

    /// `line 3: inspecting, 20.0 frames/s; 1204 parts, 31 rejected (2.6 %), the last 2 s ago`; `12.3 of 20.0 frames/s` where the camera gives fewer than
    /// it promised.
    fn status(&mut self, now: Time) -> String {
        let judged = self.vitals.judged();
        let (before, since) = self.before.replace((judged, now)).unwrap_or((judged, now));
        let counted = &self.counted;
        let doing = match (self.hanging, judged) {
            (Some(stage), _) => format!("the {stage} stage HANGS"),
            (None, 0) => "waiting for the first frame".to_owned(),
            _ if counted.stopped.load(Ordering::Relaxed) > 0 => "LINE STOP".to_owned(),
            (None, judged) if judged == before && since < now => {
                "NO FRAMES, every part is rejected".to_owned()
            }
            _ => "inspecting".to_owned(),
        };
        let mut text = format!("{}: {doing}", self.line);
        let seconds = now.seconds_since(since);
        if judged > before && seconds > 0.0 {
            // Writing to a text cannot fail.
            let rate = (judged - before) as f64 / seconds;
            let _ = match self.vitals.promised().filter(|promised| rate < promised * SLOW) {
                Some(promised) => write!(text, ", {rate:.1} of {promised:.1} frames/s"),
                None => write!(text, ", {rate:.1} frames/s"),
            };
        }
        let parts = counted.parts.load(Ordering::Relaxed);
        let rejected = counted.rejected.load(Ordering::Relaxed);
        if parts > 0 {
            let share = 100.0 * rejected as f64 / parts as f64;
            let ago = now - Time::from_nanos(counted.last.load(Ordering::Relaxed));
            let _ = write!(
                text,
                "; {parts} parts, {rejected} rejected ({share:.1} %), the last {} s ago",
                ago.as_secs()
            );
        } else {
            text.push_str("; no part yet");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch { line: "line 3".into(), limit: Duration::from_secs(1), ..Watch::default() }
    }

    fn at(s: f64) -> Time {
        Time::ZERO.plus_s(s)
    }

    #[test]
    fn until_the_first_frame_the_start_takes_longer() {
        let mut watch = watch();
        let status = Said::Status("line 3: waiting for the first frame; no part yet".into());
        assert_eq!(watch.beat(at(0.5)), [Said::StartTakesLonger, status]);
        assert_eq!(watch.beat(at(1.0)), [Said::StartTakesLonger]);
    }

    #[test]
    fn the_status_tells_what_matters() {
        let mut watch = watch();
        watch.counted.parts.store(40, Ordering::Relaxed);
        watch.counted.rejected.store(1, Ordering::Relaxed);
        watch.counted.last.store(at(7.0).as_nanos(), Ordering::Relaxed);
        watch.before = Some((0, at(5.0)));
        assert_eq!(
            watch.status(at(9.5)),
            "line 3: waiting for the first frame; 40 parts, 1 rejected (2.5 %), the last 2 s ago"
        );
        watch.hanging = Some("infer");
        assert!(watch.status(at(9.5)).starts_with("line 3: the infer stage HANGS;"));
    }
}
