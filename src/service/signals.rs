//! Signals: the first SIGINT or SIGTERM asks to stop, the second one stops at once. SIGHUP asks to read the configuration again.
//!
//! Must not know what is stopped. SIGPIPE is left alone: the runtime ignores it, and writes then fail with an error.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use super::logging;

/// Time that the log has for what is left when the process is ended at once.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How far a stop has come.
enum State {
    Running,
    Stopping,
}

/// Watches for signals on the thread `signals` until it is dropped.
#[derive(Debug)]
pub struct SignalWatch {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl SignalWatch {
    /// Calls `stop` on the first signal and `stop_at_once` on every later one. Both are called on the thread `signals`
    /// and must be quick.
    ///
    /// # Errors
    /// When the system refuses a signal handler or a thread.
    pub fn start(
        stop: impl FnMut() + Send + 'static,
        stop_at_once: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        Self::watch(&[SIGINT, SIGTERM], stop, stop_at_once, || {})
    }

    /// As [`SignalWatch::start`]; calls `reload` on every SIGHUP, also while stopping. Without it, SIGHUP ends the process.
    ///
    /// # Errors
    /// As [`SignalWatch::start`].
    pub fn with_reload(
        stop: impl FnMut() + Send + 'static,
        stop_at_once: impl FnMut() + Send + 'static,
        reload: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        Self::watch(&[SIGINT, SIGTERM, SIGHUP], stop, stop_at_once, reload)
    }

    fn watch(
        which: &[i32],
        mut stop: impl FnMut() + Send + 'static,
        mut stop_at_once: impl FnMut() + Send + 'static,
        mut reload: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let mut signals = Signals::new(which)?;
        let handle = signals.handle();
        let watch = move || {
            let mut state = State::Running;
            // Nobody may be reading the log; signals are taken all the same.
            logging::this_thread_never_waits();
            for signal in signals.forever() {
                let name = signal_hook::low_level::signal_name(signal).unwrap_or("signal");
                if signal == SIGHUP {
                    reload();
                    log::info!("{name}: reading the configuration again");
                    continue;
                }
                state = match state {
                    State::Running => {
                        stop();
                        log::info!("{name}: stopping; once more stops at once");
                        State::Stopping
                    }
                    State::Stopping => {
                        log::warn!("{name} again: stopping at once");
                        stop_at_once();
                        State::Stopping
                    }
                };
            }
        };
        let thread = thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
        Ok(Self { handle, thread: Some(thread) })
    }
}

/// Ends the process here and now, without unwinding; only the log has a moment for its last words. The kernel releases the devices.
pub fn end_at_once() {
    logging::finish_within(LAST_WORDS);
    signal_hook::low_level::exit(130);
}

/// As [`end_at_once`], for a process that was asked to stop before it began its work: it has ended in order.
pub fn end_before_work() {
    signal_hook::low_level::exit(0);
}

impl Drop for SignalWatch {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // A panic in a callback has been logged by the panic hook.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_first_signal_asks_and_later_ones_stop_at_once() {
        let (told, heard) = crossbeam_channel::bounded(4);
        let (asked, reload) = (told.clone(), told.clone());
        let watch = SignalWatch::with_reload(
            move || asked.send("stop").unwrap(),
            move || told.send("stop at once").unwrap(),
            move || reload.send("reload").unwrap(),
        )
        .unwrap();
        let mut words = Vec::new();
        for signal in [SIGHUP, SIGTERM, SIGHUP, SIGINT, SIGTERM] {
            signal_hook::low_level::raise(signal).unwrap();
            words.push(heard.recv_timeout(Duration::from_secs(30)).unwrap());
        }
        assert_eq!(words, ["reload", "stop", "reload", "stop at once", "stop at once"]);
        drop(watch);
        assert!(heard.recv().is_err(), "the thread has ended and dropped its callbacks");
    }
}
