//! Months of belt in small: random faults on many seeds, and every scenario. What they must show is said in `docs/simulation.md`.

use castgate::config::{Config, Region};
use castgate::simulate::{Fault, Months, Scenario, Totals, play};

use crate::golden::{castgate, path};

fn months(seed: u64, parts: u64, faults: &[Fault], every: f64, change: impl FnOnce(&mut Config)) -> Totals {
    let mut config = Config::default();
    change(&mut config);
    let months = Months { config, seed, parts, shift: 500, faults: faults.to_vec(), every };
    months.run(2, &|_| {}).unwrap()
}

/// No promise is broken; what is, is told with the seed that plays it again.
fn kept(totals: &Totals) {
    let told: Vec<String> =
        totals.violations.iter().map(|v| format!("({}) seed {}: {}", v.property, v.seed, v.what)).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert_eq!(totals.unreported_escapes, 0);
}

#[test]
fn no_promise_is_broken_whatever_goes_wrong() {
    let totals = months(20_260_101, 15_000, Fault::ALL, 120.0, |_| {});
    kept(&totals);
    assert_eq!(totals.parts, 15_000);
    assert!(
        totals.faults_injected.len() == Fault::ALL.len(),
        "every kind of fault came: {:?}",
        totals.faults_injected
    );
    assert!(totals.escapes > totals.model_errors, "some escaped, and were told");
}

/// Shifts of 4,000 parts in which a part once passed untold, or was told as passed and had been removed: by seed, and the seconds between faults.
const ONCE_BROKEN: [(u64, f64); 12] = [
    (7002, 120.0),
    (3_326_683_750_974_682_160, 60.0),
    (7_288_707_563_474_517_696, 60.0),
    (1_270_680_123_050_334_766, 60.0),
    (4_354_685_564_936_845_367, 60.0),
    (1_906_020_184_575_502_232, 60.0),
    (4_782_753_605_503_662_579, 60.0),
    (7_138_724_120_125_679_517, 60.0),
    (7_681_369_315_911_520_609, 60.0),
    (7_774_064_181_650_846_894, 60.0),
    (11_250_731_375_974_360_317, 60.0),
    (16_390_740_445_785_211_317, 60.0),
];

#[test]
fn shifts_that_once_broke_a_promise_keep_it() {
    let mut config = Config::default();
    // The whole view, as it was looked at then: without this every other shift looks at a part of it.
    let camera = &config.camera;
    config.preprocess.region = Some(Region { x: 0, y: 0, width: camera.width, height: camera.height });
    for (seed, every) in ONCE_BROKEN {
        let faults = Fault::ALL.to_vec();
        let months = Months { config: config.clone(), seed, parts: 4000, shift: 4000, faults, every };
        kept(&months.run(1, &|_| {}).unwrap());
    }
}

#[test]
fn a_picture_that_is_half_black_shows_the_parts_beyond_the_black() {
    let faults = Fault::ALL.to_vec();
    let seed = 2_876_733_420_928_160_649;
    let months = Months { config: Config::default(), seed, parts: 4000, shift: 4000, faults, every: 60.0 };
    kept(&months.run(1, &|_| {}).unwrap());
}

#[test]
fn without_faults_only_the_model_errs() {
    let totals = months(3, 3000, &[], 300.0, |_| {});
    kept(&totals);
    assert_eq!((totals.escapes, totals.line_stops.len()), (totals.model_errors, 0));
    assert_eq!(totals.by_final_state.keys().copied().collect::<Vec<_>>(), ["passed", "rejected_confirmed"]);
}

#[test]
fn other_lines_keep_the_promises_too() {
    kept(&months(5, 3000, Fault::ALL, 200.0, |c| c.confirm.sees = castgate::config::Sees::Passed));
    kept(&months(6, 3000, Fault::ALL, 200.0, |c| c.decide.combine = castgate::config::Combine::AnyDefect));
    kept(&months(7, 3000, Fault::ALL, 200.0, |c| c.gate.safe = castgate::config::GateState::Reject));
}

#[test]
fn the_same_seed_gives_the_same_months_bit_for_bit() {
    let run = || {
        let mut totals = months(11, 1500, Fault::ALL, 60.0, |_| {});
        totals.parts_per_second = 0.0;
        totals
    };
    assert_eq!(run(), run());
}

#[test]
fn every_scenario_ends_as_it_says() {
    let folder = path("tests/data/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let scenario =
            Scenario::read(&std::fs::read_to_string(&file).unwrap()).unwrap_or_else(|e| panic!("{name}:{e}"));
        wrong
            .extend(play(scenario).unwrap().failures.into_iter().map(|failure| format!("{name}: {failure}")));
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_program_writes_its_totals_and_ends_with_1_when_a_scenario_does_not_end_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let (json, scenario) = (folder.path().join("totals.json"), folder.path().join("wrong.txt"));
    let run = |arguments: &[&str]| castgate().args(arguments).output().unwrap();
    let output = run(&["simulate", "--parts", "300", "--seed", "4", "--json", json.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let totals: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    for key in [
        "parts",
        "hours",
        "seed",
        "violations",
        "escapes",
        "unreported_escapes",
        "false_rejects",
        "by_final_state",
        "faults_injected",
        "parts_per_second",
    ] {
        assert!(!totals[key].is_null(), "{key}");
    }
    std::fs::write(&scenario, "part@3s defect\nexpect pass part 1\n").unwrap();
    let output = run(&["simulate", "--scenario", scenario.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("line 2: `expect pass part 1`, but it is REJECT for defect"), "{told}");
    std::fs::write(&scenario, "part@3s green\n").unwrap();
    let output = run(&["simulate", "--scenario", scenario.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(run(&["simulate", "--faults", "gremlins"]).status.code(), Some(2));
}

#[test]
fn the_demonstration_line_verifies_itself_and_files_a_dated_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.txt");
    let output = castgate().arg("verify").arg("--report").arg(&file).output().unwrap();
    let (told, logged) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}{logged}");
    let report = std::fs::read_to_string(file).unwrap();
    assert!(report.starts_with("castgate fail-safe test: PASSED\n\nbegun          20"), "{report}");
    let tried = report.lines().filter(|line| line.ends_with(" passed") && line.contains(". ")).count();
    assert_eq!(tried, if cfg!(feature = "mqtt") { 6 } else { 5 }, "{report}");
}
