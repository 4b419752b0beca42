//! The systemd unit: its figures agree with those of the program, and systemd can read it.

use std::process::Command;
use std::time::Duration;

use castgate::{model, pipeline, report, store};

use crate::golden::path;

const UNIT: &str = "systemd/castgate.service";

/// The values of a key, in the order of the file.
fn values(key: &str) -> Vec<String> {
    let text = std::fs::read_to_string(path(UNIT)).unwrap();
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned);
    text.lines().filter_map(value).collect()
}

fn seconds(key: &str) -> Duration {
    let values = values(key);
    let [value] = values.as_slice() else { panic!("{key} stands {} times in {UNIT}", values.len()) };
    Duration::from_secs(value.strip_suffix('s').unwrap_or(value).parse().unwrap())
}

#[test]
fn systemd_waits_for_an_orderly_stop() {
    // For a reload that hangs, and for the last words.
    let rest = Duration::from_secs(5);
    let longest = pipeline::STOP_WITHIN + report::STOP_WITHIN + store::STOP_WITHIN + rest;
    assert!(longest < seconds("TimeoutStopSec"), "a stop may take {longest:?}");
}

#[test]
fn systemd_waits_for_a_model_that_loads_slowly() {
    assert!(model::LOAD_LIMIT < seconds("TimeoutStartSec"));
}

#[test]
fn the_board_never_gives_up_and_tries_ever_more_rarely() {
    assert_eq!(seconds("StartLimitIntervalSec"), Duration::ZERO);
    assert_eq!(values("Restart"), ["on-failure"]);
    assert!(seconds("RestartSec") < seconds("RestartMaxDelaySec"));
    assert_eq!(values("RestartSteps").len(), 1);
    // The exit code of whatever runs before is not looked at: a wrong configuration would be started for ever.
    assert_eq!((values("RestartPreventExitStatus"), values("ExecStartPre")), (vec!["2".to_owned()], vec![]));
}

#[test]
fn the_unit_runs_no_program_that_a_board_may_lack() {
    let text = std::fs::read_to_string(path(UNIT)).unwrap();
    let programs = text.lines().filter(|line| line.starts_with("Exec")).map(|line| {
        let command = line.split_once('=').unwrap().1.trim_start_matches('-');
        command.split(' ').next().unwrap()
    });
    for program in programs {
        assert!(["/usr/bin/castgate", "/bin/sh"].contains(&program), "{program}");
    }
}

#[test]
fn systemd_reads_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("castgate.service");
    // A program that is on every machine, in place of the one that is installed with the unit.
    let text = std::fs::read_to_string(path(UNIT)).unwrap();
    std::fs::write(&copy, text.replace("/usr/bin/castgate", "/bin/true")).unwrap();
    let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).output()
    else {
        println!("skipped the reading of the unit: systemd-analyze is not installed");
        return;
    };
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    // Other units of this machine may have faults of their own, and an old systemd does not know the growing delays.
    let ours: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("castgate.service"))
        .filter(|line| !line.contains("RestartSteps") && !line.contains("RestartMaxDelaySec"))
        .collect();
    assert_eq!(ours, Vec::<&str>::new(), "{told}");
}
