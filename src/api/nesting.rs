//! How far a JSON value with brackets or quotes reaches: nesting, strings and escapes, and nothing else of JSON.

use memchr::memchr2;

/// So many levels remember whether `[` or `{` opened them, and deeper ones only that something did: without a limit, a
/// response of nothing but brackets would fill the memory.
const REMEMBERED_LEVELS: usize = 64;

/// A bracket is closed by one of the other kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mismatch;

/// A position inside a value that a bracket or a quote opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nesting {
    /// How many brackets are open; 0 in a string by itself.
    depth: usize,
    /// Which of the outermost levels are arrays, the outermost one in the lowest bit.
    arrays: u64,
    string: Option<Escape>,
}

/// Whether the next byte of a string is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    No,
    Yes,
}

impl Nesting {
    /// Behind the first byte of a value; `None` if that opens nothing.
    pub(super) fn opened_by(byte: u8) -> Option<Self> {
        match byte {
            b'{' => Some(Self { depth: 1, arrays: 0, string: None }),
            b'[' => Some(Self { depth: 1, arrays: 1, string: None }),
            b'"' => Some(Self { depth: 0, arrays: 0, string: Some(Escape::No) }),
            _ => None,
        }
    }

    /// Inside an object, between two of its members.
    pub(super) const fn in_object() -> Self {
        Self { depth: 1, arrays: 0, string: None }
    }

    /// Goes on at `at`. Says where the value ends, behind its last byte, or `None` if the bytes end before it does.
    ///
    /// # Errors
    ///
    /// If brackets of different kinds meet.
    pub(super) fn advance(&mut self, bytes: &[u8], mut at: usize) -> Result<Option<usize>, Mismatch> {
        let Self { mut depth, mut arrays, mut string } = *self;
        while let Some(&byte) = bytes.get(at) {
            match string {
                Some(Escape::Yes) => (string, at) = (Some(Escape::No), at + 1),
                Some(Escape::No) => {
                    let Some(found) = memchr2(b'"', b'\\', &bytes[at..]) else { break };
                    let is_end = bytes[at + found] == b'"';
                    at += found + 1;
                    if is_end && depth == 0 {
                        return Ok(Some(at));
                    }
                    string = (!is_end).then_some(Escape::Yes);
                }
                None => {
                    at += 1;
                    match byte {
                        b'"' => string = Some(Escape::No),
                        b'{' | b'[' => {
                            if depth < REMEMBERED_LEVELS {
                                let level = 1 << depth;
                                arrays = if byte == b'[' { arrays | level } else { arrays & !level };
                            }
                            depth += 1;
                        }
                        b'}' | b']' => {
                            depth -= 1;
                            if depth < REMEMBERED_LEVELS && (arrays >> depth & 1 == 1) != (byte == b']') {
                                return Err(Mismatch);
                            }
                            if depth == 0 {
                                return Ok(Some(at));
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        *self = Self { depth, arrays, string };
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(text: &str) -> Result<Option<usize>, Mismatch> {
        Nesting::opened_by(text.as_bytes()[0]).expect("a bracket or a quote").advance(text.as_bytes(), 1)
    }

    #[test]
    fn a_value_ends_with_the_bracket_or_quote_that_closes_it() {
        for (text, rest) in [
            (r#"{"a":[1,{"]":"}\""}]}"#, ",1"),
            ("[]", "]"),
            (r#""a\\\"[""#, "\""),
            (&format!("{}{}", "[{\"a\":".repeat(100), "}]".repeat(100)), "]"),
        ] {
            assert_eq!(end_of(&format!("{text}{rest}")), Ok(Some(text.len())), "{text}");
            assert_eq!(end_of(&text[..text.len() - 1]), Ok(None), "{text}");
        }
    }

    #[test]
    fn brackets_of_different_kinds_do_not_match() {
        for text in ["{]", "[}", "[{]}", "{\"a\":[1}]"] {
            assert_eq!(end_of(text), Err(Mismatch), "{text}");
        }
    }
}
