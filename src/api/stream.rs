//! Frames the entries of a JSON array out of a byte stream, one at a time, so that nobody holds the whole response.
//!
//! It knows just enough JSON to tell where an entry ends ([`super::nesting`]). Whether an entry is malformed is for its
//! reader to say, so that a malformed one does no harm to its neighbours. Trying a parser on a partial buffer
//! until it says "unexpected end" would be simpler and wrong: a number that is cut behind `-` or `.` is no such end.

use super::abridge::{Abridged, LONGEST_TEXT};
use super::nesting::{Mismatch, Nesting};

/// A buffer that grew beyond this for one long entry is given back afterwards.
const KEEP_BUFFER_BYTES: usize = 256 * 1024;

/// Why a response is not a JSON array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameError {
    /// It is something else: an object, HTML, nothing.
    #[error("the response is not a JSON array")]
    NotAnArray,
    /// It ended inside the array.
    #[error("the response ends inside its JSON array")]
    BrokenOff,
    /// Two entries without a comma between them, a comma too many, brackets that do not match, or something behind the
    /// array.
    #[error("the JSON array in the response is malformed")]
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the array, having passed so many bytes of a byte-order mark.
    Before { mark: usize },
    /// Behind `[`.
    First,
    /// In an entry with brackets or quotes.
    Inside(Nesting),
    /// In an entry that is a number or a word.
    Word,
    /// Behind an entry.
    Behind,
    /// Behind a comma.
    Next,
    /// Behind `]`.
    After,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Who takes the entries of a stream.
pub trait Entries {
    /// Takes the entry that `ahead` begins with, which may have more behind it, and says how long it is; `None` if it does not
    /// end in these bytes, or is for [`Entries::take`].
    ///
    /// Framing an entry costs half of what reading it does: who finds its end while reading saves that.
    fn take_first(&mut self, ahead: &[u8]) -> Option<usize>;

    /// Takes an entry. Of one that is longer than 1 MiB it gets what a reader needs.
    fn take(&mut self, entry: &[u8]);
}

impl<F: FnMut(&[u8])> Entries for F {
    fn take_first(&mut self, _ahead: &[u8]) -> Option<usize> {
        None
    }

    fn take(&mut self, entry: &[u8]) {
        self(entry);
    }
}

/// Takes bytes as they come, gives entries as they end.
#[derive(Debug)]
pub struct Framer {
    state: State,
    /// The beginning of an entry whose end has not come yet.
    partial: Vec<u8>,
    /// The same of an entry that is too long to be kept.
    abridged: Option<Abridged>,
    /// A longer one is.
    longest: usize,
    /// Whether the response is one object, and no array.
    is_single: bool,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

impl Framer {
    /// A framer before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::abridging_above(LONGEST_TEXT)
    }

    /// The same, which abridges each entry of more bytes than that, to be tested with short ones.
    #[must_use]
    pub fn abridging_above(longest: usize) -> Self {
        Self { state: State::Before { mark: 0 }, partial: Vec::new(), abridged: None, longest, is_single: false }
    }

    /// A framer of a response that is one object: that is its only entry.
    #[must_use]
    pub(super) fn of_one_object() -> Self {
        Self { is_single: true, ..Self::new() }
    }

    /// Takes the next bytes, and hands on the bytes of every entry that ends in them, from first to last. Of one that is
    /// longer than 1 MiB they are what its reader needs.
    ///
    /// # Errors
    ///
    /// If the bytes cannot belong to a JSON array; nothing more may be fed then.
    pub fn feed(&mut self, bytes: &[u8], mut on_entry: impl FnMut(&[u8])) -> Result<(), FrameError> {
        self.feed_to(&mut on_entry, bytes)
    }

    /// The same, for one who may take an entry without being told where it ends.
    ///
    /// # Errors
    ///
    /// As [`Framer::feed`].
    pub fn feed_to(&mut self, entries: &mut impl Entries, bytes: &[u8]) -> Result<(), FrameError> {
        let mut at = 0;
        // Where the current entry starts in `bytes`; 0 if it started in earlier ones.
        let mut start = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Before { mark } => match byte {
                    b'{' if self.is_single && mark % BYTE_ORDER_MARK.len() == 0 => {
                        start = at;
                        self.state = Nesting::opened_by(byte).map_or(State::Word, State::Inside);
                        at += 1;
                    }
                    b'[' if !self.is_single && mark % BYTE_ORDER_MARK.len() == 0 => {
                        (self.state, at) = (State::First, at + 1);
                    }
                    b' ' | b'\t' | b'\n' | b'\r' if mark % BYTE_ORDER_MARK.len() == 0 => at += 1,
                    _ if BYTE_ORDER_MARK.get(mark) == Some(&byte) => {
                        (self.state, at) = (State::Before { mark: mark + 1 }, at + 1);
                    }
                    _ => return Err(FrameError::NotAnArray),
                },
                State::First | State::Next => match byte {
                    b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                    b']' if self.state == State::First => (self.state, at) = (State::After, at + 1),
                    b']' | b',' | b'}' | b':' => return Err(FrameError::Broken),
                    _ => {
                        let ahead = &bytes[at..bytes.len().min(at.saturating_add(self.longest))];
                        if let Some(length) = entries.take_first(ahead) {
                            (self.state, at) = (State::Behind, at + length);
                            continue;
                        }
                        start = at;
                        self.state = Nesting::opened_by(byte).map_or(State::Word, State::Inside);
                        at += 1;
                    }
                },
                State::Inside(_) | State::Word => {
                    let end = if let State::Inside(nesting) = &mut self.state {
                        nesting.advance(bytes, at).map_err(|Mismatch| FrameError::Broken)?
                    } else {
                        word_end(bytes, at)?
                    };
                    let Some(end) = end else { break };
                    self.state = if self.is_single { State::After } else { State::Behind };
                    self.end_entry(&bytes[start..end], entries);
                    at = end;
                }
                State::Behind => match byte {
                    b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                    b',' => (self.state, at) = (State::Next, at + 1),
                    b']' => (self.state, at) = (State::After, at + 1),
                    _ => return Err(FrameError::Broken),
                },
                State::After => match byte {
                    b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                    _ => return Err(FrameError::Broken),
                },
            }
        }
        if matches!(self.state, State::Inside(_) | State::Word) {
            self.keep(&bytes[start..]);
        }
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    ///
    /// If the array has not ended.
    pub fn finish(self) -> Result<(), FrameError> {
        match self.state {
            State::After => Ok(()),
            State::Before { .. } => Err(FrameError::NotAnArray),
            State::First | State::Inside(_) | State::Word | State::Behind | State::Next => Err(FrameError::BrokenOff),
        }
    }

    /// Keeps the beginning of an entry, or what is needed of it.
    fn keep(&mut self, bytes: &[u8]) {
        if self.abridged.is_none() && self.partial.len() + bytes.len() <= self.longest {
            return self.partial.extend_from_slice(bytes);
        }
        let beginning = std::mem::take(&mut self.partial);
        let abridged = self.abridged.get_or_insert_with(Abridged::new);
        abridged.feed(&beginning);
        abridged.feed(bytes);
    }

    fn end_entry(&mut self, bytes: &[u8], entries: &mut impl Entries) {
        if self.partial.is_empty() && self.abridged.is_none() && bytes.len() <= self.longest {
            return entries.take(bytes);
        }
        self.keep(bytes);
        match self.abridged.take() {
            Some(abridged) => entries.take(abridged.rest()),
            None => entries.take(&self.partial),
        }
        self.partial.clear();
        self.partial.shrink_to(KEEP_BUFFER_BYTES);
    }
}

/// Where a number or a word that is an entry by itself ends: the index of the first byte behind it, if it is there.
fn word_end(bytes: &[u8], at: usize) -> Result<Option<usize>, FrameError> {
    for (index, byte) in bytes.iter().enumerate().skip(at) {
        match byte {
            b',' | b']' | b' ' | b'\t' | b'\n' | b'\r' => return Ok(Some(index)),
            b'{' | b'[' | b'}' | b'"' | b':' => return Err(FrameError::Broken),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(chunks: &[&[u8]]) -> Result<Vec<String>, FrameError> {
        let mut framer = Framer::new();
        let mut entries = Vec::new();
        for chunk in chunks {
            framer.feed(chunk, |entry| entries.push(String::from_utf8_lossy(entry).into_owned()))?;
        }
        framer.finish()?;
        Ok(entries)
    }

    #[test]
    fn entries_come_out_as_they_stand_whatever_is_in_their_strings() {
        let text = br#" [ {"a":"}]\"[{\\"} , [1,{"b":[]}],"x,]\\\"",-1.5e3 ,null,true] "#;
        let expected = [r#"{"a":"}]\"[{\\"}"#, r#"[1,{"b":[]}]"#, r#""x,]\\\"""#, "-1.5e3", "null", "true"];
        assert_eq!(frame(&[text]).expect("an array"), expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(frame(&bytes).expect("an array"), expected);
    }

    #[test]
    fn a_response_that_is_not_an_array_or_breaks_off_is_an_error() {
        for (text, expected) in [
            ("", FrameError::NotAnArray),
            ("  ", FrameError::NotAnArray),
            ("{\"message\":\"no\"}", FrameError::NotAnArray),
            ("<!doctype html>", FrameError::NotAnArray),
            ("null", FrameError::NotAnArray),
            ("[", FrameError::BrokenOff),
            ("[{\"a\":1}", FrameError::BrokenOff),
            ("[{\"a\":1},", FrameError::BrokenOff),
            ("[{\"a\":1", FrameError::BrokenOff),
            ("[-", FrameError::BrokenOff),
            ("[\"a", FrameError::BrokenOff),
            ("[1,]", FrameError::Broken),
            ("[,1]", FrameError::Broken),
            ("[1 2]", FrameError::Broken),
            ("[1,,2]", FrameError::Broken),
            ("[]]", FrameError::Broken),
            ("[] {}", FrameError::Broken),
            ("[{\"a\":[1}]]", FrameError::Broken),
            ("[{]", FrameError::Broken),
            ("[1}]", FrameError::Broken),
            ("[a\"b\"]", FrameError::Broken),
            ("\u{feff} \u{feff}[]", FrameError::NotAnArray),
        ] {
            assert_eq!(frame(&[text.as_bytes()]), Err(expected), "{text}");
        }
        assert_eq!(frame(&[b"\xef\xbb\xbf[]\n"]), Ok(Vec::new()));
        assert_eq!(frame(&[b"\xef", b"\xbb", b"\xbf[]"]), Ok(Vec::new()));
        assert_eq!(frame(&[b"\xef\xbb[]"]), Err(FrameError::NotAnArray));
    }

    #[test]
    fn of_an_entry_of_absurd_length_the_needed_is_left_and_its_neighbours_are_whole() {
        let long = "x".repeat(LONGEST_TEXT);
        let text = format!(r#"[1,{{"_id":"a","b":"{long}","status":503,"response":"{long}x"}},{{"b":2}},"{long}"]"#);
        let expected = ["1", r#"{"_id":"a","status":503,"response":[]}"#, r#"{"b":2}"#, ""];
        for size in [1, 1 << 16, text.len()] {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(frame(&chunks).expect("an array"), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_response_of_one_object_is_its_only_entry_however_long_it_is() {
        let frame = |text: &str, size: usize| {
            let mut framer = Framer::of_one_object();
            let mut entries = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                framer.feed(chunk, |entry| entries.push(String::from_utf8_lossy(entry).into_owned()))?;
            }
            framer.finish().map(|()| entries)
        };
        let long = "x".repeat(LONGEST_TEXT);
        for size in [1, 7, 4 * LONGEST_TEXT] {
            for text in ["{\"_id\":\"]}\"}", "\u{feff} {\"_id\":\"]}\"} \n"] {
                assert_eq!(frame(text, size), Ok(vec!["{\"_id\":\"]}\"}".to_owned()]), "{text}");
            }
            let text = format!("{{\"b\":\"{long}\",\"name\":\"{long}x\",\"_id\":\"a\"}}");
            assert_eq!(frame(&text, size), Ok(vec!["{\"name\":[],\"_id\":\"a\"}".to_owned()]), "in pieces of {size}");
            for (text, expected) in [
                ("", FrameError::NotAnArray),
                ("[{}]", FrameError::NotAnArray),
                ("null", FrameError::NotAnArray),
                ("\u{feff}\u{feff}{}", FrameError::NotAnArray),
                ("{", FrameError::BrokenOff),
                ("{]", FrameError::Broken),
                ("{},{}", FrameError::Broken),
                ("{}]", FrameError::Broken),
            ] {
                assert_eq!(frame(text, size), Err(expected), "{text}");
            }
        }
    }

    /// Takes entries of one byte ahead, and notes what it gets.
    #[derive(Default)]
    struct Ahead(Vec<String>);

    impl Entries for Ahead {
        fn take_first(&mut self, ahead: &[u8]) -> Option<usize> {
            self.0.push(String::from_utf8_lossy(ahead).into_owned());
            ahead.first().is_some_and(u8::is_ascii_digit).then_some(1)
        }

        fn take(&mut self, entry: &[u8]) {
            self.0.push(format!("taken {}", String::from_utf8_lossy(entry)));
        }
    }

    #[test]
    fn who_reads_ahead_gets_as_much_as_an_entry_may_have_and_may_leave_it() {
        let mut ahead = Ahead::default();
        let mut framer = Framer::abridging_above(4);
        for piece in [" [1, [2,", "3] ,4", ",5]"] {
            framer.feed_to(&mut ahead, piece.as_bytes()).expect("an array");
        }
        assert_eq!(framer.finish(), Ok(()));
        assert_eq!(ahead.0, ["1, [", "[2,", "taken ", "4", "5]"]);
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn however_it_is_cut_it_frames_what_a_json_parser_reads(
            values in prop::collection::vec(any_json(), 0..8),
            is_pretty: bool,
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let array = serde_json::Value::Array(values.clone());
            let text = if is_pretty { format!("{array:#}") } else { array.to_string() };
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &text.as_bytes()[cut[0]..cut[1]]).collect();
            let framed = frame(&chunks).expect("an array");
            let parsed: Vec<serde_json::Value> =
                framed.iter().map(|entry| serde_json::from_str(entry).expect("an entry")).collect();
            prop_assert_eq!(parsed, serde_json::from_str::<Vec<serde_json::Value>>(&text).expect("an array"));
        }

        #[test]
        fn no_bytes_make_it_panic(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6)) {
            let mut framer = Framer::new();
            let _ = framer.feed(b"[", |_| {});
            for chunk in &chunks {
                if framer.feed(chunk, |_| {}).is_err() {
                    break;
                }
            }
        }
    }
}
