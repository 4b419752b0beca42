//! Models: ONNX files with their manifests, run by an inference engine that nobody else sees.
