//! How far heat maps can be believed.

use std::fmt;

use serde::Serialize;

/// How often heat maps point at a defect. The names are a stable interface, documented in `docs/json.md`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Located {
    /// Pictures of defective parts whose defects have a known place.
    pub images: u64,
    /// Of these, those whose peak lies in a defect, or next to it.
    pub hits: u64,
    /// The share that would be hit by a peak that falls anywhere in the picture.
    pub by_chance: f64,
    /// How far outside a defect's circle counts, as a share of the longer side.
    pub tolerance: f64,
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "heat maps      {} of {} peaks lie in a defect or within {} % of the side beside it: {:.1} %; by chance {:.1} %",
            self.hits,
            self.images,
            self.tolerance * 100.0,
            self.hits as f64 / self.images.max(1) as f64 * 100.0,
            self.by_chance * 100.0
        )
    }
}
