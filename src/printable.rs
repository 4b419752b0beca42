//! Text from outside made fit to be shown. Names of files, models, lines and topics hold whatever somebody put there: codes that clear a
//! terminal, a line's end that begins a made-up line of a log, marks that turn the direction of writing.
//!
//! Owns which characters are shown as they are. Must not know what is shown, nor where.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::unseen;

/// Whether a character is a command to what shows it, or cannot be seen: control characters (the C1 set too), ends of lines and
/// paragraphs, marks of direction (Unicode TR 36), characters without width, and tags.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `\u001b`, and two of them for a character beyond 16 bits: so JSON has them too.
fn escape(c: char, out: &mut impl Write) -> fmt::Result {
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}

/// A whole text as it may be written to a terminal or a log: ends of lines and tabs stay, every other unsafe character is escaped. JSON
/// stays the same JSON.
pub fn lines(text: &str) -> Cow<'_, str> {
    let bad = |c: char| is_unsafe(c) && !matches!(c, '\n' | '\t');
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // Writing to a text cannot fail.
        let _ = if bad(c) { escape(c, &mut safe) } else { safe.write_char(c) };
    }
    Cow::Owned(safe)
}

/// `text` on one line with what cannot be seen written as its number, cut to `limit` characters: for a piece of a file that a message
/// repeats.
pub fn short(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for (nth, c) in text.chars().enumerate() {
        if nth == limit {
            out.push('…');
            break;
        }
        if unseen::is_hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A name for people and for tables, see [`Printable::shown`].
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a>(&'a OsStr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    c if is_unsafe(c) => escape(c, f)?,
                    c => f.write_char(c)?,
                }
            }
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))?;
        }
        Ok(())
    }
}

/// What has a name to show.
pub trait Printable {
    /// The name on one line, unsafe characters as `\u001b`, bytes that are no UTF-8 as `\xff`, a backslash as two: different names stay
    /// different.
    fn shown(&self) -> Shown<'_>;
}

impl Printable for OsStr {
    fn shown(&self) -> Shown<'_> {
        Shown(self)
    }
}

impl Printable for Path {
    fn shown(&self) -> Shown<'_> {
        Shown(self.as_os_str())
    }
}

impl Printable for str {
    fn shown(&self) -> Shown<'_> {
        Shown(OsStr::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_on_one_line_without_commands() {
        for (name, shown) in [
            (&b"good part \xc3\xa9 \xd7\xa9.png"[..], "good part \u{e9} \u{5e9}.png"),
            (b"\x1b[2J\x07.png", "\\u001b[2J\\u0007.png"),
            (b"a\r\nb\t\x7f", "a\\u000d\\u000ab\\u0009\\u007f"),
            (b"\xc2\x9b31m", "\\u009b31m"),
            ("gpj.\u{202e}exe\u{2066}\u{200b}".as_bytes(), "gpj.\\u202eexe\\u2066\\u200b"),
            ("\u{e0041}".as_bytes(), "\\udb40\\udc41"),
            (b"\xff.png", "\\xff.png"),
            (b"\\xff.png", "\\\\xff.png"),
        ] {
            assert_eq!(OsStr::from_bytes(name).shown().to_string(), shown);
        }
    }

    #[test]
    fn a_text_keeps_its_lines_and_json_its_meaning() {
        assert!(matches!(lines("a\n\tb"), Cow::Borrowed("a\n\tb")));
        assert_eq!(lines("a\u{1b}]0;x\u{7}\nb"), "a\\u001b]0;x\\u0007\nb");
        let json = serde_json::to_string(&["\u{7f}\u{202e}\u{9b}\u{e0041}"]).unwrap();
        let shown = lines(&json);
        assert!(!shown.contains(is_unsafe));
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap()[0], "\u{7f}\u{202e}\u{9b}\u{e0041}");
    }

    #[test]
    fn a_long_piece_is_cut() {
        assert_eq!(short(&"x".repeat(1000), 4), "xxxx…");
        assert_eq!(short("a\n\u{a0}b", 4), "a\\n\\u{a0}b");
    }

    proptest::proptest! {
        #[test]
        fn no_name_leaves_its_line_and_no_two_become_one(one: Vec<u8>, other: Vec<u8>) {
            let shown = |name: &[u8]| OsStr::from_bytes(name).shown().to_string();
            assert!(!shown(&one).contains(is_unsafe));
            assert_eq!(shown(&one) == shown(&other), one == other);
        }
    }
}
