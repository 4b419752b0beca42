//! Characters that nobody sees, or that are taken for others: their names, and where they stand in a line.
//!
//! They come with copying from web pages, chats and word processors. Pure text; must not know what a text is for.

/// What is wrong with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It looks like a space and is none.
    Space(&'static str),
    /// Nothing of it is seen.
    Hidden(&'static str),
    /// It is taken for this character.
    Like(&'static str, char),
    /// It is no plain character where one is meant.
    Other(&'static str),
}

/// A character in a line, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Column, from 1, in characters.
    pub column: usize,
    /// What it is and what it stands beside: "a no-break space (U+00A0) stands before `rate`".
    pub words: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Most characters of a neighbouring word that are repeated.
const NEIGHBOUR: usize = 20;

/// Whether a character cannot be seen: a control character, a space that is no plain one, or nothing at all.
pub fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(kind(c), Some(Kind::Space(_) | Kind::Hidden(_)))
}

/// Every run of characters in `line` that cannot be seen: wherever it is, nobody wants it there.
pub fn hidden(line: &str) -> Vec<Found> {
    let chars: Vec<char> = line.chars().collect();
    let is = |at: usize| matches!(kind(chars[at]), Some(Kind::Space(_) | Kind::Hidden(_)));
    (0..chars.len()).filter(|&at| is(at) && (at == 0 || !is(at - 1))).map(|at| found(&chars, at)).collect()
}

/// The first character in `line` that is taken for another one, between two columns; letters of other alphabets count where `letters` says
/// that only plain ones can be meant.
pub fn look_alike(line: &str, from: usize, until: usize, letters: bool) -> Option<Found> {
    let chars: Vec<char> = line.chars().collect();
    let counts = |at: &usize| match kind(chars[*at]) {
        Some(Kind::Like(_, plain)) => letters || !plain.is_ascii_alphanumeric(),
        Some(Kind::Other(_)) => true,
        Some(Kind::Space(_) | Kind::Hidden(_)) | None => false,
    };
    (from.saturating_sub(1)..chars.len().min(until)).find(counts).map(|at| found(&chars, at))
}

/// The first of both kinds in a short text of which only plain characters are meant:
/// "; character 6: a zero-width space (U+200B) stands after `reset`", or nothing.
pub fn hint(text: &str) -> String {
    let first = hidden(text).into_iter().next().or_else(|| look_alike(text, 1, usize::MAX, true));
    first.map_or_else(String::new, |found| format!("; character {}: {}", found.column, found.words))
}

/// The quote that `text` begins with, where it is none of those that a program knows.
pub fn opening_quote(text: &str) -> Option<String> {
    let first = text.chars().next()?;
    matches!(first, '\u{2018}'..='\u{201F}').then(|| named(first))
}

fn found(chars: &[char], at: usize) -> Found {
    let odd = |c: &char| matches!(kind(*c), Some(Kind::Space(_) | Kind::Hidden(_)));
    let apart = |c: &char| odd(c) || c.is_whitespace();
    let take = |c: &&char| !apart(c);
    let right: Vec<char> = chars[at + 1..].iter().skip_while(|c| odd(c)).take_while(take).copied().collect();
    let mut left: Vec<char> = chars[..at].iter().rev().take_while(take).copied().collect();
    left.reverse();
    let far = |at: &[char]| at.iter().skip_while(|c| apart(c)).take_while(take).copied().collect::<Vec<_>>();
    let beside = match (left.is_empty(), right.is_empty()) {
        (false, false) => format!("between {} and {}", end(&left), beginning(&right)),
        (false, true) => format!("after {}", end(&left)),
        (true, false) => format!("before {}", beginning(&right)),
        (true, true) => match far(&chars[at + 1..]) {
            word if !word.is_empty() => format!("before {}", beginning(&word)),
            _ => "where nothing is to be seen".to_owned(),
        },
    };
    let remedy = match kind(chars[at]) {
        Some(Kind::Space(_)) => "write a plain space, or none",
        Some(Kind::Like(..)) => "type it anew",
        _ => "take it out",
    };
    Found { column: at + 1, words: format!("{} stands {beside}", named(chars[at])), remedy }
}

fn beginning(word: &[char]) -> String {
    format!("`{}`", word.iter().take(NEIGHBOUR).collect::<String>())
}

fn end(word: &[char]) -> String {
    format!("`{}`", word[word.len().saturating_sub(NEIGHBOUR)..].iter().collect::<String>())
}

/// "a no-break space (U+00A0)".
fn named(c: char) -> String {
    let code = format!("U+{:04X}", c as u32);
    match kind(c) {
        Some(Kind::Space(name) | Kind::Hidden(name) | Kind::Other(name)) => format!("{name} ({code})"),
        Some(Kind::Like(name, plain)) => format!("{name} ({code}) that looks like `{plain}`"),
        None => code,
    }
}

fn kind(c: char) -> Option<Kind> {
    use Kind::{Hidden, Like, Other, Space};
    Some(match c {
        ' '..='~' | '\t' | '\n' | '\r' => return None,
        '\0' => Hidden("a NUL"),
        '\u{1B}' => Hidden("an escape character"),
        '\u{85}' | '\u{2028}' | '\u{2029}' => Hidden("a line separator"),
        c if c.is_control() => Hidden("a control character"),
        '\u{A0}' | '\u{202F}' => Space("a no-break space"),
        '\u{3000}' => Space("a full-width space"),
        '\u{1680}' | '\u{2000}'..='\u{200A}' | '\u{205F}' => Space("a typographic space"),
        '\u{AD}' => Hidden("a soft hyphen"),
        '\u{200B}' => Hidden("a zero-width space"),
        '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{34F}' => Hidden("a zero-width joiner"),
        '\u{FEFF}' => Hidden("a byte order mark"),
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Hidden("a mark of writing direction")
        }
        '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}' => Hidden("an empty letter"),
        '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2061}'..='\u{206F}' => {
            Hidden("an invisible character")
        }
        '\u{FE00}'..='\u{FE0F}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}' => {
            Hidden("an invisible character")
        }
        '\u{FFFD}' => Other("a character that was lost in copying"),
        '\u{FF01}'..='\u{FF5E}' => {
            let plain = char::from_u32(c as u32 - 0xFEE0).unwrap_or(' ');
            let name = match plain {
                '0'..='9' => "a full-width digit",
                ':' => "a full-width colon",
                _ => "a full-width character",
            };
            Like(name, plain)
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' => Like("a dash", '-'),
        '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{B4}' => Like("a typographic quote", '\''),
        '\u{201C}'..='\u{201F}' | '\u{2033}' => Like("a typographic quote", '"'),
        '\u{AB}' | '\u{BB}' | '\u{2039}' | '\u{203A}' => Other("a typographic quote"),
        '\u{2236}' | '\u{A789}' | '\u{2D0}' | '\u{2F8}' | '\u{FE55}' => Like("a character", ':'),
        '\u{2044}' | '\u{2215}' => Like("a slash", '/'),
        '\u{D7}' => Like("a sign", 'x'),
        '\u{2026}' => Other("an ellipsis"),
        '\u{2022}' | '\u{B7}' => Other("a bullet"),
        c => match letter(c) {
            Some((alphabet, plain)) => Like(alphabet, plain),
            None if c.is_numeric() => Other("a digit that is none of 0 to 9"),
            None => return None,
        },
    })
}

/// Letters of other alphabets that look like Latin ones.
fn letter(c: char) -> Option<(&'static str, char)> {
    const CYRILLIC: (&str, &str) = ("авекмнорстухіјѕԁһӏАВЕКМНОРСТУХІЈЅ", "abekmhopctyxijsdhlABEKMHOPCTYXIJS");
    const GREEK: (&str, &str) = ("αεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeikvoptuxABEZHIKMNOPTYX");
    let of = |(other, latin): (&str, &str)| {
        other.chars().zip(latin.chars()).find(|(other, _)| *other == c).map(|(_, latin)| latin)
    };
    of(CYRILLIC)
        .map(|latin| ("a Cyrillic letter", latin))
        .or_else(|| of(GREEK).map(|latin| ("a Greek letter", latin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_named_with_its_neighbours() {
        for (line, wanted) in [
            ("  \u{a0}rate: 1", "3: a no-break space (U+00A0) stands before `rate:`"),
            ("rate:\u{a0}25fps", "6: a no-break space (U+00A0) stands between `rate:` and `25fps`"),
            ("rate: 25fps\u{200b}", "12: a zero-width space (U+200B) stands after `25fps`"),
            ("\u{202e}", "1: a mark of writing direction (U+202E) stands where nothing is to be seen"),
            ("\u{3000}\u{3000} a", "1: a full-width space (U+3000) stands before `a`"),
            ("a\0", "2: a NUL (U+0000) stands after `a`"),
        ] {
            let told: Vec<String> =
                hidden(line).iter().map(|found| format!("{}: {}", found.column, found.words)).collect();
            assert_eq!(told, [wanted], "{line:?}");
        }
        assert_eq!(hidden("name: Größe 3 — “нож”\t# ok"), []);
    }

    #[test]
    fn what_is_taken_for_another_character_is_told_where_only_plain_ones_are_meant() {
        let told = |line: &str, letters| look_alike(line, 1, usize::MAX, letters).map(|found| found.words);
        assert_eq!(
            told("c\u{430}mera", true).unwrap(),
            "a Cyrillic letter (U+0430) that looks like `a` stands between `c` and `mera`"
        );
        assert_eq!(told("c\u{430}mera", false), None);
        assert_eq!(
            told("rate\u{ff1a} 25fps", false).unwrap(),
            "a full-width colon (U+FF1A) that looks like `:` stands after `rate`"
        );
        assert!(told("\u{ff12}5fps", true).unwrap().starts_with("a full-width digit (U+FF12)"));
        assert!(told("\u{2013}5mm", true).unwrap().starts_with("a dash (U+2013) that looks like `-`"));
        assert!(told("\u{664}mm", true).unwrap().starts_with("a digit that is none of 0 to 9 (U+0664)"));
        assert_eq!(told("plain 25fps", true), None);
        assert_eq!(hint("reset\u{200b}"), "; character 6: a zero-width space (U+200B) stands after `reset`");
        assert_eq!(hint("reset"), "");
        assert!(opening_quote("“a”").is_some() && opening_quote("a”").is_none());
    }

    #[test]
    fn letters_and_their_likenesses_are_pairs() {
        for (other, latin) in [('х', 'x'), ('Ѕ', 'S'), ('χ', 'x'), ('Χ', 'X'), ('ӏ', 'l')] {
            assert_eq!(letter(other).map(|(_, latin)| latin), Some(latin));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_panics(line in proptest::collection::vec(proptest::char::any(), 0..60)) {
            let line: String = line.into_iter().collect();
            for found in hidden(&line) {
                proptest::prop_assert!(found.column <= line.chars().count());
            }
            let _ = hint(&line);
        }
    }
}
