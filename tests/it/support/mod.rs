//! Helpers of the tests; no test hides in here.

#[cfg(feature = "mqtt")]
pub(crate) mod broker;
pub(crate) mod gpiosim;
pub(crate) mod line;
#[cfg(feature = "mqtt")]
pub(crate) mod mosquitto;
pub(crate) mod onnx;
