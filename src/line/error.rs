//! Why a line cannot be opened.

use crate::camera::CameraError;
use crate::gate::GateError;
use crate::model::ModelError;
use crate::report::ReportError;
use crate::sensor::SensorError;
use crate::store::StoreError;

/// Why a line cannot be opened. Nothing has moved then.
#[derive(Debug, thiserror::Error)]
pub enum CannotOpen {
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model answers too late for the line as it is configured: with each key, what stands against it.
    #[error("the model is too slow for this line: {0}; `decide.inference` overrides the measurement")]
    TooSlow(String),
    /// The camera cannot be used.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// A sensor or an input cannot be used.
    #[error(transparent)]
    Sensor(#[from] SensorError),
    /// A gate or an output cannot be used.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// What the `mqtt` section asks for cannot be.
    #[error("cannot report")]
    Report(#[source] ReportError),
    /// The store of histories cannot be used.
    #[error("cannot keep histories")]
    Histories(#[source] StoreError),
}

impl CannotOpen {
    /// Whether the configuration must change, rather than a device or a file.
    pub fn is_of_configuration(&self) -> bool {
        matches!(self, Self::TooSlow(_))
    }
}
