//! The `preprocess` section.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Share;

/// A rectangle of the frame, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width, at least 16.
    pub width: u32,
    /// Height, at least 16.
    pub height: u32,
}

/// How a part is cut out of the frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Preprocess {
    /// Part of the frame to look at; without it, all of it.
    #[schemars(example = Region { x: 0, y: 20, width: 640, height: 280 })]
    pub region: Option<Region>,
    /// Whether to look for parts on the belt. If `false`, the whole region counts as one part, as in a folder of single parts.
    pub find: bool,
    /// Least difference between part and belt that counts, in grey levels (1 to 255).
    pub contrast: u8,
    /// Room on each side of a part, as a share of `line.part_length`: the model sees a square of `line.part_length` and twice this.
    pub margin: Share,
    /// How much the length of a found thing may differ from `line.part_length` for it to be a part.
    pub tolerance: Share,
    /// Least sharpness of a part's picture, in grey levels: the mean second difference along the rows of what the model sees. A picture below it is blurred and clears nothing, whether its part was looked for or fills it; `inspect` and `eval` go by 1. 0 switches this off; `castgate inspect` tells a picture's sharpness.
    pub min_sharpness: f64,
}

impl Default for Preprocess {
    fn default() -> Self {
        Self {
            region: None,
            find: true,
            contrast: 24,
            margin: Share::fraction(0.10),
            tolerance: Share::fraction(0.25),
            min_sharpness: 1.0,
        }
    }
}
