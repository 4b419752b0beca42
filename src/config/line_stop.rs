//! The `line_stop` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Share;

/// When castgate asks for the line to be stopped. A line stop latches: it ends by the reset input or a reset command only, and while
/// it stands no part is cleared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineStop {
    /// Stop after so many rejects in a row; 0 switches this off. At most 10000.
    pub consecutive_rejects: u32,
    /// Stop when more than this share of the last `reject_window` parts was rejected; 100% switches this off.
    pub reject_rate: Share,
    /// Number of parts over which `reject_rate` is taken: 2 to 4096.
    pub reject_window: u32,
    /// Stop on an escape: a part that was to be removed and was seen passing, was not confirmed, or for which the gate did not move; and on a
    /// removal that nobody commanded.
    pub escape: bool,
    /// Stop on a part-present sensor that is stuck, on an encoder that is silent although parts move, and on a gate held in reject for too long.
    pub device: bool,
}

impl Default for LineStop {
    fn default() -> Self {
        Self {
            consecutive_rejects: 20,
            reject_rate: Share::fraction(0.8),
            reject_window: 50,
            escape: true,
            device: true,
        }
    }
}
