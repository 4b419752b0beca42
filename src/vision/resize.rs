//! Resizing by pic-scale, whose plan is made once for a pair of sizes and then reused without allocation.

use std::sync::Arc;

use pic_scale::{
    ImageSize, ImageStore, ImageStoreMut, Resampling, ResamplingFunction, Scaler, WorkloadStrategy,
};

use crate::frame::PixelFormat;

enum Plan {
    Grey(Arc<Resampling<u8, 1>>),
    Rgb(Arc<Resampling<u8, 3>>),
}

struct Prepared {
    from: (usize, usize),
    to: (usize, usize),
    format: PixelFormat,
    plan: Plan,
}

/// Resizes pictures with a triangle filter that widens when shrinking, so that no pixel is skipped.
#[derive(Default)]
pub(super) struct Resizer {
    prepared: Option<Prepared>,
    scratch: Vec<u8>,
}

fn plan(from: (usize, usize), to: (usize, usize), format: PixelFormat) -> Option<Plan> {
    let mut scaler = Scaler::new(ResamplingFunction::Bilinear);
    scaler.set_workload_strategy(WorkloadStrategy::PreferQuality);
    let (from, to) = (ImageSize::new(from.0, from.1), ImageSize::new(to.0, to.1));
    match format {
        PixelFormat::Grey8 => scaler.plan_planar_resampling(from, to).ok().map(Plan::Grey),
        PixelFormat::Rgb8 => scaler.plan_rgb_resampling(from, to).ok().map(Plan::Rgb),
    }
}

fn execute<const N: usize>(
    plan: &Resampling<u8, N>,
    pixels: &[u8],
    from: (usize, usize),
    out: &mut [u8],
    to: (usize, usize),
    scratch: &mut Vec<u8>,
) -> bool {
    scratch.resize(plan.scratch_size(), 0);
    let Ok(source) = ImageStore::<u8, N>::borrow(pixels, from.0, from.1) else { return false };
    let Ok(mut target) = ImageStoreMut::<u8, N>::borrow(out, to.0, to.1) else { return false };
    plan.resample_with_scratch(&source, &mut target, scratch).is_ok()
}

impl Resizer {
    /// Fills `out` with the picture `pixels` of size `from` resized to `to`; leaves it black should the library refuse the sizes.
    pub(super) fn resize(
        &mut self,
        pixels: &[u8],
        from: (usize, usize),
        out: &mut [u8],
        to: (usize, usize),
        format: PixelFormat,
    ) {
        let fits = |p: &Prepared| p.from == from && p.to == to && p.format == format;
        if !self.prepared.as_ref().is_some_and(fits) {
            self.prepared = plan(from, to, format).map(|plan| Prepared { from, to, format, plan });
        }
        let done = match self.prepared.as_ref().map(|p| &p.plan) {
            Some(Plan::Grey(plan)) => execute(plan.as_ref(), pixels, from, out, to, &mut self.scratch),
            Some(Plan::Rgb(plan)) => execute(plan.as_ref(), pixels, from, out, to, &mut self.scratch),
            None => false,
        };
        if !done {
            out.fill(0);
        }
    }
}
