//! Makers of test material. No assertions hidden here.

pub(crate) mod onnx;
