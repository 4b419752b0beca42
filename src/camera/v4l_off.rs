//! Stands in for cameras of the board in a build without them: says so when one is asked for.

use std::sync::Arc;

use super::{CameraError, Captured, FrameSource, Listed};
use crate::clock::{Clock, Time};
use crate::config::Camera;
use crate::frame::Frame;

/// A camera that cannot be.
pub enum V4lCamera {}

impl V4lCamera {
    /// Cannot be opened.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Camera, _: bool, _: Arc<dyn Clock>) -> Result<Self, CameraError> {
        Err(CameraError::NotBuilt)
    }
}

impl FrameSource for V4lCamera {
    fn due(&self) -> Option<Time> {
        match *self {}
    }

    fn next(&mut self, _: Time, _: &mut Frame) -> Result<Captured, CameraError> {
        match *self {}
    }
}

/// No cameras.
pub fn list() -> Vec<Listed> {
    Vec::new()
}

/// Cannot be shown.
///
/// # Errors
/// Always.
pub fn show(_: Option<&str>) -> Result<Vec<String>, CameraError> {
    Err(CameraError::NotBuilt)
}
