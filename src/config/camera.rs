//! The `camera` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Length, Rate, Span};

/// Where frames come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// Frames of the simulated line.
    Simulated,
    /// Pictures of a folder, in the order of their names.
    Folder,
    /// A camera of this board: USB, CSI or any other that Linux shows as a video device.
    V4l,
}

/// How a camera's pictures come over its cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraFormat {
    /// The best that the camera offers at this size and rate: uncompressed before JPEG, grey before colour.
    Auto,
    /// Grey, one byte a pixel.
    Grey,
    /// Brightness of each pixel, colour of each pair.
    Yuyv,
    /// A plane of brightness and one of colour.
    Nv12,
    /// A JPEG for each picture.
    Mjpeg,
    /// Red, green and blue of each pixel.
    Rgb,
}

/// Which values of brightness a camera uses for black and white in `yuyv` and `nv12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LumaRange {
    /// As the driver says.
    Auto,
    /// 0 to 255.
    Full,
    /// 16 to 235, which is stretched to 0 to 255.
    Limited,
}

/// Frequency of the lamps' supply, for cameras that avoid its flicker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PowerLine {
    /// No correction: right for lamps on direct current.
    Off,
    /// 50 Hz.
    #[serde(rename = "50hz")]
    Hz50,
    /// 60 Hz.
    #[serde(rename = "60hz")]
    Hz60,
}

/// How fast a folder camera goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// At `camera.rate`; a line that cannot follow drops frames, as with a live camera.
    Rate,
    /// As fast as the line takes them: each waits until the ledger has room for it, and none is dropped.
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
    /// Folder of pictures (JPEG, PNG, BMP, WebP, TIFF), for `kind: folder`; its subfolders are read too, and `ok_front` and `def_front` among
    /// them say what the parts truly are.
    #[schemars(example = &"/var/lib/castgate/pictures")]
    pub path: Option<PathBuf>,
    /// Pace of a folder camera.
    pub pace: Pace,
    /// Whether a folder camera begins again after the last picture.
    pub repeat: bool,
    /// The camera counts as lost when no frame came for so long; one of the kind `v4l` is then opened again until it is back.
    pub lost_after: Span,
    /// Which camera, for `kind: v4l`: a path such as one below `/dev/v4l/by-id`, the number of its video device, or its name; it is
    /// looked up again each time it is opened. `castgate camera list` shows them. Without it, the only camera there is.
    #[serde(deserialize_with = "super::name::name_or_number")]
    #[schemars(schema_with = "super::name::name_or_number_schema", example = &"/dev/v4l/by-id/usb-Arducam_UC684-video-index0")]
    pub device: Option<String>,
    /// How its pictures come.
    pub format: CameraFormat,
    /// Which values of brightness it uses in `yuyv` and `nv12`.
    pub range: LumaRange,
    /// Exposure time; switches its automatic off. Without this key and the next ones, the camera is left as it is.
    #[schemars(example = &"2ms")]
    pub exposure: Option<Span>,
    /// Gain in the camera's own unit; switches its automatic off. `castgate camera show` tells the range.
    #[schemars(example = 16)]
    pub gain: Option<i32>,
    /// Focus in the camera's own unit; switches its automatic off.
    #[schemars(example = 120)]
    pub focus: Option<i32>,
    /// White balance as a colour temperature in kelvin; switches its automatic off.
    #[schemars(example = 5000)]
    pub white_balance: Option<i32>,
    /// Frequency of the lamps' mains supply, whose flicker the camera is to avoid.
    #[schemars(example = PowerLine::Hz50)]
    pub power_line: Option<PowerLine>,
    /// How long before the driver's stamp of a frame the middle of its exposure was. Drivers stamp a frame when it has arrived.
    pub stamp_delay: Span,
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
            device: None,
            format: CameraFormat::Auto,
            range: LumaRange::Auto,
            exposure: None,
            gain: None,
            focus: None,
            white_balance: None,
            power_line: None,
            stamp_delay: Span::ms(0.0),
        }
    }
}
