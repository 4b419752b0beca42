//! The `camera` and `preprocess` sections.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Length, Rate, Share, Span};

/// Where frames come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// Frames of the simulated line.
    Simulated,
    /// Pictures of a folder, in the order of their names.
    Folder,
}

/// How fast a folder camera goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// At `camera.rate`; a line that cannot follow drops frames, as with a live camera.
    Rate,
    /// As fast as the line takes them; nothing is dropped.
    Full,
}

/// Camera, the stretch of belt that it sees, and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Camera {
    /// Which camera.
    pub kind: CameraKind,
    /// Position of the middle of the view.
    pub position: Length,
    /// Length of belt that the camera sees, across the whole width of the picture. The belt runs from the picture's
    /// left to its right.
    pub view: Length,
    /// Width of the picture in pixels, for cameras that can choose: 16 to 4096.
    pub width: u32,
    /// Height of the picture in pixels: 16 to 4096.
    pub height: u32,
    /// Frames a second.
    pub rate: Rate,
    /// Folder of pictures (JPEG, PNG, BMP), for `kind: folder`; its subfolders are read too, and `ok_front` and `def_front` among
    /// them say what the parts truly are.
    #[schemars(example = &"/var/lib/castgate/pictures")]
    pub path: Option<PathBuf>,
    /// Pace of a folder camera.
    pub pace: Pace,
    /// Whether a folder camera begins again after the last picture.
    pub repeat: bool,
    /// The camera counts as lost when no frame came for so long.
    pub lost_after: Span,
}

impl Default for Camera {
    fn default() -> Self {
        Self {
            kind: CameraKind::Simulated,
            position: Length::mm(250.0),
            view: Length::mm(320.0),
            width: 640,
            height: 320,
            rate: Rate::per_s(20.0),
            path: None,
            pace: Pace::Rate,
            repeat: false,
            lost_after: Span::s(1.0),
        }
    }
}

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
    /// Whether to look for parts on the belt. If not, the whole region is taken for one part, as in a folder of
    /// single parts.
    pub find: bool,
    /// Least difference between part and belt that counts, in grey levels (1 to 255).
    pub contrast: u8,
    /// Room on each side of a part, as a share of `line.part_length`: the model sees a square of `line.part_length` and twice this.
    pub margin: Share,
    /// How much the length of a found thing may differ from `line.part_length` for it to be a part.
    pub tolerance: Share,
    /// Least sharpness of a part's picture, in grey levels: the mean second difference along the rows of what the model sees. A picture below it is blurred and clears nothing. 0 switches this off; `castgate inspect` tells a picture's sharpness.
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
