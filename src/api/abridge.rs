//! An entry that is too long to be kept, without what nobody needs.
//!
//! A receiver writes `response`, and a company's data may be of any size. If such an entry were left out, a receiver could
//! hide its own failures behind a long response. So from a certain length on, an entry is rewritten while it arrives:
//! members that no reader asks for are dropped, and of arrays and of texts that are too long nothing is left but that they
//! are there. A reader makes of the rest what it would have made of the whole.

use super::nesting::{Mismatch, Nesting};
use super::wire::is_needed;

/// A text longer than this has no value. A convention: a thousand times the longest that the API's documentation shows.
/// No entry is abridged that is shorter, so that the same text has a value in each entry or in none.
pub(super) const LONGEST_TEXT: usize = 1024 * 1024;

/// An entry that is longer even without what nobody needs cannot be read. The API's own objects have a dozen needed
/// members; it takes thousands of the same key.
const LONGEST_REST: usize = 8 * LONGEST_TEXT;

/// A key that is longer is none that is needed: no name has more than 13 letters, of six bytes where each is escaped.
const LONGEST_KEY: usize = 80;

/// Objects that are deeper hold nothing that is needed: `event`, `data`, `_id` and two that stand for its value make five.
const DEEPEST: usize = 8;

/// In the place of a value that cannot be read, or need not be: no reader takes anything of an array.
const UNREADABLE: &[u8] = b"[]";

/// Takes an entry as it comes.
#[derive(Debug)]
pub(super) struct Abridged {
    rest: Vec<u8>,
    /// Where in `rest` each open object begins, the outermost first.
    objects: Vec<usize>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before a value that is needed.
    Value,
    /// Before a value that is not.
    Unneeded,
    /// Behind `{`.
    First,
    /// Behind a comma.
    Next,
    /// In a key, of which so much has come, quotes included.
    Key { key: Vec<u8>, nesting: Nesting },
    /// Behind a key.
    Colon { is_needed: bool },
    /// In a needed text, which begins there in `rest`.
    Text { start: usize, nesting: Nesting, is_too_long: bool },
    /// In a number or a word, which begins there in `rest` if it is needed.
    Word { start: Option<usize> },
    /// In a value that is passed over.
    Passed(Nesting),
    /// Behind a value.
    Behind,
    /// Behind the entry, or it is no object.
    Over,
}

impl Abridged {
    /// An entry before its first byte.
    pub(super) fn new() -> Self {
        Self { rest: Vec::new(), objects: Vec::new(), state: State::Value }
    }

    /// What is left of the entry.
    pub(super) fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() {
            at = self.step(bytes, at);
            if self.rest.len() > LONGEST_REST {
                self.give_up(at);
            }
        }
    }

    /// Takes at least one byte, or changes the state. Gives the index behind what it took.
    fn step(&mut self, bytes: &[u8], at: usize) -> usize {
        let byte = bytes[at];
        match &mut self.state {
            State::Value | State::Unneeded | State::First | State::Next | State::Colon { .. } | State::Behind
                if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') =>
            {
                at + 1
            }
            State::Value => self.begin(byte, at),
            State::Unneeded => match Nesting::opened_by(byte) {
                Some(nesting) => self.go(State::Passed(nesting), at + 1),
                None if is_word(byte) => self.go(State::Word { start: None }, at),
                None => self.lose(at),
            },
            State::First if byte == b'}' => self.end_object(at + 1),
            State::First | State::Next => match Nesting::opened_by(byte).filter(|_| byte == b'"') {
                Some(nesting) => self.go(State::Key { key: vec![byte], nesting }, at + 1),
                None => self.lose(at),
            },
            State::Key { key, nesting } => {
                let end = nesting.advance(bytes, at).ok().flatten();
                let come = &bytes[at..end.unwrap_or(bytes.len())];
                // One byte more says that it is longer.
                let left = (LONGEST_KEY + 1).saturating_sub(key.len());
                key.extend_from_slice(&come[..come.len().min(left)]);
                end.map_or(bytes.len(), |end| self.end_key(end))
            }
            State::Colon { is_needed } if byte == b':' => {
                let next = if *is_needed { State::Value } else { State::Unneeded };
                self.go(next, at + 1)
            }
            State::Text { start, nesting, is_too_long } => {
                let end = nesting.advance(bytes, at).ok().flatten();
                let come = &bytes[at..end.unwrap_or(bytes.len())];
                // Two of them are quotes.
                if !*is_too_long && self.rest.len() - *start + come.len() > LONGEST_TEXT + 2 {
                    *is_too_long = true;
                    self.rest.truncate(*start);
                    self.rest.extend_from_slice(UNREADABLE);
                } else if !*is_too_long {
                    self.rest.extend_from_slice(come);
                }
                end.map_or(bytes.len(), |end| self.go(State::Behind, end))
            }
            State::Word { start } => {
                let end = bytes[at..].iter().position(|byte| !is_word(*byte)).map(|length| at + length);
                let come = &bytes[at..end.unwrap_or(bytes.len())];
                match *start {
                    Some(from) if self.rest.len() - from + come.len() > LONGEST_TEXT => {
                        *start = None;
                        self.rest.truncate(from);
                        self.rest.extend_from_slice(UNREADABLE);
                    }
                    Some(_) => self.rest.extend_from_slice(come),
                    None => {}
                }
                end.map_or(bytes.len(), |end| self.go(State::Behind, end))
            }
            State::Passed(nesting) => match nesting.advance(bytes, at) {
                Ok(Some(end)) => self.go(State::Behind, end),
                Ok(None) => bytes.len(),
                Err(Mismatch) => self.give_up(at),
            },
            State::Behind if byte == b',' => self.go(State::Next, at + 1),
            State::Behind if byte == b'}' => self.end_object(at + 1),
            State::Behind | State::Colon { .. } => self.lose(at),
            State::Over => bytes.len(),
        }
    }

    fn go(&mut self, state: State, at: usize) -> usize {
        self.state = state;
        at
    }

    fn begin(&mut self, byte: u8, at: usize) -> usize {
        if byte == b'{' && self.objects.len() < DEEPEST {
            self.objects.push(self.rest.len());
            self.rest.push(byte);
            return self.go(State::First, at + 1);
        }
        match Nesting::opened_by(byte) {
            // The entry itself must be an object.
            _ if self.objects.is_empty() => self.give_up(at),
            Some(nesting) if byte == b'"' => {
                let start = self.rest.len();
                self.rest.push(byte);
                self.go(State::Text { start, nesting, is_too_long: false }, at + 1)
            }
            Some(nesting) => {
                self.rest.extend_from_slice(UNREADABLE);
                self.go(State::Passed(nesting), at + 1)
            }
            None if is_word(byte) => self.go(State::Word { start: Some(self.rest.len()) }, at),
            None => self.lose(at),
        }
    }

    fn end_key(&mut self, at: usize) -> usize {
        let State::Key { key, .. } = &self.state else { return at };
        let is_needed = key.len() <= LONGEST_KEY && is_needed(key);
        if is_needed {
            if self.rest.last() != Some(&b'{') {
                self.rest.push(b',');
            }
            self.rest.extend_from_slice(key);
            self.rest.push(b':');
        }
        self.go(State::Colon { is_needed }, at)
    }

    fn end_object(&mut self, at: usize) -> usize {
        self.rest.push(b'}');
        self.objects.pop();
        self.go(if self.objects.is_empty() { State::Over } else { State::Behind }, at)
    }

    /// What stands there belongs in no object: the innermost one cannot be read, and the ones around it can.
    fn lose(&mut self, at: usize) -> usize {
        match self.objects.pop() {
            Some(start) if !self.objects.is_empty() => {
                self.rest.truncate(start);
                self.rest.extend_from_slice(UNREADABLE);
                self.go(State::Passed(Nesting::in_object()), at)
            }
            _ => self.give_up(at),
        }
    }

    /// Nothing is left of the entry.
    fn give_up(&mut self, at: usize) -> usize {
        self.rest = Vec::new();
        self.go(State::Over, at)
    }
}

/// Whether the byte can be one of a number, a word, or what stands in their place.
fn is_word(byte: u8) -> bool {
    !b",]}:\"{[ \t\n\r".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of an entry that comes in pieces of any size.
    fn rest_of(entry: &str) -> String {
        let rest = |size: usize| {
            let mut abridged = Abridged::new();
            entry.as_bytes().chunks(size).for_each(|piece| abridged.feed(piece));
            String::from_utf8(abridged.rest().to_vec()).expect("text")
        };
        let whole = rest(entry.len());
        for size in 1..=8 {
            assert_eq!(rest(size), whole, "{entry} in pieces of {size}");
        }
        whole
    }

    #[test]
    fn needed_members_are_left_as_they_stand_and_others_are_dropped() {
        for (entry, rest) in [
            (r#"{"_id":"a","company":"b","x":1,"status":409}"#, r#"{"_id":"a","company":"b","status":409}"#),
            (r#" { "x" : "}{\"" , "retry" : 3 , "y" : [{}] } "#, r#"{"retry":3}"#),
            (
                r#"{"x":{"_id":"no"},"event":{"data":{"y":0,"_id":{"$oid":"c"}},"diff":{"/a":[1]}}}"#,
                r#"{"event":{"data":{"_id":{"$oid":"c"}}}}"#,
            ),
            (r#"{"\u005fid":"escaped","\ud83d":1,"_id\ud83d":2}"#, r#"{"\u005fid":"escaped"}"#),
            (r#"{"response":"a \"quoted\" \\","__v":0}"#, r#"{"response":"a \"quoted\" \\"}"#),
            (r#"{"response":["long"],"event":[{"data":1}]}"#, r#"{"response":[],"event":[]}"#),
            (r#"{"_id":1,"_id":2}"#, r#"{"_id":1,"_id":2}"#),
            (
                r#"{"url":"u","name":"n","code":"c","trigger":"t","isActive":true,"description":"d"}"#,
                r#"{"url":"u","name":"n","code":"c","trigger":"t","isActive":true}"#,
            ),
            ("{}", "{}"),
        ] {
            assert_eq!(rest_of(entry), rest, "{entry}");
        }
    }

    #[test]
    fn of_an_object_that_is_none_nothing_is_left_but_that_it_is_there() {
        for (entry, rest) in [
            (
                r#"{"_id":"a","event":{"data":{"_id" 1},"type":"b"},"retry":1}"#,
                r#"{"_id":"a","event":{"data":[],"type":"b"},"retry":1}"#,
            ),
            (r#"{"event":{"type":"b",},"retry":1}"#, r#"{"event":[],"retry":1}"#),
            (r#"{"event":{"type":},"retry":1}"#, r#"{"event":[],"retry":1}"#),
            (r#"{"event":{1:2,"x":"}"},"retry":1}"#, r#"{"event":[],"retry":1}"#),
            (r#"{"_id":"a" "b":1}"#, ""),
            (r#"["_id"]"#, ""),
            (r#""_id""#, ""),
            ("7", ""),
        ] {
            assert_eq!(rest_of(entry), rest, "{entry}");
        }
    }

    #[test]
    fn a_needed_text_is_left_up_to_a_mebibyte_and_has_no_value_above() {
        let mebibyte = "x".repeat(LONGEST_TEXT);
        let left = |value: &str| {
            let mut abridged = Abridged::new();
            let entry = format!(r#"{{"response":{value},"retry":1}}"#);
            entry.as_bytes().chunks(60_000).for_each(|piece| abridged.feed(piece));
            assert!(abridged.rest.capacity() <= 4 * LONGEST_TEXT, "{}", abridged.rest.capacity());
            abridged.rest().to_vec()
        };
        assert_eq!(left(&format!("\"{mebibyte}\"")), format!(r#"{{"response":"{mebibyte}","retry":1}}"#).as_bytes());
        for long in [format!("\"{mebibyte}x\""), format!("\"{}\"", mebibyte.repeat(40)), mebibyte.repeat(2)] {
            assert_eq!(left(&long), br#"{"response":[],"retry":1}"#, "of {} bytes", long.len());
        }
    }

    #[test]
    fn an_entry_of_nothing_but_needed_members_takes_no_more_than_its_share() {
        let mut abridged = Abridged::new();
        abridged.feed(b"{\"retry\":1");
        let more = br#","retry":1"#.repeat(1_000);
        for _ in 0..2_000 {
            abridged.feed(&more);
            assert!(abridged.rest.len() <= LONGEST_REST);
        }
        assert_eq!(abridged.rest(), b"");
    }

    #[test]
    fn a_key_of_any_length_is_passed_over() {
        let key = "_id".repeat(100_000);
        let mut abridged = Abridged::new();
        abridged.feed(format!(r#"{{"{key}":1,"retry":1}}"#).as_bytes());
        assert_eq!(abridged.rest(), br#"{"retry":1}"#);
    }
}
