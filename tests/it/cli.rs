//! The command line as a person meets it: help, exit codes, generated pages, closed pipes.

use std::io::Read as _;
use std::process::Stdio;

use crate::golden::{castgate, run};
use crate::support::process::Running;

const COMMANDS: [&str; 10] =
    ["why", "audit", "model", "prune", "send", "simulate", "check", "config", "completions", "man"];

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn help_lists_every_command_and_shows_examples() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    let help = text(&help.stdout);
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command}")), "{command}\n{help}");
        let own = run(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(0));
        assert!(text(&own.stdout).contains("Examples:"), "{command}");
    }
    assert!(help.contains("Exit codes:") && help.contains("CASTGATE_LOG"));
    assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
}

#[test]
fn wrong_command_lines_end_with_2_and_say_what_would_be_right() {
    for (arguments, part) in [
        (&[][..], "Usage: castgate"),
        (&["chek"], "'check'"),
        (&["check", "--confg", "x"], "'--config'"),
        (&["config", "sampel"], "'sample'"),
        (&["completions", "cmd"], "bash"),
        (&["check", "--config"], "<FILE>"),
        (&["send", "reset\u{200b}", "--socket", "x"], "a zero-width space (U+200B) stands after `reset`"),
        (&["check", "\u{2013}-config", "x"], "a dash (U+2013) that looks like `-` stands before `-config`"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(part), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_missing_configuration_is_one_line_with_its_cause() {
    let output = run(&["check", "--config", "no/such.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "castgate: error: cannot read the configuration no/such.yaml: No such file or directory (os error 2)\n"
    );
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = text(&output.stdout);
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{shell}");
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    assert!(text(&run(&["man"]).stdout).contains(".TH castgate 1"));
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let output = castgate().args(["man", "--out"]).arg(&pages).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(pages.join("castgate.1").is_file());
    for command in COMMANDS {
        assert!(pages.join(format!("castgate-{command}.1")).is_file(), "{command}");
    }
    let refused = run(&["man", "--out", "/proc/castgate"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stderr).starts_with("castgate: error: cannot make the folder /proc/castgate: "));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    for arguments in
        [&["config", "sample"][..], &["config", "schema"], &["man"], &["completions", "bash"], &["--help"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = Running::start(castgate().args(arguments).stdout(writer).stderr(Stdio::piped()));
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(told, "", "{arguments:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn under_systemd_an_error_carries_its_priority() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("journal")).unwrap();
    let id = file.metadata().unwrap();
    let stream = format!("{}:{}", id.dev(), id.ino());
    let told = |stream: &str| {
        let stderr = file.try_clone().unwrap();
        let mut command = castgate();
        command.args(["check", "--config", "none.yaml"]).env("JOURNAL_STREAM", stream).stderr(stderr);
        assert_eq!(command.status().unwrap().code(), Some(2));
        let all = std::fs::read_to_string(folder.path().join("journal")).unwrap();
        all.lines().last().unwrap().to_owned()
    };
    assert!(told(&stream).starts_with("<3>castgate: error: cannot read"), "{}", told(&stream));
    assert!(
        told("1:1").starts_with("castgate: error: cannot read"),
        "an inherited variable names another file"
    );
}
