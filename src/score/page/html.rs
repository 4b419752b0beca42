//! Pieces of HTML. Every text that comes from outside goes through [`escape`].

use crate::printable::{is_unsafe, lines};

/// Text as it must stand in HTML, also within quotes.
pub(in crate::score) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() => safe.push('\u{fffd}'),
            c if is_unsafe(c) => safe.push_str(&lines(c.encode_utf8(&mut [0; 4]))),
            c => safe.push(c),
        }
    }
    safe
}

/// Bytes as a `data:` address of the given type (RFC 2397; base64 by RFC 4648).
pub fn data_uri(kind: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut uri = format!("data:{kind};base64,");
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let shown = digit <= group.len();
            let value = (bits >> (18 - 6 * digit)) & 63;
            uri.push(if shown { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_leave_its_place() {
        assert_eq!(escape("<a b=\"c\">'&\u{0}"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\u{fffd}");
        assert_eq!(escape("gpj.\u{202e}exe"), "gpj.\\u202eexe");
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, wanted) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
        ] {
            assert_eq!(data_uri("text/plain", bytes.as_bytes()), format!("data:text/plain;base64,{wanted}"));
        }
    }
}
