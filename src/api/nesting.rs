//! How far a JSON value with brackets or quotes reaches: nesting, strings and escapes, and nothing else of JSON.

use super::masks::{BLOCK_BYTES, Block, escaped, in_strings};

/// So many levels remember whether `[` or `{` opened them, and deeper ones only that something did: without a limit, a
/// response of nothing but brackets would fill the memory.
const REMEMBERED_LEVELS: usize = 64;

/// A bracket is closed by one of the other kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mismatch;

/// A position inside a value that a bracket or a quote opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nesting {
    /// How many brackets are open; 0 only in a string by itself.
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
        while let Some(block) = Block::at(bytes, at) {
            let behind = bytes.len().min(at + BLOCK_BYTES);
            let end = match self.masked(block, behind - at) {
                Some(masked) => self.advance_by_brackets(bytes, at, masked)?,
                None => self.advance_by_bytes(&bytes[..behind], at)?,
            };
            if end.is_some() {
                return Ok(end);
            }
            at = behind;
        }
        Ok(None)
    }

    /// The masks of a block, which has so many bytes; `None` if a backslash stands outside of strings, where it escapes
    /// nothing.
    #[inline]
    fn masked(&self, block: Block, length: usize) -> Option<Masked> {
        let (backslashes, mut quotes) = (block.backslashes(), block.quotes());
        let mut is_escaped = u64::from(self.string == Some(Escape::Yes));
        let mut is_inside = if self.string.is_some() { u64::MAX } else { 0 };
        if backslashes | is_escaped != 0 {
            let escaped = escaped(backslashes, &mut is_escaped);
            quotes &= !escaped;
            if length < BLOCK_BYTES {
                is_escaped = escaped >> length & 1;
            }
        }
        let strings = in_strings(quotes, &mut is_inside);
        let next = match (is_inside != 0, is_escaped != 0) {
            (false, _) => None,
            (true, false) => Some(Escape::No),
            (true, true) => Some(Escape::Yes),
        };
        (backslashes & !strings == 0).then_some(Masked { quotes, brackets: block.brackets() & !strings, next })
    }

    #[inline]
    fn advance_by_brackets(&mut self, bytes: &[u8], at: usize, masked: Masked) -> Result<Option<usize>, Mismatch> {
        if self.depth == 0 && masked.quotes != 0 {
            return Ok(Some(at + masked.quotes.trailing_zeros() as usize + 1));
        }
        let mut brackets = masked.brackets;
        while brackets != 0 {
            let bracket = at + brackets.trailing_zeros() as usize;
            if self.meet(bytes[bracket])? {
                return Ok(Some(bracket + 1));
            }
            brackets &= brackets - 1;
        }
        self.string = masked.next;
        Ok(None)
    }

    fn advance_by_bytes(&mut self, bytes: &[u8], at: usize) -> Result<Option<usize>, Mismatch> {
        for (at, byte) in bytes.iter().enumerate().skip(at) {
            self.string = match (self.string, byte) {
                (Some(Escape::No), b'"') if self.depth == 0 => return Ok(Some(at + 1)),
                (Some(Escape::No), b'"') => None,
                (Some(Escape::No), b'\\') => Some(Escape::Yes),
                (Some(_), _) | (None, b'"') => Some(Escape::No),
                (None, b'{' | b'[' | b'}' | b']') if self.meet(*byte)? => return Ok(Some(at + 1)),
                (None, _) => None,
            };
        }
        Ok(None)
    }

    /// Takes a bracket outside of strings. Says whether it closes the value.
    #[inline]
    fn meet(&mut self, bracket: u8) -> Result<bool, Mismatch> {
        if matches!(bracket, b'{' | b'[') {
            if self.depth < REMEMBERED_LEVELS {
                let level = 1 << self.depth;
                self.arrays = if bracket == b'[' { self.arrays | level } else { self.arrays & !level };
            }
            self.depth += 1;
            return Ok(false);
        }
        self.depth -= 1;
        if self.depth < REMEMBERED_LEVELS && (self.arrays >> self.depth & 1 == 1) != (bracket == b']') {
            return Err(Mismatch);
        }
        Ok(self.depth == 0)
    }
}

/// What there is in a block.
#[derive(Clone, Copy)]
struct Masked {
    /// Quotes that are not escaped.
    quotes: u64,
    /// Brackets outside of strings.
    brackets: u64,
    /// How the next block begins: in a string or not.
    next: Option<Escape>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// The same, byte by byte, for values that are no strings.
    fn end_by_bytes(text: &[u8]) -> Result<Option<usize>, Mismatch> {
        let (mut open, mut is_inside, mut is_escaped) = (Vec::new(), false, false);
        for (at, byte) in text.iter().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_inside => is_escaped = true,
                b'"' => is_inside = !is_inside,
                b'{' | b'[' if !is_inside => open.push(*byte),
                b'}' | b']' if !is_inside => {
                    let opening = open.pop();
                    if open.len() < REMEMBERED_LEVELS && opening != Some(*byte - 2) {
                        return Err(Mismatch);
                    }
                    if open.is_empty() {
                        return Ok(Some(at + 1));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    proptest! {
        #[test]
        fn a_value_ends_where_it_ends_byte_by_byte_however_it_is_cut(
            pieces in prop::collection::vec(
                prop::sample::select(&[r"\", r#"\""#, r#"""#, r#""x""#, "{", "}", "[", "]", "{}", "[]", "aaaaaaaaaaaaaaaaaaa", "\\\\\\"][..]),
                0..80,
            ),
            deep in prop::option::of(60..70_usize),
            cut: prop::sample::Index,
        ) {
            let text = format!("[{}{}", "[".repeat(deep.unwrap_or(0)), pieces.concat()).into_bytes();
            let cut = 1 + cut.index(text.len());
            let mut nesting = Nesting::opened_by(b'[').expect("a bracket");
            let mut end = nesting.advance(&text[..cut], 1);
            if end == Ok(None) {
                end = nesting.advance(&text, cut);
            }
            prop_assert_eq!(end, end_by_bytes(&text));
        }
    }

    #[test]
    fn brackets_of_different_kinds_do_not_match() {
        for text in ["{]", "[}", "[{]}", "{\"a\":[1}]"] {
            assert_eq!(end_of(text), Err(Mismatch), "{text}");
        }
    }
}
