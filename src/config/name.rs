//! A name that may also be written as a number, such as that of a GPIO line or of a video device.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// Reads a name that may also be a number: `line: 17` and `line: "17"` mean the same.
pub(super) fn name_or_number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "neither a name nor a number from 0 up")]
    enum Either {
        Number(u32),
        Name(String),
    }
    Ok(Option::<Either>::deserialize(from)?.map(|either| match either {
        Either::Number(number) => number.to_string(),
        Either::Name(name) => name,
    }))
}

pub(super) fn name_or_number_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer", "null"], "minimum": 0 })
}
