//! The folder camera: the pictures of a folder and its subfolders as frames, in the order of their paths.
//!
//! A picture that cannot be used is named and the camera goes on. Must not know what is in the pictures.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::picture::{self, PictureError, read_picture};
use super::{CameraError, Captured, FrameSource};
use crate::album::layout::{DEFECT, OK};
use crate::clock::Time;
use crate::config::{self, Pace};
use crate::folder::{self, Picture};
use crate::frame::{Frame, Origin};
use crate::verdict::Truth;

/// A picture, and what its folder says of the part in it.
#[derive(Debug)]
struct File {
    picture: Picture,
    truth: Option<Truth>,
}

/// Frames from files.
#[derive(Debug)]
pub struct FolderCamera {
    files: Vec<File>,
    next: usize,
    /// Whether any picture since the first one could be used: a folder without one is not repeated for ever.
    any_usable: bool,
    repeat: bool,
    /// Time between two frames; `None` at full pace.
    period: Option<Duration>,
    due: Time,
}

impl FolderCamera {
    /// Lists the folder `camera.path`; the first picture is due at `start`.
    ///
    /// # Errors
    /// When no folder is set, or it cannot be read or holds no picture.
    pub fn open(camera: &config::Camera, start: Time) -> Result<Self, CameraError> {
        let root = camera.path.clone().ok_or(CameraError::NoPath)?;
        let found =
            folder::pictures(&root).map_err(|source| CameraError::Folder { path: root.clone(), source })?;
        super::tell_left(&found.left);
        if found.pictures.is_empty() {
            return Err(CameraError::Empty(root));
        }
        let known = |picture: Picture| File { truth: truth_of(&picture.path, &root), picture };
        let files = found.pictures.into_iter().map(known).collect();
        let period = match camera.pace {
            Pace::Full => None,
            Pace::Rate => {
                Some(Duration::try_from_secs_f64(1.0 / camera.rate.as_per_s()).unwrap_or(Duration::MAX))
            }
        };
        Ok(Self { files, next: 0, any_usable: false, repeat: camera.repeat, period, due: start })
    }

    /// Number of pictures in one round.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether no picture is left to repeat.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// When the present picture is captured. A camera that was asked late does not hurry to catch up.
    fn capture(&mut self, now: Time) -> Time {
        let Some(period) = self.period else { return now };
        let at = self.due;
        self.due = (at + period).max(now);
        at
    }

    fn unusable(&mut self, index: usize, error: &PictureError) -> Captured {
        let name = self.files[index].picture.name.clone();
        if !matches!(error, PictureError::Io(_)) {
            // It will not get better: in the next round it is left out.
            self.files.remove(index);
            self.next = index;
        }
        Captured::Unusable { name, why: error.to_string() }
    }
}

/// What the nearest folder called `ok_front` or `def_front` around a file says, from the file up to `root`.
fn truth_of(path: &Path, root: &Path) -> Option<Truth> {
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    folders.filter_map(Path::file_name).find_map(|name| match name.to_str() {
        Some(OK) => Some(Truth::Ok),
        Some(DEFECT) => Some(Truth::Defect),
        _ => None,
    })
}

impl FrameSource for FolderCamera {
    fn due(&self) -> Option<Time> {
        self.period.map(|_| self.due)
    }

    fn waits(&self) -> bool {
        self.period.is_none()
    }

    fn next(&mut self, now: Time, frame: &mut Frame) -> Result<Captured, CameraError> {
        if self.next >= self.files.len() {
            if !(self.repeat && self.any_usable) {
                return Ok(Captured::End);
            }
            (self.next, self.any_usable) = (0, false);
        }
        let index = self.next;
        let Some(File { picture, truth }) = self.files.get(index) else { return Ok(Captured::End) };
        self.next += 1;
        match read_picture(&picture.path, frame) {
            Ok(()) => {
                picture::drop_false_colour(frame);
                frame.origin = Some(Arc::new(Origin { name: picture.name.clone(), truth: *truth }));
                frame.captured_at = self.capture(now);
                self.any_usable = true;
                Ok(Captured::Frame)
            }
            Err(error) => {
                self.capture(now);
                Ok(self.unusable(index, &error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::PixelFormat;
    use crate::units::Rate;

    fn save(dir: &Path, name: &str, level: u8) {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let frame = Frame { width: 8, height: 4, pixels: vec![level; 32], ..Frame::default() };
        std::fs::write(&path, picture::png(&frame).unwrap()).unwrap();
    }

    fn camera(dir: &Path) -> config::Camera {
        config::Camera { path: Some(dir.to_owned()), rate: Rate::per_s(10.0), ..config::Camera::default() }
    }

    #[test]
    fn pictures_come_in_name_order_with_truth_and_time() {
        let dir = tempfile::tempdir().unwrap();
        for (name, level) in [("ok_front/b.png", 20), ("def_front/a.png", 10), ("z.png", 30)] {
            save(dir.path(), name, level);
        }
        let start = Time::from_nanos(5_000_000_000);
        let mut folder = FolderCamera::open(&camera(dir.path()), start).unwrap();
        let mut frame = Frame::default();
        let mut seen = Vec::new();
        while let Captured::Frame = folder.next(folder.due().unwrap(), &mut frame).unwrap() {
            let origin = frame.origin.clone().unwrap();
            assert!(frame.is_consistent() && frame.format == PixelFormat::Grey8);
            seen.push((origin.name.clone(), origin.truth, frame.pixels[0], frame.captured_at.as_s()));
        }
        let wanted = [
            ("def_front/a.png".to_owned(), Some(Truth::Defect), 10, 5.0),
            ("ok_front/b.png".to_owned(), Some(Truth::Ok), 20, 5.1),
            ("z.png".to_owned(), None, 30, 5.2),
        ];
        assert_eq!(seen, wanted);
        assert!(!folder.waits());
    }

    #[test]
    fn the_folder_itself_may_be_the_label() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "ok_front/a.png", 1);
        let root = dir.path().join("ok_front");
        assert_eq!(truth_of(&root.join("a.png"), &root), Some(Truth::Ok));
        assert_eq!(truth_of(&dir.path().join("ok_front/deep/a.png"), dir.path()), Some(Truth::Ok));
        assert_eq!(truth_of(Path::new("/ok_front/x/a.png"), Path::new("/ok_front/x")), None);
    }

    #[test]
    fn bad_files_are_named_once_and_the_others_go_round() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), "b.png", 1);
        save(dir.path(), "d.png", 2);
        std::fs::write(dir.path().join("a.jpeg"), b"").unwrap();
        std::fs::write(dir.path().join("c.bmp"), b"no picture").unwrap();
        std::os::unix::fs::symlink("gone", dir.path().join("e.jpg")).unwrap();
        let config = config::Camera { pace: Pace::Full, repeat: true, ..camera(dir.path()) };
        let mut folder = FolderCamera::open(&config, Time::ZERO).unwrap();
        assert!(folder.waits() && folder.due().is_none());
        let mut frame = Frame::default();
        let mut seen = String::new();
        for _ in 0..8 {
            match folder.next(Time::ZERO, &mut frame).unwrap() {
                Captured::Frame => seen.push_str(&format!("{} ", frame.origin.as_ref().unwrap().name)),
                Captured::Unusable { name, .. } => seen.push_str(&format!("({name}) ")),
                _ => seen.push_str("end "),
            }
        }
        assert_eq!(seen, "(a.jpeg) b.png (c.bmp) d.png (e.jpg) b.png d.png (e.jpg) ");
    }

    #[test]
    fn a_folder_of_bad_files_ends_even_when_it_is_repeated() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("gone", dir.path().join("e.jpg")).unwrap();
        std::fs::write(dir.path().join("a.png"), b"").unwrap();
        let config = config::Camera { pace: Pace::Full, repeat: true, ..camera(dir.path()) };
        let mut folder = FolderCamera::open(&config, Time::ZERO).unwrap();
        let mut next = || folder.next(Time::ZERO, &mut Frame::default()).unwrap();
        assert!(matches!(next(), Captured::Unusable { .. }));
        assert!(matches!(next(), Captured::Unusable { .. }));
        assert_eq!(next(), Captured::End);
        assert_eq!(next(), Captured::End);
    }

    #[test]
    fn a_folder_that_cannot_serve_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(FolderCamera::open(&camera(dir.path()), Time::ZERO), Err(CameraError::Empty(_))));
        let missing = FolderCamera::open(&camera(&dir.path().join("x")), Time::ZERO);
        assert!(matches!(missing, Err(CameraError::Folder { .. })));
        let unset = config::Camera::default();
        assert!(matches!(FolderCamera::open(&unset, Time::ZERO), Err(CameraError::NoPath)));
    }

    #[test]
    fn a_camera_that_was_asked_late_does_not_hurry() {
        let dir = tempfile::tempdir().unwrap();
        (0..4).for_each(|i| save(dir.path(), &format!("{i}.png"), i));
        let mut folder = FolderCamera::open(&camera(dir.path()), Time::ZERO).unwrap();
        let mut frame = Frame::default();
        folder.next(Time::from_nanos(900_000_000), &mut frame).unwrap();
        assert_eq!(frame.captured_at, Time::ZERO);
        assert_eq!(folder.due(), Some(Time::from_nanos(900_000_000)));
    }
}
