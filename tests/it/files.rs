//! Files that are none: pipes, folders, devices and links into nothing, wherever a file is named. None of them may be waited for.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use crate::golden::castgate;

/// A command that takes so long waits for what never comes; any machine is faster.
const FOR_EVER: Duration = Duration::from_secs(300);

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// Runs castgate in `folder` to its end, and kills it when it does not come to one.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = castgate();
    command.current_dir(folder).args(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = Pid::from_child(&child);
    let (done, ended) = mpsc::channel();
    let wait = move || done.send(child.wait_with_output());
    std::thread::Builder::new().name("wait".to_owned()).spawn(wait).unwrap();
    match ended.recv_timeout(FOR_EVER) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            kill_process(id, Signal::KILL).unwrap();
            panic!("castgate {arguments:?} waits for ever");
        }
    }
}

/// What is said of a configuration by `check`, and that `run` does not start with it either.
fn told(folder: &Path, config: &str) -> String {
    fs::write(folder.join("c.yaml"), config).unwrap();
    let checked = run(folder, &["check", "--config", "c.yaml"]);
    assert!(matches!(checked.status.code(), Some(2 | 3)), "{config}: {checked:?}");
    let started = run(folder, &["run", "--config", "c.yaml", "--parts", "1", "--quiet"]);
    assert!(matches!(started.status.code(), Some(2 | 3)), "{config}: {started:?}");
    let words = String::from_utf8(started.stderr).unwrap();
    assert!(words.contains("castgate: error: "), "{config}: {words}");
    String::from_utf8(checked.stderr).unwrap()
}

#[test]
fn a_pipe_in_the_place_of_any_file_of_a_configuration_is_named_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["f", "part.yaml", "parts.db.lock", "other.db-wal"] {
        pipe(&at(name));
    }
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/models/demo.onnx"), at("part.onnx")).unwrap();
    fs::write(at("cert.pem"), "-----BEGIN CERTIFICATE-----\n").unwrap();
    let pipe = "it is a pipe, not a regular file";
    for (config, key) in [
        ("mqtt: {enabled: true, user: a, password_file: f}", "1:47: mqtt.password_file: cannot read f: "),
        (
            "mqtt: {enabled: true, tls: {enabled: true, ca_file: f}}",
            "1:53: mqtt.tls.ca_file: cannot read f: ",
        ),
        (
            "mqtt: {enabled: true, tls: {enabled: true, ca_file: cert.pem, cert_file: f, key_file: f}}",
            "mqtt.tls.key_file: cannot read f: ",
        ),
        ("position: {encoder: sysfs, path: f}", "position.path: f: cannot be opened: "),
        ("model: {path: f}", "model.path: cannot read f: "),
        ("model: {path: part.onnx}", "model.path: cannot read part.yaml: "),
    ] {
        let told = told(folder.path(), config);
        assert!(told.contains(&format!("{key}{pipe}")), "{config}: {told}");
    }
    if cfg!(feature = "store") {
        for (config, name) in [
            ("store: {enabled: true, path: f}", "f"),
            ("store: {enabled: true, path: parts.db}", "parts.db.lock"),
            ("store: {enabled: true, path: other.db}", "other.db-wal"),
        ] {
            let told = told(folder.path(), config);
            assert!(told.contains(&format!("store.path: store {name}: {pipe}; move it away")), "{told}");
        }
    }
    let told = run(folder.path(), &["check", "--config", "f"]);
    assert_eq!(told.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(told.stderr).unwrap(),
        format!("castgate: error: cannot read the configuration f: {pipe}\n")
    );
}

#[test]
fn a_pipe_on_the_command_line_is_named_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    pipe(&folder.path().join("f"));
    for name in ["ok_front", "def_front"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        pipe(&folder.path().join(name).join("a.png"));
    }
    for arguments in [
        &["simulate", "--scenario", "f"][..],
        &["eval", "--model", "demo", "--data", ".", "--groups", "f"],
        &["eval", "--model", "demo", "--data", ".", "--leave-out", "f"],
        &["eval", "--model", "demo", "--data", "."],
        &["inspect", "--model", "demo", "f"],
        &["inspect", "--model", "f", "f"],
        &["bench", "--model", "f"],
        &["audit", "--data", "."],
    ] {
        let output = run(folder.path(), arguments);
        let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let named = ["it is a pipe, not a regular file", "is no file but a pipe or a device"];
        assert!(named.iter().any(|named| words.contains(named)), "{arguments:?}: {words}");
    }
    for (name, wanted) in [
        ("none", "(os error 2)"),
        (".", "it is a folder; name the file in it"),
        ("/dev/zero", "it is a device"),
    ] {
        let output = run(folder.path(), &["simulate", "--scenario", name]);
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains(wanted), "{name}: {words}");
    }
}
