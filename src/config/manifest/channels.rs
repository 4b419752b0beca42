//! Numbers that hold for all channels of a picture, or for each its own.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One number for all channels, or one for each of three in the order in which they go in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PerChannel {
    /// The same for all.
    All(f32),
    /// For the first, second and third channel.
    Each([f32; 3]),
}

impl PerChannel {
    /// That of a channel, counted from 0.
    pub const fn of(self, channel: usize) -> f32 {
        match self {
            PerChannel::All(value) => value,
            PerChannel::Each(values) => values[channel % values.len()],
        }
    }

    /// Each different one.
    pub fn values(&self) -> &[f32] {
        match self {
            PerChannel::All(value) => std::slice::from_ref(value),
            PerChannel::Each(values) => values,
        }
    }
}

impl From<f32> for PerChannel {
    fn from(value: f32) -> Self {
        PerChannel::All(value)
    }
}

impl Serialize for PerChannel {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            PerChannel::All(value) => value.serialize(to),
            PerChannel::Each(values) => values.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for PerChannel {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = PerChannel;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a list of three, one for each channel")
            }
            fn visit_f64<E>(self, value: f64) -> Result<PerChannel, E> {
                Ok(PerChannel::All(value as f32))
            }
            fn visit_i64<E>(self, value: i64) -> Result<PerChannel, E> {
                Ok(PerChannel::All(value as f32))
            }
            fn visit_u64<E>(self, value: u64) -> Result<PerChannel, E> {
                Ok(PerChannel::All(value as f32))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PerChannel, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = items.next_element::<f32>()? {
                    values.push(value);
                    if values.len() > 3 {
                        break;
                    }
                }
                let found = values.len();
                let each = <[f32; 3]>::try_from(values).map_err(|_| {
                    let many = if found > 3 { "more than three".to_owned() } else { found.to_string() };
                    A::Error::custom(format_args!(
                        "is a list of {many} numbers, and there are three channels"
                    ))
                })?;
                Ok(PerChannel::Each(each))
            }
        }
        from.deserialize_any(Numbers)
    }
}

impl JsonSchema for PerChannel {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PerChannel".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "array"], "items": { "type": "number" }, "minItems": 3, "maxItems": 3 })
    }
}
