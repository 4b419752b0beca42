//! Reads the pictures of an audit: what is kept of each is small.

use std::thread;

use crate::audit::compare::Prepared;
use crate::audit::measures::Measures;
use crate::audit::picture::SIDE;
use crate::audit::report::Fault;
use crate::audit::rings::Circle;
use crate::camera::picture::{decode_picture, read_file};
use crate::config::manifest::Input;
use crate::frame::Frame;
use crate::lab::labelled::Labelled;
use crate::model::fingerprint;
use crate::verdict::Truth;
use crate::vision::{Preprocessor, Unhealthy};

/// What is kept of a picture.
pub(super) struct Seen {
    pub(super) split: String,
    /// Path below the split's folder.
    pub(super) file: String,
    pub(super) label: Truth,
    /// Of the file, in hexadecimal digits.
    pub(super) sha256: String,
    /// Width and height in pixels.
    pub(super) size: (usize, usize),
    pub(super) measures: Measures,
    /// `None` for a picture that is too flat.
    pub(super) prepared: Option<Prepared>,
}

/// All that was read.
pub(super) struct Read {
    pub(super) seen: Vec<Seen>,
    pub(super) broken: Vec<Fault>,
}

/// Reads all files, each with the name of its split.
///
/// # Errors
/// When no thread can be started.
pub(super) fn read(files: Vec<(&str, Labelled)>, threads: usize) -> anyhow::Result<Read> {
    let share = files.len().div_ceil(threads.max(1)).max(1);
    let parts = thread::scope(|scope| {
        let spawn = |files| {
            thread::Builder::new().name("read".to_owned()).spawn_scoped(scope, move || read_part(files))
        };
        let handles = files.chunks(share).map(spawn).collect::<Result<Vec<_>, _>>()?;
        let join = |handle: thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        anyhow::Ok(handles.into_iter().flat_map(join).collect::<Vec<_>>())
    })?;
    let mut read = Read { seen: Vec::new(), broken: Vec::new() };
    for ((split, file), part) in files.into_iter().zip(parts) {
        match part {
            Ok(seen) => read.seen.push(seen),
            Err(why) => read.broken.push(Fault { file: format!("{split}/{}", file.name), why }),
        }
    }
    Ok(read)
}

fn read_part(files: &[(&str, Labelled)]) -> Vec<Result<Seen, String>> {
    let input = Input { width: SIDE, height: SIDE, ..Input::default() };
    let mut preprocessor = Preprocessor::for_pictures(&input);
    let circle = Circle::default();
    let (mut frame, mut grey) = (Frame::default(), Vec::new());
    let mut read = |(split, file): &(&str, Labelled)| {
        let bytes = read_file(&file.path).map_err(|error| error.to_string())?;
        decode_picture(&bytes, &mut frame).map_err(|error| error.to_string())?;
        let trouble = preprocessor.picture(&frame, &mut grey).err();
        if let Some(why @ (Unhealthy::Size | Unhealthy::NoPart)) = trouble {
            return Err(why.to_string());
        }
        // What shows nothing could be anything, as what is flat.
        let prepared = if trouble.is_none() { Prepared::new(&grey, &circle) } else { None };
        let edges = prepared.as_ref().map(|prepared| &prepared.edges);
        Ok(Seen {
            split: (*split).to_owned(),
            file: file.name.clone(),
            label: file.truth,
            sha256: fingerprint(&bytes),
            size: (frame.width, frame.height),
            measures: Measures::new(&grey, edges, bytes.len() as u64, frame.width * frame.height),
            prepared,
        })
    };
    files.iter().map(&mut read).collect()
}
