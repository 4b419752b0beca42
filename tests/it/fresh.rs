//! Generated documents are what the program generates now.

use castgate::config::reference;

use crate::golden::{expect, path};

#[test]
fn the_reference_is_fresh() {
    expect(&path("docs/config.md"), &reference::reference());
}

#[test]
fn the_page_of_manifests_is_fresh() {
    expect(&path("docs/manifest.md"), &reference::models());
}

#[test]
fn the_schema_is_fresh() {
    expect(&path("docs/castgate.schema.json"), &format!("{:#}\n", reference::schema()));
}

#[test]
fn the_packaged_configuration_is_the_sample_with_what_a_service_has() {
    let packaged = reference::sample()
        .replacen("  # Whether to keep histories. If `false`, part numbers begin at 1 with every start.\n  enabled: false", "  # Whether to keep histories. If `false`, part numbers begin at 1 with every start.\n  enabled: true", 1)
        .replacen("  # socket: /run/castgate/command.sock", "  socket: /run/castgate/command.sock", 1);
    assert_ne!(packaged, reference::sample());
    expect(&path("systemd/castgate.yaml"), &packaged);
}
