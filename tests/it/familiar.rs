//! What a model knows of what it does not know, on drawn pictures and on pictures of nothing.

use std::fs;

use image::{GrayImage, Luma};

use crate::eval::draw;
use crate::golden::castgate;

#[test]
fn pictures_of_other_things_are_unfamiliar_and_those_of_its_own_parts_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let (data, other, model) =
        (dir.path().join("drawn"), dir.path().join("other"), dir.path().join("m.onnx"));
    draw(&data, 90);
    fs::create_dir(&other).unwrap();
    for i in 0..8u32 {
        let stripes = |x: u32, y: u32| Luma([if (x / (4 + i) + y / 9).is_multiple_of(2) { 30 } else { 220 }]);
        GrayImage::from_fn(200, 200, stripes).save(other.join(format!("{i}.png"))).unwrap();
    }
    let settings = ["--network", "4np-4n-d4", "--size", "32", "--epochs", "1", "--threads", "2"];
    let trained = castgate()
        .args(["train", "--data"])
        .arg(&data)
        .arg("--out")
        .arg(&model)
        .args(settings)
        .output()
        .unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let json = dir.path().join("eval.json");
    let eval = |foreign: &std::path::Path| {
        let mut eval = castgate();
        eval.args(["eval", "--model"]).arg(&model).arg("--data").arg(&data);
        eval.arg("--foreign").arg(foreign).arg("--json").arg(&json).output().unwrap()
    };
    let output = eval(&other);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("/other rejected, 8 of them as unfamiliar; told from its own parts"), "{told}");
    let figures: serde_json::Value = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
    assert_eq!(figures["foreign"]["told_apart"], 1.0);
    let (unfamiliar, images) = (figures["unfamiliar"].as_u64().unwrap(), figures["images"].as_u64().unwrap());
    assert!(unfamiliar * 10 <= images, "{unfamiliar} of {images}");

    let none = eval(&dir.path().join("none"));
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("--foreign: cannot read"));
}
