//! Starts of the built program after a crash, on stores to which something happened meanwhile.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::golden::{castgate, run};

/// A line that is ended with SIGKILL when it is dropped.
struct Line {
    process: Child,
    log: BufReader<ChildStderr>,
}

impl Drop for Line {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Line {
    fn start(config: &Path) -> Self {
        let mut run = castgate();
        let run = run.args(["run", "--quiet", "--config"]).arg(config);
        let mut process = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        Self { process, log }
    }

    /// Reads the log up to a line that holds `text`, and gives all of it.
    fn wait_for(&mut self, text: &str) -> String {
        let mut all = String::new();
        loop {
            let before = all.len();
            assert!(self.log.read_line(&mut all).unwrap() > 0, "no `{text}` in the log:\n{all}");
            if all[before..].contains(text) {
                return all;
            }
        }
    }
}

/// The number after `the first part of this run is`.
fn first(log: &str) -> u64 {
    let number = log.split("the first part of this run is ").nth(1).expect("it is told");
    number.lines().next().unwrap().parse().unwrap()
}

#[test]
fn numbers_and_the_line_stop_outlast_a_crash_and_the_loss_of_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("line.yaml");
    let text = "store: {enabled: true, path: parts.db}\nline_stop: {consecutive_rejects: 1}\n\
                simulation: {sequence: d}\ndecide: {inference: 20ms}\n";
    fs::write(&config, text).unwrap();
    let mut line = Line::start(&config);
    let told = line.wait_for("line stop: consecutive_rejects");
    assert_eq!(first(&told), 1);
    // The stop is on the disk a moment after it is told; the file of numbers is written as a whole or not at all.
    let next = folder.path().join("parts.db.next");
    while !fs::read_to_string(&next).unwrap().contains("stop consecutive_rejects") {}
    drop(line);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("parts.db{ending}")));
    }
    let mut line = Line::start(&config);
    let told = line.wait_for("line stop: consecutive_rejects");
    assert_eq!(first(&told), 1001, "{told}");
    assert!(told.contains("the database of the run before is gone; a new one is begun"), "{told}");
    assert!(told.contains("the line stop for consecutive_rejects stands from the run before"), "{told}");
    drop(line);
    let database = fs::OpenOptions::new().write(true).open(folder.path().join("parts.db")).unwrap();
    for journal in ["-wal", "-shm"] {
        let _ = fs::remove_file(folder.path().join(format!("parts.db{journal}")));
    }
    database.set_len(4096).unwrap();
    let check = run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
    let mut line = Line::start(&config);
    let told = line.wait_for("line stop: consecutive_rejects");
    assert_eq!(first(&told), 2001, "{told}");
    assert!(told.contains("it is set aside as ") && told.contains("parts.db.bad-"), "{told}");
}

/// A small file system of its own, where this user may mount one.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|mount| mount.status.success()).then_some(Self(at))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn a_full_disk_at_the_start_costs_histories_and_not_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("disk");
    let Some(_disk) = Disk::mount(&at) else {
        return println!("skipped: a full disk at the start (no file system can be mounted here)");
    };
    let config = folder.path().join("line.yaml");
    fs::write(&config, "store: {enabled: true, path: disk/parts.db}\ndecide: {inference: 20ms}\n").unwrap();
    let mut line = Line::start(&config);
    line.wait_for("ready: the first frame");
    drop(line);
    // What the run before left would still fit into its journal.
    for ending in ["-wal", "-shm"] {
        fs::remove_file(at.join(format!("parts.db{ending}"))).unwrap();
    }
    let fill = at.join("fill");
    let _ = fs::write(&fill, vec![1; 2 << 20]);
    let check = run(&["check", "--config", config.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert_eq!(check.status.code(), Some(0), "{said}");
    assert!(said.contains("warning: ") && said.contains("make room on its disk"), "{said}");
    let mut line = Line::start(&config);
    let told = line.wait_for("ready: the first frame");
    assert!(told.contains("the line inspects without histories until that is over"), "{told}");
    assert_eq!(first(&told), 1001, "{told}");
    fs::remove_file(&fill).unwrap();
    line.wait_for("writing again after");
}
