//! The `simulation` section.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Length, Share, Span};

/// The simulated line: one belt, shared by simulated camera, sensor, encoder, gate and confirm sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Simulation {
    /// Seed of everything that is random; the same seed gives the same belt.
    pub seed: u64,
    /// Folder with `ok_front` and `def_front` whose pictures are laid on the belt, each once and then again in another order;
    /// without it parts are drawn.
    #[schemars(example = &"castings/test")]
    pub parts_from: Option<PathBuf>,
    /// Share of defective parts among drawn ones.
    pub defects: Share,
    /// Sequence of drawn parts, repeated: `d` for defective, `o` for good; without it `defects` decides.
    #[schemars(example = &"dddodoo")]
    pub sequence: Option<String>,
    /// Mean distance between the centres of two parts.
    pub pitch: Length,
    /// Greatest deviation of a part from its place.
    pub jitter: Length,
    /// Exposure: how long the belt smears over the picture.
    pub exposure: Span,
    /// Standard deviation of the camera's noise in grey levels, 0 to 64.
    pub noise: f64,
    /// How far the light drifts up and down over a minute.
    pub light_drift: Share,
    /// Grey level of the belt, 0 to 255.
    pub belt_grey: u8,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            seed: 1,
            parts_from: None,
            defects: Share::fraction(0.25),
            sequence: None,
            pitch: Length::mm(190.0),
            jitter: Length::mm(15.0),
            exposure: Span::ms(1.0),
            noise: 3.0,
            light_drift: Share::fraction(0.05),
            belt_grey: 150,
        }
    }
}
