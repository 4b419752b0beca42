//! Helpers of the tests; those that need it are tested beside themselves.

#[cfg(feature = "mqtt")]
pub(crate) mod broker;
pub(crate) mod castings;
pub(crate) mod gpiosim;
pub(crate) mod line;
#[cfg(feature = "mqtt")]
pub(crate) mod mosquitto;
pub(crate) mod onnx;
pub(crate) mod process;
