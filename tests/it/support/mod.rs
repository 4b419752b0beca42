//! Helpers of the tests; no test hides in here.

#[cfg(feature = "mqtt")]
pub(crate) mod broker;
#[cfg(feature = "mqtt")]
pub(crate) mod mosquitto;
pub(crate) mod line;
pub(crate) mod onnx;
