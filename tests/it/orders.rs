//! Orders to a running line, through the built program: commands over the local socket, and a reload of the configuration.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::golden::castgate;
use crate::support::process::{Lines, Running, Signal};

/// A running line with a configuration and a socket of its own.
struct Line {
    process: Running,
    log: Lines,
    folder: tempfile::TempDir,
}

impl Line {
    /// Starts it; returns when its devices are open.
    fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("castgate.yaml");
        fs::write(&file, config).unwrap();
        let mut run = castgate();
        run.args(["run", "--config"]).arg(&file);
        let line = Self::spawn(folder, run);
        line.wait_for("configuration");
        line
    }

    fn spawn(folder: tempfile::TempDir, mut run: Command) -> Self {
        let printed = fs::File::create(folder.path().join("printed")).unwrap();
        let mut process = Running::start(run.stdout(printed).stderr(Stdio::piped()));
        let log = Lines::of(process.stderr.take().unwrap());
        Self { process, log, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Reads the log up to a line that holds `text`, and gives all of it.
    #[track_caller]
    fn wait_for(&self, text: &str) -> String {
        self.log.until(text)
    }

    fn send(&self, command: &str) -> Output {
        castgate().args(["send", command, "--config"]).arg(self.path("castgate.yaml")).output().unwrap()
    }

    fn stop(mut self) -> tempfile::TempDir {
        self.process.signal(Signal::TERM);
        let rest = self.log.rest();
        assert_eq!(self.process.wait().unwrap().code(), Some(0), "{rest}");
        self.folder
    }
}

/// A line on which a part that was commanded stays for minutes, so that it is there still when a busy machine gets to it.
const SLOWLY: &str = "sensor: {kind: none}\ndecide: {trigger: software}\nline: {speed: 2 mm/s}\n";

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_running_line_takes_commands_over_its_socket() {
    let line = Line::start("commands: {socket: command.sock}\n");
    let reset = line.send("reset");
    assert_eq!(
        (text(&reset.stdout).as_str(), reset.status.code()),
        ("ok\n", Some(0)),
        "{}",
        text(&reset.stderr)
    );
    line.wait_for("reset: a command came over the local socket");
    let trigger = line.send("trigger");
    assert_eq!(trigger.status.code(), Some(1));
    let told = text(&trigger.stderr);
    assert!(
        told.starts_with("castgate: error: the line does not take the command: parts of this line"),
        "{told}"
    );

    let mut second = castgate();
    let second = second.args(["run", "--config"]).arg(line.path("castgate.yaml")).output().unwrap();
    assert_eq!(second.status.code(), Some(3));
    let told = text(&second.stderr);
    assert!(told.contains("command.sock: another castgate takes commands here; stop it"), "{told}");

    let folder = line.stop();
    assert!(!folder.path().join("command.sock").exists(), "the socket goes with the line");
    let socket = folder.path().join("command.sock");
    let gone = castgate().args(["send", "reset", "--socket"]).arg(&socket).output().unwrap();
    assert_eq!(gone.status.code(), Some(3));
    assert!(text(&gone.stderr).contains("does castgate run, with this as its commands.socket?"));
}

#[test]
fn a_command_opens_a_part_where_parts_are_opened_by_commands() {
    let line = Line::start(&format!("{SLOWLY}commands: {{socket: command.sock}}\n"));
    // The ledger has read the order when it answers the next one; a part that is on the belt at the end is reported.
    for _ in 0..2 {
        assert_eq!(text(&line.send("trigger").stdout), "ok\n");
    }
    let folder = line.stop();
    let printed = fs::read_to_string(folder.path().join("printed")).unwrap();
    assert!(printed.contains("part ") && printed.contains("still on the belt"), "{printed}");
}

#[test]
fn what_send_cannot_do_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("castgate.yaml");
    fs::write(&file, "# the defaults\n").unwrap();
    for (arguments, code, part) in [
        (vec!["send", "reset"], 2, "--config"),
        (vec!["send", "stop", "--socket", "x"], 2, "[possible values: trigger, reset]"),
        (vec!["send", "reset", "--config", file.to_str().unwrap()], 2, "names no commands.socket"),
        (vec!["send", "reset", "--config", "none.yaml"], 2, "cannot read the configuration none.yaml"),
        (vec!["send", "reset", "--socket", file.to_str().unwrap()], 3, "cannot reach castgate at"),
    ] {
        let output = castgate().args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(part), "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let line = Line::start("line: {name: before}\n");
    let file = line.path("castgate.yaml");
    fs::write(&file, "line: {name: after}\nmodel: {threshold: 0.3}\n").unwrap();
    line.process.signal(Signal::HUP);
    let told = line.wait_for("need a restart");
    assert!(
        told.contains("changed are model.threshold") && told.contains("restart of castgate: line.name"),
        "{told}"
    );

    fs::write(&file, "model: {threshold: 3}\ngate: {dealy: 20ms}\n").unwrap();
    line.process.signal(Signal::HUP);
    let told = line.wait_for("stays in force");
    assert!(told.contains("castgate.yaml:1:20: model.threshold: 3 is outside 0 to 1"), "{told}");
    assert!(told.contains("castgate.yaml:2:8: ") && told.contains("dealy"), "{told}");

    fs::write(&file, "line: {name: before, log_level: debug}\nmodel: {threshold: 0.3}\n").unwrap();
    line.process.signal(Signal::HUP);
    let told = line.wait_for("changed are line.log_level");
    assert!(!told.contains("restart"), "{told}");
    line.wait_for(" DEBUG ");
    line.stop();
}

#[test]
fn the_demonstration_line_says_that_it_has_no_file() {
    let mut run = castgate();
    run.arg("run");
    let line = Line::spawn(tempfile::tempdir().unwrap(), run);
    line.wait_for("configuration");
    line.process.signal(Signal::HUP);
    let told = line.wait_for("stays in force");
    assert!(told.contains("there is no file to read again"), "{told}");
    line.stop();
}

#[test]
fn parts_that_were_in_flight_when_the_process_died_are_told_at_the_next_start() {
    let store = "store: {enabled: true, path: store.db}\ncommands: {socket: command.sock}\n";
    let mut line = Line::start(&format!("{SLOWLY}{store}"));
    assert_eq!(line.send("trigger").status.code(), Some(0));
    let known = |line: &Line| {
        let config = line.path("castgate.yaml");
        castgate().args(["why", "1", "--config"]).arg(config).output().unwrap().status.success()
    };
    while !known(&line) {}
    line.process.signal(Signal::KILL);
    line.process.wait().unwrap();
    let mut again = castgate();
    again.args(["run", "--config"]).arg(line.path("castgate.yaml"));
    let line = Line::spawn(line.folder, again);
    let told = line.wait_for("configuration");
    assert!(told.contains("nobody knows how they left: 1"), "{told}");
    let why = castgate().args(["why", "1", "--config"]).arg(line.path("castgate.yaml")).output().unwrap();
    assert!(
        text(&why.stdout).contains("The process ended while the part was on the line"),
        "{}",
        text(&why.stdout)
    );
    line.stop();
}
