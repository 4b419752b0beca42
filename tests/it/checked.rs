//! A configuration checked without a command line, as a page would.

use castgate::config::load::{demonstration, load};
use castgate::line::check::{Amiss, check};

#[test]
fn the_demonstration_line_is_well_and_its_facts_have_topics() {
    let found = check(&demonstration());
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let topics: Vec<&str> = found.facts.iter().map(|(topic, _)| *topic).collect();
    for topic in ["line", "view", "gate", "speed", "model"] {
        assert!(topics.contains(&topic), "{topic} in {topics:?}");
    }
}

#[test]
fn each_problem_has_its_key_and_says_what_must_change() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("castgate.yaml");
    std::fs::write(
        &file,
        "camera: {kind: folder, path: none}\nmodel: {path: none.onnx}\ndecide: {trigger: every_frame}\n\
         sensor: {kind: none}\nconfirm: {kind: none}\nposition: {source: speed}\n",
    )
    .unwrap();
    let found = check(&load(&file).unwrap());
    let told: Vec<(Amiss, String)> =
        found.problems.iter().map(|(amiss, problem)| (*amiss, problem.to_string())).collect();
    let [(Amiss::Configuration, camera), (Amiss::Model, model)] = &told[..] else { panic!("{told:?}") };
    assert!(camera.contains("castgate.yaml:1:") && camera.contains("camera.path: cannot read"), "{camera}");
    assert!(model.contains("castgate.yaml:2:") && model.contains("model.path: cannot read"), "{model}");
}
