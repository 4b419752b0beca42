//! Every dependency is licensed as deny.toml allows; needs no network and no further tool.

use std::process::Command;

/// Whether a licence expression can be satisfied by allowed licences alone. `AND` binds closer than `OR`; `/` means `OR`.
fn allowed(expression: &str, list: &[&str]) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let one = |licence: &str| list.contains(&licence.trim());
    plain.split(" OR ").any(|choice| choice.split(" AND ").all(one))
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let deny = include_str!("../../deny.toml");
    let section = deny.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let list: Vec<&str> = section.split('"').skip(1).step_by(2).collect();
    let args = ["metadata", "--format-version", "1", "--locked", "--offline"];
    let output =
        Command::new(env!("CARGO")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    if !output.status.success() {
        eprintln!("licences: skipped, the registry's index is not complete on this machine");
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| allowed(licence, &list)))
        .map(|package| format!("{} ({})", package["name"], package["license"]))
        .collect();
    assert!(refused.is_empty(), "not allowed by deny.toml: {refused:?}");
    assert!(packages.len() > 50);
}

#[test]
fn a_choice_needs_one_allowed_licence_and_a_conjunction_all() {
    let list = ["MIT", "ISC", "Unicode-3.0"];
    assert!(
        allowed("GPL-3.0 OR MIT", &list) && allowed("MIT/GPL-3.0", &list) && allowed("MIT AND ISC", &list)
    );
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0", &list));
    assert!(!allowed("MIT AND GPL-3.0", &list) && !allowed("GPL-3.0", &list));
}
