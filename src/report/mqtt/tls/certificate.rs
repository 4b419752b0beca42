//! What a certificate says of itself, for words about it: RFC 5280 in DER, no more of it than is told.
//!
//! Pure, and no judge: whom to trust is decided by the library. What cannot be read is left out.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::printable::short;

/// Longest name that is told, in characters.
const LONGEST: usize = 80;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Facts {
    /// 1 or 3.
    pub(super) version: u8,
    /// Signed with SHA-1 or MD5.
    pub(super) weak_signature: bool,
    /// Common name of who signed it.
    pub(super) issuer: Option<String>,
    /// As `2026-01-01T06:00:00`, UTC.
    pub(super) not_before: String,
    /// As [`Facts::not_before`].
    pub(super) not_after: String,
    /// Its common name.
    pub(super) common_name: Option<String>,
    /// Length of its RSA key; `None` for other keys.
    pub(super) rsa_bits: Option<usize>,
    /// Names and addresses of hosts that it is for.
    pub(super) names: Vec<String>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// RSA with MD5, with SHA-1, and ECDSA with SHA-1.
const WEAK: [&[u8]; 3] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
];

/// A tag and its content, one after the other.
#[derive(Debug, Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Iterator for Der<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[tag, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (bytes.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

impl<'a> Der<'a> {
    /// The content of the next one, if it has this tag.
    fn of(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.next()?;
        (found == tag).then_some(content)
    }

    /// As [`Der::of`], to look into.
    fn inside(&mut self, tag: u8) -> Option<Self> {
        self.of(tag).map(Self)
    }
}

/// Reads a certificate; `None` when it is none.
pub(super) fn facts(der: &[u8]) -> Option<Facts> {
    let mut body = Der(der).inside(SEQUENCE)?.inside(SEQUENCE)?;
    let versioned = body.0.first() == Some(&0xa0);
    let version = if versioned { body.inside(0xa0)?.of(2)?.last()? + 1 } else { 1 };
    body.of(2)?;
    let weak_signature = WEAK.contains(&body.inside(SEQUENCE)?.of(OID)?);
    let issuer = common_name(body.inside(SEQUENCE)?);
    let mut validity = body.inside(SEQUENCE)?;
    let (not_before, not_after) = (date(validity.next()?)?, date(validity.next()?)?);
    let common_name = common_name(body.inside(SEQUENCE)?);
    let rsa_bits = rsa_bits(body.inside(SEQUENCE)?);
    let extensions = body.find(|(tag, _)| *tag == 0xa3).map(|(_, content)| Der(content));
    let names = extensions.and_then(|mut list| list.inside(SEQUENCE)).and_then(names).unwrap_or_default();
    Some(Facts { version, weak_signature, issuer, not_before, not_after, common_name, rsa_bits, names })
}

fn printable(bytes: &[u8]) -> String {
    short(&String::from_utf8_lossy(bytes), LONGEST)
}

fn common_name(name: Der<'_>) -> Option<String> {
    name.filter(|(tag, _)| *tag == SET).find_map(|(_, set)| {
        let mut pair = Der(set).inside(SEQUENCE)?;
        (pair.of(OID)? == COMMON_NAME).then(|| pair.next())?.map(|(_, text)| printable(text))
    })
}

/// UTCTime has two digits of the year, GeneralizedTime four.
fn date((tag, text): (u8, &[u8])) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let century = match (tag, text.get(..2)?) {
        (0x17, year) if year < "50" => "20",
        (0x17, _) => "19",
        _ => "",
    };
    let digits = format!("{century}{text}");
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (day, time) = digits.split_at(8);
    Some(format!("{}-{}-{}T{}:{}:{}", &day[..4], &day[4..6], &day[6..], &time[..2], &time[2..4], &time[4..]))
}

fn rsa_bits(mut key: Der<'_>) -> Option<usize> {
    if key.inside(SEQUENCE)?.of(OID)? != RSA {
        return None;
    }
    let bits = key.of(3)?.get(1..)?;
    let modulus = Der(bits).inside(SEQUENCE)?.of(2)?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    Some((modulus.len() - zeros) * 8 - first.leading_zeros() as usize)
}

fn names(extensions: Der<'_>) -> Option<Vec<String>> {
    let value = extensions.filter(|(tag, _)| *tag == SEQUENCE).find_map(|(_, content)| {
        let mut extension = Der(content);
        (extension.of(OID)? == ALTERNATIVE_NAMES).then(|| extension.find(|(tag, _)| *tag == 4))?
    })?;
    let list = Der(value.1).inside(SEQUENCE)?;
    Some(
        list.take(50)
            .filter_map(|(tag, name)| match tag {
                0x82 => Some(printable(name)),
                0x87 => <[u8; 4]>::try_from(name)
                    .map(|address| Ipv4Addr::from(address).to_string())
                    .or_else(|_| {
                        <[u8; 16]>::try_from(name).map(|address| Ipv6Addr::from(address).to_string())
                    })
                    .ok(),
                _ => None,
            })
            .collect(),
    )
}
