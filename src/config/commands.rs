//! The `commands` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Commands from outside: software triggers and the reset of a line stop.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Local socket on which commands are taken, see `castgate send`; none by default. Whoever may write to it may reset line stops.
    #[schemars(example = &"/run/castgate/command.sock")]
    pub socket: Option<PathBuf>,
    /// Whether commands are taken over MQTT, on the topic `PREFIX/LINE/command`. Whoever may publish there may reset line stops.
    pub mqtt: bool,
}
