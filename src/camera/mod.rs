//! Cameras: where frames come from.
//!
//! Each kind of camera has a file of its own. Must not know what frames are for, nor gate, model or reports.

pub mod folder;
pub mod picture;
pub mod rate;
pub mod simulated;
#[cfg(feature = "v4l")]
pub mod v4l;
#[cfg(not(feature = "v4l"))]
#[path = "v4l_off.rs"]
pub mod v4l;

use std::path::PathBuf;

use crate::album::left::Left;
use crate::album::names::FORMATS;
use crate::clock::Time;
use crate::frame::Frame;
use crate::printable::Printable as _;

/// What a camera gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Captured {
    /// The frame was filled in.
    Frame,
    /// One picture could not be used; the camera goes on.
    Unusable {
        /// Which file or device.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A picture was taken, and what came of it is none; the camera goes on. Of the frame the capture time is filled in.
    Damaged {
        /// What is wrong with it; `None` where that was told lately.
        why: Option<String>,
    },
    /// No frame came, this time; the camera goes on.
    Nothing,
    /// There is no further frame.
    End,
}

/// A camera cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// The folder cannot be read.
    #[error("cannot read the folder {}", .path.shown())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The folder holds no picture.
    #[error("no {FORMATS} file in {}; put pictures there or set another `camera.path`", .0.shown())]
    Empty(PathBuf),
    /// No folder is set.
    #[error("`camera.kind: folder` needs `camera.path`, a folder of pictures")]
    NoPath,
    /// The folder holds no picture of a part.
    #[error(
        "no picture in {}; `simulation.parts_from` needs a folder with {FORMATS} files in its \
         subfolders ok_front and def_front",
        .0.shown()
    )]
    NoParts(PathBuf),
    /// A camera of this board cannot be used.
    #[error("camera: {0}")]
    Device(String),
    /// The camera's thread cannot be started.
    #[error("cannot start the camera's thread")]
    Thread(#[source] std::io::Error),
    /// The camera's thread has ended by itself.
    #[error("the camera's thread has ended; this is a fault of castgate")]
    Ended,
    /// This build has no such camera.
    #[error(
        "this castgate was built without cameras of the board (feature `v4l`); set another `camera.kind`"
    )]
    NotBuilt,
}

/// A camera of this board, for people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Listed {
    /// Its video device.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Paths that stay the same when other cameras come and go.
    pub lasting: Vec<PathBuf>,
}

/// Tells what was left aside in a folder of pictures, as a warning where somebody may have wanted it.
fn tell_left(left: &Left) {
    let level = if left.unasked() > 0 { log::Level::Warn } else { log::Level::Info };
    left.lines().iter().for_each(|line| log::log!(level, "{line}"));
}

/// A source of frames.
pub trait FrameSource: Send {
    /// When the next frame will be captured, where that is known beforehand (simulation, folder at a rate); the caller
    /// sleeps until then. `None`: call `next` at once; it waits itself or has a frame ready.
    fn due(&self) -> Option<Time>;

    /// Whether frames wait for the line (a folder at full pace) instead of being dropped when it is busy.
    fn waits(&self) -> bool {
        false
    }

    /// Whether the source itself dates the arrival of each frame, nearer to the device than its caller could.
    fn dates_arrival(&self) -> bool {
        false
    }

    /// The rate that the device has agreed to, in frames a second, where there is one.
    fn agreed(&self) -> Option<f64> {
        None
    }

    /// Fills `frame` (pixels, size, format, capture time, origin; not its id) and moves on to the next one. Reuses the memory of
    /// `frame.pixels`.
    ///
    /// # Errors
    /// When the camera cannot deliver and must be opened again.
    fn next(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError>;
}
