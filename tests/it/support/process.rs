//! Programs that tests start: none of them outlives its test, however that ends.

use std::io::{BufRead, BufReader, Read};
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Output};
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

/// Nothing that a test waits for takes longer, on however busy a machine: only what hangs does.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// A program that runs. Dropped, also by a test that fails, it is killed.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))))
    }

    /// Sends a signal, without a program of the machine's: a bare one has no `kill`.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self), signal).unwrap();
    }

    /// Waits for its end and takes what it printed to pipes.
    #[cfg(feature = "train")]
    pub(crate) fn output(mut self) -> std::process::Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Deref for Running {
    type Target = Child;
    fn deref(&self) -> &Child {
        self.0.as_ref().expect("it was not given away")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect("it was not given away")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // One that has ended already is reaped all the same.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Lines that a program prints, read on a thread of their own.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    pub(crate) fn of(pipe: impl Read + Send + 'static) -> Self {
        let (told, lines) = unbounded();
        let read = move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                // A test that has heard enough leaves the pipe open.
                let _ = told.send(line);
            }
        };
        Builder::new().name("lines".to_owned()).spawn(read).unwrap();
        Self(lines)
    }

    /// Reads up to a line that holds `text`, and gives all of it.
    #[track_caller]
    pub(crate) fn until(&self, text: &str) -> String {
        let mut all = String::new();
        loop {
            match self.0.recv_timeout(LONG) {
                Ok(line) => all.extend([&line, "\n"]),
                Err(RecvTimeoutError::Timeout) => panic!("no `{text}` came in {LONG:?}:\n{all}"),
                Err(RecvTimeoutError::Disconnected) => panic!("no `{text}` in all that came:\n{all}"),
            }
            if all.lines().next_back().is_some_and(|line| line.contains(text)) {
                return all;
            }
        }
    }

    /// Reads to the end.
    #[track_caller]
    pub(crate) fn rest(&self) -> String {
        let mut all = String::new();
        loop {
            match self.0.recv_timeout(LONG) {
                Ok(line) => all.extend([&line, "\n"]),
                Err(RecvTimeoutError::Timeout) => panic!("it does not end, {LONG:?} after:\n{all}"),
                Err(RecvTimeoutError::Disconnected) => return all,
            }
        }
    }
}

/// All that a program printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// It ended with this code and said these words.
#[track_caller]
pub(crate) fn expect(output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
}

#[test]
fn a_test_that_fails_leaves_no_program_behind() {
    let (told, heard) = unbounded();
    let fails = move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "support::process::waits_for_its_input", "--nocapture"]);
        command.env("CASTGATE_TEST_WAITS", "1").stdin(std::process::Stdio::piped());
        let mut running = Running::start(command.stdout(std::process::Stdio::piped()));
        let lines = Lines::of(running.stdout.take().unwrap());
        lines.until("it waits");
        told.send(Pid::from_child(&running)).unwrap();
        panic!("as this test wants it");
    };
    let failed = Builder::new().name("fails".to_owned()).spawn(fails).unwrap();
    let id = heard.recv_timeout(LONG).unwrap();
    assert!(failed.join().is_err());
    assert_eq!(rustix::process::test_kill_process(id), Err(rustix::io::Errno::SRCH), "it is gone");
}

/// Not a test of its own: the program that [`a_test_that_fails_leaves_no_program_behind`] starts.
#[test]
fn waits_for_its_input() {
    if std::env::var_os("CASTGATE_TEST_WAITS").is_some() {
        println!("it waits");
        let _ = std::io::stdin().read(&mut [0]);
    }
}
