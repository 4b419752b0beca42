//! The models inside the binary.

/// A model that needs no file.
pub(super) struct BuiltIn {
    /// The name by which `model.path` asks for it.
    pub(super) name: &'static str,
    pub(super) onnx: &'static [u8],
    pub(super) manifest: &'static str,
}

macro_rules! built_in {
    ($name:literal) => {
        BuiltIn {
            name: $name,
            onnx: include_bytes!(concat!("../../models/", $name, ".onnx")),
            manifest: include_str!(concat!("../../models/", $name, ".yaml")),
        }
    };
}

/// Every built-in model.
pub(super) const MODELS: [BuiltIn; 2] = [built_in!("demo"), built_in!("casting")];
