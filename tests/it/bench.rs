//! `castgate bench` on built-in models: what it says, not how fast they are.

use crate::eval::draw;
use crate::golden::castgate;

#[test]
fn every_model_is_timed_at_every_batch_size_and_compared_with_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let (data, json) = (dir.path().join("drawn"), dir.path().join("speed.json"));
    draw(&data, 3);
    for given in [None, Some(&data)] {
        let mut bench = castgate();
        bench
            .args(["bench", "--model", "casting", "demo", "--batch", "1,2", "--seconds", "0", "--json"])
            .arg(&json);
        if let Some(data) = given {
            bench.arg("--data").arg(data);
        }
        let output = bench.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let speed: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        let rows = speed["rows"].as_array().unwrap();
        let asked: Vec<_> = rows.iter().map(|row| (row["model"].as_str(), row["batch"].as_u64())).collect();
        let (casting, demo) = (Some("casting"), Some("demo"));
        assert_eq!(asked, [(casting, Some(1)), (casting, Some(2)), (demo, Some(1)), (demo, Some(2))]);
        for row in rows {
            assert_eq!(row["passes"], 3);
            assert!(row["min_ms"].as_f64() <= row["max_ms"].as_f64() && row["min_ms"].as_f64() > Some(0.0));
        }
        assert_eq!(rows[0]["times_first"], 1.0);
        assert_eq!(rows[0]["pictures"], if given.is_some() { 3 } else { 1 });
    }
}

#[test]
fn what_cannot_be_timed_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let said = |arguments: &[&str]| {
        let output = castgate().arg("bench").args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), text.concat())
    };
    let (code, told) = said(&["--data", dir.path().to_str().unwrap()]);
    assert!(code == Some(2) && told.contains("no JPEG, PNG, BMP, WebP or TIFF file in"), "{told}");
    let (code, told) = said(&["--model", "nowhere.onnx"]);
    assert!(code == Some(3) && told.contains("cannot read nowhere.onnx"), "{told}");
    let (code, told) = said(&["--batch", "0"]);
    assert!(code == Some(2) && told.contains("1..=1024"), "{told}");
    let (code, told) = said(&["--model", "demo", "--batch", "1024", "--memory", "1", "--seconds", "0"]);
    assert!(code == Some(0) && told.contains("not timed: node `"), "{told}");
}
