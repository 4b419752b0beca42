//! The built program at work: signals, and the real casting pictures where they are.

use std::process::{Command, Stdio};

use crate::support::castings::castings;
use crate::support::process::{Lines, Running, Signal};

fn castgate() -> Command {
    Command::new(env!("CARGO_BIN_EXE_castgate"))
}

#[test]
fn a_signal_ends_the_line_in_order_with_its_summary() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut line = Running::start(castgate().arg("run").stdout(Stdio::piped()).stderr(Stdio::null()));
        let told = Lines::of(line.stdout.take().unwrap());
        let first = told.until("");
        assert!(first.contains("part"), "{first}");
        line.signal(signal);
        let rest = told.rest();
        assert_eq!(line.wait().unwrap().code(), Some(0));
        // How many escaped is up to the machine: one that moves the simulated gate late lets parts pass.
        assert!(rest.contains("escapes        ") && rest.contains("MiB resident"), "{rest}");
    }
}

#[test]
fn the_summary_file_says_what_was_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("summary.json");
    let output = castgate().args(["run", "--parts", "2", "--summary"]).arg(&file).output().unwrap();
    assert!(output.status.success());
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(summary["parts"], 2);
    assert!(summary["escapes"].is_u64(), "the simulated line knows them: {summary}");
    let frames = &summary["frames"];
    let count = |key: &str| frames[key].as_u64().unwrap();
    assert_eq!(count("captured"), count("inspected") + count("dropped"));
}

#[test]
fn the_shipped_model_judges_the_official_split_as_its_card_says() {
    let Some(data) = castings("test/ok_front").map(|folder| folder.join("test")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eval.json");
    let output = castgate()
        .args(["eval", "--model", "casting", "--data"])
        .arg(&data)
        .arg("--json")
        .arg(&file)
        .output();
    assert!(output.unwrap().status.success());
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(figures["images"], 715);
    let errors = figures["errors"].as_array().unwrap().len();
    assert!(errors <= 3 && figures["escapes"].as_u64().unwrap() <= 1, "{figures}");
}

#[test]
fn the_line_on_a_folder_of_real_pictures_agrees_with_eval() {
    let Some(data) = castings("test/ok_front").map(|folder| folder.join("test")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("line.yaml");
    // A slow belt and much patience: how many answers come late is up to the machine.
    let text = format!(
        "camera: {{kind: folder, path: {}, pace: full}}\nsensor: {{kind: none}}\npreprocess: {{find: false}}\n\
         line: {{speed: 50mm/s}}\ndecide: {{trigger: every_frame, max_parts: 4096, stale_after: 1min}}\nmodel: {{path: casting}}\nline_stop: {{consecutive_rejects: 0, reject_rate: 100%}}\n",
        std::fs::canonicalize(data).unwrap().display()
    );
    std::fs::write(&config, text).unwrap();
    let file = folder.path().join("summary.json");
    let run =
        castgate().arg("run").arg("--config").arg(&config).arg("--summary").arg(&file).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!((&summary["parts"], &summary["unresolved"]), (&715.into(), &0.into()));
    assert!(summary["escapes"].as_u64().unwrap() <= 1 && summary["false_rejects"].as_u64().unwrap() <= 3);
}
