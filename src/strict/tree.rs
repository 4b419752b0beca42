//! A text's values as a tree of bounded size, and fitting it into a type with every refusal noted.
//!
//! Works with any self-describing format. Must not know which one, nor where anything stands in a text.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use super::problem::{KeyPath, Step};
use super::wording;

/// Most values in one text, aliases expanded.
const MAX_VALUES: usize = 20_000;
/// Most faults that are told of one text; reading ends there.
pub const MAX_FAULTS: usize = 50;
/// Said of a text with more values.
pub(super) const TOO_MANY: &str = "too many values; this is no such file";

/// What a tree's growth keeps in mind.
pub(super) struct Grown {
    left: usize,
    path: KeyPath,
    /// Keys that stand more than once in their group; the first one counts.
    pub(super) doubles: Vec<KeyPath>,
}

impl Default for Grown {
    fn default() -> Self {
        Self { left: MAX_VALUES, path: KeyPath::default(), doubles: Vec::new() }
    }
}

/// Grows a tree from what the parser says.
pub(super) struct Grow<'a>(pub(super) &'a mut Grown);

impl<'de> DeserializeSeed<'de> for Grow<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.0.left = self.0.left.checked_sub(1).ok_or_else(|| D::Error::custom(TOO_MANY))?;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Grow<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    /// Numbers that are none stay texts, so that a key that wants a number refuses them.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(if value.is_finite() { value.into() } else { value.to_string().into() })
    }
    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        Err(E::custom(format_args!("{value} is too large a number")))
    }
    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        Err(E::custom(format_args!("{value} is too large a number")))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.0.path.0.push(Step::Item(list.len()));
            let item = items.next_element_seed(Grow(self.0))?;
            self.0.path.0.pop();
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut group = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.path.0.push(Step::Key(key.clone()));
            if group.contains_key(&key) {
                let known = self.0.doubles.contains(&self.0.path);
                if !known && self.0.doubles.len() < MAX_FAULTS {
                    self.0.doubles.push(self.0.path.clone());
                }
                entries.next_value::<IgnoredAny>()?;
            } else {
                let value = entries.next_value_seed(Grow(self.0))?;
                group.insert(key, value);
            }
            self.0.path.0.pop();
        }
        Ok(Value::Object(group))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("a tag such as `!name` has no meaning here; take it out"))
    }
}

/// A value, as far as the tree has one, and what its type refused.
pub(super) struct Fitted<T> {
    /// `None` when nothing sensible is left, or too much was refused.
    pub(super) value: Option<T>,
    pub(super) refusals: Vec<Refusal>,
}

/// What a type refused, in serde's words.
pub(super) struct Refusal {
    pub(super) key: KeyPath,
    pub(super) message: String,
}

/// Fits the tree into the wanted type. What does not fit is noted and taken out, so that its default applies.
pub(super) fn fit<T: DeserializeOwned>(tree: &mut Value) -> Fitted<T> {
    let mut refusals = Vec::new();
    while refusals.len() < MAX_FAULTS {
        let error = match serde_path_to_error::deserialize::<_, T>(&*tree) {
            Ok(value) => return Fitted { value: Some(value), refusals },
            Err(error) => error,
        };
        let key = KeyPath(error.path().iter().filter_map(step).collect());
        let message = error.inner().to_string();
        let removed = remove(tree, &key.0);
        if removed && wording::is_empty_group(&message) {
            continue;
        }
        refusals.push(Refusal { key, message });
        if !removed {
            break;
        }
    }
    Fitted { value: None, refusals }
}

fn step(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Takes the value at `steps` out of the tree; `false` when there is none.
fn remove(tree: &mut Value, steps: &[Step]) -> bool {
    let Some((last, above)) = steps.split_last() else {
        return false;
    };
    let mut at = tree;
    for step in above {
        let next = match step {
            Step::Key(key) => at.get_mut(key.as_str()),
            Step::Item(index) => at.get_mut(*index),
        };
        let Some(next) = next else {
            return false;
        };
        at = next;
    }
    match (at, last) {
        (Value::Object(group), Step::Key(key)) => group.remove(key).is_some(),
        (Value::Array(list), Step::Item(index)) if *index < list.len() => {
            list.remove(*index);
            true
        }
        _ => false,
    }
}
