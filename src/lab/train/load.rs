//! Reads labelled pictures for training, at the network's size, by the preprocessing of `run`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::ensure;
use rand::SeedableRng;
use rand_pcg::Pcg64;

use super::settings::Recipe;
use crate::camera::picture::{drop_false_colour, read_picture};
use crate::config::manifest::{Input, Normalise};
use crate::frame::Frame;
use crate::kernels::MapSize;
use crate::lab::UsageError;
use crate::lab::labelled::Labelled;
use crate::lab::tell::{Counter, Event, Tell};
use crate::score::evaluation::Skipped;
use crate::train::pictures::{Pictures, fnv1a};
use crate::vision::Preprocessor;
use crate::vision::alter::draw;

/// Most bytes of pixels that are held in memory: 8 GiB.
const MOST_BYTES: usize = 8 << 30;

/// What was read.
pub(super) struct Loaded {
    pub(super) pictures: Pictures,
    /// Name of each picture, in their order.
    pub(super) names: Vec<String>,
    /// Name and reason of each file that is no usable picture.
    pub(super) skipped: Vec<(String, String)>,
}

impl Loaded {
    /// Tells which files were skipped.
    pub(super) fn tell_skipped(&self, tell: Tell<'_>) {
        for (name, error) in &self.skipped {
            tell(Event::Note(&format!("skipped {name}: {error}")));
        }
    }

    /// The files that were skipped, for a report.
    pub(super) fn skipped(&self) -> Vec<Skipped> {
        self.skipped.iter().map(|(file, why)| Skipped { file: file.clone(), why: why.clone() }).collect()
    }

    /// # Errors
    /// [`UsageError`] when the photograph of a picture is not known: it could be on both sides.
    pub(super) fn all_known(&self) -> anyhow::Result<()> {
        let unknown: Vec<&String> = (0..self.pictures.len())
            .filter(|&at| self.pictures.group(at).is_none())
            .map(|at| &self.names[at])
            .collect();
        match unknown.first() {
            None => Ok(()),
            Some(first) => Err(UsageError(format!(
                "--groups does not know {} of the pictures, the first of them {first}; run `castgate audit` again",
                unknown.len()
            ))
            .into()),
        }
    }
}

/// The input of a network that takes grey pictures.
pub(super) fn input(size: MapSize, normalise: Normalise, (mean, std): (f32, f32)) -> Input {
    let MapSize { height, width } = size;
    Input { width, height, mean: mean.into(), std: std.into(), normalise, ..Input::default() }
}

/// Reads all of the pictures, with as many views as the recipe says.
///
/// # Errors
/// [`UsageError`] when they would not fit into memory; others when `stop` was set before all were read.
pub(super) fn load(
    files: Vec<Labelled>,
    size: MapSize,
    normalise: Normalise,
    recipe: &Recipe,
    (stop, tell): (&AtomicBool, Tell<'_>),
) -> anyhow::Result<Loaded> {
    let views = 1 + usize::from(recipe.views);
    let bytes = files.len() * views * size.height * size.width;
    if bytes > MOST_BYTES {
        return Err(UsageError(format!(
            "{} pictures at this --size and --views need {} MiB of memory, more than {} MiB; use fewer or a smaller --size",
            files.len(),
            bytes >> 20,
            MOST_BYTES >> 20
        ))
        .into());
    }
    let progress = Counter::new(tell, files.len() as u64, "pictures");
    let watch = Watch { progress: &progress, stop };
    let share = files.len().div_ceil(recipe.threads().max(1)).max(1);
    let read: Vec<Result<Vec<u8>, String>> = thread::scope(|scope| {
        let spawn = |files| {
            let work = move || read_all(files, size, normalise, recipe, watch);
            thread::Builder::new().name("load".to_owned()).spawn_scoped(scope, work)
        };
        let handles = files.chunks(share).map(spawn).collect::<Result<Vec<_>, _>>()?;
        let join = |handle: thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        anyhow::Ok(handles.into_iter().flat_map(join).collect())
    })?;
    progress.end("read");
    ensure!(!stop.load(Ordering::Relaxed), "stopped while pictures were read");
    let mut loaded =
        Loaded { pictures: Pictures::with_views(size, views), names: Vec::new(), skipped: Vec::new() };
    for (file, read) in files.into_iter().zip(read) {
        match read {
            Ok(grey) => {
                loaded.pictures.push(&grey, file.truth, file.group);
                loaded.names.push(file.name);
            }
            Err(error) => loaded.skipped.push((file.name, error)),
        }
    }
    Ok(loaded)
}

/// What threads that read look at and tell.
#[derive(Clone, Copy)]
struct Watch<'a> {
    progress: &'a Counter<'a>,
    stop: &'a AtomicBool,
}

fn read_all(
    files: &[Labelled],
    size: MapSize,
    normalise: Normalise,
    recipe: &Recipe,
    watch: Watch<'_>,
) -> Vec<Result<Vec<u8>, String>> {
    let mut preprocessor = Preprocessor::for_pictures(&input(size, normalise, (0.0, 1.0)));
    let (mut frame, mut grey) = (Frame::default(), Vec::new());
    let mut read = |file: &Labelled| {
        if watch.stop.load(Ordering::Relaxed) {
            return Err("stopped".to_owned());
        }
        watch.progress.step();
        read_picture(&file.path, &mut frame).map_err(|error| error.to_string())?;
        drop_false_colour(&mut frame);
        preprocessor.picture(&frame, &mut grey).map_err(|why| why.to_string())?;
        let mut views = grey.clone();
        for view in 0..recipe.views {
            // The part of an altered picture may not be made out: then the picture is shown as it is.
            let altered = altered(&frame, recipe.seed, view, &file.name);
            let made_out = preprocessor.picture(&altered, &mut grey).is_ok();
            let plain = views.len() / (usize::from(view) + 1);
            if made_out { views.extend_from_slice(&grey) } else { views.extend_from_within(..plain) }
        }
        Ok(views)
    };
    files.iter().map(&mut read).collect()
}

/// One more view of a picture; the same for the same file, whatever the threads.
fn altered(frame: &Frame, seed: u64, view: u8, name: &str) -> Frame {
    let seed = fnv1a(name.bytes().chain(seed.to_le_bytes()).chain([view]));
    let (mut from, mut into) = (frame.clone(), Frame::default());
    for alteration in draw(&mut Pcg64::seed_from_u64(seed)) {
        alteration.apply(seed, &from, &mut into);
        std::mem::swap(&mut from, &mut into);
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::augment::Augment;
    use crate::verdict::Truth;

    #[test]
    fn a_stop_is_heeded_before_anything_is_trained() {
        let recipe = Recipe {
            batch: 32,
            rate: 0.003,
            decay: 0.0,
            seed: 1,
            augment: Augment::NONE,
            views: 0,
            smoothing: 0.0,
            average: 0.0,
            balance: 0.0,
            all_photographs: false,
            validation: 20,
            threads: None,
        };
        let file = || Labelled {
            path: "none.png".into(),
            name: "none.png".to_owned(),
            truth: Truth::Ok,
            kind: "ok".to_owned(),
            group: None,
        };
        let size = MapSize { height: 8, width: 8 };
        let read = |stop: bool| {
            load(vec![file()], size, Normalise::None, &recipe, (&AtomicBool::new(stop), &|_| {}))
        };
        assert_eq!(read(false).unwrap().skipped.len(), 1);
        assert_eq!(read(true).err().unwrap().to_string(), "stopped while pictures were read");
    }
}
