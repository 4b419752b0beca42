//! Times models on this machine.

use std::path::PathBuf;

use anyhow::bail;

use super::UsageError;
use crate::camera::picture::read_picture;
use crate::clock::{Clock as _, SystemClock};
use crate::frame::Frame;
use crate::model::Batch;
use crate::printable::Printable as _;
use crate::score::speed::Times;
use crate::vision::{Inspection, Preprocessor};

/// Most passes: enough for a median, whatever `--seconds` says.
const MOST_PASSES: usize = 100_000;

/// Where the values for the model come from.
pub(crate) enum Pictures {
    /// As many made-up pictures as the batch has.
    MadeUp,
    Files(Vec<PathBuf>),
}

/// Times a model for one picture at a time on made-up values, for so many seconds and in any case so many passes.
///
/// # Errors
/// When the model fails on one.
#[cfg(feature = "train")]
pub(crate) fn alone(model: &mut Batch, seconds: f64, least: usize) -> anyhow::Result<Option<Times>> {
    time(model, 1, &Pictures::MadeUp, (seconds, least))
}

/// One pass to warm up, then passes for `seconds` and at least `least` of them; each batch has `batch` pictures.
///
/// # Errors
/// When a picture cannot be read, or the model fails on one.
pub(crate) fn time(
    model: &mut Batch,
    batch: usize,
    pictures: &Pictures,
    (seconds, least): (f64, usize),
) -> anyhow::Result<Option<Times>> {
    let clock = SystemClock;
    let mut bench = Bench::new(model, batch);
    bench.pass(model, pictures)?;
    let (begin, mut passes) = (clock.now(), Vec::new());
    while passes.len() < least || (passes.len() < MOST_PASSES && clock.now().seconds_since(begin) < seconds) {
        let pass = clock.now();
        bench.pass(model, pictures)?;
        passes.push(clock.now().seconds_since(pass));
    }
    let count = match pictures {
        Pictures::MadeUp => batch,
        Pictures::Files(files) => files.len(),
    };
    Ok(Times::of(count, &passes))
}

/// What is used again for every batch.
struct Bench {
    preprocessor: Preprocessor,
    frame: Frame,
    seen: Inspection,
    /// The values of a batch.
    tensors: Vec<f32>,
    /// Values of one picture.
    one: usize,
    scores: Vec<crate::verdict::Score>,
}

impl Bench {
    fn new(model: &Batch, batch: usize) -> Self {
        let one = model.input().len();
        // Values as pixels have them once they are normalised, from a fixed rule, so that each run works on the same.
        let tensors = (0..batch * one)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8)
            .map(|v| f32::from(v) / 128.0 - 1.0);
        Self {
            preprocessor: Preprocessor::for_pictures(model.input()),
            frame: Frame::default(),
            seen: Inspection::default(),
            tensors: tensors.collect(),
            one,
            scores: Vec::new(),
        }
    }

    /// Judges every picture once. A last batch that is not full keeps pictures of the batch before in its free places.
    fn pass(&mut self, model: &mut Batch, pictures: &Pictures) -> anyhow::Result<()> {
        let Pictures::Files(files) = pictures else { return self.judge(model) };
        for files in files.chunks(self.tensors.len() / self.one) {
            for (at, file) in files.iter().enumerate() {
                read_picture(file, &mut self.frame)
                    .map_err(|error| UsageError(format!("--data: {} {error}", file.shown())))?;
                self.preprocessor.apply(&self.frame, &mut self.seen);
                // A picture that shows no part has no values; its place keeps those of the picture before.
                if let Some(values) = self.seen.tensors.get(..self.one) {
                    self.tensors[at * self.one..(at + 1) * self.one].copy_from_slice(values);
                }
            }
            self.judge(model)?;
        }
        Ok(())
    }

    fn judge(&mut self, model: &mut Batch) -> anyhow::Result<()> {
        if let Err(fault) = model.score(&self.tensors, &mut self.scores) {
            bail!("{}: {fault}", model.name);
        }
        Ok(())
    }
}
