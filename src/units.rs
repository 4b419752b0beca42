//! Physical quantities as they are written in the configuration: a number and its unit (`350mm`, `0.4m/s`, `40ms`).
//!
//! Owns parsing and printing of quantities. Must not know which key a quantity belongs to or what range that key allows.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not a quantity; the message says what would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

/// Splits `12.5mm` into 12.5 and `mm`; spaces between them are allowed.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))?;
    let number: f64 = text[..end].parse().ok()?;
    Some((number, text[end..].trim()))
}

fn in_unit(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let (number, unit) = split(text)?;
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    // Dividing by 100 gives the number that a programmer writes as 0.35; multiplying by 0.01 gives its neighbour.
    let value = if factor < 1.0 { number / (1.0 / factor).round() } else { number * factor };
    value.is_finite().then_some(value)
}

/// Prints without trailing zeros and without the noise of binary fractions.
fn trim(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Takes the text of a quantity; also a bare number, so that the refusal can say that its unit is missing.
struct QuantityText(&'static str);

impl Visitor<'_> for QuantityText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_f64<E>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $pattern:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
        #[serde(into = "String")]
        pub struct $name(f64);

        quantity_text!($name, $expected, $pattern, $example);
    };
}

/// How a quantity is read and described.
macro_rules! quantity_text {
    ($name:ident, $expected:literal, $pattern:literal, $example:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = from.deserialize_any(QuantityText($expected))?;
                text.parse().map_err(D::Error::custom)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }

        impl FromStr for $name {
            type Err = UnitError;
            fn from_str(text: &str) -> Result<Self, UnitError> {
                Self::parse(text).ok_or_else(|| UnitError { text: text.to_owned(), expected: $expected })
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $expected, "pattern": $pattern, "examples": [$example] })
            }
        }
    };
}

quantity!(
    /// A length; stored in millimetres.
    Length, "a length such as `350mm`, `12cm` or `1.2m`",
    r"^[-+]?[0-9]*\.?[0-9]+ *(mm|cm|m)$", "350mm"
);
quantity!(
    /// A belt speed; stored in millimetres per second.
    Speed, "a speed such as `0.4m/s`, `400mm/s` or `24m/min`",
    r"^[-+]?[0-9]*\.?[0-9]+ *(mm/s|m/s|m/min)$", "0.4m/s"
);
quantity!(
    /// A length of time; stored in seconds.
    Span, "a time such as `40ms`, `1.5s` or `2min`",
    r"^[-+]?[0-9]*\.?[0-9]+ *(us|ms|s|min|h)$", "40ms"
);
quantity!(
    /// Events a second: the frame rate of a camera.
    Rate, "a rate such as `25fps` or `25Hz`",
    r"^[-+]?[0-9]*\.?[0-9]+ *(fps|Hz)$", "25fps"
);
quantity!(
    /// A share of a whole; stored as 0 to 1.
    Share, "a share such as `12%`",
    r"^[-+]?[0-9]*\.?[0-9]+ *%$", "12%"
);

quantity_text!(
    Stretch,
    "a stretch of belt such as `120mm` or a time such as `40ms`",
    r"^[-+]?[0-9]*\.?[0-9]+ *(mm|cm|m|us|ms|s|min|h)$",
    "120mm"
);

/// A stretch of belt, given as a length or as the time that it takes to pass.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String")]
pub enum Stretch {
    /// A length.
    Length(Length),
    /// A time.
    Span(Span),
}

impl Stretch {
    /// From millimetres.
    pub const fn mm(value: f64) -> Self {
        Self::Length(Length::mm(value))
    }
    /// Its length in millimetres at a belt speed in millimetres per second.
    pub fn mm_at(self, speed: f64) -> f64 {
        match self {
            Stretch::Length(length) => length.as_mm(),
            Stretch::Span(span) => span.as_s() * speed,
        }
    }
    fn parse(text: &str) -> Option<Self> {
        Length::parse(text).map(Stretch::Length).or_else(|| Span::parse(text).map(Stretch::Span))
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stretch::Length(length) => length.fmt(f),
            Stretch::Span(span) => span.fmt(f),
        }
    }
}

impl Length {
    /// From millimetres.
    pub const fn mm(value: f64) -> Self {
        Self(value)
    }
    /// In millimetres.
    pub const fn as_mm(self) -> f64 {
        self.0
    }
    fn parse(text: &str) -> Option<Self> {
        in_unit(text, &[("mm", 1.0), ("cm", 10.0), ("m", 1000.0)]).map(Self)
    }
}

impl Speed {
    /// From millimetres per second.
    pub const fn mm_per_s(value: f64) -> Self {
        Self(value)
    }
    /// In millimetres per second.
    pub const fn as_mm_per_s(self) -> f64 {
        self.0
    }
    fn parse(text: &str) -> Option<Self> {
        in_unit(text, &[("mm/s", 1.0), ("m/s", 1000.0), ("m/min", 1000.0 / 60.0)]).map(Self)
    }
}

impl Span {
    /// From milliseconds.
    pub const fn ms(value: f64) -> Self {
        Self(value / 1000.0)
    }
    /// From seconds.
    pub const fn s(value: f64) -> Self {
        Self(value)
    }
    /// In seconds.
    pub const fn as_s(self) -> f64 {
        self.0
    }
    /// As a duration; negative spans, which validation refuses where they make no sense, become zero.
    pub fn duration(self) -> Duration {
        Duration::try_from_secs_f64(self.0).unwrap_or(Duration::ZERO)
    }
    fn parse(text: &str) -> Option<Self> {
        in_unit(text, &[("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0)]).map(Self)
    }
}

impl Rate {
    /// From events a second.
    pub const fn per_s(value: f64) -> Self {
        Self(value)
    }
    /// In events a second.
    pub const fn as_per_s(self) -> f64 {
        self.0
    }
    fn parse(text: &str) -> Option<Self> {
        in_unit(text, &[("fps", 1.0), ("Hz", 1.0)]).map(Self)
    }
}

impl Share {
    /// From a fraction: 0.12 is 12 %.
    pub const fn fraction(value: f64) -> Self {
        Self(value)
    }
    /// As a fraction of 1.
    pub const fn as_fraction(self) -> f64 {
        self.0
    }
    fn parse(text: &str) -> Option<Self> {
        in_unit(text, &[("%", 0.01)]).map(Self)
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}mm", trim(self.0))
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}m/s", trim(self.0 / 1000.0))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.abs() < 1.0 {
            write!(f, "{}ms", trim(self.0 * 1000.0))
        } else if self.0.abs() >= 3600.0 && self.0 % 3600.0 == 0.0 {
            write!(f, "{}h", trim(self.0 / 3600.0))
        } else {
            write!(f, "{}s", trim(self.0))
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}fps", trim(self.0))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", trim(self.0 * 100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::strategy::Strategy as _;

    #[test]
    fn every_unit_reads_and_prints() {
        assert_eq!("1.2m".parse::<Length>().unwrap().to_string(), "1200mm");
        assert_eq!("24 m/min".parse::<Speed>().unwrap().to_string(), "0.4m/s");
        assert_eq!("1500ms".parse::<Span>().unwrap().to_string(), "1.5s");
        assert_eq!("30000min".parse::<Span>().unwrap().to_string(), "500h");
        assert_eq!("5400s".parse::<Span>().unwrap().to_string(), "5400s");
        assert_eq!("30Hz".parse::<Rate>().unwrap().to_string(), "30fps");
        assert_eq!("12.5%".parse::<Share>().unwrap().to_string(), "12.5%");
        assert_eq!("35%".parse::<Share>().unwrap(), Share::fraction(0.35));
        assert_eq!("700us".parse::<Span>().unwrap(), Span::ms(0.7));
    }

    #[test]
    fn a_wrong_unit_says_what_would_be_right() {
        let error = "40mm".parse::<Span>().unwrap_err().to_string();
        assert_eq!(error, "`40mm` is not a time such as `40ms`, `1.5s` or `2min`");
        for text in ["", "mm", "12", "1e999mm", "--3mm", "1.2.3mm", "NaNmm", "infmm", "12µm"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_without_its_unit_is_refused_in_the_same_words() {
        let error = serde_json::from_str::<Speed>("5").unwrap_err().to_string();
        assert_eq!(error, "`5` is not a speed such as `0.4m/s`, `400mm/s` or `24m/min`");
        let error = serde_json::from_str::<Share>("true").unwrap_err().to_string();
        assert!(error.starts_with("invalid type: boolean `true`, expected a share such as `12%`"), "{error}");
        assert_eq!(serde_json::from_str::<Span>("\"40ms\"").unwrap(), Span::ms(40.0));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in proptest::collection::vec(proptest::char::any(), 0..12).prop_map(String::from_iter)) {
            let _ = (text.parse::<Length>(), text.parse::<Speed>(), text.parse::<Span>());
        }

        #[test]
        fn printing_and_reading_agree(mm in 0.0f64..1e6) {
            let length = Length::mm((mm * 100.0).round() / 100.0);
            proptest::prop_assert!((length.to_string().parse::<Length>().unwrap().as_mm() - length.as_mm()).abs() < 1e-3);
        }
    }
}
