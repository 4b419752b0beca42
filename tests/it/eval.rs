//! `castgate eval` on drawn pictures: the stress test, and what it writes.

use std::path::Path;
use std::process::Output;

use castgate::config::manifest::Manifest;
use castgate::strict::yaml;

use crate::golden::castgate;

/// Draws `parts` parts, half of them defective.
pub(crate) fn draw(folder: &Path, parts: u32) {
    let parts = parts.to_string();
    let drawn =
        castgate().args(["draw", "--seed", "11", "--parts", &parts, "--out"]).arg(folder).output().unwrap();
    assert!(drawn.status.success());
}

fn eval(data: &Path, more: &[&str]) -> Output {
    castgate().args(["eval", "--model", "demo", "--data"]).arg(data).args(more).output().unwrap()
}

#[test]
fn the_stress_test_is_the_same_each_time_and_begins_with_the_figures_of_the_pictures_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 6);
    let json = dir.path().join("eval.json");
    let first = eval(&data, &["--stress", "--json", json.to_str().unwrap()]);
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    let table = |output: &Output| {
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        text[text.find("alteration ").unwrap()..].to_owned()
    };
    assert_eq!(table(&first), table(&eval(&data, &["--stress"])));
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let rows = figures["stress"]["rows"].as_array().unwrap();
    assert_eq!(rows[0]["name"], "unchanged");
    for name in ["images", "accuracy", "auc", "escapes", "false_rejects"] {
        assert_eq!(rows[0][name], figures[name], "{name}");
    }
    for kind in
        ["exposure", "gain", "gamma", "blur", "noise", "shift", "zoom", "stretch", "turn", "ground", "jpeg"]
    {
        assert!(rows.iter().any(|row| row["kind"] == kind && row["images"] == 6), "{kind}");
    }
}

#[test]
fn the_report_is_one_file_that_needs_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 6);
    std::fs::rename(data.join("ok_front/part_0.png"), data.join("ok_front/<b>&.png")).unwrap();
    let file = dir.path().join("report.html");
    let report = file.to_str().unwrap();
    let output = eval(&data, &["--threshold", "0", "--report", report]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(&file).unwrap();
    for part in [
        "ok_front/&lt;b&gt;&amp;.png",
        "/drawn",
        "unknown: see --groups",
        "ROC curve",
        "Cost by threshold",
        "Latency",
        "false reject",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("<img src=\"data:image/png;base64,").count(), 3, "each false reject is shown");
    assert!(!page.contains("<b>&.png") && !page.contains("://") && !page.contains("<script"));
    for judged_once in ["--stress", "--locate"] {
        assert_eq!(eval(&data, &["--folds", "2", judged_once]).status.code(), Some(2));
    }
    #[cfg(feature = "train")]
    {
        let useless = eval(&data, &["--epochs", "3"]);
        let said = String::from_utf8(useless.stderr).unwrap();
        assert!(useless.status.code() == Some(2) && said.contains("--folds <K>"), "{said}");
    }
    let nowhere = eval(&data, &["--report", "/nonexistent/report.html"]);
    assert_eq!(nowhere.status.code(), Some(3));
}

#[test]
fn a_threshold_is_chosen_and_written_or_refused_with_the_number_of_pictures_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 24);
    let model = dir.path().join("mine.onnx");
    let manifest = dir.path().join("mine.yaml");
    std::fs::copy(crate::golden::path("models/demo.onnx"), &model).unwrap();
    let text = std::fs::read_to_string(crate::golden::path("models/demo.yaml")).unwrap();
    std::fs::write(
        &manifest,
        text.replace("\nthreshold: 0.5\nunsure: 0.0\n", "\nthreshold: 0.875\nunsure: 0.125\n"),
    )
    .unwrap();
    let read = || yaml::from_str::<Manifest>(&std::fs::read_to_string(&manifest).unwrap()).unwrap();
    let before = read();
    assert_eq!((before.threshold, before.unsure), (0.875, 0.125));
    let threshold = |model: &Path, more: &[&str]| {
        let mut command = castgate();
        let output =
            command.args(["threshold", "--model"]).arg(model).arg("--data").arg(&data).args(more).output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (output.status.code(), said)
    };
    let (code, said) = threshold(&model, &["--max-escape-rate", "1%", "--write"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("12 pictures of defective parts cannot prove") && said.contains("at least 299"),
        "{said}"
    );
    assert_eq!(read(), before);
    let json = dir.path().join("threshold.json");
    let more = ["--max-escape-rate", "25%", "--write", "--json", json.to_str().unwrap()];
    let (code, said) = threshold(&model, &more);
    assert_eq!(code, Some(0), "{said}");
    let chosen: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(
        (&chosen["defective"], &chosen["good"], &chosen["escapes"]),
        (&12.into(), &12.into(), &0.into())
    );
    assert!((chosen["escape_bound"].as_f64().unwrap() - 0.2209).abs() < 1e-4, "{chosen}");
    let curve = chosen["curve"].as_array().unwrap();
    assert_eq!((curve.len(), &curve[0]["false_rejects"], &curve[0]["escapes"]), (101, &12.into(), &0.into()));
    assert!(said.contains("<- chosen") && said.contains("escapes        0 of 12; at most 22.09 %"), "{said}");
    let after = read();
    assert!((chosen["threshold"].as_f64().unwrap() - f64::from(after.threshold)).abs() < 1e-6);
    assert_ne!((after.threshold, after.unsure), (before.threshold, before.unsure));
    assert_eq!(Manifest { threshold: before.threshold, unsure: before.unsure, ..after }, before);
    castgate::model::open(&model).unwrap();
    let (code, said) = threshold(Path::new("demo"), &["--write"]);
    assert!(code == Some(2) && said.contains("is built in"), "{said}");
    let (code, said) = threshold(Path::new("demo"), &["--escape-cost", "3", "--max-escape-rate", "1%"]);
    assert!(code == Some(2) && said.contains("cannot be used with"), "{said}");
}
