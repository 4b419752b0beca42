//! The `store` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Span;

/// The histories of parts, kept on this board for `castgate why`, and the numbers that parts are given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Whether to keep histories. If `false`, part numbers begin at 1 with every start.
    pub enabled: bool,
    /// The database, an SQLite file; its folder must exist.
    pub path: PathBuf,
    /// Histories older than this are removed: 1h to 87600h.
    pub keep: Span,
    /// Largest size in MiB; the oldest histories make room: 1 to 1000000.
    pub max_mib: u32,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            enabled: false,
            path: PathBuf::from("/var/lib/castgate/parts.db"),
            keep: Span::s(30.0 * 24.0 * 3600.0),
            max_mib: 512,
        }
    }
}
