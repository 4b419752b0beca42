//! YAML to any type and back. Must not know what the keys mean.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something wrong in a YAML text: where, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a value from a YAML text.
///
/// # Errors
/// What is wrong, with line and column.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Problem>> {
    serde_yaml::from_str(text).map_err(|error| vec![Problem(error.to_string())])
}

/// Writes a value as YAML.
///
/// # Errors
/// When the value has no form in YAML.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, Problem> {
    serde_yaml::to_string(value).map_err(|error| Problem(error.to_string()))
}
