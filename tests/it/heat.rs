//! Heat maps: `castgate inspect --heatmap` and `castgate eval --locate` on drawn parts whose defects have a known place.

use std::path::Path;

use crate::eval::draw;
use crate::golden::{castgate, path};

fn said(arguments: &[&str]) -> (Option<i32>, String) {
    let output = castgate().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), text.concat())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_peak_lies_in_the_defect_and_the_map_over_the_picture() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 20);
    let json = dir.path().join("eval.json");
    let (code, told) =
        said(&["eval", "--model", "demo", "--locate", "--data", text(&data), "--json", text(&json)]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("heat maps      10 of 10 peaks lie in a defect"), "{told}");
    let figures: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!((&figures["located"]["images"], &figures["located"]["hits"]), (&10.into(), &10.into()));
    assert!(figures["located"]["by_chance"].as_f64().unwrap() < 0.3, "{figures}");
    let pictures: Vec<_> =
        std::fs::read_dir(data.join("def_front")).unwrap().map(|e| e.unwrap().path()).collect();
    let png = dir.path().join("heat.png");
    let one = ["inspect", "--model", "demo", "--json", "--heatmap", text(&png), text(&pictures[0])];
    let (code, told) = said(&one);
    assert_eq!(code, Some(1), "{told}");
    let line: serde_json::Value = serde_json::from_str(&told).unwrap();
    let map = &line["heatmap"];
    let places = map["rows"].as_u64().unwrap() * map["columns"].as_u64().unwrap();
    assert_eq!(map["values"].as_array().unwrap().len() as u64, places);
    assert!((0.0..300.0).contains(&map["peak"]["x"].as_f64().unwrap()), "{map}");
    let shown = image::open(&png).unwrap().into_rgb8();
    assert_eq!(shown.dimensions(), (300, 300));
    assert!(shown.pixels().any(|pixel| pixel[0] > pixel[2].saturating_add(60)));
    let folder = dir.path().join("heats");
    let two =
        ["inspect", "--model", "demo", "--heatmap", text(&folder), text(&pictures[0]), text(&pictures[1])];
    assert_eq!(said(&two).0, Some(1));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn what_has_no_places_and_what_castgate_did_not_train_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("drawn");
    draw(&data, 4);
    std::fs::write(data.join("labels.csv"), "file\nodd").unwrap();
    let locate = ["eval", "--model", "demo", "--locate", "--data", text(&data)];
    let (code, told) = said(&locate);
    assert!(code == Some(3) && told.contains("labels.csv:2: not `file,truth"), "{told}");
    std::fs::remove_file(data.join("labels.csv")).unwrap();
    let (code, told) = said(&locate);
    assert!(code == Some(3) && told.contains("labels.csv, which holds the places"), "{told}");
    let (onnx, yaml) = (dir.path().join("odd.onnx"), dir.path().join("odd.yaml"));
    let bytes = std::fs::read(path("models/demo.onnx")).unwrap();
    // The same network, whose last node is another function of the same number.
    let bytes: Vec<u8> = replaced(&bytes, b"Sigmoid", b"Softmax");
    let manifest = std::fs::read_to_string(path("models/demo.yaml")).unwrap();
    let sha = crate::train::sha256(&bytes);
    let old = manifest.lines().find(|line| line.starts_with("sha256")).unwrap();
    std::fs::write(&yaml, manifest.replace(old, &format!("sha256: {sha}"))).unwrap();
    std::fs::write(&onnx, bytes).unwrap();
    let picture = data.join("ok_front/part_0.png");
    let (code, told) = said(&[
        "inspect",
        "--model",
        text(&onnx),
        "--heatmap",
        text(&dir.path().join("h.png")),
        text(&picture),
    ]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("odd.onnx: the graph is not one that `castgate train` writes"), "{told}");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
