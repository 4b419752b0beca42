//! Generated documents are what the program generates now.

use castgate::config::reference;

use crate::golden::{expect, path};

#[test]
fn the_reference_is_fresh() {
    expect(&path("docs/config.md"), &reference::reference());
}

#[test]
fn the_schema_is_fresh() {
    expect(&path("docs/castgate.schema.json"), &format!("{:#}\n", reference::schema()));
}
