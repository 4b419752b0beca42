//! The camera of the simulated line, and the pictures of real parts that may lie on its belt.
//!
//! Owns reading those pictures when they are needed, one at a time. What is seen comes from `scene`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::picture::read_picture;
use super::{CameraError, Captured, FrameSource, tell_left};
use crate::album::layout::{DEFECT, OK};
use crate::clock::Time;
use crate::config::Config;
use crate::folder;
use crate::frame::{Frame, PixelFormat, luma};
use crate::printable::Printable as _;
use crate::scene::{Label, PartPictures, Picture, Renderer, View, World};
use crate::verdict::Truth;

/// Opens the simulated line: its belt, which starts at `origin`, and the camera above it. Sensor and gate share the same world.
///
/// # Errors
/// When `simulation.parts_from` is set and cannot be read or holds no picture.
pub fn open(config: &Config, origin: Time) -> Result<(Arc<World>, SimulatedCamera), CameraError> {
    let (files, labels) = match &config.simulation.parts_from {
        Some(folder) => list(folder)?,
        None => (Vec::new(), Vec::new()),
    };
    let world = Arc::new(World::new(config, labels, origin));
    let camera = SimulatedCamera {
        renderer: Renderer::new(config, world.belt(), View::new(config)),
        pictures: PartFiles {
            files,
            bad: BTreeSet::new(),
            frame: Frame::default(),
            world: Arc::clone(&world),
        },
        rate: config.camera.rate.as_per_s().max(1e-3),
        shot: 0,
        world: Arc::clone(&world),
    };
    Ok((world, camera))
}

/// The pictures in `ok_front` and `def_front` of a folder, either of which may be absent.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, Vec<Label>), CameraError> {
    let failed = |source| CameraError::Folder { path: folder.to_owned(), source };
    std::fs::read_dir(folder).map_err(failed)?;
    let (mut files, mut labels) = (Vec::new(), Vec::new());
    for (name, truth) in [(OK, Truth::Ok), (DEFECT, Truth::Defect)] {
        let subfolder = folder.join(name);
        if !subfolder.is_dir() {
            continue;
        }
        let found = folder::pictures(&subfolder).map_err(failed)?;
        tell_left(&found.left);
        for picture in found.pictures {
            labels.push(Label { name: format!("{name}/{}", picture.name), truth });
            files.push(picture.path);
        }
    }
    if files.is_empty() {
        return Err(CameraError::NoParts(folder.to_owned()));
    }
    Ok((files, labels))
}

/// Reads pictures of parts from their files.
#[derive(Debug)]
struct PartFiles {
    files: Vec<PathBuf>,
    bad: BTreeSet<usize>,
    frame: Frame,
    world: Arc<World>,
}

impl PartPictures for PartFiles {
    fn load(&mut self, index: usize, picture: &mut Picture) -> bool {
        let Some(path) = self.files.get(index).filter(|_| !self.bad.contains(&index)) else { return false };
        if let Err(error) = read_picture(path, &mut self.frame) {
            log::warn!("{} {error}; a drawn good part takes its place on the belt", path.shown());
            self.bad.insert(index);
            self.world.mark_unreadable(index);
            return false;
        }
        (picture.width, picture.height) = (self.frame.width, self.frame.height);
        picture.grey.clear();
        match self.frame.format {
            PixelFormat::Grey8 => picture.grey.extend_from_slice(&self.frame.pixels),
            PixelFormat::Rgb8 => {
                picture.grey.extend(self.frame.pixels.as_chunks::<3>().0.iter().map(|&rgb| luma(rgb)));
            }
        }
        true
    }
}

/// Frames of the simulated line. As with a live camera, frames that nobody asked for in time are gone.
#[derive(Debug)]
pub struct SimulatedCamera {
    world: Arc<World>,
    renderer: Renderer,
    pictures: PartFiles,
    rate: f64,
    shot: u64,
}

impl FrameSource for SimulatedCamera {
    fn due(&self) -> Option<Time> {
        Some(self.world.time(self.shot as f64 / self.rate))
    }

    fn next(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        let newest = (self.world.seconds(now) * self.rate).max(0.0) as u64;
        let shot = self.shot.max(newest);
        self.shot = shot + 1;
        let seconds = shot as f64 / self.rate;
        let at = self.world.time(seconds);
        frame.captured_at = at;
        frame.origin = None;
        let world = &self.world;
        let gone = |part: &_| world.is_removed(part, at);
        self.renderer.render(world.belt(), seconds, frame, &mut self.pictures, &gone);
        Ok(Captured::Frame)
    }
}

#[cfg(test)]
mod tests;
