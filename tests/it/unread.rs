//! Standard error and standard output that nobody reads: pipes that are full from the start. A line does not notice.

use std::fs;
use std::io::{ErrorKind, PipeReader, PipeWriter, Write as _};
use std::process::{Child, Command, ExitStatus};

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process};

use crate::golden::castgate;

/// A pipe that takes nothing more; its reader must be kept.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    // Both ends of what is filled wait again afterwards, as a pipe does.
    ioctl_fionbio(&writer, true).unwrap();
    for chunk in [4096, 1] {
        let text = vec![b'.'; chunk];
        let full = loop {
            if let Err(error) = writer.write_all(&text) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
    }
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// A castgate whose words nobody reads. It does not outlive the test.
struct Unread {
    process: Child,
    _readers: [PipeReader; 2],
}

impl Unread {
    fn start(command: &mut Command) -> Self {
        let ((error, stderr), (out, stdout)) = (full_pipe(), full_pipe());
        let process = command.stdout(stdout).stderr(stderr).spawn().unwrap();
        Self { process, _readers: [error, out] }
    }

    fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn figure(summary: &str, key: &str) -> u64 {
    let summary: serde_json::Value = serde_json::from_str(summary).unwrap();
    summary[key].as_u64().unwrap_or_else(|| panic!("no {key} in {summary}"))
}

#[test]
fn a_line_that_nobody_reads_of_inspects_on_at_every_log_level() {
    let folder = tempfile::tempdir().unwrap();
    let levels = ["trace", "debug", "info", "warn", "error", "off"];
    let place = |level: &str, kind: &str| folder.path().join(format!("{level}.{kind}"));
    let lines = levels.map(|level| {
        fs::write(
            place(level, "yaml"),
            format!(
                "line: {{log_level: {level}}}\ndecide: {{inference: 20ms}}\nsimulation: {{sequence: dod}}\n"
            ),
        )
        .unwrap();
        let mut run = castgate();
        run.args(["run", "--parts", "3", "--config"]).arg(place(level, "yaml"));
        Unread::start(run.arg("--summary").arg(place(level, "json")))
    });
    for (level, mut line) in levels.iter().zip(lines) {
        assert_eq!(line.wait().code(), Some(0), "{level}");
        let summary = fs::read_to_string(place(level, "json")).unwrap();
        assert_eq!((figure(&summary, "parts"), figure(&summary, "escapes")), (3, 0), "{level}: {summary}");
    }
}

#[test]
fn a_line_that_nobody_reads_of_takes_commands_and_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let (file, socket) = (folder.path().join("castgate.yaml"), folder.path().join("command.sock"));
    let config =
        "line: {log_level: trace}\nsensor: {kind: none}\ndecide: {trigger: software, inference: 20ms}\n";
    fs::write(&file, format!("{config}commands: {{socket: command.sock}}\n")).unwrap();
    let summary = folder.path().join("summary.json");
    let mut run = castgate();
    let mut line = Unread::start(run.args(["run", "--config"]).arg(&file).arg("--summary").arg(&summary));
    let send = || castgate().args(["send", "trigger", "--socket"]).arg(&socket).output().unwrap();
    while !send().status.success() {
        assert_eq!(line.process.try_wait().unwrap(), None, "it ended");
    }
    // The ledger has read an order when it takes the next one.
    assert!(send().status.success());
    let process = Pid::from_child(&line.process);
    kill_process(process, Signal::TERM).unwrap();
    assert_eq!(line.wait().code(), Some(0));
    let summary = fs::read_to_string(&summary).unwrap();
    assert!(figure(&summary, "parts") + figure(&summary, "unresolved") > 0, "{summary}");
    assert!(!socket.exists(), "everything was put away");
}

#[test]
fn an_exit_code_does_not_wait_for_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("castgate.yaml");
    for (config, code) in [("line: {name: 3}\nsped: 1\n", 2), ("model: {path: none.onnx}\n", 3)] {
        fs::write(&file, config).unwrap();
        let mut run = castgate();
        let mut line = Unread::start(run.args(["run", "--config"]).arg(&file));
        assert_eq!(line.wait().code(), Some(code), "{config}");
    }
}
