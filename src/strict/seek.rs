//! Finds the place of a key in a text: a visitor that walks along a key path and refuses what is at its end, so that the
//! parser's error says where that stands.
//!
//! Works with any format whose errors have places. Must not know which one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::problem::Step;

/// What of a key path is looked for.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// The value.
    Value,
    /// The key, where it stands for the nth time.
    Key(usize),
}

/// Walks along `steps` and refuses what is at their end, so that the parser's error has its place.
pub(super) struct Seek<'a> {
    steps: &'a [Step],
    target: Target,
}

impl<'a> Seek<'a> {
    /// A walk along `steps` to `target`.
    pub(super) fn new(steps: &'a [Step], target: Target) -> Self {
        Self { steps, target }
    }

    fn here<E: serde::de::Error>(&self) -> Result<(), E> {
        if self.steps.is_empty() { Err(E::custom("here")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value")
    }
    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        self.here()
    }
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.here()
    }
    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.here()
    }
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.here()
    }
    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        self.here()
    }
    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.here()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.here()?;
        let mut index = 0;
        loop {
            let found = match self.steps {
                [Step::Item(wanted), rest @ ..] if *wanted == index => {
                    items.next_element_seed(Seek { steps: rest, ..self })?
                }
                _ => items.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if found.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.here()?;
        let [Step::Key(wanted), rest @ ..] = self.steps else {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let mut nth = 0;
        loop {
            let refuse = match self.target {
                Target::Key(time) if rest.is_empty() => Some(time - nth),
                _ => None,
            };
            match entries.next_key_seed(SeekKey { wanted, refuse })? {
                None => return Ok(()),
                Some(true) if nth == 0 && refuse.is_none() => {
                    nth += 1;
                    entries.next_value_seed(Seek { steps: rest, ..self })?;
                }
                Some(hit) => {
                    nth += usize::from(hit);
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
    }
}

/// Tells whether a key is the wanted one; refuses it when it is and `refuse` is 1.
struct SeekKey<'a> {
    wanted: &'a str,
    refuse: Option<usize>,
}

impl<'de> DeserializeSeed<'de> for SeekKey<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for SeekKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<bool, E> {
        match (key == self.wanted, self.refuse) {
            (true, Some(1)) => Err(E::custom("here")),
            (hit, _) => Ok(hit),
        }
    }
}
